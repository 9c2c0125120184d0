"""语义模型: which embedding model is in use, and changing it while everybody goes on working."""

from __future__ import annotations

import streamlit as st

from matcher.config import NO_ENCODER, EncoderSettings
from matcher.encoding.protocol import DEFAULT
from matcher.services.semantic import ModelFacts, label_of
from matcher.ui import guard, resources, texts
from matcher.ui.components import engine_line, layout
from matcher.ui.components.html import md, show
from matcher.ui.components.records import fields_html
from matcher.workflow.permissions import Action, may

PAGE = "model"
_OTHER = "other"
_CHOICES = {
    DEFAULT: "内置模型（推荐，不用下载）",
    _OTHER: "其他模型：Hugging Face 上的名称，或本机目录",
    NO_ENCODER: "不使用语义模型，只按用词和术语匹配",
}
_SECONDS = 1


def _show_facts(facts: ModelFacts) -> None:
    st.subheader("现在用的模型", anchor=False)
    rows = (
        ("模型", facts.label),
        ("来自", facts.source),
        ("向量维数", f"{facts.dimension}" if facts.dimension else "还没有"),
        ("已算向量", f"{facts.n_texts:,} 条文字" if facts.n_texts else "还没有"),
        ("提示语", facts.prompts),
        ("词库主题", f"{facts.n_topics:,} 个"),
        ("精读", facts.reranker),
    )
    show(fields_html(rows))
    if facts.environment:
        st.warning(md(facts.environment), icon=":material/info:")


def _stop() -> None:
    with guard.calm_action("stop switching"):
        resources.application().engine.stop_loading()
        guard.say_done("正在停止，原来的模型照常使用。")


def _show_progress() -> None:
    """What the running change is doing; the page is run again once it has ended."""
    status = resources.application().engine.status()
    if not status.busy:
        st.rerun(scope="app")
    what, done, total = status.progress or ("准备", 0, 1)
    st.progress(min(max(done / max(total, 1), 0.0), 1.0), text=md(engine_line.step_text((what, done, total))))


def _show_switch() -> None:
    """How the latest change stands or ended."""
    engine = resources.application().engine
    status, switch = engine.status(), engine.last_switch
    if status.busy:
        st.session_state[f"{PAGE}_watched"] = True
        name = label_of(switch.wanted.name if switch and switch.state == "running" else status.encoder)
        doing = "换用" if switch and switch.state == "running" else "加载"
        with st.container(border=True, key=f"{PAGE}_running"):
            st.markdown(f"正在{doing}：**{md(name)}**。完成之前照常匹配，可以离开这个页面。")
            st.fragment(_show_progress, run_every=_SECONDS)()
            st.button("停止", key=f"{PAGE}_stop", icon=":material/stop_circle:", on_click=_stop)
    elif switch and switch.state == "failed" and switch.error:
        kept = label_of(engine.encoder_settings.name)
        st.error(
            f"没有换成“{md(label_of(switch.wanted.name))}”，仍用“{md(kept)}”。  \n"
            f"{md(switch.error.user_message)}  \n{md(switch.error.hint)}",
            icon=":material/error:",
        )
    elif switch and switch.state == "done" and st.session_state.get(f"{PAGE}_watched"):
        note = f"  \n{md(switch.note)}" if switch.note else ""
        st.success(f"已换用“{md(label_of(switch.wanted.name))}”。{note}", icon=":material/check_circle:")
    if status.state == "failed" and not status.busy:
        st.error(md(status.message), icon=":material/error:")


def _in_use(name: str) -> EncoderSettings | None:
    """The settings of the model in use, when that is the one named and has prompts of somebody's choice."""
    used = resources.application().engine.encoder_settings
    chosen = used.query_prompt is not None or used.document_prompt is not None
    return used if chosen and used.name == name.strip() else None


def _renamed() -> None:
    """Prompts belong to the model they were written for: those of the model in use are not put before another's."""
    state, used = st.session_state, resources.application().engine.encoder_settings
    shown = (state.get(f"{PAGE}_query"), state.get(f"{PAGE}_document"))
    untouched = _in_use(used.name) and shown == (used.query_prompt or "", used.document_prompt or "")
    if untouched and not _in_use(str(state[f"{PAGE}_name"] or "")):
        state[f"{PAGE}_own"] = True


def _given(field: str, kept: str | None) -> str | None:
    """A prompt as typed; an empty field means none, or the model's own where ``kept``, what it began with, is None."""
    return str(st.session_state.get(f"{PAGE}_{field}") or "") or (None if kept is None else "")


def _kept(name: str) -> tuple[str | None, str | None]:
    """What the fields for the prompts begin with; None is left to the model."""
    used = _in_use(name)
    return (used.query_prompt, used.document_prompt) if used else ("", "")


def _change() -> None:
    with guard.calm_action("switch model"):
        state = st.session_state
        kind = str(state[f"{PAGE}_kind"])
        name = str(state.get(f"{PAGE}_name") or "") if kind == _OTHER else kind
        own = kind != _OTHER or bool(state.get(f"{PAGE}_own", True))
        query, document = _kept(name)
        query = None if own else _given("query", query)
        document = None if own else _given("document", document)
        resources.application().semantic.change(name, query, document)


def _choose(facts: ModelFacts) -> None:
    busy = resources.application().engine.status().busy
    st.subheader("换一个", anchor=False)
    kinds = list(_CHOICES)
    present = facts.name if facts.name in _CHOICES else _OTHER
    kind = st.radio(
        "换成",
        kinds,
        index=kinds.index(present),
        key=f"{PAGE}_kind",
        format_func=lambda one: _CHOICES[one],
        label_visibility="collapsed",
    )
    if kind == _OTHER:
        name = st.text_input(
            "名称或目录",
            value=facts.name if present == _OTHER else "",
            key=f"{PAGE}_name",
            placeholder="例如 BAAI/bge-small-zh-v1.5，或 D:\\模型\\bge-small-zh",
            help=texts.MODEL_NAME_NOTE,
            on_change=_renamed,
        )
        own = st.toggle(
            "提示语用模型自带的",
            value=_in_use(name) is None,
            key=f"{PAGE}_own",
            help="不确定就不要动：多数模型自带合适的提示语。",
        )
        if not own:
            left, right = st.columns(2)
            query, document = _kept(name)
            for column, label, field, kept in (
                (left, "查询前面加", "query", query),
                (right, "资料前面加", "document", document),
            ):
                empty = "留空则用模型自带的" if kept is None else "留空则不加"
                column.text_input(label, value=kept or "", key=f"{PAGE}_{field}", placeholder=empty)
    st.button(
        "检查并切换",
        key=f"{PAGE}_change",
        type="primary",
        icon=":material/sync:",
        on_click=_change,
        disabled=busy,
    )
    st.caption(texts.MODEL_SWITCH_NOTE)


layout.heading("语义模型", "让说法不同、意思相近的需求和团队也能对上。平时不用动；想换更大的模型时再来。")
with guard.calm("model"):
    known = resources.application().semantic.facts()
    _show_switch()
    first, second = st.columns([1, 1.2], gap="large")
    with first:
        _show_facts(known)
    with second:
        if may(resources.application().person, Action.SWITCH_MODEL):
            _choose(known)
        else:
            st.caption("换模型由管理员来做。")
