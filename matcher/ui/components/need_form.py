"""The form of a technical need: every field kept when it is left, nothing typed ever lost.

Owns the widgets and what they hold between two runs. A field whose saving failed keeps what was typed, with the reason
beside it and, when another person wrote there too, what they wrote. A widget is given a new value only when the stored
text differs, so that typing on while the page is drawn is not interrupted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from matcher.models import Draft
from matcher.services.need_text import FORM, FieldProblem, form_texts
from matcher.services.rankings import BEIJING
from matcher.ui import guard, resources
from matcher.ui.components.html import md, show, tag
from matcher.vocab import CallType, Confidentiality, SolutionMode

_STATE = "post_form"

_PLACEHOLDERS: Mapping[str, str] = {
    "title": "一句话说清什么东西出了什么毛病，例如：水泵泵体车削后露针眼",
    "situation": "什么产品或工序，在什么条件下，出了什么毛病，多严重",
    "tried": "试过哪些办法、结果怎样；还没试过也请写一句",
    "impact": "例如：一个月停机四次、报废七吨、客户退货",
    "key_tech": "要解决的关键和要达到的数字，例如：废品率由 9% 降到 3% 以下",
    "goal": "希望拿到什么，例如：一套能照着做的工艺",
    "keywords": "几个词，用逗号隔开",
    "budget_wan": "例如：50",
    "intended_partner": "有想合作的高校院所就写上",
    "start_on": "例如：2027-01-01",
    "end_on": "例如：2027-12-31",
    "contact": "姓名",
    "phone": "手机或座机",
}
# Plain words: a page takes members of an enumeration for other ones when their module was loaded anew.
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "call_type": tuple(word.value for word in CallType),
    "solution_mode": tuple(word.value for word in SolutionMode),
    "confidentiality": tuple(word.value for word in Confidentiality),
}
_CAPTIONS: Mapping[str, Mapping[str, str]] = {
    "confidentiality": {
        Confidentiality.PUBLIC: "各团队能看到这个难题，也能看到企业名称。",
        Confidentiality.PLATFORM: "各团队能看到这个难题，看不到企业名称。",
        Confidentiality.CONFIDENTIAL: "只有本企业和科技局能看到，由科技局单独联系团队。",
    },
    "call_type": {
        CallType.GENERAL: "由科技局推荐团队，双方商谈。",
        CallType.OPEN_CALL: "张榜公布，谁能解决谁来揭榜。",
        CallType.BOTTLENECK: "关键技术受制于人，急需攻关，优先安排。",
    },
}
_NOTHING = "（未选）"


@dataclass
class _State:
    """What this browser knows of the form: as last shown, and what could not be kept."""

    draft_id: str
    version: int
    content: dict[str, str]
    failed: dict[str, tuple[str, str]] = field(default_factory=dict)


def _key(draft_id: str, name: str) -> str:
    return f"post_field_{draft_id}_{name}"


def _state() -> _State | None:
    found = st.session_state.get(_STATE)
    return found if isinstance(found, _State) else None


def seen_version(draft_id: str) -> int:
    """The version of the form this browser last showed; 0 for none."""
    state = _state()
    return state.version if state is not None and state.draft_id == draft_id else 0


def unsaved(draft_id: str) -> tuple[str, ...]:
    """Labels of the fields whose text could not be kept."""
    state = _state()
    return tuple(FORM[n].label for n in state.failed) if state and state.draft_id == draft_id else ()


def saved_text(draft: Draft) -> str:
    """When the form was last kept, Beijing time."""
    return f"已保存 {draft.updated_at + BEIJING:%H:%M}"


def show_form(draft: Draft, problems: Collection[FieldProblem] = ()) -> None:
    """The whole form.

    Args:
        draft: as stored now.
        problems: what to say below a field that holds something nobody can read.
    """
    state = _adopt(draft)
    said = {p.field: p.message for p in problems if draft.content.get(p.field, "")}

    def put(*names: str) -> None:
        for name in names:
            _field(state, draft, name)
            if name in said and name not in state.failed:
                st.caption(f":orange[{md(said[name])}]")

    st.subheader("一、遇到什么难题", anchor=False)
    put("title", "situation", "tried", "impact")
    st.subheader("二、希望达到什么", anchor=False)
    put("key_tech", "goal", "keywords")
    st.subheader("三、怎样合作", anchor=False)
    put("call_type")
    left, right = st.columns(2)
    with left:
        put("budget_wan", "start_on")
    with right:
        put("solution_mode", "end_on")
    put("intended_partner")
    st.subheader("四、谁能看到，联系谁", anchor=False)
    put("confidentiality")
    left, right = st.columns(2)
    with left:
        put("contact")
    with right:
        put("phone")
    st.caption("联系人和电话只有本企业和科技局能看到。请不要填写身份证号。")


def show_typed(draft_id: str) -> None:
    """What was typed and not kept, to be copied, when the form itself is gone."""
    state = _state()
    if state is None or state.draft_id != draft_id:
        return
    for name in state.failed:
        st.caption(f"您刚写的「{FORM[name].label}」没有保存，需要时请复制：")
        st.code(str(st.session_state.get(_key(draft_id, name)) or ""), language=None, wrap_lines=True)


def _adopt(draft: Draft) -> _State:
    """Bring what this browser knows up to what is stored, but for the fields that could not be kept."""
    state = _state()
    texts = form_texts(draft.content)
    if state is None or state.draft_id != draft.draft_id:
        state = st.session_state[_STATE] = _State(draft.draft_id, draft.version, texts)
    state.version = draft.version
    for name, text in texts.items():
        key = _key(draft.draft_id, name)
        if name in state.failed and key in st.session_state:
            continue
        state.failed.pop(name, None)
        state.content[name] = text
        value = (text if text in _CHOICES[name] else None) if name in _CHOICES else text
        if key not in st.session_state or st.session_state[key] != value:
            st.session_state[key] = value
    return state


def _field(state: _State, draft: Draft, name: str) -> None:
    item, key = FORM[name], _key(draft.draft_id, name)
    label = f"{item.label}（必填）" if item.required else item.label
    given: dict[str, Any] = {"key": key, "on_change": _save, "args": (draft.draft_id, name)}
    hint = _PLACEHOLDERS.get(name)
    longest = max(item.limit, len(state.content.get(name, "")))  # what was imported may be longer
    if name == "solution_mode":
        st.selectbox(label, _CHOICES[name], index=None, placeholder=_NOTHING, **given)
    elif name in _CHOICES:
        captions = [_CAPTIONS[name][word] for word in _CHOICES[name]]
        st.radio(label, _CHOICES[name], index=None, captions=captions, **given)
    elif item.lines > 1:
        st.text_area(label, height=24 * item.lines + 40, max_chars=longest, placeholder=hint, **given)
    else:
        st.text_input(label, max_chars=longest, placeholder=hint, **given)
    if name in state.failed:
        _failure(state, draft, name)


def _failure(state: _State, draft: Draft, name: str) -> None:
    message, hint = state.failed[name]
    theirs = draft.content.get(name, "")
    with st.container(border=True, key=f"post_clash_{draft.draft_id}_{name}"):
        st.warning(f"{md(message)}  \n{md(hint)}", icon=":material/info:")
        if theirs == state.content.get(name, ""):
            return
        show(tag("div", tag("small", "那边现在写的"), tag("div", theirs or "（空）"), cls="m-query"))
        with st.container(horizontal=True):
            st.button(
                "用我写的", key=f"post_ours_{draft.draft_id}_{name}", on_click=_insist, args=(draft, name)
            )
            st.button(
                "用那边写的",
                key=f"post_theirs_{draft.draft_id}_{name}",
                on_click=_yield,
                args=(state, name),
            )


def _save(draft_id: str, name: str) -> None:
    """Keep one field; a callback, so what it cannot keep is shown by the run that follows."""
    state = _state()
    if state is None or state.draft_id != draft_id:
        return
    typed = str(st.session_state.get(_key(draft_id, name)) or "")

    def failed(message: str, hint: str) -> None:
        state.failed[name] = (message, hint)

    with guard.calm("save field", failed):
        base = state.content.get(name, "")
        posting = resources.application().posting
        kept = posting.save(draft_id, name, typed, state.version, base)
        if kept.version == state.version + 1:
            # With another person's change in between, the version stays behind until their text is shown.
            state.version = kept.version
        state.content[name] = kept.content.get(name, "")
        state.failed.pop(name, None)


def _yield(state: _State, name: str) -> None:
    """Take what the other person wrote; the next run shows it."""
    state.failed.pop(name, None)


def _insist(draft: Draft, name: str) -> None:
    """Save what was typed over what the other person wrote, which was shown."""
    state = _state()
    if state is not None and state.draft_id == draft.draft_id:
        state.content[name] = draft.content.get(name, "")
        _save(draft.draft_id, name)
