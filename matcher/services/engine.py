"""The matching engine of a running process: fresh snapshots of data, index and model.

Owns when to reload: a snapshot belongs to one data revision and one set of thesaurus files; any change gives a new one
at the next question. The embedding model is loaded by a background thread; until it is there, questions are answered
from words and thesaurus alone and say so.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from matcher.config import NO_ENCODER, Settings
from matcher.encoding.protocol import Encoder
from matcher.errors import EncoderError, IndexStaleError
from matcher.ranking.scorer import Scorer
from matcher.retrieval.expansion import Expander
from matcher.retrieval.index import PoolIndex, Progress, compute_manifest
from matcher.retrieval.lexical import BM25Params
from matcher.retrieval.pool import Pool, build_expert_pool, build_need_pool
from matcher.services.snapshot import EngineStatus, Records, Snapshot
from matcher.store.database import Database
from matcher.store.repositories import Repositories
from matcher.text.thesaurus import load_thesaurus
from matcher.text.tokenise import Tokeniser

_LOG = logging.getLogger(__name__)


class Engine:
    """Gives snapshots, thread-safe; one per process.

    Args:
        settings: encoder, scoring constants, thesaurus files, home folder.
        database: where the records are.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._lock = threading.RLock()
        self._records_lock = threading.Lock()
        self._records: Records | None = None
        self._snapshot: Snapshot | None = None
        self._key: tuple[object, ...] = ()
        self._encoder: Encoder | None = None
        self._failure: EncoderError | None = None
        self._thread: threading.Thread | None = None
        self._progress: tuple[str, int, int] | None = None
        self._features: dict[str, list[str]] = {}
        self._words: tuple[tuple[object, ...], Tokeniser, Expander] | None = None

    # ------------------------------------------------------------ encoder

    @property
    def wants_encoder(self) -> bool:
        return self._settings.encoder.name != NO_ENCODER

    def start(self) -> None:
        """Begin loading the embedding model in the background; a second call does nothing."""
        with self._lock:
            if self._thread is None and self.wants_encoder:
                self._thread = threading.Thread(target=self._load_encoder, name="encoder", daemon=True)
                self._thread.start()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the model is there or has failed.

        Raises:
            EncoderError: it failed.
        """
        self.start()
        if self._thread is not None:
            self._thread.join(timeout)
        if self._failure is not None:
            raise self._failure

    def _load_encoder(self) -> None:
        from matcher.encoding.cache import CachedEncoder
        from matcher.encoding.sentence_transformer import load_encoder

        wanted = self._settings.encoder
        self._progress = ("加载语义模型", 0, 1)
        try:
            encoder: Encoder = CachedEncoder(
                load_encoder(
                    wanted.name,
                    cache_dir=self._settings.home / "models",
                    query_prompt=wanted.query_prompt,
                    document_prompt=wanted.document_prompt,
                    offline=wanted.offline or None,
                ),
                self._settings.home / "cache" / "embeddings.sqlite",
            )
            records, key = self._load_records()
            prepared = self._build(records, encoder)  # the old snapshot goes on serving meanwhile
            with self._lock:
                self._encoder = encoder
                self._snapshot, self._key = prepared, key
        except EncoderError as error:
            _LOG.warning("encoder %s failed: %s", wanted.name, error)
            self._failure = error
        finally:
            self._progress = None

    # ------------------------------------------------------------ snapshots

    def snapshot(self) -> Snapshot:
        """The present data, indexed; built anew when anything changed since the last call."""
        with self._lock:
            if self._snapshot is None or self._key != self._current_key():
                records, key = self._load_records()
                self._snapshot, self._key = self._build(records, self._encoder), key
            return self._snapshot

    def records(self) -> Records:
        """The present records without any index: what lists and counts need, at once even while an index is built."""
        snapshot = self._snapshot
        if snapshot is not None and self._key == self._current_key():
            return snapshot.records
        with self._records_lock:
            if self._records is None or self._records.revision != self._revision():
                self._records = self._load_records()[0]
            return self._records

    def rebuild(self, progress: Progress | None = None) -> Snapshot:
        """Build both indexes from scratch, with the model, and write them."""
        self.wait()
        with self._lock:
            self._features.clear()
            records, key = self._load_records()
            self._snapshot = self._build(records, self._encoder, progress, reuse=False)
            self._key = key
            return self._snapshot

    def _revision(self) -> int:
        with self._database.reading() as session:
            return Repositories(session).revision()

    def _current_key(self) -> tuple[object, ...]:
        return (self._revision(), self._thesaurus_key())

    def _thesaurus_key(self) -> tuple[object, ...]:
        files = [file for path in self._settings.thesaurus_paths for file in sorted(path.glob("*.jsonl"))]
        return tuple((str(file), (stat := file.stat()).st_mtime_ns, stat.st_size) for file in files)

    def _load_records(self) -> tuple[Records, tuple[object, ...]]:
        with self._database.reading() as session:
            stored = Repositories(session)
            records = Records(
                stored.revision(),
                {need.need_id: need for need in stored.needs.all()},
                {expert.expert_id: expert for expert in stored.experts.all()},
                stored.works.all(),
                stored.cooperation.all(),
            )
        return records, (records.revision, self._thesaurus_key())

    def _word_tools(self) -> tuple[Tokeniser, Expander]:
        key = self._thesaurus_key()
        if self._words is None or self._words[0] != key:
            thesaurus = load_thesaurus(self._settings.thesaurus_paths)
            tokeniser = Tokeniser(thesaurus.lexicon)
            self._words = (key, tokeniser, Expander(thesaurus, tokeniser))
            self._features.clear()
        return self._words[1], self._words[2]

    def _build(
        self,
        records: Records,
        encoder: Encoder | None,
        progress: Progress | None = None,
        *,
        reuse: bool = True,
    ) -> Snapshot:
        tokeniser, expander = self._word_tools()
        fresh: dict[str, list[str]] = {}

        def features_of(text: str) -> list[str]:
            found = self._features.get(text)
            fresh[text] = found if found is not None else tokeniser.features(text)
            return fresh[text]

        def tell(what: str, done: int, total: int) -> None:
            self._progress = (what, done, total)
            if progress:
                progress(what, done, total)

        def scorer(name: str, pool: Pool) -> Scorer:
            folder = self._settings.home / "index" / name
            index = self._obtain(folder, pool, tokeniser, encoder, features_of, tell, reuse)
            params = self._settings.scoring
            return Scorer(index, tokeniser, expander, encoder, params, plain=name == "needs")

        snapshot = Snapshot(
            records,
            scorer("experts", build_expert_pool(records.experts.values(), records.works)),
            scorer("needs", build_need_pool(records.needs.values())),
        )
        if fresh:
            self._features = fresh
        self._progress = None
        return snapshot

    def _obtain(
        self,
        folder: Path,
        pool: Pool,
        tokeniser: Tokeniser,
        encoder: Encoder | None,
        features_of: Callable[[str], list[str]],
        progress: Progress,
        reuse: bool,
    ) -> PoolIndex:
        if reuse:
            try:
                return PoolIndex.load(folder, pool, compute_manifest(pool, tokeniser, encoder, BM25Params()))
            except IndexStaleError as error:
                _LOG.info("index %s: %s", folder.name, error)
        index = PoolIndex.build(pool, tokeniser, encoder, features_of=features_of, progress=progress)
        if encoder is not None or not self.wants_encoder:
            index.save(folder)
        return index

    # ------------------------------------------------------------ status

    def degraded(self) -> tuple[str, ...]:
        """Sentences saying what is missing from the ranking now; empty when nothing is."""
        if self._failure is not None:
            return (f"语义模型未能使用：{self._failure.user_message}目前只按用词和术语排序。",)
        if not self.wants_encoder:
            return ("未启用语义模型，目前只按用词和术语排序。",)
        if self._encoder is None:
            return ("语义模型正在加载，目前只按用词和术语排序，稍后刷新可得完整结果。",)
        return ()

    def status(self) -> EngineStatus:
        """What the engine is doing; never waits for building or loading."""
        self.start()
        snapshot = self._snapshot
        if self._failure is not None:
            state, message = "failed", str(self._failure)
        elif not self.wants_encoder:
            state, message = "lexical_only", "未启用语义模型，按用词和术语匹配。"
        elif self._encoder is None:
            state, message = "loading", "语义模型正在加载，现在就可以查看，匹配先按用词和术语。"
        else:
            state, message = "ready", "语义模型已就绪。"
        pool = snapshot.experts.index.pool if snapshot else None
        return EngineStatus(
            state,
            message,
            self._encoder.name if self._encoder else self._settings.encoder.name,
            len(pool.item_ids) if pool else 0,
            len(snapshot.records.needs) if snapshot else 0,
            len(pool.facets) if pool else 0,
            str(snapshot.records.revision) if snapshot else "",
            self._progress,
        )
