"""Scores of needs are kept from one snapshot to the next exactly as long as they are still right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from matcher.config import EncoderSettings
from matcher.ranking.scorer import PoolScores, Scorer, need_query
from matcher.retrieval.dense import DenseIndex
from matcher.services.bootstrap import Application
from matcher.services.snapshot import Snapshot
from matcher.store.repositories import Repositories
from matcher.vocab import Channel


def _all(snapshot: Snapshot) -> PoolScores:
    return snapshot.scores_of(snapshot.need_ids)


def _fresh(snapshot: Snapshot) -> np.ndarray:
    return snapshot.experts.score([need_query(n) for n in snapshot.records.needs.values()]).score


def _counting(snapshot: Snapshot) -> list[int]:
    """How many queries each later call of the scorer gets."""
    seen: list[int] = []
    real = Scorer.rate

    def rate(self: Scorer, asked: list) -> object:  # type: ignore[type-arg]
        seen.append(len(asked))
        return real(self, asked)

    snapshot.experts.rate = rate.__get__(snapshot.experts)  # type: ignore[method-assign]
    return seen


def test_only_changed_needs_are_scored_again(small_app: Application) -> None:
    before = small_app.engine.snapshot()
    assert _all(before).score.shape == (len(before.need_ids), len(before.records.experts))
    seen = _counting(before)
    with small_app.database.session() as session:
        stored = Repositories(session)
        need = stored.needs.get(before.need_ids[1])
        assert need is not None
        stored.needs.upsert([replace(need, problem="船上摄像头起雾，看不清航道")])
    after = small_app.engine.snapshot()
    assert after is not before
    assert after.experts is before.experts
    scores = _all(after)
    assert seen == [1]
    assert np.allclose(scores.score, _fresh(after), atol=1e-9)
    assert not np.allclose(scores.score[1], _all(before).score[1])
    for channel, part in scores.signals.items():
        assert isinstance(channel, Channel)
        assert part.shape == scores.score.shape


def test_an_edit_that_concerns_neither_side_keeps_everything(small_app: Application) -> None:
    before = small_app.engine.snapshot()
    _all(before)
    seen = _counting(before)
    with small_app.database.session() as session:
        firm = Repositories(session).firms.all()[0]
        Repositories(session).firms.upsert([replace(firm, size="大型")])
    after = small_app.engine.snapshot()
    assert (after.experts, after.needs) == (before.experts, before.needs)
    assert np.array_equal(_all(after).score, _all(before).score)
    assert seen == []


@pytest.mark.parametrize("encoder", ["builtin", "none"])
def test_a_changed_team_alone_is_compared_anew(
    small_app: Application, monkeypatch: pytest.MonkeyPatch, encoder: str
) -> None:
    """The statistics of the pool change for every pair, yet the result is bit for bit that of scoring all anew."""
    if encoder == "builtin":
        small_app.engine.switch(EncoderSettings("builtin"))
        small_app.engine.wait()
    before = small_app.engine.snapshot()
    _all(before)
    with small_app.database.session() as session:
        stored = Repositories(session)
        silent, changed, *_ = stored.experts.all()
        blank = replace(silent, research_directions=(), disciplines=(), achievements=(), keywords=())
        stored.experts.upsert(
            [
                replace(blank, name="张三", department="", industry_experience=""),
                replace(changed, research_directions=("船载摄像头除雾",)),
                replace(changed, expert_id="A0", research_directions=("海参育苗", "海带夹苗机")),
            ]
        )
    compared: list[int] = []
    real = DenseIndex.cosines

    def cosines(self: DenseIndex, queries: np.ndarray) -> np.ndarray:
        compared.append(self.n_vectors)
        return real(self, queries)

    monkeypatch.setattr(DenseIndex, "cosines", cosines)
    after = small_app.engine.snapshot()
    kept = _all(after)
    assert after.experts is not before.experts
    assert all(n < 30 for n in compared)
    assert bool(compared) == (encoder == "builtin")
    fresh = after.experts.score([need_query(n) for n in after.records.needs.values()])
    for channel, part in fresh.signals.items():
        assert np.array_equal(kept.signals[channel], part)
    assert np.array_equal(kept.score, fresh.score)
    assert not np.array_equal(kept.score[:, -3:], _all(before).score[:, -3:])


def test_many_changed_teams_are_left_for_the_next_question(small_app: Application) -> None:
    before = small_app.engine.snapshot()
    _all(before)
    with small_app.database.session() as session:
        stored = Repositories(session)
        stored.experts.upsert([replace(e, industry_experience="做过船舶涂装") for e in stored.experts.all()])
    after = small_app.engine.snapshot()
    assert np.array_equal(_all(after).score, _fresh(after))


def test_some_needs_are_scored_without_the_others(small_app: Application) -> None:
    snapshot = small_app.engine.snapshot()
    seen = _counting(snapshot)
    wanted = snapshot.need_ids[:2]
    some = snapshot.scores_of(wanted)
    again = snapshot.scores_of(wanted[::-1])
    assert np.array_equal(some.score, again.score[::-1])
    assert seen == [2]
    assert np.array_equal(_all(snapshot).score[:2], some.score)
    assert seen == [2, len(snapshot.need_ids) - 2]
