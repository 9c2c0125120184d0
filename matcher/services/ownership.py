"""Whose a need and a profile are: from the name in a file to the id permissions go by.

Owns that rule. A name that no register knows gets the id the register would derive for it, so that the owner is the
same before and after the firm is registered under that name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from matcher.columns import RecordKind
from matcher.intake.identity import bare, derive_id
from matcher.intake.registry import Registry
from matcher.models import Expert, Firm, Institution, Need, Record
from matcher.store.repositories import Repositories

R = TypeVar("R", bound=Record)


class Owners:
    """The registers of firms and institutions, by every name they go by."""

    def __init__(self, firms: Iterable[Firm], institutions: Sequence[Institution]) -> None:
        listed = list(firms)
        aliases: dict[str, set[str]] = {}
        for firm in listed:
            for name in firm.aliases:
                aliases.setdefault(bare(name), set()).add(firm.firm_id)
        # An alias that two firms share names neither of them.
        self._firms = {name: min(ids) for name, ids in aliases.items() if len(ids) == 1}
        self._firms |= {bare(firm.name): firm.firm_id for firm in listed}
        self._institutions = Registry(institutions)

    @classmethod
    def of(cls, stored: Repositories) -> Owners:
        return cls(stored.firms.all(), stored.institutions.all())

    def firm_id(self, company: str, known: str = "") -> str:
        """The firm's id; ``known`` counts where no register has the name."""
        found = self._firms.get(bare(company))
        return found or known or derive_id(RecordKind.FIRMS, {"name": company})

    def institution_id(self, name: str, known: str = "") -> str:
        """The institution's id; ``known`` counts where no register has the name."""
        found, _ = self._institutions.find(name)
        if found is not None:
            return found.institution_id
        return known or derive_id(RecordKind.INSTITUTIONS, {"name": name})

    def owned(self, record: R, stored: Record | None = None) -> R:
        """The record with its owner; other kinds as they are.

        Args:
            record: as a file or a form gives it.
            stored: what it takes the place of. Its owner stays while the name stays, also after the register
                forgot that name.
        """
        if isinstance(record, Need):
            before = (
                stored
                if isinstance(stored, Need) and bare(stored.company) == bare(record.company)
                else record
            )
            return replace(record, firm_id=self.firm_id(record.company, before.firm_id))
        if isinstance(record, Expert):
            same = isinstance(stored, Expert) and bare(stored.institution) == bare(record.institution)
            old = stored if isinstance(stored, Expert) and same else record
            return replace(record, institution_id=self.institution_id(record.institution, old.institution_id))
        return record

    def settle(self, records: Iterable[R], stored: Repositories) -> tuple[R, ...]:
        """Every record with its owner, beside what is stored under its id."""
        given = tuple(records)
        before: dict[str, Record] = {
            **stored.needs.get_many(r.need_id for r in given if isinstance(r, Need)),
            **stored.experts.get_many(r.expert_id for r in given if isinstance(r, Expert)),
        }
        return tuple(
            self.owned(r, before.get(r.need_id if isinstance(r, Need) else getattr(r, "expert_id", "")))
            for r in given
        )


def link_records(stored: Repositories) -> int:
    """Give every need and profile the owner the registers say now; returns how many changed."""
    owners = Owners.of(stored)
    needs = stored.needs.upsert(map(owners.owned, stored.needs.all()))
    experts = stored.experts.upsert(map(owners.owned, stored.experts.all()))
    return len(needs.changed) + len(experts.changed)
