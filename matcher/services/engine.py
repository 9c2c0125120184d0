"""The matching engine of a running process: fresh snapshots of data, index and model.

Owns when to reload: a snapshot belongs to one data revision and one set of thesaurus files; any change gives a new one
at the next question, and costs only what changed. The embedding model is loaded by a background thread; until it is
there, questions are answered from words and thesaurus alone and say so.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace

from matcher.config import NO_ENCODER, Settings
from matcher.encoding.protocol import Encoder
from matcher.errors import EncoderError, MatcherError
from matcher.ranking.scorer import Scorer
from matcher.retrieval.expansion import Expander, background_texts
from matcher.retrieval.index import PoolIndex, compute_manifest
from matcher.retrieval.pool import Pool, build_expert_pool, build_need_pool
from matcher.retrieval.reuse import Progress
from matcher.services.encoder import build_encoder
from matcher.services.shelf import IndexShelf
from matcher.services.snapshot import EngineStatus, Records, Snapshot, Words
from matcher.store.database import Database
from matcher.store.repositories import Repositories
from matcher.text.thesaurus import load_thesaurus
from matcher.text.tokenise import Tokeniser

_LOG = logging.getLogger(__name__)
Key = tuple[object, ...]


class Engine:
    """Gives snapshots, thread-safe; one per process.

    One build runs at a time (``_build_lock``); whoever holds a snapshot that is still fresh never waits for it, and
    ``status`` never waits at all.

    Args:
        settings: encoder, scoring constants, thesaurus files, home folder.
        database: where the records are.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._build_lock = threading.RLock()
        self._start_lock = threading.Lock()
        self._records_lock = threading.Lock()
        self._records: Records | None = None
        self._current: tuple[Key, Snapshot] | None = None
        self._words: Words | None = None
        self._encoder: Encoder | None = None
        self._failure: MatcherError | None = None
        self._loader: threading.Thread | None = None
        self._shelf = IndexShelf(settings.home / "index")
        self._progress: tuple[str, int, int] | None = None

    @property
    def wants_encoder(self) -> bool:
        return self._settings.encoder.name != NO_ENCODER

    def start(self) -> None:
        """Begin loading the embedding model in the background; does nothing while it is loading or loaded."""
        if self._loader is not None or not self.wants_encoder:
            return
        with self._start_lock:
            if self._loader is None:
                self._failure = None
                self._loader = threading.Thread(target=self._load, name="encoder", daemon=True)
                self._loader.start()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the model is there or has failed.

        Raises:
            MatcherError: it failed; the next ``start`` tries again.
        """
        self.start()
        if self._loader is not None:
            self._loader.join(timeout)
        if self._failure is not None:
            raise self._failure

    def _load(self) -> None:
        """Body of the loader thread: no failure may leave the state at “loading” for ever."""
        from matcher.encoding.cache import CachedEncoder

        try:
            self._progress = ("加载语义模型", 0, 1)
            model = build_encoder(self._settings)
            if model is None:
                return
            encoder = CachedEncoder(model, self._settings.home / "cache" / "embeddings.sqlite")
            key, plain = self._fresh()  # words alone answer from here on, while the vectors are made
            prepared = self._with_encoder(plain, encoder)
            with self._build_lock:
                self._encoder = encoder
                self._current = (key, prepared)
            self._shelf.put_later(self.snapshot().indexes)
            _ = self.snapshot().need_scores  # the first look at an expert need not wait for all needs
        except MatcherError as error:
            _LOG.warning("encoder %s failed: %s", self._settings.encoder.name, error)
            self._failure = error
        except (OSError, RuntimeError, ValueError, MemoryError) as error:
            _LOG.exception("encoder %s failed", self._settings.encoder.name)
            message = f"语义模型加载时出错（{type(error).__name__}）。"
            self._failure = EncoderError(message, "请运行 python -m matcher doctor 检查，或改用 builtin。")
        finally:
            self._progress = None

    def _with_encoder(self, plain: Snapshot, encoder: Encoder) -> Snapshot:
        """The snapshot with vectors: those on disk when they fit, else new ones."""

        def upgrade(name: str, scorer: Scorer) -> Scorer:
            known = scorer.index
            expected = replace(known.manifest, encoder=encoder.fingerprint)
            index = self._shelf.take(name, known.pool, expected, known.background)
            index = index or known.with_encoder(encoder, self._tell)
            return Scorer(index, scorer.tokeniser, expander, encoder, scorer.params, plain=scorer.plain)

        expander = plain.words.expander.with_encoder(encoder)
        experts, needs = upgrade("experts", plain.experts), upgrade("needs", plain.needs)
        return replace(plain, experts=experts, needs=needs)

    def snapshot(self) -> Snapshot:
        """The present data, indexed; built anew when anything changed since the last call."""
        return self._fresh()[1]

    def _fresh(self) -> tuple[Key, Snapshot]:
        current = self._current
        if current is not None and current[0] == self._current_key():
            return current
        with self._build_lock:
            current = self._current
            if current is None or current[0] != self._current_key():
                key, records = self._read()
                built = self._build(records, current[1] if current else None)
                self._current = current = (key, built)
                if self._encoder is not None or not self.wants_encoder:
                    self._shelf.put_later(built.indexes)
                if self._failure is not None and not isinstance(self._failure, EncoderError):
                    self._loader = (
                        None  # what stopped the loader may be mended: the next ``start`` tries again
                    )
            return current

    def records(self) -> Records:
        """The present records without any index: what lists and counts need, at once even while an index is built."""
        revision = self._revision()
        current = self._current
        if current is not None and current[1].records.revision == revision:
            return current[1].records
        with self._records_lock:
            if self._records is None or self._records.revision != revision:
                self._records = self._read()[1]
            return self._records

    def rebuild(self, progress: Progress | None = None) -> Snapshot:
        """Build both indexes from scratch, with the model, and write them before returning."""
        self.wait()
        self.flush()
        with self._build_lock:
            key, records = self._read()
            built = self._build(records, None, progress, from_disk=False)
            self._current = (key, built)
        self._shelf.put(built.indexes)
        return built

    def flush(self) -> None:
        """Wait until the index being written in the background is on disk."""
        self._shelf.flush()

    def _revision(self) -> int:
        with self._database.reading() as session:
            return Repositories(session).revision()

    def _current_key(self) -> Key:
        return (self._revision(), self._thesaurus_key())

    def _thesaurus_key(self) -> Key:
        files = [file for path in self._settings.thesaurus_paths for file in sorted(path.glob("*.jsonl"))]
        return tuple((str(file), (stat := file.stat()).st_mtime_ns, stat.st_size) for file in files)

    def _read(self) -> tuple[Key, Records]:
        thesaurus = self._thesaurus_key()
        with self._database.reading() as session:
            stored = Repositories(session)
            records = Records(
                stored.revision(),
                {need.need_id: need for need in stored.needs.all()},
                {expert.expert_id: expert for expert in stored.experts.all()},
                stored.works.all(),
                stored.cooperation.all(),
                stored.firms.all(),
                stored.institutions.all(),
            )
        return (records.revision, thesaurus), records

    def _word_tools(self) -> Words:
        key = self._thesaurus_key()
        if self._words is None or self._words.key != key:
            thesaurus = load_thesaurus(self._settings.thesaurus_paths)
            tokeniser = Tokeniser(thesaurus.lexicon)
            self._words = Words(key, thesaurus, tokeniser, Expander(thesaurus, tokeniser))
        return self._words

    def _build(
        self,
        records: Records,
        previous: Snapshot | None,
        progress: Progress | None = None,
        *,
        from_disk: bool = True,
    ) -> Snapshot:
        words = self._word_tools()
        expander = words.expander.with_encoder(self._encoder) if self._encoder else words.expander

        def tell(what: str, done: int, total: int) -> None:
            self._tell(what, done, total)
            if progress:
                progress(what, done, total)

        def scorer(name: str, pool: Pool, earlier: Scorer | None) -> Scorer:
            plain = name == "needs"
            background = background_texts(words.thesaurus, len(pool.item_ids), plain=plain)
            manifest = compute_manifest(pool, words.tokeniser, self._encoder, background=background)
            index: PoolIndex | None = None
            if earlier is not None and earlier.index.manifest == manifest:
                index = replace(
                    earlier.index, pool=pool
                )  # the texts are the same, sources and years may not be
            elif earlier is None and from_disk:
                index = self._shelf.take(name, pool, manifest, background)
            if index is None:
                index = PoolIndex.build(
                    pool,
                    words.tokeniser,
                    self._encoder,
                    background=background,
                    previous=earlier.index if earlier else None,
                    progress=tell,
                )
            params = self._settings.scoring
            return Scorer(index, words.tokeniser, expander, self._encoder, params, plain=plain)

        experts = build_expert_pool(records.experts.values(), records.works)
        needs = build_need_pool(records.needs.values())
        built = Snapshot(
            records,
            scorer("experts", experts, previous.experts if previous else None),
            scorer("needs", needs, previous.needs if previous else None),
            words,
        )
        self._progress = None
        return built

    def _tell(self, what: str, done: int, total: int) -> None:
        self._progress = (what, done, total)

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
        current = self._current
        snapshot = current[1] if current else None
        records = self.records()  # the counts of now, though the index may still be the one before an edit
        if self._failure is not None:
            state, message = "failed", str(self._failure)
        elif not self.wants_encoder:
            state, message = "lexical_only", "未启用语义模型，按用词和术语匹配。"
        elif self._encoder is None:
            state, message = "loading", "语义模型正在加载，现在就可以查看，匹配先按用词和术语。"
        else:
            state, message = "ready", "语义模型已就绪。"
        return EngineStatus(
            state,
            message,
            self._encoder.name if self._encoder else self._settings.encoder.name,
            len(records.experts) if snapshot else 0,
            len(records.needs) if snapshot else 0,
            len(snapshot.experts.index.pool.facets) if snapshot else 0,
            str(records.revision) if snapshot else "",
            self._progress,
        )
