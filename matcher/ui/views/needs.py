"""按需求看: choose a need, read it, and see the teams that fit it with their evidence."""

from __future__ import annotations

import streamlit as st

from matcher.models import Need
from matcher.ranking.eligibility import ExpertFilter
from matcher.services.rankings import Ranking
from matcher.services.records import Options
from matcher.ui import guard, navigation, resources, texts
from matcher.ui.components import editor, filters, layout, picker, records, results, ticks
from matcher.ui.components.absence import absence
from matcher.ui.components.html import show
from matcher.vocab import NeedStatus

PAGE = "needs"
_ORDER = (
    NeedStatus.PUBLISHED,
    NeedStatus.WAITING,
    NeedStatus.RETURNED,
    NeedStatus.DRAFT,
    "",
    NeedStatus.SOLVED,
    NeedStatus.WITHDRAWN,
)


def _place(need: Need) -> int:
    """What is open for matching stands first, what is over last."""
    return _ORDER.index(need.status) if need.status in _ORDER else len(_ORDER)


def _choose(options: Options) -> str:
    app = resources.application()
    if not app.records.needs():
        layout.invite(texts.NO_NEEDS, "needs")
        return navigation.param("need")
    text = st.text_input(
        "查找需求",
        key=f"{PAGE}_text",
        placeholder="名称、企业或问题里的词",
        type="search",
        bind="query-params",
    )
    with st.expander("筛选需求", icon=":material/filter_list:", key=f"{PAGE}_list_filters"):
        wanted = filters.need_filter(options, PAGE)
    found = sorted(app.records.needs(wanted, text or ""), key=_place)
    if not found:
        st.info(texts.NOTHING_LISTED)
    return picker.pick(
        PAGE,
        "need",
        found,
        id_of=lambda need: need.need_id,
        title_of=records.need_title,
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


def _teams(need: Need, options: Options) -> None:
    app = resources.application()
    st.subheader("合适的团队", anchor=False)
    if not app.records.experts():
        layout.invite(texts.NO_EXPERTS, "experts")
        return
    wanted, practical, top = _controls(options)
    with st.spinner("正在匹配……"):
        answer = app.matching.for_need(need.need_id, filter=wanted, top=top, practical=practical)
    results.summary(PAGE, answer)
    _toolbar(need, answer, wanted, top, practical)
    results.results(PAGE, answer)


def _toolbar(need: Need, ranking: Ranking, wanted: ExpertFilter, top: int, practical: bool) -> None:
    app = resources.application()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        list_id = ticks.current_list(PAGE)
        layout.export_menu(
            PAGE, f"匹配结果_{need.title}", lambda suffix: app.exports.ranking(ranking, suffix)
        )
        layout.link_menu(PAGE, {"need": need.need_id})
        absence(PAGE, need.need_id, wanted, top, practical=practical)
    ticks.show_made()
    ticks.mirror(PAGE, ranking, app.shortlists.ticked(list_id) if list_id else frozenset())


def _need(need: Need) -> None:
    with st.container(border=True, key=f"{PAGE}_block"):
        show(records.need_html(need))
        if need.status == NeedStatus.WAITING:
            st.caption(f"这条需求待受理。{texts.WAITING_NOTE}")
            navigation.link("post", "去受理", {"need": need.need_id}, icon=":material/arrow_forward:")


layout.heading("按需求看", "选一条技术需求，看哪些团队最合适，以及依据是什么。")
with guard.calm("needs"):
    application = resources.application()
    choices = application.records.options()
    left, right = st.columns([1, 2.3], gap="large")
    with left, picker.side(PAGE, "need", "换一条需求"):
        need_id = _choose(choices)
    with right, guard.calm("need"):
        if need_id:
            chosen = application.records.need(need_id)
            _need(chosen)
            editor.edit_block(PAGE, "needs", need_id)
            _teams(chosen, choices)
