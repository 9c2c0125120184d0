"""候选合作清单 over everything: accepted pairings with where their 对接 stands, by 领域, 镇街, 高校 or 企业.

Owns which pairings are listed, and the audit of every file. The rows are ``candidate_rows``'s, how the file looks is
``matcher.export.grouped``'s.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from matcher.errors import InputError
from matcher.export.document import PairRow, RunInfo
from matcher.export.grouped import grouped_document
from matcher.export.writers import check_suffix, write_document
from matcher.models import Engagement, Run
from matcher.services.access import Access, permits
from matcher.services.candidate_rows import Pairing, RowBuilder, in_groups, in_status, in_year
from matcher.services.engine import Engine
from matcher.services.following_writes import names_of
from matcher.store.database import Database
from matcher.store.repositories import Repositories
from matcher.vocab import DecisionKind
from matcher.workflow.permissions import Action

GROUPINGS: Mapping[str, str] = {"sector": "领域", "town": "镇街", "institution": "高校", "firm": "企业"}
"""What a list may be cut by, and its Chinese word."""
ACCEPTED = (DecisionKind.ACCEPT,)
HIDDEN_NOTE = "未公开企业名称的需求不写企业；按高校分的清单会交给高校。"
_RUNS_NAMED = 3


@dataclass(frozen=True, slots=True)
class CandidateGroups:
    """Pairings by group, in the order shown. ``omitted`` counts 保密 pairings left out; ``runs`` are behind the rows."""

    by: str
    groups: tuple[tuple[str, tuple[PairRow, ...]], ...]
    omitted: int
    runs: tuple[Run, ...] = ()

    @property
    def n_pairs(self) -> int:
        return sum(len(rows) for _, rows in self.groups)


@dataclass(frozen=True, slots=True)
class CandidateCount:
    """What a list would hold: (group, pairings) in the order shown, and 保密 pairings among all of them."""

    by: str
    groups: tuple[tuple[str, int], ...]
    confidential: int


class CandidateService:
    """Pairings are listed for the bureau only; a file is written with its audit event."""

    def __init__(
        self, engine: Engine, database: Database, clock: Callable[[], datetime], access: Access
    ) -> None:
        self._engine = engine
        self._database = database
        self._clock = clock
        self._access = access

    @permits(Action.EXPORT)
    def count(
        self,
        by: str,
        *,
        year: int | None = None,
        statuses: Collection[str] = (),
        kinds: Collection[DecisionKind] = ACCEPTED,
    ) -> CandidateCount:
        """What ``groups`` would hold with 保密 ones, without reading the runs. Raises InputError as ``groups``."""
        _check_by(by)
        with self._database.reading() as session:
            listed = self._pairings(Repositories(session), year, statuses, kinds)
        grouped = in_groups(listed, by)
        return CandidateCount(
            by,
            tuple((name, len(rows)) for name, rows in grouped),
            sum(pairing.is_confidential for pairing in listed),
        )

    @permits(Action.EXPORT)
    def groups(
        self,
        by: str,
        *,
        year: int | None = None,
        statuses: Collection[str] = (),
        kinds: Collection[DecisionKind] = ACCEPTED,
        with_contacts: bool = False,
        with_confidential: bool = False,
    ) -> CandidateGroups:
        """Pairings whose latest decision is one of ``kinds``, or whose 对接 began without one.

        Args:
            by: one of ``GROUPINGS``. By institution, the firm of a need that is not 公开 is left out of the rows.
            year: only those whose 对接 began, or that were decided on, in this calendar year.
            statuses: only those with a 对接 in one of these stages; all when empty.
            with_contacts: fill the contact fields; asks for its own permission.
            with_confidential: list pairings of 保密 needs; otherwise they are only counted.

        Raises:
            InputError: unknown grouping.
            PermissionDenied: contacts are asked for and not permitted.
        """
        _check_by(by)
        if with_contacts:
            self._access.require(Action.EXPORT_CONTACTS)
        records = self._engine.records()
        with self._database.reading() as session:
            stored = Repositories(session)
            listed = self._pairings(stored, year, statuses, kinds)
            shown = [one for one in listed if with_confidential or not one.is_confidential]
            runs = stored.runs.get_many({one.run_id for one in shown if one.run_id})
            names = names_of(stored)
        rows = RowBuilder(records, runs, names, by, with_contacts)
        grouped = tuple((name, tuple(map(rows.build, group))) for name, group in in_groups(shown, by))
        return CandidateGroups(by, grouped, len(listed) - len(shown), tuple(runs.values()))

    @permits(Action.EXPORT)
    def export(
        self,
        by: str,
        suffix: str,
        *,
        year: int | None = None,
        statuses: Collection[str] = (),
        with_contacts: bool = False,
        with_confidential: bool = False,
    ) -> bytes:
        """The list as a file; who took it, and how many people's contacts are in it, is audited.

        Raises:
            InputError: unknown grouping or suffix.
            PermissionDenied: contacts are asked for and not permitted.
        """
        suffix = check_suffix(suffix)
        found = self.groups(
            by,
            year=year,
            statuses=statuses,
            with_contacts=with_contacts,
            with_confidential=with_confidential,
        )
        word = GROUPINGS[by]
        omitted = [f"{found.omitted} 对保密需求的配对未列入。"] if found.omitted else []
        document = grouped_document(
            f"候选合作清单（按{word}）" if year is None else f"{year} 年候选合作清单（按{word}）",
            found.groups,
            self._run_info(found.runs),
            by=word,
            note=HIDDEN_NOTE if by == "institution" else "",
            with_contacts=with_contacts,
            omitted=omitted,
        )
        data = write_document(document, suffix)
        detail = {
            "suffix": suffix,
            "pairs": found.n_pairs,
            "contacts": with_contacts,
            "confidential": with_confidential,
        }
        with self._database.session() as session:
            audit, actor = Repositories(session, self._clock).audit, self._access.actor
            audit.add(actor, "export", "candidates", by, detail)
            if with_contacts:
                audit.add(actor, "export_contacts", "candidates", by, {"people": _n_people(found)})
        return data

    def _pairings(
        self,
        stored: Repositories,
        year: int | None,
        statuses: Collection[str],
        kinds: Collection[DecisionKind],
    ) -> list[Pairing]:
        records = self._engine.records()
        latest = stored.decisions.latest_by_pair()
        engagements: dict[tuple[str, str], Engagement] = {}
        for one in sorted(records.engagements.values(), key=lambda e: (e.created_at, e.engagement_id)):
            engagements[one.need_id, one.expert_id] = one
        wanted = {pair for pair, said in latest.items() if said.kind in kinds}
        if DecisionKind.ACCEPT in kinds:
            wanted |= engagements.keys() - latest.keys()
        made = (
            Pairing(
                need_id,
                expert_id,
                records.needs.get(need_id),
                records.experts.get(expert_id),
                latest.get((need_id, expert_id)),
                engagements.get((need_id, expert_id)),
            )
            for need_id, expert_id in sorted(wanted)
        )
        return [one for one in made if in_year(one, year) and in_status(one, statuses)]

    def _run_info(self, runs: Sequence[Run]) -> RunInfo:
        """The runs together; each row names its own, so many are only counted here."""

        def joined(values: Iterable[str]) -> str:
            found = sorted(set(values))
            more = f" 等 {len(found)} 个" if len(found) > _RUNS_NAMED else ""
            return "、".join(found[:_RUNS_NAMED]) + more or "—"

        return RunInfo(
            joined(run.run_id for run in runs),
            self._clock(),
            joined(run.encoder or "未使用" for run in runs),
            joined(run.data_revision for run in runs),
            degraded=tuple(sorted({sentence for run in runs for sentence in run.degraded})),
        )


def _check_by(by: str) -> None:
    if by not in GROUPINGS:
        raise InputError(f"不能按“{by}”分组。", f"可以用：{'、'.join(GROUPINGS)}。")


def _n_people(found: CandidateGroups) -> int:
    rows = [row for _, group in found.groups for row in group]
    firms = {(row.company, row.contact, row.phone) for row in rows if row.contact or row.phone}
    return len(firms) + len({row.expert_id for row in rows if row.expert_contact})
