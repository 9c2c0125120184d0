"""Which 对接 are overdue, and the one digest that says so.

Owns the three degrees of lateness and the order of a digest. Pure: the services read the 对接 and ask for permission.
Nothing is ever sent; a digest is looked at, printed or saved as a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from matcher.export.digest import DigestRow, overdue_document
from matcher.export.document import Document, RunInfo
from matcher.models import Engagement
from matcher.services.rankings import BEIJING
from matcher.workflow.states import ACTIVE_STAGES, OPEN_STAGES

DEGREES = ("", "该跟进了", "拖得久了", "很久没动了")
"""What a degree of lateness is called; 0 is not late."""
EVERYBODY = "全部经办人"


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late a 对接 is.

    ``degree`` is 0 (not late) to 3, ``n_days`` whole days past the due date or past the first limit, whichever is
    more; ``reason`` says why in Chinese.
    """

    degree: int = 0
    n_days: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DigestItem:
    engagement: Engagement
    lateness: Lateness


@dataclass(frozen=True, slots=True)
class OwnerDigest:
    """What one official has to follow up, the latest first. ``owner`` is a login, empty when nobody owns it."""

    owner: str
    name: str
    items: tuple[DigestItem, ...]


@dataclass(frozen=True, slots=True)
class Digest:
    """One digest for each owner; ``made_at`` is UTC, ``scope`` says in words whose it is."""

    made_at: datetime
    scope: str
    owners: tuple[OwnerDigest, ...]

    @property
    def items(self) -> tuple[DigestItem, ...]:
        return tuple(item for owner in self.owners for item in owner.items)


def day_of(moment: datetime) -> date:
    """The day in Beijing of a UTC time."""
    return (moment + BEIJING).date()


def idle_days(engagement: Engagement, today: date) -> int:
    """Days since somebody did something with it, never negative."""
    return max((today - day_of(engagement.touched_at)).days, 0)


def lateness_of(engagement: Engagement, today: date, limits: Sequence[int]) -> Lateness:
    """How late a 对接 is today.

    Untouched counts until the contract is signed, a due date until the project has landed or ended. A due date that
    passed is degree 1, and one degree more for each of the first two limits it is past by.

    Args:
        limits: days without anybody touching it for degree 1, 2 and 3, ascending.
    """
    degree, n_days, reasons = 0, 0, []
    idle = idle_days(engagement, today)
    if engagement.stage in ACTIVE_STAGES and idle >= limits[0]:
        degree, n_days = sum(idle >= limit for limit in limits), idle - limits[0]
        reasons.append(f"已 {idle} 天没有跟进")
    due = engagement.due_on
    if engagement.stage in OPEN_STAGES and due is not None and due < today:
        past = (today - due).days
        degree = max(degree, 1 + sum(past >= limit for limit in limits[:2]))
        n_days = max(n_days, past)
        reasons.append(f"期限 {due:%Y-%m-%d} 已过 {past} 天")
    return Lateness(degree, n_days, "；".join(reasons))


def build_digest(
    engagements: Iterable[Engagement],
    names: Mapping[str, str],
    now: datetime,
    limits: Sequence[int],
    owner: str = "",
) -> Digest:
    """The overdue 对接 by owner: owners by name, their items by degree, then by days, latest first.

    Args:
        names: login → name of those who have an account.
        now: the present UTC time.
        owner: only this login's; everybody's when empty.
    """
    today = day_of(now)
    grouped: dict[str, list[DigestItem]] = {}
    for one in engagements:
        if owner in ("", one.owner):
            lateness = lateness_of(one, today, limits)
            if lateness.degree:
                grouped.setdefault(one.owner, []).append(DigestItem(one, lateness))
    owners = [
        OwnerDigest(login, names.get(login, login), tuple(sorted(items, key=_urgency)))
        for login, items in grouped.items()
    ]
    owners.sort(key=lambda each: (not each.owner, each.name, each.owner))
    return Digest(now, names.get(owner, owner) or EVERYBODY, tuple(owners))


def digest_document(digest: Digest) -> Document:
    """The digest as a file's content, in its own order."""
    rows = [_row(owner.name, item) for owner in digest.owners for item in owner.items]
    info = RunInfo("", digest.made_at, "", "", f"经办人：{digest.scope}")
    return overdue_document(f"对接逾期提醒（{day_of(digest.made_at):%Y-%m-%d}）", rows, info)


def _urgency(item: DigestItem) -> tuple[int, int, str]:
    return (-item.lateness.degree, -item.lateness.n_days, item.engagement.engagement_id)


def _row(owner: str, item: DigestItem) -> DigestRow:
    one, late = item.engagement, item.lateness
    return DigestRow(
        owner=owner,
        state=one.stage,
        firm=one.firm,
        need_title=one.need_title,
        expert_name=one.expert_name,
        institution=one.institution,
        due_on=one.due_on,
        days_overdue=late.n_days,
        next_action=one.next_action,
        reason=f"{DEGREES[late.degree]}：{late.reason}",
        is_sample=one.is_sample,
    )
