"""What happened to a 对接, told from its events.

Owns the sentences: one event, one line of plain Chinese. Reads no database and decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from matcher.services.rankings import BEIJING
from matcher.store.entries import AuditEvent
from matcher.store.versioned import LABELS
from matcher.vocab import Stage

BUREAU = "科技局"
_PREFIX = "engagement."


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline; ``kind`` is the event's action without ``engagement.``, ``at`` UTC."""

    at: datetime
    who: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact with the firm or the team, as it was noted."""

    on: date
    way: str
    text: str
    by: str
    at: datetime


def happened(event: AuditEvent) -> bool:
    """Whether an event changed the 对接: refusals and exports did not."""
    return event.object_kind == "engagement" and event.action.startswith(_PREFIX)


def sentence(event: AuditEvent, names: Mapping[str, str]) -> str:
    """Who did what, when, as one clause; ``names`` are by login."""
    local = event.at + BEIJING
    who = names.get(event.actor, event.actor)
    return f"{who} {local.month} 月 {local.day} 日 {local:%H:%M} {_text(event, names)}"


def timeline(events: Iterable[AuditEvent], names: Mapping[str, str], *, whole: bool) -> tuple[Moment, ...]:
    """The lines of one 对接, newest first.

    Args:
        events: its events, oldest first.
        names: login → name.
        whole: everything, for the bureau; else only the steps, without reasons and names.
    """
    told = [event for event in events if happened(event)]
    if not whole:
        told = [event for event in told if event.action in ("engagement.begin", "engagement.step")]
    lines = [
        Moment(
            event.at,
            names.get(event.actor, event.actor) if whole else BUREAU,
            event.action.removeprefix(_PREFIX),
            _text(event, names) if whole else _outside(event),
        )
        for event in told
    ]
    return tuple(reversed(lines))


def contacts(events: Iterable[AuditEvent], names: Mapping[str, str]) -> tuple[Contact, ...]:
    """Contacts of one 对接 or several, the latest day first."""
    found = [
        Contact(
            date.fromisoformat(str(event.detail["on"])),
            str(event.detail["way"]),
            str(event.detail["text"]),
            names.get(event.actor, event.actor),
            event.at,
        )
        for event in events
        if event.action == "engagement.contact"
    ]
    return tuple(sorted(found, key=lambda one: (one.on, one.at), reverse=True))


def _text(event: AuditEvent, names: Mapping[str, str]) -> str:
    teller = _TELLERS.get(event.action)
    return teller(event.detail, names) if teller else event.action


def _outside(event: AuditEvent) -> str:
    if event.action == "engagement.begin":
        return "开始对接"
    return f"进展到“{event.detail.get('to', '')}”"


def _begin(detail: Mapping[str, object], names: Mapping[str, str]) -> str:
    return f"开始对接，经办人 {_name(detail.get('owner'), names)}"


def _step(detail: Mapping[str, object], names: Mapping[str, str]) -> str:
    del names
    before, after = str(detail.get("from", "")), str(detail.get("to", ""))
    said = [f"从“{before}”改为“{after}”"]
    labels = {"signed_on": "签约日期", "landed_on": "落地日期", "ended_on": "终止日期"}
    labels |= {"contract_kind": "合同类别", "contract_no": "登记编号"}
    said += [f"{label} {detail[key]}" for key, label in labels.items() if detail.get(key)]
    for key, label in (("signed_wan", "合同金额"), ("paid_wan", "到账金额")):
        if isinstance(amount := detail.get(key), int | float):
            said.append(f"{label} {amount:g} 万元")
    if why := detail.get("why"):
        said.append(f"{'终止原因' if after == Stage.ENDED else '原因'}：{why}")
    return "，".join(said)


def _edit(detail: Mapping[str, object], names: Mapping[str, str]) -> str:
    changes = detail.get("changes")
    said = []
    for name, pair in changes.items() if isinstance(changes, Mapping) else ():
        old, new = (_name(v, names) if name == "owner" else _shown(v) for v in pair)
        said.append(f"{LABELS.get(str(name), str(name))}由“{old}”改为“{new}”")
    return "，".join(said)


def _contact(detail: Mapping[str, object], names: Mapping[str, str]) -> str:
    del names
    return f"{detail.get('on', '')} {detail.get('way', '')}：{detail.get('text', '')}"


def _attach(detail: Mapping[str, object], names: Mapping[str, str]) -> str:
    del names
    return f"上传附件“{detail.get('name', '')}”"


def _detach(detail: Mapping[str, object], names: Mapping[str, str]) -> str:
    del names
    return f"删除附件“{detail.get('name', '')}”"


def _hand_over(detail: Mapping[str, object], names: Mapping[str, str]) -> str:
    return f"由 {_name(detail.get('from'), names)} 移交给 {_name(detail.get('to'), names)}"


_TELLERS: Mapping[str, Callable[[Mapping[str, object], Mapping[str, str]], str]] = {
    "engagement.begin": _begin,
    "engagement.step": _step,
    "engagement.edit": _edit,
    "engagement.contact": _contact,
    "engagement.attach": _attach,
    "engagement.detach": _detach,
    "engagement.hand_over": _hand_over,
}


def _name(login: object, names: Mapping[str, str]) -> str:
    return names.get(str(login), str(login)) if login else "（无）"


def _shown(value: object) -> str:
    if value in (None, ""):
        return "（空）"
    return f"{value:g}" if isinstance(value, float) else str(value)
