"""Composition root: builds everything once and hands out one object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from matcher.config import Settings
from matcher.services.engine import Engine
from matcher.services.exporting import ExportService
from matcher.services.importing import ImportService
from matcher.services.matching import MatchingService
from matcher.services.overview import OverviewService
from matcher.services.records import RecordsService
from matcher.services.reranking import Rereader
from matcher.services.semantic import SemanticService
from matcher.services.shortlists import ShortlistService
from matcher.store.database import Database


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Application:
    """What pages and commands talk to."""

    settings: Settings
    database: Database
    engine: Engine
    rereader: Rereader
    semantic: SemanticService
    records: RecordsService
    matching: MatchingService
    shortlists: ShortlistService
    imports: ImportService
    exports: ExportService
    overview: OverviewService

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


def open_application(
    settings: Settings, clock: Callable[[], datetime] = utc_now, *, samples: bool = True
) -> Application:
    """Open the database (made or migrated as needed) and build the services.

    Args:
        settings: see ``matcher.config``.
        clock: gives the present UTC time.
        samples: load the sample data when the system has never held any data.

    Raises:
        StoreError: the database cannot be opened.
    """
    database = Database(settings.database_url).open()
    engine = Engine(settings, database)
    rereader = Rereader(settings)
    imports = ImportService(database, clock)
    if samples:
        imports.load_samples(settings)
    shortlists = ShortlistService(engine, database, clock)
    return Application(
        settings=settings,
        database=database,
        engine=engine,
        rereader=rereader,
        semantic=SemanticService(engine, settings, rereader),
        records=RecordsService(engine, database, clock),
        matching=MatchingService(engine, clock, rereader),
        shortlists=shortlists,
        imports=imports,
        exports=ExportService(engine, database, shortlists, clock),
        overview=OverviewService(engine, database, settings.targets, clock),
    )
