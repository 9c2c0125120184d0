"""State of the system, and dropping the sample data."""

from __future__ import annotations

import streamlit as st

from matcher.errors import InputError
from matcher.ui import guard, resources, texts
from matcher.ui.components.html import md, show
from matcher.ui.components.records import fields_html
from matcher.workflow.permissions import Action, may

_PHRASE = "删除示例"
_STATES = {
    "ready": "已就绪",
    "loading": "正在加载",
    "lexical_only": "未启用语义模型",
    "failed": "语义模型未能使用",
}


def _drop() -> None:
    with guard.calm_action("drop samples"):
        if str(st.session_state["data_drop_phrase"]).strip() != _PHRASE:
            raise InputError(
                f"没有删除：确认文字不是“{_PHRASE}”。", f"请在框里一字不差地输入“{_PHRASE}”再点按钮。"
            )
        deleted = resources.application().records.drop_samples()
        st.session_state["data_drop_phrase"] = ""
        parts = [f"{texts.KIND_LABELS.get(kind, kind)} {n} 条" for kind, n in deleted.items() if n]
        st.session_state["data_dropped"] = "已删除示例数据：" + ("、".join(parts) or "原本就没有") + "。"


def lists_with_samples() -> int:
    """How many 候选清单 hold a pairing with a 示例 need or team."""
    shortlists = resources.application().shortlists
    views = [shortlists.open(summary.shortlist.shortlist_id) for summary in shortlists.list()]
    return sum(
        any((row.need and row.need.is_sample) or (row.expert and row.expert.is_sample) for row in view.items)
        for view in views
    )


def sample_lists_sentence() -> str:
    """What deleting the samples does to the lists; empty when it does nothing."""
    n_lists = lists_with_samples()
    if not n_lists:
        return ""
    return (
        f"有 {n_lists} 份候选清单用到了示例数据：删除后清单还在，但其中的示例需求和团队只剩编号和当时的依据。"
    )


def system(page: str) -> None:
    """The whole tab."""
    dropped = st.session_state.pop("data_dropped", "")
    if dropped:
        st.success(md(dropped), icon=":material/check_circle:")
    status = resources.application().engine.status()
    rows = (
        ("状态", _STATES.get(status.state, status.state)),
        ("说明", status.message),
        ("语义模型", status.encoder),
        (
            "已编入",
            f"{status.n_experts} 个团队、{status.n_needs} 条需求、{status.n_facets:,} 条资料",
        ),
        ("数据修订号", status.revision or "尚未编入"),
    )
    st.subheader("匹配引擎", anchor=False)
    show(fields_html(rows))
    if not may(resources.application().person, Action.DROP_SAMPLES):
        return
    st.subheader("删除示例数据", anchor=False)
    st.caption(
        f"换用自己的数据后，可一次删除全部示例记录，公开和本地数据不受影响，删除后不能恢复。请输入“{_PHRASE}”再点按钮。"
    )
    warning = sample_lists_sentence()
    if warning:
        st.warning(warning, icon=":material/checklist:")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("确认文字", key=f"{page}_drop_phrase", placeholder=_PHRASE, width=220)
        st.button("删除示例数据", key=f"{page}_drop", icon=":material/delete:", on_click=_drop)
