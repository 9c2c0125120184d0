"""The one-page answer of a team: writing it, and how an answer looks to both sides.

Owns the widgets and their look; limits and rules are ``services.answering_rules``'.
"""

from __future__ import annotations

import streamlit as st

from matcher.models import Interest
from matcher.services.answering_rules import PAGE_FIELDS, AnswerRow, CallRow
from matcher.services.rankings import BEIJING
from matcher.ui import guard, navigation, resources
from matcher.ui.components import records
from matcher.ui.components.html import Html, badge, join, md, sample_badge, show, tag
from matcher.vocab import InterestState

PAGE = "calls"
_HINTS = {
    "approach": "打算怎样解决：主要做法、关键步骤、为什么可行",
    "foundation": "做过的同类工作、现有设备和成果",
    "plan": "分几步、每步多久、谁来做",
    "terms": "经费、知识产权、需要企业提供什么",
}
_STANDING = {
    InterestState.SENT: "已提交，等科技局答复。答复前可以修改或撤回。",
    InterestState.TAKEN: "已采纳，科技局会安排对接。",
    InterestState.DECLINED: "没有采纳。",
    InterestState.WITHDRAWN: "已撤回。",
}


def _key(owner: str, name: str) -> str:
    return f"{PAGE}_page_{owner}_{name}"


def days_text(days: int | None) -> str:
    """How long the need runs, in words; empty when it says nothing."""
    if days is None:
        return ""
    if days < 0:
        return f"时限已过 {-days} 天"
    return "时限今天到" if days == 0 else f"离时限还有 {days} 天"


def interest_html(interest: Interest) -> Html:
    """The page as it was sent, with the bureau's reply."""
    given = [(field.label, getattr(interest, field.name)) for field in PAGE_FIELDS]
    return records.fields_html((*given, ("科技局答复", interest.reply)))


def standing(interest: Interest) -> str:
    """Where an answer stands, in a sentence."""
    return _STANDING[InterestState(interest.state)]


def answer_head(row: AnswerRow, *, bureau: bool) -> Html:
    """Need and team of an answer, its state, when and by whom it was sent."""
    one = row.interest
    need = row.need.title if row.need else f"需求 {one.need_id}（已不再公开）"
    sample = bool(row.need and row.need.is_sample)
    team = row.expert.name if row.expert else f"团队 {one.expert_id}（已不在系统中）"
    state = badge(one.state, "ring" if one.state == InterestState.SENT else "quiet")
    sent = f"{one.sent_at + BEIJING:%Y-%m-%d %H:%M} 由 {row.sent_by} 提交"
    changed = "，后来改过" if one.updated_at > one.sent_at and one.state == InterestState.SENT else ""
    stage = f"对接现在是“{row.engagement.stage}”" if row.engagement else ""
    firm = row.need.company if row.need and bureau else ""
    room = f"还可承接 {max(row.capacity_left, 0)} 项" if bureau and row.capacity_left is not None else ""
    lines = (
        "　".join(p for p in (team, firm, room) if p),
        "　".join(p for p in (sent + changed, stage) if p),
    )
    rows = [tag("div", text, cls="m-sub") for text in lines if text]
    return tag("div", tag("div", need, state, sample_badge(sample), cls="m-title"), *rows)


# ------------------------------------------------------------ writing


def write_page(row: CallRow) -> None:
    """The form, or the answer sent with what may still be done with it."""
    sent = row.interest
    if sent is not None and sent.state in (InterestState.SENT, InterestState.TAKEN):
        _sent(sent)
        return
    if sent is not None:
        st.info(md(f"上一次的申请：{standing(sent)}{sent.reply}可以重新提交。"))
    owner = f"{row.need.need_id}_{row.expert.expert_id}"
    _fields(owner, sent)
    st.button(
        "提交揭榜申请",
        key=f"{PAGE}_send",
        type="primary",
        icon=":material/send:",
        on_click=_send,
        args=(row.need.need_id, row.expert.expert_id, owner),
    )
    st.caption("提交后由科技局答复；答复前可以修改或撤回。请不要填写身份证号。")


def _sent(sent: Interest) -> None:
    st.success(standing(sent), icon=":material/check_circle:")
    if sent.state == InterestState.TAKEN:
        show(interest_html(sent))
        navigation.link("follow", "看对接进展", icon=":material/handshake:")
        return
    owner = sent.interest_id
    _fields(owner, sent)
    with st.container(horizontal=True):
        st.button("保存修改", key=f"{PAGE}_save", type="primary", on_click=_edit, args=(owner, sent.version))
        with st.popover("撤回申请", key=f"{PAGE}_withdraw_menu"):
            st.write("撤回后，科技局不再处理这份申请；以后可以重新提交。")
            st.button("确定撤回", key=f"{PAGE}_withdraw", on_click=_withdraw, args=(owner, sent.version))


def _fields(owner: str, before: Interest | None) -> None:
    for field in PAGE_FIELDS:
        key = _key(owner, field.name)
        if key not in st.session_state:
            st.session_state[key] = getattr(before, field.name) if before else ""
        st.text_area(
            f"{field.label}（必填）" if field.required else field.label,
            key=key,
            max_chars=field.limit,
            height=200 if field.required else 110,
            placeholder=_HINTS[field.name],
        )


def _typed(owner: str) -> dict[str, str]:
    return {f.name: str(st.session_state.get(_key(owner, f.name)) or "") for f in PAGE_FIELDS}


def _forget(owner: str) -> None:
    for field in PAGE_FIELDS:
        st.session_state.pop(_key(owner, field.name), None)


def _send(need_id: str, expert_id: str, owner: str) -> None:
    with guard.calm_action("declare"):
        resources.application().answering.declare(need_id, expert_id, **_typed(owner))
        _forget(owner)
        guard.say_done("揭榜申请已提交。")


def _edit(interest_id: str, version: int) -> None:
    with guard.calm_action("edit answer"):
        resources.application().answering.edit(interest_id, version, **_typed(interest_id))
        _forget(interest_id)
        guard.say_done("修改已保存。")


def _withdraw(interest_id: str, version: int) -> None:
    with guard.calm_action("withdraw answer"):
        resources.application().answering.withdraw(interest_id, version)
        _forget(interest_id)
        guard.say_done("申请已撤回。")


# ------------------------------------------------------------ settling


def settle_form(row: AnswerRow) -> None:
    """采纳 and 不采纳 of one answer, with the sentence to the team."""
    one = row.interest
    key = f"{PAGE}_reply_{one.interest_id}"
    st.text_area("给团队的答复（不采纳时必填，团队会看到）", key=key, max_chars=300, height=76)
    with st.container(horizontal=True):
        for take, label in ((True, "采纳，开始对接"), (False, "不采纳")):
            st.button(
                label,
                key=f"{PAGE}_{'take' if take else 'decline'}_{one.interest_id}",
                type="primary" if take else "secondary",
                on_click=_settle,
                args=(one.interest_id, one.version, take, key),
            )


def _settle(interest_id: str, version: int, take: bool, key: str) -> None:
    with guard.calm_action("settle answer"):
        reply = str(st.session_state.get(key) or "")
        resources.application().answering.settle(interest_id, version, take, reply)
        st.session_state.pop(key, None)
        guard.say_done("已采纳，对接已建立。" if take else "已答复团队：不采纳。")


def warnings_html(warnings: tuple[str, ...]) -> Html:
    rows = [tag("div", badge("注意", "limited"), " ", text) for text in warnings]
    return tag("div", join(rows), cls="m-note") if rows else Html("")
