"""One need on the page of needs: as it stands, what happened to it, and what may be done with it now."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from matcher.services.need_rows import HistoryLine, NeedRow, NeedView
from matcher.services.posting_rules import MAX_REASON
from matcher.services.rankings import BEIJING
from matcher.ui import guard, navigation, resources
from matcher.ui.components import records
from matcher.ui.components.html import Html, badge, join, md, sample_badge, show, tag
from matcher.vocab import NeedStatus
from matcher.workflow.permissions import Action, may
from matcher.workflow.states import Step

PAGE = "post"
_NEXT = {
    NeedStatus.DRAFT: "还没有提交。点“修改”填好后提交。",
    NeedStatus.WAITING: "已提交，等科技局受理。",
    NeedStatus.RETURNED: "科技局请您补充。点“修改”补好后再提交。",
    NeedStatus.PUBLISHED: "已受理并发布，科技局正在找合适的团队。",
    NeedStatus.SOLVED: "已解决。",
    NeedStatus.WITHDRAWN: "已撤回。需要时可以重新提交。",
}


def when(at: datetime) -> str:
    """A moment in Beijing time, to the minute."""
    return f"{at + BEIJING:%Y-%m-%d %H:%M}"


def standing(row: NeedRow) -> str:
    """Where a need stands, in a sentence."""
    if row.n_accepted and row.need.status == NeedStatus.PUBLISHED:
        parts = [f"科技局已选定 {row.n_accepted} 个团队"]
    else:
        parts = [_NEXT[NeedStatus(row.need.status or NeedStatus.WAITING)].rstrip("。")]
    if row.stages:
        parts.append(f"正在对接：{'、'.join(row.stages)}")
    return "；".join(parts) + "。"


def row_html(row: NeedRow) -> Html:
    """A need in a list: name, status, where it stands, what happened last."""
    need = row.need
    status = badge(need.status or NeedStatus.WAITING.value, "ring")
    last = f"{when(row.last.at)}　{row.last.who}{row.last.text}" if row.last else ""
    unsent = badge("有没提交的修改", "limited") if row.draft_id else Html("")
    return tag(
        "div",
        tag(
            "div",
            need.title,
            status,
            records.markers_html(need),
            sample_badge(need.is_sample),
            unsent,
            cls="m-title",
        ),
        tag("div", standing(row), cls="m-sub"),
        tag("div", last, cls="m-sub") if last else Html(""),
    )


def history_html(lines: tuple[HistoryLine, ...]) -> Html:
    rows = [tag("li", tag("b", when(line.at)), f"　{line.who}：{line.text}") for line in lines]
    return tag("div", tag("ul", join(rows)), cls="m-note")


def change(need_id: str) -> None:
    """Open the form of a stored need; a callback."""
    with guard.calm_action("change need"):
        draft = resources.application().posting.start(need_id=need_id)
        navigation.set_param("draft", draft.draft_id)
        navigation.set_param("need", "")


def take(need_id: str, to: str, version: int, label: str, reason_key: str = "") -> None:
    """Take a step; a callback. What was typed stays when it is refused."""
    with guard.calm_action("move need"):
        reason = str(st.session_state.get(reason_key) or "") if reason_key else ""
        resources.application().posting.move(need_id, to, version, reason)
        if reason_key:
            st.session_state.pop(reason_key, None)
        guard.say_done(f"{label}：已办好。")


def step_button(need_id: str, version: int, to: str, step: Step, *, primary: bool = False) -> None:
    """One step; one that needs a reason asks for it first."""
    key = f"{PAGE}_step_{need_id}_{to}"
    kind = "primary" if primary else "secondary"
    if not step.needs_reason:
        st.button(
            step.label, key=key, type=kind, on_click=take, args=(need_id, to, version, step.label)  # type: ignore[arg-type]
        )  # fmt: skip
        return
    with st.popover(step.label, key=f"{key}_menu"):
        reason_key = f"{key}_reason"
        st.text_area("原因（对方会看到）", key=reason_key, max_chars=MAX_REASON, height=90)
        st.button(
            f"确定{step.label}", key=key, type="primary",
            on_click=take, args=(need_id, to, version, step.label, reason_key),
        )  # fmt: skip


def _undo(need_id: str, version: int) -> None:
    with guard.calm_action("undo need"):
        resources.application().posting.undo(need_id, version)
        guard.say_done("已恢复上一版内容。再按一次就换回来。")


def show_detail(view: NeedView) -> None:
    """The whole block."""
    need, version = view.row.need, view.row.version
    person = resources.application().person
    bureau = may(person, Action.REVIEW_NEED)
    with st.container(border=True, key=f"{PAGE}_detail"):
        st.markdown(f"**{md(standing(view.row))}**")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            for number, (to, step) in enumerate(view.steps):
                step_button(need.need_id, version, to, step, primary=number == 0 and not step.needs_reason)
            if bureau or need.status != NeedStatus.SOLVED:
                st.button(
                    "修改",
                    key=f"{PAGE}_change",
                    icon=":material/edit:",
                    on_click=change,
                    args=(need.need_id,),
                )
            if view.can_undo:
                st.button("恢复上一版内容", key=f"{PAGE}_undo", on_click=_undo, args=(need.need_id, version))
            if bureau:
                navigation.link("needs", "看合适的团队", {"need": need.need_id}, icon=":material/factory:")
        show(records.need_html(need))
    st.subheader("办理经过", anchor=False)
    if view.history:
        show(history_html(view.history))
    else:
        st.caption("这条需求是导入的，还没有办理记录。")
