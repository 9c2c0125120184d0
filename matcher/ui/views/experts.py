"""按专家看: choose a team, read its profile, and see the needs it may be able to answer."""

from __future__ import annotations

import streamlit as st

from matcher.models import Expert
from matcher.services.records import Options
from matcher.ui import guard, navigation, resources, texts
from matcher.ui.components import editor, filters, layout, picker, records, results, ticks
from matcher.ui.components.html import show

PAGE = "experts"
_STALE = "stale"


def _choose(options: Options) -> str:
    app = resources.application()
    if not app.records.experts():
        layout.invite(texts.NO_EXPERTS, "experts")
        return navigation.param("expert")
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
    if navigation.param(_STALE) == "1":
        found = filters.stale(found)
        layout.removable_note(f"只看资料过期的 {len(found)} 个", _STALE, f"{PAGE}_all")
    if not found:
        st.info(texts.NOTHING_LISTED)
    return picker.pick(
        PAGE,
        "expert",
        found,
        id_of=lambda expert: expert.expert_id,
        title_of=lambda expert: expert.name + (texts.SAMPLE_BADGE if expert.is_sample else ""),
        caption_of=lambda expert: "　".join(p for p in (expert.institution, expert.ring) if p),
        unit="个团队",
    )


def _needs(expert: Expert, options: Options) -> None:
    app = resources.application()
    st.subheader("可能相关的需求", anchor=False)
    if not app.records.needs():
        layout.invite(texts.NO_NEEDS, "needs")
        return
    with st.expander("筛选需求", icon=":material/tune:", key=f"{PAGE}_filters"):
        wanted = filters.need_filter(options, PAGE)
        top = filters.top_choice(PAGE)
    with st.spinner("正在匹配……"):
        ranking = app.matching.for_expert(expert.expert_id, filter=wanted, top=top)
    note = "先后按匹配度。不同需求的匹配度不宜直接相比，请同时看该团队在每条需求中的位次。"
    results.summary(PAGE, ranking, note=note)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        list_id = ticks.current_list(PAGE)
        layout.export_menu(
            PAGE, f"相关需求_{expert.name}", lambda suffix: app.exports.ranking(ranking, suffix)
        )
        layout.link_menu(PAGE, {"expert": expert.expert_id})
    ticks.show_made()
    ticks.mirror(PAGE, ranking, app.shortlists.ticked(list_id) if list_id else frozenset())
    results.results(PAGE, ranking)


layout.heading("按专家看", "选一个团队，看它做什么，和哪些需求相关。")
with guard.calm("experts"):
    application = resources.application()
    choices = application.records.options()
    left, right = st.columns([1, 2.3], gap="large")
    with left, picker.side(PAGE, "expert", "换一个团队"):
        expert_id = _choose(choices)
    with right, guard.calm("expert"):
        if expert_id:
            chosen = application.records.expert(expert_id)
            with st.container(border=True, key=f"{PAGE}_block"):
                works = application.records.works_of(expert_id)
                capacity = application.records.capacity_left(expert_id)
                show(records.expert_html(chosen, works, capacity))
            editor.edit_block(PAGE, "experts", expert_id)
            _needs(chosen, choices)
