"""What a step, a change or a contact of a 对接 may say.

Owns the checks of what was typed, and what the second of two writers is told; what a contract may say is
``contracts``'. Works inside the caller's transaction; permissions are ``following``'s.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from matcher.columns import clean_text
from matcher.errors import ConflictError, InputError
from matcher.intake.identity import holds_id_card
from matcher.models import Engagement
from matcher.services.access import Access
from matcher.services.accounts import BUREAU
from matcher.services.contracts import (
    DAYS,
    EARLIEST,
    checked_contract,
    checked_day,
    checked_kind,
    same_contract,
)
from matcher.services.entrance import DEMO_BUREAU
from matcher.services.timeline import happened, sentence
from matcher.store.repositories import Repositories
from matcher.vocab import Stage

WAYS = ("电话", "走访", "会议", "微信", "邮件", "其他")
EDITABLE = (
    "next_action",
    "due_on",
    "owner",
    "contract_no",
    "contract_kind",
    "signed_on",
    "signed_wan",
    "paid_wan",
    "landed_on",
    "note",
)
LIMITS = {"next_action": 200, "contract_no": 60, "note": 2000, "reason": 200, "text": 500}
_CALLED = {
    "next_action": "下一步",
    "contract_no": "技术合同登记编号",
    "note": "备注",
    "reason": "原因",
    "text": "联系内容",
    "signed_wan": "合同金额",
    "paid_wan": "到账金额",
}
_OF_CONTRACT = ("contract_no", "contract_kind", "signed_on", "signed_wan", "paid_wan")
_LATEST = date(2100, 12, 31)
_MOST_WAN = 10_000_000.0
_SIGNED = (Stage.SIGNED, Stage.LANDED)
_HARMLESS = ("engagement.contact", "engagement.attach", "engagement.detach")


@dataclass(frozen=True, slots=True)
class Typed:
    """What came with a step, as typed."""

    reason: str = ""
    on: date | None = None
    contract_kind: str = ""
    contract_no: str = ""
    signed_wan: float | None = None
    paid_wan: float | None = None


def checked_text(name: str, value: str, *, required: bool = False) -> str:
    """A text as it is stored. Raises InputError when too long, missing, or with an ID-card number in it."""
    text, label, limit = clean_text(str(value or "")), _CALLED[name], LIMITS[name]
    if required and not text:
        raise InputError(f"请填写{label}。", "写一句话即可。")
    if len(text) > limit:
        raise InputError(f"{label}太长（{len(text)} 字）。", f"请控制在 {limit} 字以内。")
    if holds_id_card(text):
        raise InputError(f"{label}里有身份证号码。", "平台不收集身份证号码，请删去后再试。")
    return text


def checked_amount(name: str, value: float | None) -> float | None:
    """An amount in 万元. Raises InputError when negative, no number, or beyond belief."""
    if value is None:
        return None
    if not math.isfinite(value) or not 0 <= value <= _MOST_WAN:
        raise InputError(f"{_CALLED[name]}“{value:g}”不对。", "请填不小于 0 的数，单位是万元。")
    return float(value)


def after_step(
    stored: Repositories, current: Engagement, to: str, typed: Typed, today: date
) -> tuple[Engagement, dict[str, object]]:
    """The 对接 after a permitted step, and what the event says beside from, to and why.

    Raises:
        InputError: something the step needs is missing or wrong, or something it does not take was given.
        ConflictError: the pair has another 对接 that is not over.
    """
    _refuse_what_does_not_belong(to, typed)
    other = stored.engagements.open_of_pair(current.need_id, current.expert_id)
    if to != Stage.ENDED and other is not None and other.engagement_id != current.engagement_id:
        raise ConflictError(f"这一对已有另一个对接，现在是“{other.stage}”。", "请先处理那一个。")
    if to == Stage.SIGNED and current.stage == Stage.TALKS:
        return _signed(stored, current, typed, today)
    if to == Stage.LANDED:
        landed = checked_day("落地日期", typed.on, today)
        paid = checked_amount("paid_wan", typed.paid_wan)
        after = replace(current, landed_on=landed, paid_wan=current.paid_wan if paid is None else paid)
        return checked_contract(after), {"landed_on": landed.isoformat(), **_given("paid_wan", paid)}
    if to == Stage.ENDED:
        ended = checked_day("终止日期", typed.on or today, today)
        after = replace(current, ended_on=ended, end_reason=typed.reason)
        return checked_contract(after), {"ended_on": ended.isoformat()}
    if current.stage == Stage.SIGNED:
        cleared = replace(current, signed_on=None, contract_kind="", contract_no="")
        return replace(cleared, signed_wan=None, paid_wan=None), {}
    return (replace(current, landed_on=None) if current.stage == Stage.LANDED else current), {}


def _refuse_what_does_not_belong(to: str, typed: Typed) -> None:
    of_contract = typed.contract_kind or typed.contract_no or typed.signed_wan is not None
    if (of_contract and to != Stage.SIGNED) or (typed.paid_wan is not None and to not in _SIGNED):
        raise InputError("这一步不填合同信息。", "登记签约时再填；已签约的可以在“修改”里改。")


def _signed(
    stored: Repositories, current: Engagement, typed: Typed, today: date
) -> tuple[Engagement, dict[str, object]]:
    after = replace(
        current,
        signed_on=checked_day("签约日期", typed.on, today),
        contract_kind=checked_kind(typed.contract_kind),
        contract_no=checked_text("contract_no", typed.contract_no),
        signed_wan=checked_amount("signed_wan", typed.signed_wan),
        paid_wan=checked_amount("paid_wan", typed.paid_wan),
    )
    same_contract(stored, after, after.contract_no)
    said: dict[str, object] = {
        "signed_on": after.signed_on.isoformat() if after.signed_on else "",
        "contract_no": after.contract_no,
        "contract_kind": after.contract_kind,
        "signed_wan": after.signed_wan,
    }
    return checked_contract(after), {**said, **_given("paid_wan", after.paid_wan)}


def _given(name: str, value: float | None) -> dict[str, object]:
    return {} if value is None else {name: value}


def changed_fields(
    stored: Repositories, access: Access, current: Engagement, given: Mapping[str, object], today: date
) -> tuple[Engagement, dict[str, list[object]]]:
    """The 对接 with what was typed, and field → [old, new] of what is different.

    Raises:
        ValueError: a field that cannot be edited.
        InputError: a value that cannot be kept, or contract fields before the contract is signed.
    """
    unknown = [name for name in given if name not in EDITABLE]
    if unknown:
        raise ValueError(f"unknown fields {unknown}; known: {', '.join(EDITABLE)}")
    values = {name: _checked(name, value, today) for name, value in given.items()}
    values = {name: value for name, value in values.items() if value != getattr(current, name)}
    if "owner" in values:
        values["owner"] = checked_owner(stored, access, str(values["owner"]))
    if any(name in values for name in _OF_CONTRACT):
        if current.signed_on is None:
            raise InputError("还没有登记签约，不能填合同信息。", "请先到洽谈阶段登记签约。")
        if "contract_kind" in values:
            checked_kind(str(values["contract_kind"]))
        if "contract_no" in values:
            same_contract(stored, current, str(values["contract_no"]))
    if "landed_on" in values and current.landed_on is None:
        raise InputError("还没有登记落地，不能改落地日期。", "请先登记落地。")
    after = replace(current, **values)  # type: ignore[arg-type]
    changes = {name: [_plain(getattr(current, name)), _plain(value)] for name, value in values.items()}
    of_contract = any(name in values for name in (*_OF_CONTRACT, "landed_on"))
    return checked_contract(after) if of_contract else after, changes


def _checked(name: str, value: object, today: date) -> object:
    if name in DAYS:
        return checked_day(DAYS[name], value if isinstance(value, date) else None, today)
    if name == "due_on":
        if value is not None and not isinstance(value, date):
            raise ValueError("due_on is a date or None")
        if value is not None and not EARLIEST <= value <= _LATEST:
            raise InputError(f"期限 {value:%Y-%m-%d} 不对。", "请检查年份。")
        return value
    if name in ("signed_wan", "paid_wan"):
        return checked_amount(name, None if value is None else float(str(value)))
    return checked_text(name, str(value or "")) if name in LIMITS else str(value or "")


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else value


def checked_owner(stored: Repositories, access: Access, login: str) -> str:
    """A login that may follow a 对接: an account of the bureau in use, or the person acting. Raises InputError."""
    account = stored.accounts.get(login)
    official = account is not None and account.person.role in BUREAU and not account.disabled
    in_demo = access.person in DEMO_BUREAU and login in {person.login for person in DEMO_BUREAU}
    if not official and not in_demo and login != access.actor:
        raise InputError(f"“{login or '（空）'}”不能当经办人。", "请选一位在用的科技局账号。")
    return login


def as_last_seen(stored: Repositories, current: Engagement, version: int, names: Mapping[str, str]) -> None:
    """Check that nobody took a step or changed a field since ``version``; contacts and files do no harm.

    Raises:
        ConflictError: somebody did; says who, when and what.
    """
    if version == current.version:
        return
    events = [e for e in stored.audit.of("engagement", current.engagement_id) if happened(e)]
    # Every version is one event, so what follows the version seen is what the person has not seen.
    since = [e for e in events[version:] if e.action not in _HARMLESS]
    if len(events) == current.version and 0 < version < current.version and not since:
        return
    said = "；".join(sentence(event, names) for event in since[-3:])
    raise ConflictError(
        f"这条对接刚刚被别人改过，您的修改没有保存。{said}".rstrip("。") + "。",
        "您填的内容还在，请看过最新情况后再保存一次。",
    )
