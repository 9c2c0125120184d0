"""One suggestion at a time, decided on with the keyboard alone.

Owns the buttons, their keys and the order on the page: first what to press, then the card. The state is
``review_tray``'s.
"""

from __future__ import annotations

import streamlit as st

from matcher.services.review_queue import QueueItem
from matcher.services.review_rules import MAX_NOTE
from matcher.ui import guard, navigation
from matcher.ui.components import review_tray
from matcher.ui.components.html import md, show
from matcher.ui.components.review_card import card_html
from matcher.ui.components.review_tray import PAGE, Tray
from matcher.vocab import DecisionKind, DecisionReason

_KEYS = "键盘：A 接受，S 搁置，X 不合适，J 下一条，K 上一条，U 撤销刚才那一条；选原因时按数字。写备注时先按 Tab 离开输入框。"


@st.fragment
def desk(held: Tray) -> None:
    """The suggestion to decide on now, or what to do when none waits."""
    guard.show_kept()
    with guard.calm("review desk"):
        with st.spinner("正在取下一批……"):
            item = held.ready()
        _degraded(held)
        if item is None:
            _empty(held)
            return
        _count(held)
        if held.asks:
            _reasons(held, item)
        else:
            _buttons(held, item)
        st.text_input(
            "备注",
            key=review_tray.note_key(item),
            max_chars=MAX_NOTE,
            placeholder="备注（可不填），例如：企业希望先线上交流",
            label_visibility="collapsed",
        )
        with st.container(border=True, key=f"{PAGE}_card"):
            show(card_html(item))
            with st.container(horizontal=True):
                need, expert = {"need": item.need.need_id}, {"expert": item.expert.expert_id}
                navigation.link("needs", "需求全文与全部团队", need, icon=":material/factory:")
                navigation.link("experts", "团队全部资料", expert, icon=":material/school:")
        st.caption(_KEYS)


def _degraded(held: Tray) -> None:
    for sentence in held.degraded:
        st.warning(md(sentence), icon=":material/info:")


def _count(held: Tray) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**还有 {held.n_total} 条待审核**", width="content")
        if held.done:
            _last(held)


def _last(held: Tray) -> None:
    st.caption(md(f"刚才：{held.done[-1].said}"), width="content")
    st.button(
        "撤销",
        key=f"{PAGE}_undo",
        shortcut="U",
        type="tertiary",
        icon=":material/undo:",
        on_click=review_tray.undo,
        args=(held,),
    )


def _buttons(held: Tray, item: QueueItem) -> None:
    with st.container(horizontal=True, key=f"{PAGE}_actions"):
        st.button(
            "接受",
            key=f"{PAGE}_accept",
            shortcut="A",
            type="primary",
            help="开始对接，由您经办",
            on_click=review_tray.decide,
            args=(held, item, DecisionKind.ACCEPT),
        )
        for kind, key, letter in ((DecisionKind.SHELVE, "shelve", "S"), (DecisionKind.REJECT, "reject", "X")):
            st.button(
                kind.value,
                key=f"{PAGE}_{key}",
                shortcut=letter,
                on_click=review_tray.ask,
                args=(held, kind),
            )
        back = held.at == 0
        st.button(
            "上一条", key=f"{PAGE}_previous", shortcut="K", disabled=back, on_click=held.move, args=(-1,)
        )
        st.button("下一条", key=f"{PAGE}_next", shortcut="J", on_click=held.move, args=(1,))


def _reasons(held: Tray, item: QueueItem) -> None:
    """The fixed reasons with the numbers that choose them; choosing one records the decision."""
    kind = DecisionKind(held.asks)
    st.markdown(f"为什么**{kind.value}**？选一个原因就记下，并转到下一条。")
    with st.container(horizontal=True, key=f"{PAGE}_reasons"):
        for number, reason in enumerate(DecisionReason, 1):
            st.button(
                reason.value,
                key=f"{PAGE}_reason_{number}",
                shortcut=str(number % 10),
                on_click=review_tray.decide,
                args=(held, item, kind, reason.value),
            )
        st.button("返回", key=f"{PAGE}_back", shortcut="Esc", type="tertiary", on_click=held.move, args=(0,))


def _empty(held: Tray) -> None:
    st.success("待审核的配对都看完了。", icon=":material/task_alt:")
    if held.done:
        with st.container(horizontal=True, vertical_alignment="center"):
            _last(held)
    if held.n_without:
        st.caption(f"另有 {held.n_without} 条已发布的需求还没有明显合适的团队，可以到“手工配对”里自己挑。")
    else:
        st.caption("有新的需求发布或团队资料更新后，这里会出现新的配对。")
