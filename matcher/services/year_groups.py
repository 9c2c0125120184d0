"""Numbers that know what they count, and the contracts of a year by sector, institution, 镇街 and ring.

Owns to which group a row of the 台账 or a 对接 belongs: the need's own sector and town, else its firm's. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from matcher.models import Cooperation
from matcher.services.snapshot import Records
from matcher.text.normalise import normalise

NEEDS, CONTRACTS, PAIRS = "needs", "cooperation", "pairs"
"""Kinds of what a number counts: needs, rows of the 台账 with the 对接, and decisions on pairs."""
NO_NAME = "未填"


@dataclass(frozen=True, slots=True)
class Number:
    """A number and what it counts: ids of one of the kinds above, ordered, each once."""

    value: float
    ids: tuple[str, ...]
    kind: str = CONTRACTS


@dataclass(frozen=True, slots=True)
class Share:
    """One group: contracts signed in the year, and what is under way today."""

    label: str
    signed: Number
    under_way: Number


def contracts(rows: Iterable[Cooperation]) -> Number:
    """How many rows of the 台账."""
    ids = tuple(row.cooperation_id for row in rows)
    return Number(len(ids), ids)


class Groups:
    """Signed and moving rows with the sector, town, institution and ring each belongs to."""

    def __init__(
        self, records: Records, signed: Sequence[Cooperation], moving: Sequence[Cooperation]
    ) -> None:
        self._records = records
        self._firms = {normalise(firm.name): firm for firm in records.firms}
        self._rings = {normalise(one.name): one.ring for one in records.institutions}
        self._institutions = {normalise(one.name): one.name for one in records.institutions}
        self._rows = [(row, True) for row in signed] + [(row, False) for row in moving]
        self._of = {row.cooperation_id: self._place(row) for row, _ in self._rows}

    def _place(self, row: Cooperation) -> dict[str, str]:
        records = self._records
        engagement = records.engagements.get(row.cooperation_id)
        need = records.needs.get(engagement.need_id) if engagement else None
        firm = self._firms.get(records.names.firm(row.firm))
        expert = records.experts.get(row.expert_id)
        school = records.names.institution(row.institution)
        ring = (expert.ring if expert else "") or self._rings.get(school, "")
        found = {
            "sector": (need.sector if need else "") or (firm.sector if firm else ""),
            "town": (need.town if need else "") or (firm.town if firm else ""),
            "institution": self._institutions.get(school, row.institution),
            "ring": ring,
        }
        return {name: value or NO_NAME for name, value in found.items()}

    def by(self, name: str, order: Sequence[str] = ()) -> tuple[Share, ...]:
        """Groups of one kind: in the given order, else the most signed first; those without a name last."""
        ranks = {label: number for number, label in enumerate(order)}
        shares = self._shares(lambda place: place[name])
        return tuple(
            sorted(
                shares.values(),
                key=lambda s: (
                    s.label == NO_NAME,
                    ranks.get(s.label, len(ranks)),
                    -s.signed.value,
                    -s.under_way.value,
                    s.label,
                ),
            )
        )

    def cells(self) -> dict[tuple[str, str], Share]:
        """By sector and institution, only those with something in them."""
        joined = self._shares(lambda place: f"{place['sector']}|{place['institution']}")
        return {_pair(label): share for label, share in joined.items()}

    def _shares(self, label_of: Callable[[dict[str, str]], str]) -> dict[str, Share]:
        grouped: dict[str, tuple[list[Cooperation], list[Cooperation]]] = defaultdict(lambda: ([], []))
        for row, is_signed in self._rows:
            grouped[label_of(self._of[row.cooperation_id])][0 if is_signed else 1].append(row)
        return {label: Share(label, contracts(a), contracts(b)) for label, (a, b) in grouped.items()}


def _pair(label: str) -> tuple[str, str]:
    sector, _, institution = label.partition("|")
    return sector, institution
