"""Composition root: builds everything once and hands out one object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from matcher.config import Settings
from matcher.models import Person
from matcher.services.access import OPERATOR, Access
from matcher.services.accounts import AccountService
from matcher.services.answering import AnsweringService
from matcher.services.candidates import CandidateService
from matcher.services.editing import EditingService
from matcher.services.engine import Engine
from matcher.services.entrance import Entrance
from matcher.services.exporting import ExportService
from matcher.services.following import FollowingService
from matcher.services.importing import ImportService
from matcher.services.matching import MatchingService
from matcher.services.overview import OverviewService
from matcher.services.ownership import link_records
from matcher.services.posting import PostingService
from matcher.services.records import RecordsService
from matcher.services.reranking import Rereader
from matcher.services.review import ReviewService
from matcher.services.semantic import SemanticService
from matcher.services.shortlists import ShortlistService
from matcher.services.year import YearService
from matcher.store.database import Database
from matcher.store.repositories import Repositories


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Application:
    """What pages and commands talk to: the services as one person may use them."""

    settings: Settings
    database: Database
    clock: Callable[[], datetime]
    engine: Engine
    rereader: Rereader
    person: Person
    entrance: Entrance
    accounts: AccountService
    semantic: SemanticService
    records: RecordsService
    posting: PostingService
    matching: MatchingService
    review: ReviewService
    following: FollowingService
    answering: AnsweringService
    editing: EditingService
    shortlists: ShortlistService
    imports: ImportService
    exports: ExportService
    overview: OverviewService
    year: YearService
    candidates: CandidateService

    def as_person(self, person: Person) -> Application:
        """The same data and engine, for another person."""
        return _build(self.settings, self.database, self.clock, self.engine, self.rereader, person)

    def with_clock(self, clock: Callable[[], datetime]) -> Application:
        """The same data and engine, at another time."""
        return _build(self.settings, self.database, clock, self.engine, self.rereader, self.person)

    def close(self) -> None:
        """Finish writing the index and give the database back."""
        self.engine.flush()
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _build(
    settings: Settings,
    database: Database,
    clock: Callable[[], datetime],
    engine: Engine,
    rereader: Rereader,
    person: Person,
) -> Application:
    access = Access(database, clock, person, masks=settings.workflow.mask_candidates)
    shortlists = ShortlistService(engine, database, clock, access)
    matching = MatchingService(engine, clock, rereader, access)
    return Application(
        settings=settings,
        database=database,
        clock=clock,
        engine=engine,
        rereader=rereader,
        person=person,
        entrance=Entrance(database, settings.workflow, clock),
        accounts=AccountService(database, clock, access),
        semantic=SemanticService(engine, settings, rereader, access),
        records=RecordsService(engine, database, clock, access),
        posting=PostingService(engine, database, clock, access),
        matching=matching,
        review=ReviewService(engine, database, clock, access, matching),
        following=FollowingService(engine, database, settings.workflow, clock, access),
        answering=AnsweringService(engine, database, clock, access),
        editing=EditingService(database, clock, access),
        shortlists=shortlists,
        imports=ImportService(database, clock, access),
        exports=ExportService(engine, database, shortlists, clock, access),
        overview=OverviewService(
            engine, database, settings.targets, settings.workflow.remind_days, clock, access
        ),
        year=YearService(engine, database, settings.targets, clock, access),
        candidates=CandidateService(engine, database, clock, access),
    )


def open_application(
    settings: Settings,
    clock: Callable[[], datetime] = utc_now,
    *,
    samples: bool = True,
    person: Person = OPERATOR,
) -> Application:
    """Open the database (made or migrated as needed) and build the services.

    Args:
        settings: see ``matcher.config``.
        clock: gives the present UTC time.
        samples: load the sample data when the system has never held any data.
        person: who uses the services; pages ask for the person signed in with ``as_person``.

    Raises:
        StoreError: the database cannot be opened.
    """
    database = Database(settings.database_url).open()
    application = _build(settings, database, clock, Engine(settings, database), Rereader(settings), person)
    if samples:
        ImportService(database, clock, Access(database, clock, OPERATOR)).load_samples(settings)
    with database.reading() as session:
        unowned = Repositories(session).has_unowned()
    if unowned:
        with database.session() as session:
            link_records(Repositories(session, clock))
    return application
