"""自由检索: words of one's own → teams or needs."""

from __future__ import annotations

import streamlit as st

from matcher.ranking.eligibility import ExpertFilter, NeedFilter
from matcher.ui import guard, navigation, resources, texts
from matcher.ui.components import filters, layout, results
from matcher.ui.components.html import md, show, tag

PAGE = "search"
_QUERY = "q"
_TO = "to"
_DIRECTIONS = {"experts": "找团队", "needs": "找需求"}


def _ask(text: str) -> None:
    """Put the question into the address and into the box."""
    navigation.set_param(_QUERY, text)
    st.session_state[f"{PAGE}_line"] = text


def _missing(direction: str) -> tuple[str, str] | None:
    """What to say and which table to import when there is nothing to search in."""
    records = resources.application().records
    if direction == "experts":
        return None if records.experts() else (texts.NO_EXPERTS, "experts")
    return None if records.needs() else (texts.NO_NEEDS, "needs")


def _follow_line() -> None:
    navigation.set_param(_QUERY, str(st.session_state[f"{PAGE}_line"] or ""))


def _follow_area() -> None:
    text = str(st.session_state[f"{PAGE}_area"] or "").strip()
    if text:
        _ask(" ".join(text.split()))


def _follow_direction() -> None:
    navigation.set_param(_TO, str(st.session_state[f"{PAGE}_to"]))


def _inputs() -> tuple[str, str]:
    query = navigation.param(_QUERY)
    wanted = navigation.param(_TO)
    direction = wanted if wanted in _DIRECTIONS else "experts"
    st.session_state[f"{PAGE}_to"] = direction
    st.session_state[f"{PAGE}_line"] = query
    st.segmented_control(
        "找什么",
        list(_DIRECTIONS),
        key=f"{PAGE}_to",
        format_func=lambda name: _DIRECTIONS[name],
        required=True,
        on_change=_follow_direction,
    )
    st.text_input(
        "一句话说清问题",
        key=f"{PAGE}_line",
        type="search",
        placeholder="边写边找，例如：刹车片磨得快",
        live="400ms",
        on_change=_follow_line,
    )
    with st.container(horizontal=True, gap="small"):
        for number, example in enumerate(texts.EXAMPLES):
            st.button(
                md(example),
                key=f"{PAGE}_example_{number}",
                type="tertiary",
                on_click=_ask,
                args=(example,),
            )
    with (
        st.expander("粘贴一段较长的文字", icon=":material/notes:", key=f"{PAGE}_long"),
        st.form(f"{PAGE}_form", border=False),
    ):
        st.text_area("问题描述", key=f"{PAGE}_area", height=140, placeholder="可以粘贴征集表里的问题描述")
        st.form_submit_button("查找", key=f"{PAGE}_go", type="primary", on_click=_follow_area)
    return query, direction


@st.fragment
def _search() -> None:
    app = resources.application()
    guard.show_kept()
    query, direction = _inputs()
    options = app.records.options()
    expert_filter, need_filter, practical = ExpertFilter(), NeedFilter(), False
    with st.expander("筛选与排序", icon=":material/tune:", key=f"{PAGE}_filters"):
        if direction == "experts":
            expert_filter = filters.expert_filter(options, PAGE)
            practical = st.toggle(
                "按实际因素调整顺序",
                key=f"{PAGE}_practical",
                help=texts.PRACTICAL_NOTE,
                bind="query-params",
            )
        else:
            need_filter = filters.need_filter(options, PAGE)
        top = filters.top_choice(PAGE)
    missing = _missing(direction)
    if missing:
        layout.invite(*missing)
        return
    if not query.strip():
        st.info("写一句话，或点一个例子，结果就会出现在这里。", icon=":material/lightbulb:")
        return
    with guard.calm("search"):
        if direction == "experts":
            ranking = app.matching.experts_for_text(query, filter=expert_filter, top=top, practical=practical)
        else:
            ranking = app.matching.needs_for_text(query, filter=need_filter, top=top)
        show(tag("div", tag("small", "您的文字"), query, cls="m-query"))
        results.summary(PAGE, ranking)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            layout.export_menu(
                PAGE, f"检索结果_{query[:20]}", lambda suffix: app.exports.ranking(ranking, suffix)
            )
            layout.link_menu(PAGE)
        if direction == "experts":
            st.caption(texts.FREE_TEXT_NOTE)
            navigation.link("data", "导入需求", {"tab": "import", "kind": "needs"}, icon=":material/upload:")
        results.results(PAGE, ranking)


layout.heading("自由检索", "用平常的话写问题，系统会把它和团队资料、已有需求对上。")
with guard.calm("search page"):
    _search()
