"""What lists and histories say of needs: where each stands, since when, and what happened, in plain words.

Owns the reading side of posting: a fixed number of queries however many needs are listed. Permissions are
``posting``'s; firms are told who did something by role, never by login.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from matcher.columns import RecordKind, fields_of
from matcher.intake.coaching import Check, check_need, missing_summary
from matcher.models import Engagement, Need, Person
from matcher.services.access import Access
from matcher.services.snapshot import Records
from matcher.store.entries import AuditEvent
from matcher.store.repositories import Repositories
from matcher.vocab import DecisionKind, NeedStatus, Role
from matcher.workflow.states import NEED_STEPS, OPEN_STAGES, Step

_OWN_ACTIONS = ("need.post", "need.step", "need.edit")
_RECORD_ACTIONS = ("record.edit", "record.undo")
_LABELS: Mapping[str, str] = {field.name: field.label for field in fields_of(RecordKind.NEEDS)}


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One thing that happened to a need. ``at`` is UTC; ``who`` is a role for firms, a name for the bureau."""

    at: datetime
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class NeedRow:
    """A need in a list.

    Attributes:
        version: to be given back with every change.
        n_accepted: teams the bureau has accepted for it.
        stages: stages of its 对接 that are not over, one each.
        last: what happened last; None when nothing was recorded.
        draft_id: the unsent change of the need; may be empty.
    """

    need: Need
    version: int
    n_accepted: int
    stages: tuple[str, ...]
    last: HistoryLine | None
    draft_id: str = ""


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A need that waits to be accepted.

    Attributes:
        since: when it came, UTC; None for one that was imported.
        checks: the checklist of 需求凝练; ``missing`` sums it up in a sentence.
    """

    need: Need
    version: int
    since: datetime | None
    checks: tuple[Check, ...]
    missing: str


@dataclass(frozen=True, slots=True)
class NeedView:
    """One need opened.

    Attributes:
        history: the newest first.
        steps: what the person may do, with the status each leads to.
        can_undo: there is a previous content, and the person may put it back.
    """

    row: NeedRow
    history: tuple[HistoryLine, ...]
    steps: tuple[tuple[str, Step], ...]
    can_undo: bool


class Reader:
    """Reads what is said of some needs, inside one transaction."""

    def __init__(
        self, session: Connection, access: Access, records: Records, needs: Iterable[Need] | None = None
    ) -> None:
        """``needs``: as stored in this transaction; by default those of ``records``, read anew when they changed."""
        self._stored = Repositories(session)
        self._access = access
        self._records = records
        if needs is None:
            fresh = self._stored.revision() == records.revision
            needs = records.needs.values() if fresh else self._stored.needs.all()
        self.needs = {need.need_id: need for need in needs}
        self._people = {one.person.login: one.person for one in self._stored.accounts.all()}

    def rows(self, needs: Collection[Need]) -> tuple[NeedRow, ...]:
        """Their rows, what happened last first, then by id."""
        ids = [need.need_id for need in needs]
        versions = self._stored.needs.versions(ids)
        drafts = {(d.need_id, d.firm_id): d.draft_id for d in self._stored.drafts.all()}
        accepted = dict.fromkeys(ids, 0)
        for (need_id, _), decision in self._stored.decisions.latest_by_pair(ids).items():
            accepted[need_id] += decision.kind == DecisionKind.ACCEPT
        last = {event.object_id: event for event in self._events(ids)}
        rows = [
            NeedRow(
                self._access.shown_need(need),
                versions.get(need.need_id, 0),
                accepted[need.need_id],
                tuple(e.stage for e in self._engagements(need.need_id) if e.stage in OPEN_STAGES),
                self._line(last[need.need_id]) if need.need_id in last else None,
                drafts.get((need.need_id, need.firm_id), ""),
            )
            for need in needs
        ]
        rows.sort(key=lambda row: row.need.need_id)
        return tuple(sorted(rows, key=lambda row: row.last.at.timestamp() if row.last else 0, reverse=True))

    def waiting(self) -> tuple[WaitingRow, ...]:
        """Needs in 待受理, the longest waiting first; imported ones, of which nobody knows since when, before all."""
        found = [n for n in self.needs.values() if n.status in ("", NeedStatus.WAITING)]
        ids = [need.need_id for need in found]
        versions = self._stored.needs.versions(ids)
        came = {
            event.object_id: event.at
            for event in self._events(ids)
            if event.detail.get("to") == NeedStatus.WAITING
        }
        rows = []
        for need in found:
            checks = check_need(need)
            key = need.need_id
            rows.append(
                WaitingRow(need, versions.get(key, 0), came.get(key), checks, missing_summary(checks))
            )
        rows.sort(key=lambda row: (row.since.timestamp() if row.since else 0, row.need.need_id))
        return tuple(rows)

    def history(self, need_id: str) -> tuple[HistoryLine, ...]:
        """What happened to a need and in its 对接, the newest first."""
        events = list(self._events([need_id]))
        own = {e.engagement_id: e for e in self._engagements(need_id) if self._access.sees_engagement(e)}
        for action in ("engagement.begin", "engagement.step"):
            events += self._stored.audit.of_many("engagement", list(own), action)
        events.sort(key=lambda event: event.event_id, reverse=True)
        return tuple(self._line(event, own.get(event.object_id)) for event in events)

    def _events(self, ids: Collection[str]) -> list[AuditEvent]:
        """Events of the needs themselves, oldest first."""
        audit = self._stored.audit
        found = [e for action in _OWN_ACTIONS for e in audit.of_many("need", ids, action)]
        kind = RecordKind.NEEDS.value
        found += [e for action in _RECORD_ACTIONS for e in audit.of_many(kind, ids, action)]
        return sorted(found, key=lambda event: event.event_id)

    def _engagements(self, need_id: str) -> tuple[Engagement, ...]:
        return self._records.engagements_by_need.get(need_id, ())

    def _line(self, event: AuditEvent, engagement: Engagement | None = None) -> HistoryLine:
        person = self._people.get(event.actor)
        if self._access.is_bureau:
            who = f"{person.name}（{person.role.value}）" if person else event.actor
        else:
            who = _role_name(self._access.person, event.actor, person)
        team = engagement.expert_name if engagement else ""
        return HistoryLine(event.at, who, _said(event, team, inside=self._access.is_bureau))


def _role_name(reader: Person, actor: str, person: Person | None) -> str:
    if actor == reader.login or (person is not None and person.role is Role.FIRM):
        return "本企业"
    return "专家团队" if person is not None and person.role is Role.TEAM else "科技局"


def _said(event: AuditEvent, team: str, *, inside: bool) -> str:
    """An event as a sentence without its subject; why a 对接 went back is told ``inside`` the bureau only."""
    detail = event.detail
    before, after = str(detail.get("from", "")), str(detail.get("to", ""))
    why = f"：{detail['why']}" if detail.get("why") else ""
    match event.action:
        case "need.post":
            return f"提交了需求，现在{after}"
        case "need.step":
            step = NEED_STEPS.get((before, after))
            return f"{step.label if step else '重新送审'}，现在是“{after}”{why}"
        case "engagement.begin":
            return f"开始与团队“{team}”对接"
        case "engagement.step":
            return f"与团队“{team}”的对接从“{before}”到“{after}”{why if inside else ''}"
    names = detail.get("fields")
    labels = [_LABELS[n] for n in names if n in _LABELS] if isinstance(names, list) else []
    lead = "恢复了上一版内容" if event.action == "record.undo" else "修改了内容"
    return f"{lead}（{'、'.join(labels)}）" if labels else lead
