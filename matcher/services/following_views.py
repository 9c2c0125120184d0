"""对接 as they are listed and shown, and what of them a firm or a team may see.

Owns the filter, the rows, the board and the view of one 对接. Computed from records; reads no database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from matcher.export.document import Cell, Column, Sheet
from matcher.export.layouts import badged
from matcher.models import Attachment, Engagement, Expert, Need
from matcher.services.access import Access
from matcher.services.reminders import Lateness, day_of, idle_days, lateness_of
from matcher.services.snapshot import Records
from matcher.services.timeline import BUREAU, Contact, Moment
from matcher.store.entries import AuditEvent
from matcher.text.normalise import normalise
from matcher.vocab import Confidentiality, Role, Stage
from matcher.workflow.permissions import HIDDEN_FIRM, expert_as_seen, shows_firm
from matcher.workflow.states import Step

HIDDEN_NEED = "（保密需求，详情由科技局当面告知）"
RECENT_DAYS = 60
_STAGES = tuple(Stage)


@dataclass(frozen=True, slots=True)
class EngagementFilter:
    """Empty fields let everything pass.

    ``firm`` is an id or a name, ``overdue`` asks for anything late, ``text`` for every word in firm, need, team,
    institution, next step or contract number.
    """

    owner: str = ""
    stages: frozenset[str] = frozenset()
    firm: str = ""
    institution: str = ""
    town: str = ""
    overdue: bool = False
    text: str = ""
    need_id: str = ""
    expert_id: str = ""

    def passes(self, row: EngagementRow) -> bool:
        one = row.engagement
        asked = [(self.institution, one.institution), (self.town, row.town), (self.owner, one.owner)]
        asked += [(self.need_id, one.need_id), (self.expert_id, one.expert_id)]
        return (
            all(wanted in ("", value) for wanted, value in asked)
            and (not self.stages or one.stage in self.stages)
            and self.firm in ("", one.firm_id, one.firm)
            and (not self.overdue or row.lateness.degree > 0)
            and (not self.text.strip() or self._holds(one))
        )

    def _holds(self, one: Engagement) -> bool:
        parts = (one.firm, one.need_title, one.expert_name, one.institution, one.next_action, one.contract_no)
        content = normalise(" ".join((one.engagement_id, *parts)))
        return all(word in content for word in normalise(self.text).split())


@dataclass(frozen=True, slots=True)
class EngagementRow:
    """One 对接 in a list, as the person may see it; ``idle_days`` since anybody touched it."""

    engagement: Engagement
    owner_name: str
    town: str
    confidentiality: str
    idle_days: int
    lateness: Lateness


@dataclass(frozen=True, slots=True)
class BoardColumn:
    stage: Stage
    rows: tuple[EngagementRow, ...]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What the same team has had with another firm. ``engagement_id`` is empty for a row of the 台账."""

    engagement_id: str
    firm: str
    title: str
    stage: str
    last_on: date | None
    recent: bool
    text: str


@dataclass(frozen=True, slots=True)
class EngagementView:
    """One 对接 with everything the person may see of it.

    ``need`` and ``expert`` are None when the record is gone or hidden. ``steps`` are the stages that may follow;
    empty, with ``can_edit`` false, for whoever may only look.
    """

    row: EngagementRow
    need: Need | None
    expert: Expert | None
    steps: tuple[tuple[str, Step], ...]
    timeline: tuple[Moment, ...]
    contacts: tuple[Contact, ...]
    attachments: tuple[Attachment, ...]
    elsewhere: tuple[Elsewhere, ...]
    warnings: tuple[str, ...]
    can_edit: bool

    @property
    def engagement(self) -> Engagement:
        return self.row.engagement


def as_seen(access: Access, engagement: Engagement, need: Need | None, owner: str) -> Engagement:
    """The 对接 as the person may read it.

    Outside the bureau: no notes, plans, reasons and runs, and the owner by name. A team learns the firm's name when
    the need is 公开, or once the bureau has brought the two together; of a 保密 need it learns neither firm nor title.
    """
    if access.is_bureau:
        return engagement
    shown = replace(
        engagement, owner=owner or BUREAU, note="", next_action="", due_on=None, end_reason="", run_id=""
    )
    if access.person.role is not Role.TEAM:
        return shown
    if need is None or need.confidentiality == Confidentiality.CONFIDENTIAL:
        return replace(shown, need_id="", need_title=HIDDEN_NEED, firm=HIDDEN_FIRM, firm_id="")
    if shows_firm(need) or engagement.stage != Stage.PROPOSED:
        return replace(shown, firm_id="")
    return replace(shown, firm=HIDDEN_FIRM, firm_id="")


def need_seen(access: Access, need: Need | None) -> Need | None:
    """The need beside a 对接, None when the person may not read it."""
    if need is None or access.is_bureau or access.sees_need(need):
        return None if need is None else access.shown_need(need)
    hidden = need.confidentiality == Confidentiality.CONFIDENTIAL or access.person.role is not Role.TEAM
    return None if hidden else access.shown_need(need)


def expert_seen(access: Access, expert: Expert | None) -> Expert | None:
    """The team beside a 对接: named, since the bureau has brought it forward."""
    return None if expert is None else expert_as_seen(access.person, expert)


