"""The matching engine of a running process: fresh snapshots of data, index and model.

Owns when to reload: a snapshot belongs to one data revision and one set of thesaurus files; any change gives a new one
at the next question, and costs only what changed. The embedding model is loaded by a background thread
(``services.switching``); until the first one is there, questions are answered from words and thesaurus alone and say
so, and while another one takes its place, the old one answers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from matcher.config import EncoderSettings, Settings
from matcher.encoding.protocol import Encoder
from matcher.ranking.scorer import Scorer
from matcher.retrieval.expansion import Expander, background_texts
from matcher.retrieval.index import PoolIndex, compute_manifest
from matcher.retrieval.pool import Pool, build_expert_pool, build_need_pool
from matcher.retrieval.reuse import Progress
from matcher.services.shelf import IndexShelf
from matcher.services.snapshot import EngineStatus, Records, Snapshot, Words, read_records, with_encoder
from matcher.services.switching import ModelSlot, Switch
from matcher.store.database import Database
from matcher.store.repositories import Repositories
from matcher.text.thesaurus import load_thesaurus
from matcher.text.tokenise import Tokeniser

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
        self._records_lock = threading.Lock()
        self._records: Records | None = None
        self._current: tuple[Key, Snapshot] | None = None
        self._words: Words | None = None
        self._encoder: Encoder | None = None
        self._slot = ModelSlot(settings, self._adopt)
        self._shelf = IndexShelf(settings.home / "index")
        self._progress: tuple[str, int, int] | None = None

    @property
    def wants_encoder(self) -> bool:
        return self._slot.wants_encoder

    @property
    def encoder_settings(self) -> EncoderSettings:
        """The model in use, or to be used as soon as it is loaded."""
        return self._slot.current

    @property
    def encoder(self) -> Encoder | None:
        """The model that answers now."""
        return self._encoder

    @property
    def last_switch(self) -> Switch | None:
        """The latest change of model of this process, running or ended."""
        return self._slot.switch

    def start(self) -> None:
        """Begin loading the embedding model in the background; does nothing while it is loading or loaded."""
        self._slot.start()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the model is there or has failed.

        Raises:
            MatcherError: it failed; the next ``start`` tries again.
        """
        self.start()
        self._slot.join(timeout)
        if self._slot.failure is not None:
            raise self._slot.failure

    def join(self, timeout: float | None = None) -> None:
        """Wait until no model is being loaded or changed, however that ended."""
        self._slot.join(timeout)

    def switch(self, wanted: EncoderSettings, after: Callable[[], str] | None = None) -> None:
        """Change the model in the background; see ``ModelSlot.change``."""
        self._slot.change(wanted, after)

    def stop_loading(self) -> None:
        """Ask a running load or change of model to stop."""
        self._slot.stop()

    def _adopt(self, model: Encoder | None, tell: Progress, exchanged: Callable[[], None]) -> None:
        """Make both indexes for a model while the present one serves, then exchange them at once.

        A record edited meanwhile makes the exchanged snapshot stale at the next question, which then costs only it.
        """
        from matcher.encoding.cache import CachedEncoder

        encoder = CachedEncoder(model, self._settings.home / "cache" / "embeddings.sqlite") if model else None
        key, base = self._fresh()  # at the start, words alone answer from here on
        prepared = with_encoder(base, encoder, self._shelf, tell)
        tell("比对需求与团队", 0, 1)
        # A model that fails does so here; and the first look at an expert need not wait.
        prepared.scores_of(prepared.need_ids)
        with self._build_lock:
            exchanged()
            self._encoder = encoder
            self._current = (key, prepared)
        self._shelf.put_later(prepared.indexes)

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
                self._slot.retry()  # what stopped the loader may be mended
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
            records = read_records(Repositories(session))
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
                # The texts are the same, sources and years may not be.
                index = replace(earlier.index, pool=pool)
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

        kept = previous if previous is not None and self._still_fits(previous, words) else None
        before = kept.records if kept else None
        same_experts = before is not None and (before.experts, before.works) == (
            records.experts,
            records.works,
        )
        if kept is not None and same_experts:
            experts = kept.experts
        else:
            pool = build_expert_pool(records.experts.values(), records.works)
            experts = scorer("experts", pool, previous.experts if previous else None)
        if kept is not None and kept.records.needs == records.needs:
            needs = kept.needs
        else:
            pool = build_need_pool(records.needs.values())
            needs = scorer("needs", pool, previous.needs if previous else None)
        built = Snapshot(records, experts, needs, words)
        if kept is not None:
            built.inherit_scores(kept)
        self._progress = None
        return built

    def _still_fits(self, snapshot: Snapshot, words: Words) -> bool:
        """Whether its scorers were made with the present words and model."""
        return snapshot.words is words and snapshot.experts.encoder is self._encoder

    def _tell(self, what: str, done: int, total: int) -> None:
        self._progress = (what, done, total)

    def question(self) -> tuple[Snapshot, tuple[str, ...]]:
        """A snapshot, and sentences saying what its rankings lack, whatever arrives later; empty when nothing."""
        snapshot, failure = self.snapshot(), self._slot.failure
        if snapshot.experts.encoder is not None:
            return snapshot, ()
        if failure is not None:
            said = f"语义模型未能使用：{failure.user_message}目前只按用词和术语排序。{failure.hint}"
        elif not self.wants_encoder:
            said = "未启用语义模型，目前只按用词和术语排序。"
        else:
            said = "语义模型正在加载，目前只按用词和术语排序，稍后刷新可得完整结果。"
        return snapshot, (said,)

    def status(self) -> EngineStatus:
        """What the engine is doing; never waits for building or loading."""
        self.start()
        current = self._current
        snapshot = current[1] if current else None
        records = self.records()  # the counts of now, though the index may still be the one before an edit
        failure, switch = self._slot.failure, self._slot.switch
        if failure is not None:
            state, message = "failed", str(failure)
        elif not self.wants_encoder:
            state, message = "lexical_only", "未启用语义模型，按用词和术语匹配。"
        elif self._encoder is None:
            state, message = "loading", "语义模型正在加载，现在就可以查看，匹配先按用词和术语。"
        else:
            state, message = "ready", "语义模型已就绪。"
        if switch is not None and switch.state == "running":
            message += f"正在换用“{switch.wanted.name}”，换好之前照常匹配。"
        return EngineStatus(
            state,
            message,
            self._encoder.name if self._encoder else self._slot.current.name,
            len(records.experts) if snapshot else 0,
            len(records.needs) if snapshot else 0,
            len(snapshot.experts.index.pool.facets) if snapshot else 0,
            str(records.revision) if snapshot else "",
            self._slot.progress or self._progress,
            self._slot.running,
        )
