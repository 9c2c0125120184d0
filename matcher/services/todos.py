"""What to do today, the most pressing first, each with the page that leads there.

Owns which situations are mentioned and in which words. Pure: computed from what the overview read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from matcher.ranking.practical import FRESH_DAYS
from matcher.services.reminders import lateness_of
from matcher.services.snapshot import Records
from matcher.vocab import CooperationKind, NeedStatus, Stage


@dataclass(frozen=True, slots=True)
class Todo:
    """One thing to do, with the page and parameters that lead there."""

    kind: str
    title: str
    detail: str
    count: int
    page: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Situation:
    """What the to-dos are computed from.

    ``ticked`` are ids of needs with a pairing in a shortlist, ``decided`` of needs with any decision; ``n_interests``
    answers of teams wait; ``me`` is the login of who looks; ``remind_days`` as in the settings.
    """

    records: Records
    ticked: frozenset[str]
    decided: frozenset[str]
    n_interests: int
    me: str
    today: date
    remind_days: tuple[int, ...]


def build_todos(now: Situation, behind: float) -> tuple[Todo, ...]:
    """Every to-do that has something in it.

    Args:
        behind: contracts still missing to where the year must be by now; negative when it is ahead.
    """
    records = now.records
    if not records.needs or not records.experts:
        missing = "需求" if not records.needs else "专家"
        detail = f"系统里还没有{missing}，导入表格后即可匹配。"
        return (Todo("import", f"先导入{missing}", detail, 0, "data", {"tab": "import"}),)
    found = (
        _overdue(now),
        _waiting(now),
        _calls(now),
        _review(now),
        _talks(now, behind),
        _match(now),
        _stale(now),
    )
    return tuple(todo for todo in found if todo is not None)


def _overdue(now: Situation) -> Todo | None:
    late = [
        one for one in now.records.engagements.values() if lateness_of(one, now.today, now.remind_days).degree
    ]
    own = [one for one in late if one.owner == now.me]
    if own:
        detail = f"全部经办人共 {len(late)} 项。先看拖得最久的。"
        return Todo("overdue", f"您经办的 {len(own)} 项对接该跟进了", detail, len(own), "follow")
    if late:
        title = f"{len(late)} 项对接该跟进了"
        return Todo("overdue", title, "都由同事经办，可以提醒他们。", len(late), "follow", {"owner": "all"})
    return None


def _waiting(now: Situation) -> Todo | None:
    n = sum(need.status == NeedStatus.WAITING for need in now.records.needs.values())
    if not n:
        return None
    return Todo("waiting", f"{n} 条需求待受理", "先看是否写清楚，再对外发布。", n, "post", {"tab": "waiting"})


def _calls(now: Situation) -> Todo | None:
    n = now.n_interests
    return (
        Todo("calls", f"{n} 份揭榜申请等着答复", "看团队怎么答，再采纳或说明原因。", n, "calls")
        if n
        else None
    )


def _review(now: Situation) -> Todo | None:
    taken = now.decided | now.records.engagements_by_need.keys()
    n = sum(
        need.status == NeedStatus.PUBLISHED and need.need_id not in taken
        for need in now.records.needs.values()
    )
    if not n:
        return None
    return Todo("review", f"{n} 条需求还没有审核过推荐的团队", "逐个接受、搁置或说明不合适。", n, "review")


def _talks(now: Situation, behind: float) -> Todo | None:
    n = sum(
        row.kind == CooperationKind.COOPERATION and not row.signed_on and row.stage == Stage.TALKS
        for row in now.records.cooperation
    )
    if not n:
        return None
    detail = f"今年按进度还差 {behind:.0f} 项，这些最接近签约。" if behind >= 1 else "这些最接近签约。"
    return Todo("talks", f"推动 {n} 项洽谈签约", detail, n, "year", {"show": "closest"})


def _match(now: Situation) -> Todo | None:
    needs = now.records.needs.values()
    open_needs = [n for n in needs if n.status == NeedStatus.PUBLISHED and n.need_id not in now.ticked]
    if not open_needs:
        return None
    first, n = open_needs[0], len(open_needs)
    detail = f"它们还没有候选团队，可从“{first.title}”开始。"
    return Todo("match", f"为 {n} 条已发布需求挑选团队", detail, n, "needs", {"need": first.need_id})


def _stale(now: Situation) -> Todo | None:
    n = sum(
        one.updated_on is not None and (now.today - one.updated_on).days > FRESH_DAYS
        for one in now.records.experts.values()
    )
    if not n:
        return None
    detail = "联系前请先核实方向与承接名额。"
    return Todo("stale", f"{n} 个团队资料超过一年未更新", detail, n, "experts", {"stale": "1"})
