"""按需求看: choose a need, read it, and see the teams that fit it with their evidence."""

from __future__ import annotations

import streamlit as st

from matcher.models import Need
from matcher.ranking.eligibility import ExpertFilter
from matcher.services.rankings import Ranking
from matcher.services.records import Options
from matcher.ui import guard, resources, texts
from matcher.ui.components import filters, layout, picker, records, results, ticks
from matcher.ui.components.absence import absence
from matcher.ui.components.html import show

PAGE = "needs"


def _choose(options: Options) -> str:
    app = resources.application()
    text = st.text_input(
        "查找需求",
        key=f"{PAGE}_text",
        placeholder="名称、企业或问题里的词",
        type="search",
        bind="query-params",
    )
    with st.expander("筛选需求", icon=":material/filter_list:", key=f"{PAGE}_list_filters"):
        wanted = filters.need_filter(options, PAGE)
    found = app.records.needs(wanted, text or "")
    if not found:
        st.info(texts.NOTHING_LISTED if app.records.needs() else texts.NO_RECORDS)
    return picker.pick(
        PAGE,
        "need",
        found,
        id_of=lambda need: need.need_id,
        title_of=lambda need: need.title + (texts.SAMPLE_BADGE if need.is_sample else ""),
        caption_of=lambda need: "　".join(p for p in (need.company, need.sector, need.status) if p),
        unit="条需求",
    )


def _controls(options: Options) -> tuple[ExpertFilter, bool, int]:
    with st.expander("筛选团队与排序", icon=":material/tune:", key=f"{PAGE}_filters"):
        wanted = filters.expert_filter(options, PAGE)
        practical = st.toggle(
            "按实际因素调整顺序",
            key=f"{PAGE}_practical",
            help=texts.PRACTICAL_NOTE,
            bind="query-params",
        )
        top = filters.top_choice(PAGE)
    return wanted, practical, top


def _toolbar(need: Need, ranking: Ranking) -> None:
    app = resources.application()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        list_id = ticks.current_list(PAGE)
        layout.export_menu(
            PAGE, f"匹配结果_{need.title}", lambda suffix: app.exports.ranking(ranking, suffix)
        )
        layout.link_menu(PAGE, {"need": need.need_id})
    ticks.mirror(PAGE, ranking, app.shortlists.ticked(list_id) if list_id else frozenset())


layout.heading("按需求看", "选一条技术需求，看哪些团队最合适，以及依据是什么。")
with guard.calm("needs"):
    application = resources.application()
    choices = application.records.options()
    left, right = st.columns([1, 2.3], gap="large")
    with left:
        need_id = _choose(choices)
    with right, guard.calm("need"):
        if need_id:
            chosen = application.records.need(need_id)
            with st.container(border=True, key=f"{PAGE}_block"):
                show(records.need_html(chosen))
            st.subheader("合适的团队", anchor=False)
            st.caption(texts.SCORE_NOTE)
            expert_filter, by_practice, n_shown = _controls(choices)
            with st.spinner("正在匹配……"):
                answer = application.matching.for_need(
                    need_id, filter=expert_filter, top=n_shown, practical=by_practice
                )
            results.summary(answer)
            _toolbar(chosen, answer)
            results.results(PAGE, answer)
            absence(PAGE, need_id, expert_filter, n_shown)
