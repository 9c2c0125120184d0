"""Practical signals: what an official weighs beside the topic.

Owns ring, capacity, industry experience, history with the firm and freshness, each 0–1 with a sentence. They are shown
beside the 匹配度 and reorder only when switched on; they are never part of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from matcher.models import Cooperation, Expert, PracticalSignal
from matcher.ranking.eligibility import Names
from matcher.vocab import CooperationKind, Ring, Stage

REORDER_WEIGHT = 0.15  # share of the practical mean added to the score when reordering is switched on
FRESH_DAYS = 365
_RING_VALUE = {Ring.LOCAL: 1.0, Ring.AROUND: 0.7, Ring.NATIONAL: 0.3}
_BUSY = frozenset({Stage.PROPOSED, Stage.CONTACT, Stage.TALKS, Stage.SIGNED})


@dataclass(frozen=True)
class History:
    """What the 台账 says about experts: cooperation rows by expert, and firms by institution."""

    by_expert: dict[str, tuple[Cooperation, ...]]
    firm_institutions: frozenset[tuple[str, str]]
    names: Names = field(default_factory=Names)

    @classmethod
    def build(cls, rows: Iterable[Cooperation], names: Names | None = None) -> History:
        names = names or Names()
        by_expert: dict[str, list[Cooperation]] = {}
        pairs = set()
        for row in sorted(rows, key=lambda row: row.cooperation_id):
            if row.kind == CooperationKind.COOPERATION:
                pairs.add((names.firm(row.firm), names.institution(row.institution)))
                if row.expert_id:
                    by_expert.setdefault(row.expert_id, []).append(row)
        return cls({key: tuple(value) for key, value in by_expert.items()}, frozenset(pairs), names)

    def load(self, expert_id: str) -> int:
        """在办数: cooperations under way, from 已推荐 to 签约."""
        return sum(row.stage in _BUSY for row in self.by_expert.get(expert_id, ()))

    def capacity_left(self, expert: Expert) -> int | None:
        """Capacity less load; None when the capacity is unknown."""
        return None if expert.capacity is None else expert.capacity - self.load(expert.expert_id)


def compute_practical(
    expert: Expert, company: str, history: History, today: date
) -> tuple[PracticalSignal, ...]:
    """Practical signals of one pairing; ``company`` is empty for free text."""
    signals = [_ring(expert), _capacity(expert, history), _industry(expert, history)]
    if company:
        signals.append(_firm(expert, company, history))
    signals.append(_freshness(expert, today))
    return tuple(signals)


def practical_mean(signals: Iterable[PracticalSignal]) -> float:
    """Mean of the signals, 0–1; zero when there are none."""
    values = [signal.value for signal in signals]
    return sum(values) / len(values) if values else 0.0


def _ring(expert: Expert) -> PracticalSignal:
    value = next((v for ring, v in _RING_VALUE.items() if ring == expert.ring), 0.0)
    return PracticalSignal("ring", "圈层", value, expert.ring or "圈层未填")


def _capacity(expert: Expert, history: History) -> PracticalSignal:
    left = history.capacity_left(expert)
    if left is None:
        return PracticalSignal("capacity", "承接名额", 0.5, "承接名额未填")
    if left <= 0:
        return PracticalSignal(
            "capacity", "承接名额", 0.0, f"名额已满（在办 {history.load(expert.expert_id)}）"
        )
    return PracticalSignal("capacity", "承接名额", min(1.0, left / 2), f"还可承接 {left} 项")


def _industry(expert: Expert, history: History) -> PracticalSignal:
    rows = history.by_expert.get(expert.expert_id, ())
    signed = sum(row.signed_on is not None for row in rows)
    if signed:
        return PracticalSignal("industry", "企业合作", 1.0, f"台账中已签约 {signed} 项")
    if rows or expert.industry_experience:
        return PracticalSignal("industry", "企业合作", 0.6, "有企业合作经历")
    return PracticalSignal("industry", "企业合作", 0.0, "未见企业合作记录")


def _firm(expert: Expert, company: str, history: History) -> PracticalSignal:
    names = history.names
    firm = names.firm(company)
    if any(names.firm(row.firm) == firm for row in history.by_expert.get(expert.expert_id, ())):
        return PracticalSignal("firm", "与本企业", 1.0, "与本企业对接过")
    if (firm, names.institution(expert.institution)) in history.firm_institutions:
        return PracticalSignal("firm", "与本企业", 0.6, "所在单位与本企业合作过")
    return PracticalSignal("firm", "与本企业", 0.0, "与本企业尚无往来")


def _freshness(expert: Expert, today: date) -> PracticalSignal:
    if expert.updated_on is None:
        return PracticalSignal("freshness", "资料更新", 0.0, "资料更新日期未填")
    days = (today - expert.updated_on).days
    value = max(0.0, min(1.0, 1.0 - days / (2 * FRESH_DAYS)))
    stale = "，建议先核实" if days > FRESH_DAYS else ""
    return PracticalSignal(
        "freshness", "资料更新", round(value, 3), f"资料更新于 {expert.updated_on:%Y-%m-%d}{stale}"
    )
