"""按专家看: choose a team, read its profile, and see the needs it can answer."""

from __future__ import annotations

import streamlit as st

from matcher.services.records import Options
from matcher.ui import guard, resources, texts
from matcher.ui.components import filters, layout, picker, records, results, ticks
from matcher.ui.components.html import show

PAGE = "experts"


def _choose(options: Options) -> str:
    app = resources.application()
    text = st.text_input(
        "查找团队",
        key=f"{PAGE}_text",
        placeholder="名称、单位或研究方向",
        type="search",
        bind="query-params",
    )
    with st.expander("筛选团队", icon=":material/filter_list:", key=f"{PAGE}_list_filters"):
        wanted = filters.expert_filter(options, PAGE)
    found = app.records.experts(wanted, text or "")
    if not found:
        st.info(texts.NOTHING_LISTED if app.records.experts() else texts.NO_RECORDS)
    return picker.pick(
        PAGE,
        "expert",
        found,
        id_of=lambda expert: expert.expert_id,
        title_of=lambda expert: expert.name + (texts.SAMPLE_BADGE if expert.is_sample else ""),
        caption_of=lambda expert: "　".join(p for p in (expert.institution, expert.ring) if p),
        unit="个团队",
    )


layout.heading("按专家看", "选一个团队，看它做什么，能答哪些需求。")
with guard.calm("experts"):
    app = resources.application()
    choices = app.records.options()
    left, right = st.columns([1, 2.3], gap="large")
    with left:
        expert_id = _choose(choices)
    with right, guard.calm("expert"):
        if expert_id:
            expert = app.records.expert(expert_id)
            block = st.container(border=True, key=f"{PAGE}_block")
            st.subheader("它能答的需求", anchor=False)
            st.caption("先后按匹配度。不同需求的匹配度不宜直接相比，请同时看该团队在每条需求中的位次。")
            with st.expander("筛选需求", icon=":material/tune:", key=f"{PAGE}_filters"):
                need_filter = filters.need_filter(choices, PAGE)
                n_shown = filters.top_choice(PAGE)
            with st.spinner("正在匹配……"):
                ranking = app.matching.for_expert(expert_id, filter=need_filter, top=n_shown)
            capacity = ranking.pairs[0].capacity_left if ranking.pairs else None
            with block:
                show(records.expert_html(expert, app.records.works_of(expert_id), capacity))
            results.summary(ranking)
            with st.container(horizontal=True, vertical_alignment="bottom"):
                list_id = ticks.current_list(PAGE)
                layout.export_menu(
                    PAGE,
                    f"可答需求_{expert.name}",
                    lambda suffix: app.exports.ranking(ranking, suffix),
                )
                layout.link_menu(PAGE, {"expert": expert_id})
            ticks.mirror(PAGE, ranking, app.shortlists.ticked(list_id) if list_id else frozenset())
            results.results(PAGE, ranking)
