"""Scores of needs are kept from one snapshot to the next exactly as long as they are still right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from matcher.ranking.scorer import Scorer, need_query
from matcher.services.bootstrap import Application
from matcher.services.snapshot import Snapshot
from matcher.store.repositories import Repositories
from matcher.vocab import Channel


def _fresh(snapshot: Snapshot) -> np.ndarray:
    return snapshot.experts.score([need_query(n) for n in snapshot.records.needs.values()]).score


def _counting(snapshot: Snapshot) -> list[int]:
    """How many queries each later call of the scorer gets."""
    seen: list[int] = []
    real = Scorer.score

    def score(self: Scorer, queries: list) -> object:  # type: ignore[type-arg]
        seen.append(len(queries))
        return real(self, queries)

    snapshot.experts.score = score.__get__(snapshot.experts)  # type: ignore[method-assign]
    return seen


def test_only_changed_needs_are_scored_again(small_app: Application) -> None:
    before = small_app.engine.snapshot()
    assert before.need_scores.score.shape == (len(before.need_ids), len(before.records.experts))
    seen = _counting(before)
    with small_app.database.session() as session:
        stored = Repositories(session)
        need = stored.needs.get(before.need_ids[1])
        assert need is not None
        stored.needs.upsert([replace(need, problem="船上摄像头起雾，看不清航道")])
    after = small_app.engine.snapshot()
    assert after is not before
    assert after.experts is before.experts
    scores = after.need_scores
    assert seen == [1]
    assert np.allclose(scores.score, _fresh(after), atol=1e-9)
    assert not np.allclose(scores.score[1], before.need_scores.score[1])
    for channel, part in scores.signals.items():
        assert isinstance(channel, Channel)
        assert part.shape == scores.score.shape


def test_an_edit_that_concerns_neither_side_keeps_everything(small_app: Application) -> None:
    before = small_app.engine.snapshot()
    before.need_scores  # noqa: B018
    seen = _counting(before)
    with small_app.database.session() as session:
        firm = Repositories(session).firms.all()[0]
        Repositories(session).firms.upsert([replace(firm, size="大型")])
    after = small_app.engine.snapshot()
    assert (after.experts, after.needs) == (before.experts, before.needs)
    assert np.array_equal(after.need_scores.score, before.need_scores.score)
    assert seen == []


def test_a_changed_team_makes_all_scores_new(small_app: Application) -> None:
    before = small_app.engine.snapshot()
    before.need_scores  # noqa: B018
    with small_app.database.session() as session:
        stored = Repositories(session)
        expert = stored.experts.all()[0]
        stored.experts.upsert([replace(expert, research_directions=("船载摄像头除雾",))])
    after = small_app.engine.snapshot()
    assert after.experts is not before.experts
    assert np.allclose(after.need_scores.score, _fresh(after), atol=1e-9)


def test_some_needs_are_scored_without_the_others(small_app: Application) -> None:
    snapshot = small_app.engine.snapshot()
    seen = _counting(snapshot)
    wanted = snapshot.need_ids[:2]
    some = snapshot.scores_of(wanted)
    again = snapshot.scores_of(wanted[::-1])
    assert np.array_equal(some.score, again.score[::-1])
    assert seen == [2]
    assert np.array_equal(snapshot.need_scores.score[:2], some.score)
    assert seen == [2, len(snapshot.need_ids) - 2]
