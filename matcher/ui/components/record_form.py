"""A form generated from the columns of a record kind.

Owns the widgets and what they hold between two runs: what was typed stays through every refusal. When another person
saved meanwhile, fields nobody typed in here show their text, and beside the others stands what they wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from matcher.columns import CellType, Field
from matcher.services.editing import Editable
from matcher.services.editing_forms import form_fields, limit_of
from matcher.ui import guard, resources
from matcher.ui.components.html import md, show, tag

_NOTHING = "（未选）"
_HINTS: Mapping[CellType, str] = {
    CellType.DATE: "例如：2027-06-30",
    CellType.AMOUNT_WAN: "填数字，单位万元",
    CellType.INT: "填整数",
    CellType.NUMBER: "填数字",
}


@dataclass
class _State:
    """What this browser knows of the record: as last shown, and what another person wrote beside it."""

    record_id: str
    version: int
    texts: dict[str, str]
    theirs: dict[str, str] = field(default_factory=dict)


def _key(prefix: str, name: str) -> str:
    return f"{prefix}_field_{name}"


def _state(prefix: str) -> _State | None:
    found = st.session_state.get(f"{prefix}_state")
    return found if isinstance(found, _State) else None


def close(prefix: str) -> None:
    """Forget what was typed; the form shows what is stored when it is opened again."""
    for key in [k for k in st.session_state if str(k).startswith(f"{prefix}_field_")]:
        del st.session_state[key]
    st.session_state.pop(f"{prefix}_state", None)


def show_form(
    prefix: str,
    kind: str,
    stored: Editable | None,
    *,
    bureau: bool,
    record_id: str = "",
    only: Sequence[str] = (),
    notes: Mapping[str, str] | None = None,
) -> None:
    """The fields of a record, two short ones beside each other.

    Args:
        prefix: of the keys; one form of a prefix a page.
        stored: as it is now; None for a new record.
        only: names of the fields to show; all by default.
        notes: a sentence below a field, by name.
    """
    fields = [f for f in form_fields(kind, bureau=bureau) if not only or f.name in only]
    state = _adopt(prefix, record_id, stored, fields)
    short: list[Field] = []
    for item in [*fields, None]:
        if item is not None and not _is_long(item):
            short.append(item)
            continue
        for first in range(0, len(short), 2):
            for column, one in zip(st.columns(2), short[first : first + 2], strict=False):
                with column:
                    _field(prefix, state, one, (notes or {}).get(one.name, ""))
        short = []
        if item is not None:
            _field(prefix, state, item, (notes or {}).get(item.name, ""))


def typed(prefix: str) -> dict[str, str]:
    """The texts that differ from what is stored, by field."""
    state = _state(prefix)
    if state is None:
        return {}
    found = {name: str(st.session_state.get(_key(prefix, name)) or "") for name in state.texts}
    return {name: text for name, text in found.items() if text != state.texts[name]}


def save(prefix: str, kind: str, done: Callable[[], None] | None = None) -> None:
    """Save what was typed; a callback. What is refused stays as typed."""
    state = _state(prefix)
    if state is None:
        return
    with guard.calm_action("save record"):
        texts = typed(prefix)
        if not texts:
            guard.say_done("没有改动，不用保存。")
            return
        resources.application().editing.save(kind, state.record_id, texts, state.version)
        close(prefix)
        guard.say_done("已保存，马上就能被检索到。")
        if done is not None:
            done()


def add(prefix: str, kind: str, fixed: Mapping[str, str], done: Callable[[], None] | None = None) -> None:
    """Store a new record of what was typed and ``fixed``; a callback."""
    with guard.calm_action("add record"):
        resources.application().editing.add(kind, {**typed(prefix), **fixed})
        close(prefix)
        guard.say_done("已添加，马上就能被检索到。")
        if done is not None:
            done()


def _is_long(item: Field) -> bool:
    return item.type is CellType.LIST or limit_of(item) > 200


def _value(item: Field, text: str) -> str | None:
    """What a widget holds for a text."""
    if item.type is CellType.CHOICE:
        return text if text in item.vocabulary else None
    if item.type is CellType.BOOL:
        return text if text in ("是", "否") else None
    return text


def _adopt(prefix: str, record_id: str, stored: Editable | None, fields: Sequence[Field]) -> _State:
    """Bring the form up to what is stored, but for what was typed here."""
    now = {f.name: stored.texts[f.name] if stored else "" for f in fields}
    version = stored.version if stored else 0
    state = _state(prefix)
    if state is None or state.record_id != record_id or state.texts.keys() != now.keys():
        close(prefix)
        state = st.session_state[f"{prefix}_state"] = _State(record_id, version, now)
    for item in fields:
        key, before, text = _key(prefix, item.name), state.texts[item.name], now[item.name]
        here = str(st.session_state.get(key) or "") if key in st.session_state else before
        if key not in st.session_state or (here == before and here != text):
            st.session_state[key] = _value(item, text)
        elif text not in (before, here):
            state.theirs[item.name] = text
    state.version, state.texts = version, now
    return state


def _field(prefix: str, state: _State, item: Field, note: str) -> None:
    key = _key(prefix, item.name)
    label = f"{item.label}（必填）" if item.required else item.label
    longest = max(limit_of(item), len(state.texts.get(item.name, "")))  # what was imported may be longer
    given: dict[str, Any] = {"key": key}
    if item.type in (CellType.CHOICE, CellType.BOOL):
        options = item.vocabulary or ("是", "否")
        st.selectbox(label, options, index=None, placeholder=_NOTHING, **given)
    elif _is_long(item):
        hint = "一行一条" if item.type is CellType.LIST and item.width >= 40 else ""
        hint = hint or ("用顿号或分号隔开" if item.type is CellType.LIST else "")
        st.text_area(
            label, height=120 if item.width >= 40 else 76, max_chars=longest, placeholder=hint, **given
        )
    else:
        st.text_input(label, max_chars=longest, placeholder=_HINTS.get(item.type, ""), **given)
    if note:
        st.caption(note)
    if item.name in state.theirs:
        theirs = state.theirs[item.name] or "（空）"
        st.caption(f":orange[{md('别人刚把这一栏改成下面这样；您保存后，以您写的为准。')}]")
        show(tag("div", theirs, cls="m-query"))
