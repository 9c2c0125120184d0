"""修改 on a page of records: a button that opens the record's form, with its history and the way back.

Owns only this block; what may be changed, and by whom, is decided by ``services.editing``.
"""

from __future__ import annotations

import streamlit as st

from matcher.columns import RecordKind
from matcher.services.editing_rules import PastChange
from matcher.services.rankings import BEIJING
from matcher.ui import guard, resources
from matcher.ui.components import record_form
from matcher.ui.components.html import Html, join, show, tag
from matcher.workflow.permissions import Action, may

_ADDABLE = tuple(kind for kind in RecordKind if kind is not RecordKind.NEEDS)
_N_SHOWN = 10


def _opened(page: str) -> str:
    return f"{page}_editing"


def _set(page: str, value: str) -> None:
    record_form.close(f"{page}_edit")
    st.session_state[_opened(page)] = value


def edit_block(page: str, kind: str, record_id: str) -> None:
    """The button, or the form once it was clicked; nothing for those who may not edit."""
    if not record_id or not may(resources.application().person, Action.EDIT_RECORD):
        return
    if st.session_state.get(_opened(page)) != f"{kind}/{record_id}":
        st.button(
            "修改",
            key=f"{page}_edit_open",
            icon=":material/edit:",
            on_click=_set,
            args=(page, f"{kind}/{record_id}"),
        )
        return
    with st.container(border=True, key=f"{page}_edit_block"), guard.calm("edit record"):
        stored = resources.application().editing.record(kind, record_id)
        st.subheader(f"修改{RecordKind(kind).label}", anchor=False)
        record_form.show_form(f"{page}_edit", kind, stored, bureau=True, record_id=record_id)
        with st.container(horizontal=True):
            st.button(
                "保存",
                key=f"{page}_edit_save",
                type="primary",
                on_click=record_form.save,
                args=(f"{page}_edit", kind, lambda: _set(page, "")),
            )
            st.button("不改了", key=f"{page}_edit_cancel", on_click=_set, args=(page, ""))
        history(f"{page}_edit", kind, record_id, stored.version)


def edit_any(page: str, kind: str) -> None:
    """Edit a record by its id, or add one; for a page that shows a whole table."""
    if not may(resources.application().person, Action.EDIT_RECORD):
        return
    label = RecordKind(kind).label
    with st.expander(f"修改或添加{label}", icon=":material/edit:", key=f"{page}_edit_any"):
        record_id = st.text_input(
            "要修改的那一条的编号",
            key=f"{page}_edit_id_{kind}",
            placeholder="表里第一列的编号",
            max_chars=60,
        )
        edit_block(page, kind, (record_id or "").strip())
        if kind not in _ADDABLE:
            st.caption("新的需求请到“需求受理”里代录。")
        elif st.session_state.get(_opened(page)) == f"{kind}/+":
            _new(page, kind)
        else:
            st.button(
                f"添加一条{label}", key=f"{page}_add_open", icon=":material/add:", on_click=_set,
                args=(page, f"{kind}/+"),
            )  # fmt: skip


def _new(page: str, kind: str) -> None:
    record_form.show_form(f"{page}_edit", kind, None, bureau=True, record_id=f"{kind}/+")
    with st.container(horizontal=True):
        st.button(
            "添加",
            key=f"{page}_add_save",
            type="primary",
            on_click=record_form.add,
            args=(f"{page}_edit", kind, {}, lambda: _set(page, "")),
        )
        st.button("不添加了", key=f"{page}_add_cancel", on_click=_set, args=(page, ""))


def _undo(prefix: str, kind: str, record_id: str, version: int) -> None:
    with guard.calm_action("undo record"):
        resources.application().editing.undo(kind, record_id, version)
        record_form.close(prefix)
        guard.say_done("已恢复上一版内容。再按一次就换回来。")


def history(prefix: str, kind: str, record_id: str, version: int) -> None:
    """What was changed so far, folded, with the button that puts the previous content back."""
    changes = resources.application().editing.history(kind, record_id)
    if not changes:
        return
    with st.expander(f"修改记录（{len(changes)} 次）", icon=":material/history:", key=f"{prefix}_history"):
        st.button(
            "恢复上一版内容",
            key=f"{prefix}_undo",
            on_click=_undo,
            args=(prefix, kind, record_id, version),
        )
        show(history_html(changes[:_N_SHOWN]))


def history_html(changes: tuple[PastChange, ...]) -> Html:
    rows = []
    for one in changes:
        when = f"{one.at + BEIJING:%Y-%m-%d %H:%M}"
        lines = [tag("div", line, cls="m-sub") for line in one.lines]
        rows.append(tag("li", tag("b", when), f"　{one.who or '导入或系统更新'}", *lines))
    return tag("div", tag("ul", join(rows)), cls="m-note")