def build_row(
    access: Access,
    engagement: Engagement,
    need: Need | None,
    names: Mapping[str, str],
    today: date,
    limits: Sequence[int],
) -> EngagementRow:
    """One 对接 as the person may see it; whose turn it is, is the bureau's own affair."""
    owner = names.get(engagement.owner, engagement.owner)
    shown = as_seen(access, engagement, need, owner)
    if not access.is_bureau:
        seen = need_seen(access, need)
        return EngagementRow(shown, shown.owner, seen.town if seen else "", "", 0, Lateness())
    return EngagementRow(
        shown,
        owner,
        need.town if need else "",
        need.confidentiality if need else "",
        idle_days(engagement, today),
        lateness_of(engagement, today, limits),
    )


def in_order(rows: Iterable[EngagementRow]) -> tuple[EngagementRow, ...]:
    """The latest first, then by due date, then what has waited longest."""
    return tuple(
        sorted(
            rows,
            key=lambda row: (
                -row.lateness.degree,
                -row.lateness.n_days,
                row.engagement.due_on or date.max,
                row.engagement.touched_at,
                row.engagement.engagement_id,
            ),
        )
    )


def on_board(rows: Sequence[EngagementRow]) -> tuple[BoardColumn, ...]:
    """One column for each stage, in the order of the work."""
    return tuple(
        BoardColumn(stage, tuple(row for row in rows if row.engagement.stage == stage)) for stage in _STAGES
    )


def team_elsewhere(
    records: Records, engagement: Engagement, noted: Sequence[AuditEvent], today: date
) -> tuple[Elsewhere, ...]:
    """What the team has had with other firms, the latest first, from 对接 and 台账.

    Args:
        noted: ``engagement.contact`` events of the team's other 对接.
    """
    own = records.names.firm(engagement.firm)
    last: dict[str, date] = {}
    for event in noted:
        on = date.fromisoformat(str(event.detail["on"]))
        last[event.object_id] = max(on, last.get(event.object_id, on))
    found = []
    for one in records.engagements_by_expert.get(engagement.expert_id, ()):
        if records.names.firm(one.firm) == own:
            continue
        spoken = last.get(one.engagement_id)
        on = max(day_of(one.created_at), spoken or date.min)
        what = "联系过" if spoken else "推荐过"
        text = f"{when_words(on, today)}为“{one.firm}”{what}：{one.need_title}（{one.stage}）"
        recent = (today - on).days <= RECENT_DAYS
        found.append(Elsewhere(one.engagement_id, one.firm, one.need_title, one.stage, on, recent, text))
    for row in records.history.by_expert.get(engagement.expert_id, ()):
        if row.cooperation_id not in records.engagements and records.names.firm(row.firm) != own:
            when = f"{when_words(row.signed_on, today)}与" if row.signed_on else "台账中与"
            text = f"{when}“{row.firm}”{row.stage or '合作'}：{row.title or '项目名称未填'}"
            recent = row.signed_on is not None and (today - row.signed_on).days <= RECENT_DAYS
            found.append(Elsewhere("", row.firm, row.title, row.stage, row.signed_on, recent, text))
    return tuple(sorted(found, key=lambda one: (one.last_on or date.min, one.firm, one.title), reverse=True))


def when_words(day: date, today: date) -> str:
    """本月, 上月, or the month by its number."""
    months = (today.year - day.year) * 12 + today.month - day.month
    return {0: "本月", 1: "上月"}.get(months, f"{day.year} 年 {day.month} 月")


_COLUMNS = (
    Column("对接编号", 16),
    Column("企业", 22),
    Column("镇街", 10),
    Column("技术需求", 28),
    Column("公开范围", 9),
    Column("专家（团队）", 22),
    Column("单位", 20),
    Column("阶段", 8),
    Column("经办人", 10),
    Column("未跟进天数", 10, "int"),
    Column("提醒", 24),
    Column("下一步", 24),
    Column("期限", 11, "date"),
    Column("合同类别", 10),
    Column("技术合同登记编号", 18),
    Column("签约日期", 11, "date"),
    Column("合同金额（万元）", 14, "number"),
    Column("到账金额（万元）", 14, "number"),
    Column("落地日期", 11, "date"),
    Column("终止日期", 11, "date"),
    Column("终止原因", 16),
    Column("备注", 30),
)


def rows_sheet(rows: Sequence[EngagementRow], today: date) -> Sheet:
    """The list as a table for a file."""
    return Sheet(
        "对接跟踪", _COLUMNS, tuple(map(_cells, rows)), (f"截至 {today:%Y-%m-%d}，共 {len(rows)} 项。",)
    )


def _cells(row: EngagementRow) -> tuple[Cell, ...]:
    one = row.engagement
    return (
        one.engagement_id,
        badged(one.firm, one.is_sample),
        row.town,
        badged(one.need_title, one.is_sample),
        row.confidentiality,
        badged(one.expert_name, one.is_sample),
        one.institution,
        one.stage,
        row.owner_name,
        row.idle_days,
        row.lateness.reason,
        one.next_action,
        one.due_on,
        one.contract_kind,
        one.contract_no,
        one.signed_on,
        one.signed_wan,
        one.paid_wan,
        one.landed_on,
        one.ended_on,
        one.end_reason,
        one.note,
    )
