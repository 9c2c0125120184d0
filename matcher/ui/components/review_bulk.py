"""Decide on many suggestions at once: choose, look at what would happen, confirm.

Owns the list with its boxes and the preview. Nothing is written before the confirmation, and then all of it or
nothing.
"""

from __future__ import annotations

import streamlit as st

from matcher.errors import ConflictError
from matcher.services.review_queue import QueueItem
from matcher.services.review_rules import MAX_NOTE, BulkPreview
from matcher.ui import guard, resources
from matcher.ui.components import review_tray
from matcher.ui.components.html import join, md, show, tag
from matcher.ui.components.review_card import row_html
from matcher.ui.components.review_tray import CHUNK, PAGE, Tray
from matcher.vocab import DecisionKind, DecisionReason

_PREVIEW = f"{PAGE}_preview"
_KINDS = (DecisionKind.ACCEPT, DecisionKind.SHELVE, DecisionKind.REJECT)


def _pick_key(item: QueueItem) -> str:
    return f"{PAGE}_pick_{item.need.need_id}_{item.expert.expert_id}"


def bulk(held: Tray) -> None:
    """The list, or the preview of what was chosen."""
    preview = st.session_state.get(_PREVIEW)
    if isinstance(preview, BulkPreview):
        _confirm(preview)
        return
    if held.ready() is None:
        st.success("没有待审核的配对。", icon=":material/task_alt:")
        return
    st.caption(f"待审核 {held.n_total} 条，下面列出 {len(held.items)} 条。勾选后一起处理，确认之前不会保存。")
    _choice(held)
    with st.container(horizontal=True):
        st.button("全选", key=f"{PAGE}_all", on_click=_tick, args=(held, True))
        st.button("全不选", key=f"{PAGE}_none", on_click=_tick, args=(held, False))
    for number, item in enumerate(held.items, 1):
        with st.container(border=True):
            st.checkbox(f"选中第 {number} 条", key=_pick_key(item))
            show(row_html(item))
    if held.n_total > len(held.items):
        st.button(
            f"再列 {CHUNK} 条",
            key=f"{PAGE}_more",
            icon=":material/expand_more:",
            on_click=_more,
            args=(held,),
        )


def _choice(held: Tray) -> None:
    with st.container(border=True, key=f"{PAGE}_bulk"):
        kind = st.segmented_control(
            "选中的配对", _KINDS, key=f"{PAGE}_bulk_kind", default=DecisionKind.SHELVE, required=True
        )
        if kind != DecisionKind.ACCEPT:
            st.selectbox(
                "原因", list(DecisionReason), index=None, key=f"{PAGE}_bulk_reason", placeholder="选一个原因"
            )
        st.text_input("备注（可不填，写给每一条）", key=f"{PAGE}_bulk_note", max_chars=MAX_NOTE)
        st.button(
            "预览", key=f"{PAGE}_bulk_preview", type="primary", icon=":material/preview:",
            on_click=_preview, args=(held,),
        )  # fmt: skip


def _tick(held: Tray, value: bool) -> None:
    for item in held.items:
        st.session_state[_pick_key(item)] = value


def _more(held: Tray) -> None:
    with guard.calm_action("more suggestions"):
        held.fetch()


def _preview(held: Tray) -> None:
    with guard.calm_action("bulk preview"):
        chosen = [item for item in held.items if st.session_state.get(_pick_key(item))]
        kind = DecisionKind(st.session_state[f"{PAGE}_bulk_kind"])
        reason = "" if kind is DecisionKind.ACCEPT else str(st.session_state.get(f"{PAGE}_bulk_reason") or "")
        st.session_state[_PREVIEW] = resources.application().review.preview(
            [(*item.pair, item.seen) for item in chosen],
            kind,
            reason,
            str(st.session_state.get(f"{PAGE}_bulk_note") or ""),
            runs={item.need.need_id: item.run for item in chosen},
        )


def _confirm(preview: BulkPreview) -> None:
    opinion = preview.opinion
    why = f"，原因：{opinion.reason}" if opinion.reason else ""
    note = f"，备注：{opinion.note}" if opinion.note else ""
    st.subheader(f"将把 {len(preview.can)} 条定为“{opinion.kind.value}”", anchor=False)
    if why or note:
        st.caption(md(f"{why}{note}".strip("，")))
    if opinion.kind is DecisionKind.ACCEPT and preview.can:
        st.caption("确认后立即开始对接，由您经办。")
    for notice in preview.notices:
        st.warning(md(notice), icon=":material/warning:")
    show(tag("ul", join(tag("li", one.name) for one in preview.can)))
    if preview.cannot:
        st.warning(f"有 {len(preview.cannot)} 条不能处理，不会改动：", icon=":material/block:")
        show(tag("ul", join(tag("li", f"{one.name}：{said}") for one, said in preview.cannot)))
    with st.container(horizontal=True):
        st.button(
            f"确认这 {len(preview.can)} 条",
            key=f"{PAGE}_bulk_confirm",
            type="primary",
            disabled=not preview.can,
            on_click=_carry_out,
            args=(preview,),
        )
        st.button("返回修改", key=f"{PAGE}_bulk_back", on_click=_back)


def _back() -> None:
    st.session_state.pop(_PREVIEW, None)


def _carry_out(preview: BulkPreview) -> None:
    with guard.calm_action("bulk decide"):
        _back()
        try:
            made = resources.application().review.confirm(preview)
        except ConflictError:
            review_tray.put_away()
            raise
        review_tray.put_away()
        st.session_state[f"{PAGE}_bulk_note"] = ""
        guard.say_done(f"已把 {len(made)} 条定为“{preview.opinion.kind.value}”。")
