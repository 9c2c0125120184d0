"""Changing a 对接: its steps and its fields.

Owns these forms. What was typed stays when a save is refused; what a colleague changed meanwhile appears in the fields
that were not touched, and only touched fields are saved.
"""

from __future__ import annotations

from datetime import date

import streamlit as st

from matcher.models import Engagement
from matcher.services.contracts import EARLIEST
from matcher.services.following_rules import LIMITS
from matcher.services.following_views import EngagementView
from matcher.ui import guard, resources
from matcher.ui.components.html import md
from matcher.vocab import ContractKind, EndReason, Stage
from matcher.workflow.states import Step

_PLAIN = ("next_action", "due_on", "owner", "note")
_CONTRACT = ("contract_kind", "contract_no", "signed_on", "signed_wan", "paid_wan")


class Forms:
    """The forms of one 对接; ``today`` is the day in Beijing."""

    def __init__(self, page: str, view: EngagementView, today: date) -> None:
        self.view = view
        self.one = view.engagement
        self._today = today
        self._key = f"{page}_{self.one.engagement_id}"

    def key(self, name: str) -> str:
        return f"{self._key}_{name}"

    # ------------------------------------------------------------ steps

    def steps(self) -> None:
        """A button for each step that may follow; one that needs something opens exactly those fields."""
        if not self.view.steps:
            st.caption("这是最后的状态，没有下一步。需要重新合作时，请在“审核台”里重新配对。")
            return
        with st.container(horizontal=True):
            for number, (to, step) in enumerate(self.view.steps):
                direct = not step.needs_reason and to not in (Stage.SIGNED, Stage.LANDED)
                st.button(
                    step.label,
                    key=self.key(f"to_{Stage(to).name.lower()}"),
                    type="primary" if number == 0 and not step.back else "secondary",
                    on_click=self._move if direct else self._choose,
                    args=(to, step),
                )
        chosen = st.session_state.get(self.key("step"), "")
        for to, step in self.view.steps:
            if to == chosen:
                with st.container(border=True, key=self.key("step_box")):
                    self._fields(to, step)

    def _choose(self, to: str, step: Step) -> None:
        del step
        st.session_state[self.key("step")] = to

    def _close(self) -> None:
        st.session_state.pop(self.key("step"), None)

    def _fields(self, to: str, step: Step) -> None:
        st.markdown(f"**{md(step.label)}**")
        signing = to == Stage.SIGNED and not step.back
        if signing or (to == Stage.LANDED):
            st.date_input(
                "签约日期" if signing else "落地日期",
                value=None,
                min_value=EARLIEST,
                max_value=self._today,
                key=self.key("on"),
                format="YYYY-MM-DD",
            )
        if signing:
            st.selectbox(
                "合同类别", list(ContractKind), index=None, key=self.key("new_kind"), placeholder="请选择"
            )
            st.text_input(
                "技术合同登记编号（还没有可以先空着）",
                key=self.key("new_no"),
                max_chars=LIMITS["contract_no"],
                help="同一编号的合同，统计时只算一项。",
            )
            st.number_input("合同金额（万元，可空）", min_value=0.0, value=None, key=self.key("new_signed"))
        if signing or to == Stage.LANDED:
            st.number_input("到账金额（万元，可空）", min_value=0.0, value=None, key=self.key("new_paid"))
        if to == Stage.ENDED:
            st.selectbox(
                "终止原因", list(EndReason), index=None, key=self.key("end_reason"), placeholder="请选择"
            )
            if self.one.signed_on:
                st.caption("已经签约的，签约仍计入当年目标，并在年度目标里列为签约后终止。")
        elif step.needs_reason:
            if self.one.stage == Stage.LANDED:
                st.caption("落地日期会清掉，到账金额不变；填错了的，撤销后在“修改”里改。")
            st.text_input("原因", key=self.key("reason"), max_chars=LIMITS["reason"], placeholder="一句话")
        with st.container(horizontal=True):
            st.button("确定", key=self.key("step_save"), type="primary", on_click=self._move, args=(to, step))
            st.button("取消", key=self.key("step_cancel"), on_click=self._close)

    def _move(self, to: str, step: Step) -> None:
        with guard.calm_action("engagement step"):
            following = resources.application().following
            typed = st.session_state.get
            signing = to == Stage.SIGNED and not step.back
            number = str(typed(self.key("new_no")) or "") if signing else ""
            paid = typed(self.key("new_paid")) if signing or to == Stage.LANDED else None
            reason = (
                typed(self.key("end_reason" if to == Stage.ENDED else "reason")) if step.needs_reason else ""
            )
            following.move(
                self.one.engagement_id,
                Stage(to),
                self.one.version,
                reason=str(reason or ""),
                on=typed(self.key("on")) if signing or to == Stage.LANDED else None,
                contract_kind=str(typed(self.key("new_kind")) or "") if signing else "",
                contract_no=number,
                signed_wan=typed(self.key("new_signed")) if signing else None,
                paid_wan=paid,
            )
            self._close()
            notice = following.contract_notice(self.one.engagement_id, number) if number else ""
            guard.say_done(f"已改为“{to}”。{notice}")

    # ------------------------------------------------------------ fields

    def edit(self) -> None:
        """The fields that may be changed at any time."""
        names = self._names()
        self._fill(names)
        owners = {person.login: person.name for person in resources.application().accounts.officials()}
        owners.setdefault(self.one.owner, self.view.row.owner_name or "（无）")
        typed_owner = str(st.session_state[self.key("owner")])
        owners.setdefault(typed_owner, typed_owner)
        with st.form(self.key("edit_form"), border=False):
            st.text_input("下一步", key=self.key("next_action"), max_chars=LIMITS["next_action"])
            left, right = st.columns(2)
            with left:
                st.date_input("期限", value=None, key=self.key("due_on"), format="YYYY-MM-DD")
            with right:
                st.selectbox("经办人", list(owners), key=self.key("owner"), format_func=owners.__getitem__)
            if "contract_no" in names:
                self._contract()
            st.text_area(
                "备注（企业和团队看不到）", key=self.key("note"), max_chars=LIMITS["note"], height=80
            )
            st.form_submit_button("保存", key=self.key("save"), type="primary", on_click=self._save)

    def _contract(self) -> None:
        days = [("signed_on", "签约日期")] + ([("landed_on", "落地日期")] if self.one.landed_on else [])
        for place, (name, label) in zip(st.columns(2), days, strict=False):
            with place:
                st.date_input(
                    label,
                    value=None,
                    min_value=EARLIEST,
                    max_value=self._today,
                    key=self.key(name),
                    format="YYYY-MM-DD",
                )
        left, right = st.columns(2)
        kinds = list(dict.fromkeys([*map(str, ContractKind), self.one.contract_kind]))
        with left:
            st.selectbox("合同类别", kinds, key=self.key("contract_kind"))
            st.number_input("合同金额（万元）", min_value=0.0, value=None, key=self.key("signed_wan"))
        with right:
            st.text_input("技术合同登记编号", key=self.key("contract_no"), max_chars=LIMITS["contract_no"])
            st.number_input("到账金额（万元）", min_value=0.0, value=None, key=self.key("paid_wan"))

    def _names(self) -> tuple[str, ...]:
        landed = ("landed_on",) if self.one.landed_on else ()
        return (*_PLAIN, *_CONTRACT, *landed) if self.one.signed_on else _PLAIN

    def _fill(self, names: tuple[str, ...]) -> None:
        state, memory = st.session_state, self.key("loaded")
        loaded: Engagement | None = state.get(memory)
        for name in names:
            key = self.key(name)
            untouched = loaded is None or key not in state or state[key] == getattr(loaded, name)
            if untouched and (key not in state or state[key] != getattr(self.one, name)):
                state[key] = getattr(self.one, name)
        state[memory] = self.one

    def _save(self) -> None:
        with guard.calm_action("engagement edit"):
            loaded: Engagement = st.session_state[self.key("loaded")]
            typed = {name: st.session_state.get(self.key(name)) for name in self._names()}
            changed = {name: value for name, value in typed.items() if value != getattr(loaded, name)}
            following = resources.application().following
            following.edit(loaded.engagement_id, loaded.version, **changed)
            number = str(changed.get("contract_no") or "")
            notice = following.contract_notice(loaded.engagement_id, number) if number else ""
            guard.say_done(f"已保存。{notice}")
