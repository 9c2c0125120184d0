"""One pairing of a 候选合作清单: which group it is in, and the row that is exported.

Owns what of a firm that is not 公开 may stand in a list for universities: its columns are left out, and its names taken
out of the texts. Pure: computed from records, decisions and runs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from matcher.export.document import EvidenceRow, PairRow
from matcher.export.grouped import NO_NAME
from matcher.export.layouts import evidence_row
from matcher.models import Engagement, Expert, Match, Need, Run
from matcher.services.reminders import day_of
from matcher.services.snapshot import Records
from matcher.store.entries import Decision
from matcher.vocab import Confidentiality, DecisionKind, Sector
from matcher.workflow.permissions import HIDDEN_FIRM, OWN_FIRM, shows_firm

NO_SCORE = "没有留下匹配度"


@dataclass(frozen=True, slots=True)
class Pairing:
    """One pairing as it is stored; the records may be gone meanwhile, the 对接 then still says the names."""

    need_id: str
    expert_id: str
    need: Need | None
    expert: Expert | None
    decision: Decision | None
    engagement: Engagement | None

    @property
    def is_confidential(self) -> bool:
        return self.need is not None and self.need.confidentiality == Confidentiality.CONFIDENTIAL

    @property
    def run_id(self) -> str:
        kept = (self.engagement.run_id if self.engagement else "", self.decision and self.decision.run_id)
        return next((run_id for run_id in kept if run_id), "")

    def group(self, by: str) -> str:
        need, expert, engagement = self.need, self.expert, self.engagement
        if by == "institution":
            name = expert.institution if expert else engagement.institution if engagement else ""
        elif by == "firm":
            name = need.company if need else engagement.firm if engagement else ""
        else:
            name = (need.sector if by == "sector" else need.town) if need else ""
        return name or NO_NAME


class RowBuilder:
    """Builds the rows of one list; ``by`` decides whether firms that are not 公开 are named."""

    def __init__(
        self, records: Records, runs: Mapping[str, Run], names: Mapping[str, str], by: str, contacts: bool
    ) -> None:
        self._names = names
        self._for_universities = by == "institution"
        self._contacts = contacts
        self._runs = runs
        self._matches = {
            (run.run_id, match.need_id, match.expert_id): match
            for run in runs.values()
            for match in run.matches
        }
        self._known_as = {firm.firm_id: (firm.name, *firm.aliases) for firm in records.firms}

    def build(self, one: Pairing) -> PairRow:
        match = self._matches.get((one.run_id, one.need_id, one.expert_id))
        run = self._runs.get(one.run_id)
        row = _plain_row(one, match)
        said = one.decision
        engagement = one.engagement
        note = (said.note if said else "") or (engagement.note if engagement else "")
        row = replace(
            row,
            decision=said.kind if said else DecisionKind.ACCEPT.value,
            decision_reason=said.reason if said else "",
            note=note if match else "；".join(part for part in (note, NO_SCORE) if part),
            status=engagement.stage if engagement else "",
            owner=self._names.get(engagement.owner, engagement.owner) if engagement else "",
            run_id=run.run_id if run else "—",
            run_at=day_of(run.created_at) if run else None,
        )
        if self._contacts:
            need, expert = one.need, one.expert
            row = replace(
                row,
                contact=need.contact if need else "",
                phone=need.phone if need else "",
                expert_contact=expert.contact if expert else "",
            )
        if self._for_universities and not (one.need and shows_firm(one.need)):
            row = self._without_firm(row, one)
        return row

    def _without_firm(self, row: PairRow, one: Pairing) -> PairRow:
        """The row without the firm: its columns, its contacts, and its names where a text uses them."""
        firm_id = one.need.firm_id if one.need else one.engagement.firm_id if one.engagement else ""
        names = sorted({row.company, *self._known_as.get(firm_id, ())} - {""}, key=len, reverse=True)

        def clean(text: str) -> str:
            for name in names:
                text = text.replace(name, OWN_FIRM)
            return text

        def clean_evidence(item: EvidenceRow) -> EvidenceRow:
            shared, bridges = tuple(map(clean, item.shared)), tuple(map(clean, item.bridges))
            return replace(item, line_text=clean(item.line_text), shared=shared, bridges=bridges)

        return replace(
            row,
            company=HIDDEN_FIRM,
            town="",
            contact="",
            phone="",
            need_title=clean(row.need_title),
            problem=clean(row.problem),
            gaps=tuple(map(clean, row.gaps)),
            evidence=tuple(map(clean_evidence, row.evidence)),
            practical=(),
            note=clean(row.note),
        )


def _plain_row(one: Pairing, match: Match | None) -> PairRow:
    need, expert, engagement = one.need, one.expert, one.engagement
    return PairRow(
        rank=0,
        need_id=one.need_id,
        need_title=need.title if need else engagement.need_title if engagement else "（需求已删除）",
        company=need.company if need else engagement.firm if engagement else "",
        town=need.town if need else "",
        sector=need.sector if need else "",
        expert_id=one.expert_id,
        expert_name=expert.name if expert else engagement.expert_name if engagement else "（团队已删除）",
        institution=expert.institution if expert else engagement.institution if engagement else "",
        ring=expert.ring if expert else "",
        score=match.score if match else 0.0,
        contributions=dict(match.contributions) if match else {},
        evidence=tuple(map(evidence_row, match.evidence)) if match else (),
        gaps=tuple(line.text for line in match.gaps) if match else (),
        practical=tuple(signal.text for signal in match.practical) if match else (),
        problem=need.problem if need else "",
        confidentiality=need.confidentiality if need else "",
        is_sample_need=need.is_sample if need else bool(engagement and engagement.is_sample),
        is_sample_expert=bool(expert and expert.is_sample),
    )


def in_groups(pairings: Iterable[Pairing], by: str) -> list[tuple[str, list[Pairing]]]:
    """Groups in the vocabulary's order for 领域, else by name; those without a name last."""
    grouped: dict[str, list[Pairing]] = {}
    for one in pairings:
        grouped.setdefault(one.group(by), []).append(one)
    ranks = {label.value: number for number, label in enumerate(Sector)}
    return sorted(
        grouped.items(), key=lambda pair: (pair[0] == NO_NAME, ranks.get(pair[0], len(ranks)), pair[0])
    )


def in_year(one: Pairing, year: int | None) -> bool:
    moments = (
        one.engagement.created_at if one.engagement else None,
        one.decision.decided_at if one.decision else None,
    )
    moment = next((moment for moment in moments if moment is not None), None)
    return year is None or (moment is not None and day_of(moment).year == year)


def in_status(one: Pairing, statuses: Collection[str]) -> bool:
    return not statuses or (one.engagement is not None and one.engagement.stage in statuses)
