"""Who may be listed: filters, forbidden pairs, and the reason when somebody is not listed.

Owns the rules that remove a candidate. They act on finished scores, so no filter changes a score.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from matcher.models import Cooperation, Expert, Firm, Institution, Need
from matcher.text.normalise import normalise
from matcher.vocab import CooperationKind

_FORBIDDING = (CooperationKind.CONFLICT, CooperationKind.DO_NOT_CONTACT)


@dataclass(frozen=True)
class ExpertFilter:
    """Empty fields let everything pass; several values in one field mean any of them."""

    rings: frozenset[str] = frozenset()
    institutions: frozenset[str] = frozenset()
    disciplines: frozenset[str] = frozenset()
    only_with_capacity: bool = False

    def reason(self, expert: Expert, capacity_left: int | None) -> str:
        """Why the filter removes an expert, in words; empty when it passes."""
        if self.rings and expert.ring not in self.rings:
            return f"圈层为“{expert.ring or '未填'}”，不在所选圈层内"
        if self.institutions and expert.institution not in self.institutions:
            return f"单位为“{expert.institution}”，不在所选单位内"
        if self.disciplines and not self.disciplines & set(expert.disciplines):
            return f"学科为“{'、'.join(expert.disciplines) or '未填'}”，不在所选学科内"
        if self.only_with_capacity and capacity_left is not None and capacity_left <= 0:
            return "承接名额已满"
        return ""


@dataclass(frozen=True)
class NeedFilter:
    """Filter of needs; empty fields let everything pass."""

    sectors: frozenset[str] = frozenset()
    towns: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()
    call_types: frozenset[str] = frozenset()

    def reason(self, need: Need) -> str:
        """Why the filter removes a need, in words; empty when it passes."""
        for label, allowed, value in (
            ("领域", self.sectors, need.sector),
            ("镇街", self.towns, need.town),
            ("状态", self.statuses, need.status),
            ("类型", self.call_types, need.call_type),
        ):
            if allowed and value not in allowed:
                return f"{label}为“{value or '未填'}”，不在所选{label}内"
        return ""


@dataclass(frozen=True)
class Names:
    """One normalised name for a firm or an institution, whichever of its names is used."""

    firms: Mapping[str, str] = field(default_factory=dict)
    institutions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def build(cls, firms: Iterable[Firm], institutions: Iterable[Institution]) -> Names:
        def known(records: Iterable[Firm | Institution]) -> dict[str, str]:
            return {normalise(name): normalise(r.name) for r in records for name in (*r.aliases, r.name)}

        return cls(known(firms), known(institutions))

    def firm(self, name: str) -> str:
        """The firm's own name, normalised; an unknown name stands for itself."""
        return self.firms.get(normalise(name), normalise(name))

    def institution(self, name: str) -> str:
        """The institution's own name, normalised; an unknown name stands for itself."""
        return self.institutions.get(normalise(name), normalise(name))


@dataclass(frozen=True)
class ForbiddenPairs:
    """Conflicts and do-not-contact pairs of the 台账.

    A row with an expert forbids that expert to the firm; a row without one forbids the whole institution.
    """

    by_expert: Mapping[tuple[str, str], str] = field(default_factory=dict)
    by_institution: Mapping[tuple[str, str], str] = field(default_factory=dict)
    names: Names = field(default_factory=Names)

    @classmethod
    def build(cls, rows: Iterable[Cooperation], names: Names | None = None) -> ForbiddenPairs:
        names = names or Names()
        by_expert: dict[tuple[str, str], str] = {}
        by_institution: dict[tuple[str, str], str] = {}
        for row in sorted(rows, key=lambda row: row.cooperation_id):
            if row.kind in _FORBIDDING:
                firm = names.firm(row.firm)
                if row.expert_id:
                    by_expert[firm, row.expert_id] = row.kind
                else:
                    by_institution[firm, names.institution(row.institution)] = row.kind
        return cls(by_expert, by_institution, names)

    def kind(self, company: str, expert: Expert) -> str:
        """``回避`` or ``勿联系`` when the pair is forbidden, else empty."""
        firm = self.names.firm(company)
        return self.by_expert.get((firm, expert.expert_id), "") or self.by_institution.get(
            (firm, self.names.institution(expert.institution)), ""
        )
