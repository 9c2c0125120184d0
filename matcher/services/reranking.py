"""精读: the first results of a ranking, re-read by a CrossEncoder and put into a better order.

Owns loading that model in the background and the one rule of the new order. It only reorders the first so many of the
whole pool, before any filter; the 匹配度 and its contributions stay the topical fit. Off unless the settings name a
model.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from matcher.config import RerankerSettings, Settings
from matcher.encoding.cross_encoder import Reranker
from matcher.errors import EncoderError, MatcherError
from matcher.models import PracticalSignal
from matcher.ranking.scorer import PoolScores, Query, Scorer
from matcher.services.encoder import build_reranker

_LOG = logging.getLogger(__name__)
READING = "reading"
"""Name of the signal a re-read result carries beside the practical ones."""
_TIE = 1e-9
"""Keeps results of equal score in their new order where only numbers can be passed on."""


@dataclass(frozen=True)
class Rereading:
    """The new order of a pool.

    Attributes:
        order_score: what the order follows, shape (items,): the scores of the first results, dealt out anew.
        place: row → place in the new order, from 0.
        readings: row → re-read score 0–1, for the rows read.
        moved: the rows read that stand elsewhere than before.
    """

    order_score: NDArray[np.float64]
    place: Mapping[int, int]
    readings: Mapping[int, float]
    moved: frozenset[int]

    def signal(self, row: int) -> tuple[PracticalSignal, ...]:
        """What is shown beside the result of a row; nothing when it was not read."""
        if row not in self.readings:
            return ()
        value = self.readings[row]
        said = "先后据此调整" if row in self.moved else "先后未变"
        return (
            PracticalSignal(READING, "精读得分", round(value, 6), f"精读得分 {value * 100:.1f}（{said}）"),
        )


def reorder(
    score: NDArray[np.float64],
    ids: Sequence[str],
    read: Callable[[Sequence[int]], Sequence[float]],
    params: RerankerSettings,
) -> Rereading:
    """Reorder the first ``params.top`` items of a pool; the others keep their places behind them.

    They stand by (1 − weight) × score + weight × re-read score, ties by id.

    Args:
        score: of every item, 0–1, shape (items,).
        ids: of every item.
        read: gives the re-read scores of some rows, 0–1.
        params: how many, and the weight.
    """
    old = sorted(range(len(ids)), key=lambda row: (-round(float(score[row]), 6), ids[row]))
    first = old[: params.top]
    readings = dict(zip(first, read(first), strict=True))
    mixed = {row: (1 - params.weight) * float(score[row]) + params.weight * readings[row] for row in first}
    new = sorted(first, key=lambda row: (-round(mixed[row], 9), ids[row]))
    order_score = score.astype(np.float64, copy=True)
    for before, after in zip(first, new, strict=True):
        order_score[after] = score[before]
    place = {row: number for number, row in enumerate([*new, *old[params.top :]])}
    moved = frozenset(after for before, after in zip(first, new, strict=True) if before != after)
    return Rereading(order_score, place, readings, moved)


def item_text(scorer: Scorer, row: int) -> str:
    """The whole text of an item, as it is read."""
    pool = scorer.index.pool
    return "；".join(pool.facets[number].text for number in pool.facets_of(row))


def reread(
    reader: Reranker, scorer: Scorer, query: Query, score: NDArray[np.float64], params: RerankerSettings
) -> Rereading:
    """``reorder`` with a model. Raises EncoderError when it fails."""

    def read(rows: Sequence[int]) -> list[float]:
        return reader.read(query.text, [item_text(scorer, row) for row in rows])

    return reorder(score, scorer.index.pool.item_ids, read, params)


def _unused(error: MatcherError) -> tuple[str, ...]:
    return (f"精读模型未能使用：{error.user_message}目前按匹配度排序。{error.hint}",)


class RereadScorer(Scorer):
    """A scorer whose ``score`` follows the new order: for measuring it. Contributions do not sum to it."""

    def __init__(self, scorer: Scorer, reader: Reranker, params: RerankerSettings) -> None:
        super().__init__(
            scorer.index,
            scorer.tokeniser,
            scorer.expander,
            scorer.encoder,
            scorer.params,
            plain=scorer.plain,
        )
        self._reader, self._reread_params = reader, params

    def score(self, queries: Sequence[Query]) -> PoolScores:
        """As ``Scorer.score``, the first of each row in their new order."""
        found = super().score(queries)
        rows = []
        for query, score in zip(queries, found.score, strict=True):
            done = reread(self._reader, self, query, score, self._reread_params)
            places = np.array([done.place[row] for row in range(len(score))], dtype=np.float64)
            rows.append(done.order_score - _TIE * places)
        return replace(found, score=np.stack(rows)) if rows else found


class Rereader:
    """The re-reading model of a process, loaded by a background thread; thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._reader: Reranker | None = None
        self._failure: MatcherError | None = None

    @property
    def params(self) -> RerankerSettings:
        return self._settings.reranker

    @property
    def in_force(self) -> bool:
        """Whether rankings are re-read, now or as soon as the model is loaded."""
        return bool(self.params.name) and (self._reader is not None or self._failure is None)

    def start(self) -> None:
        """Begin loading the model, when the settings name one; does nothing once that was begun."""
        if not self.params.name or self._thread is not None:
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._load, name="reranker", daemon=True)
                self._thread.start()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the model is there or has failed; ``degraded`` says which."""
        self.start()
        if self._thread is not None:
            self._thread.join(timeout)

    def _load(self) -> None:
        """Everything is caught: past the thread's end nobody would hear of it, and the state would stay “loading”."""
        try:
            self._reader = build_reranker(self._settings)
        except MatcherError as error:
            _LOG.warning("reranker %s: %s", self.params.name, error)
            self._failure = error
        except Exception as error:
            _LOG.exception("reranker %s failed", self.params.name)
            message = f"精读模型加载时出错（{type(error).__name__}）。"
            hint = "请检查 settings.toml 里 [reranker] 的模型名称和模型文件，改好后重新启动。"
            self._failure = EncoderError(message, hint)

    def degraded(self) -> tuple[str, ...]:
        """Sentences saying that re-reading is wanted and not there; empty when it is there or not wanted."""
        failure = self._failure
        if failure is not None:
            return _unused(failure)
        if self.params.name and self._reader is None:
            return ("精读模型正在加载，目前按匹配度排序，稍后刷新可得精读后的顺序。",)
        return ()

    def reread(
        self, scorer: Scorer, query: Query, score: NDArray[np.float64]
    ) -> tuple[Rereading | None, tuple[str, ...]]:
        """The new order, or None and the sentences of ``degraded`` that held for this question.

        A failure at work counts for its question only: the next one tries again.
        """
        self.start()
        missing = self.degraded()  # before the look at the reader, which may arrive at any moment
        reader = self._reader
        if reader is None:
            return None, missing
        try:
            done = reread(reader, scorer, query, score, self.params)
        except EncoderError as error:
            _LOG.warning("reranker %s: %s", self.params.name, error)
            self._failure = error
            return None, _unused(error)
        self._failure = None
        return done, ()
