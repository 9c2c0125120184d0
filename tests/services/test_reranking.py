"""Re-reading reorders the first results and nothing else; switched off it leaves no trace."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.config import RerankerSettings, Settings, load_settings
from matcher.errors import EncoderError, InputError
from matcher.ranking.eligibility import ExpertFilter, NeedFilter
from matcher.ranking.scorer import need_query
from matcher.services import reranking
from matcher.services.bootstrap import Application, open_application
from matcher.services.exporting import describe_filters
from matcher.services.reranking import READING, RereadScorer, item_text, reorder

NEED, TEXT = "N302", "导管插两次就不滑了，还掉渣"
LIMIT = 60


class Favourite:
    """A fake re-reader that likes texts holding one phrase; it waits for a gate and can be told to fail."""

    name = "favourite"

    def __init__(self, phrase: str) -> None:
        self.phrase, self.gate = phrase, threading.Event()
        self.load_error: Exception | None = None
        self.error: EncoderError | None = None
        self.seen: list[tuple[str, tuple[str, ...]]] = []
        self.gate.set()

    def build(self, settings: Settings, progress: object = None) -> Favourite:
        assert self.gate.wait(LIMIT)
        if self.load_error:
            raise self.load_error
        return self

    def read(self, query: str, texts: Sequence[str]) -> list[float]:
        if self.error:
            raise self.error
        self.seen.append((query, tuple(texts)))
        return [0.95 if self.phrase in text else 0.1 for text in texts]


@pytest.fixture
def favourite(small_app: Application, monkeypatch: pytest.MonkeyPatch) -> Favourite:
    """Likes the team that stands third for the need."""
    third = small_app.matching.for_need(NEED, top=3).pairs[2].expert
    assert third is not None
    made = Favourite(third.research_directions[0])
    monkeypatch.setattr(reranking, "build_reranker", made.build)
    return made


@pytest.fixture
def reading(small_app: Application, favourite: Favourite) -> Iterator[Application]:
    with open_application(_with(small_app, top=6), small_app.clock) as application:
        application.rereader.wait(LIMIT)
        yield application
        favourite.gate.set()


def _with(app: Application, **params: object) -> Settings:
    return replace(app.settings, reranker=RerankerSettings("favourite", **params))  # type: ignore[arg-type]


def _ids(app: Application, **options: object) -> list[str]:
    return [p.match.expert_id for p in app.matching.for_need(NEED, **options).pairs]  # type: ignore[arg-type]


def test_the_favourite_comes_first_and_scores_stay(small_app: Application, reading: Application) -> None:
    plain = small_app.matching.for_need(NEED, top=20)
    read = reading.matching.for_need(NEED, top=20)
    old = [p.match.expert_id for p in plain.pairs]
    new = [p.match.expert_id for p in read.pairs]
    assert new == [old[2], old[0], old[1], *old[3:]]
    before = {p.match.expert_id: p.match for p in plain.pairs}
    for rank, pair in enumerate(read.pairs, 1):
        match, was = pair.match, before[pair.match.expert_id]
        assert (match.rank, match.score, match.contributions) == (rank, was.score, was.contributions)
        assert match.evidence == was.evidence
        assert sum(match.contributions.values()) == pytest.approx(match.score, abs=2e-6)
        shown = [signal for signal in match.practical if signal.name == READING]
        assert [s for s in match.practical if s.name != READING] == list(was.practical)
        assert len(shown) == (rank <= 6)
    first, fourth = read.pairs[0].match.practical[0], read.pairs[3].match.practical[0]
    assert first.text == "精读得分 95.0（先后据此调整）"
    assert fourth.text == "精读得分 10.0（先后未变）"
    assert read.run.run_id != plain.run.run_id
    assert read.run.parameters["reranker"] == {"name": "favourite", "top": 6, "weight": 0.5}
    assert "前 6 位的先后已按精读模型 favourite 调整" in describe_filters(read.run.parameters)
    assert read.degraded == plain.degraded


def test_off_leaves_no_trace(small_app: Application, favourite: Favourite) -> None:
    ranking = small_app.matching.for_need(NEED, top=20)
    assert favourite.seen == []
    assert "reranker" not in ranking.run.parameters
    assert not [s for p in ranking.pairs for s in p.match.practical if s.name == READING]
    with open_application(_with(small_app, weight=0.0), small_app.clock) as weightless:
        weightless.rereader.wait(LIMIT)
        assert _ids(weightless, top=20) == [p.match.expert_id for p in ranking.pairs]


def test_the_texts_read_are_the_need_and_the_profiles(reading: Application, favourite: Favourite) -> None:
    reading.matching.for_need(NEED, top=2)
    query, texts = favourite.seen[-1]
    assert query == need_query(reading.records.need(NEED)).text
    scorer = reading.engine.snapshot().experts
    assert len(texts) == 6
    assert set(texts) <= {item_text(scorer, row) for row in range(len(scorer.index.pool.item_ids))}


def test_filters_and_length_never_change_the_order(reading: Application) -> None:
    everyone = _ids(reading, top=500)
    assert _ids(reading, top=3) == everyone[:3]
    for ring in ("区内", "周边区域", "全国"):
        found = _ids(reading, top=500, filter=ExpertFilter(rings=frozenset({ring})))
        assert found == [expert_id for expert_id in everyone if expert_id in set(found)]


def test_practical_signals_come_on_top_of_the_new_order(reading: Application) -> None:
    plain = reading.matching.for_need(NEED, top=20)
    both = reading.matching.for_need(NEED, top=20, practical=True)
    assert {p.match.expert_id for p in plain.pairs} == {p.match.expert_id for p in both.pairs}
    assert [p.match.expert_id for p in plain.pairs] != [p.match.expert_id for p in both.pairs]
    assert sum(s.name == READING for p in both.pairs for s in p.match.practical) == 6


def test_free_text_either_way_and_not_the_reverse(reading: Application, favourite: Favourite) -> None:
    reading.matching.experts_for_text(TEXT)
    assert favourite.seen[-1][0].startswith("导管插两次就不滑了")
    favourite.phrase = reading.records.need("N304").title
    needs = reading.matching.needs_for_text("轴承", filter=NeedFilter(), top=3)
    assert needs.pairs[0].match.need_id == "N304"
    assert needs.pairs[0].match.practical[0].name == READING
    n_read = len(favourite.seen)
    back = reading.matching.for_expert("E337")
    assert len(favourite.seen) == n_read
    assert "reranker" not in back.run.parameters
    assert not [s for p in back.pairs for s in p.match.practical if s.name == READING]


def test_why_not_counts_places_in_the_new_order(reading: Application) -> None:
    ids = _ids(reading, top=500)
    listed = reading.matching.explain_absence(NEED, ids[0])
    assert "排第 1 位" in listed.message
    absent = reading.matching.explain_absence(NEED, ids[5], top=3)
    assert "排第 6 位" in absent.message
    assert "精读" in absent.message


def test_the_reading_is_in_the_files(reading: Application) -> None:
    ranking = reading.matching.for_need(NEED, top=8)
    said = json.loads(reading.exports.ranking(ranking, ".json"))
    assert said["pairs"][0]["practical"][0] == "精读得分 95.0（先后据此调整）"
    assert "精读模型 favourite" in said["run"]["filters"]
    assert "精读得分 95.0" in reading.exports.ranking(ranking, ".csv").decode("utf-8-sig")
    for suffix in (".xlsx", ".docx"):
        assert reading.exports.ranking(ranking, suffix)


def test_while_it_loads_the_old_order_is_given_and_said(small_app: Application, favourite: Favourite) -> None:
    favourite.gate.clear()
    plain = _ids(small_app, top=10)
    with open_application(_with(small_app), small_app.clock) as application:
        ranking = application.matching.for_need(NEED, top=10)
        assert [p.match.expert_id for p in ranking.pairs] == plain
        assert "精读模型正在加载" in ranking.degraded[-1]
        assert "精读" not in "".join(application.matching.for_expert("E337").degraded)
        assert "正在加载" in application.semantic.facts().reranker
        favourite.gate.set()
        application.rereader.wait(LIMIT)
        assert application.matching.for_need(NEED).degraded == small_app.matching.for_need(NEED).degraded
        assert application.semantic.facts().reranker.startswith("已启用")


@pytest.mark.parametrize(
    "error",
    [EncoderError("没有这个模型。", "请换一个。"), OSError("disk"), MemoryError(), AttributeError("items")],
)
def test_a_model_that_cannot_be_loaded_is_said(
    small_app: Application, favourite: Favourite, error: Exception
) -> None:
    favourite.load_error = error
    with open_application(_with(small_app), small_app.clock) as application:
        application.rereader.wait(LIMIT)
        ranking = application.matching.for_need(NEED, top=5)
        assert [p.match.expert_id for p in ranking.pairs] == _ids(small_app, top=5)
        assert "精读模型未能使用" in ranking.degraded[-1]
        assert "请" in ranking.degraded[-1], "what to do"
        assert not application.rereader.in_force


def test_a_model_that_fails_at_work_is_said_and_tried_again(
    reading: Application, favourite: Favourite
) -> None:
    expected = _ids(reading, top=5)
    favourite.error = EncoderError("算不动。", "换小的。")
    ranking = reading.matching.for_need(NEED, top=5)
    assert "算不动" in ranking.degraded[-1]
    assert "换小的。" in ranking.degraded[-1]
    assert ranking.pairs
    assert "算不动" in reading.semantic.facts().reranker
    favourite.error = None
    again = reading.matching.for_need(NEED, top=5)
    assert [p.match.expert_id for p in again.pairs] == expected
    assert "精读" not in "".join(again.degraded)
    assert reading.semantic.facts().reranker.startswith("已启用")


def test_an_old_order_is_recorded_though_the_model_arrives_meanwhile(
    small_app: Application, favourite: Favourite, monkeypatch: pytest.MonkeyPatch
) -> None:
    favourite.gate.clear()
    with open_application(_with(small_app), small_app.clock) as application:
        assert application.rereader.in_force, "as soon as it is loaded"
        reread = application.rereader.reread

        def slow(*args: object) -> object:
            found = reread(*args)  # type: ignore[arg-type]
            favourite.gate.set()
            application.rereader.wait(LIMIT)
            return found

        monkeypatch.setattr(application.rereader, "reread", slow)
        ranking = application.matching.for_need(NEED)
        assert "reranker" not in ranking.run.parameters
        assert "精读模型正在加载" in ranking.run.degraded[-1]
        assert "reranker" in application.matching.for_need(NEED).run.parameters
    assert not small_app.rereader.in_force


def test_measuring_follows_the_same_order(reading: Application, favourite: Favourite) -> None:
    scorer, needs = reading.engine.snapshot().experts, [reading.records.need(i) for i in ("N302", "N304")]
    queries = [need_query(need) for need in needs]
    measured = RereadScorer(scorer, favourite, reading.rereader.params).score(queries)
    ids = scorer.index.pool.item_ids
    for row, need in enumerate(needs):
        ranking = reading.matching.for_need(need.need_id, top=500)
        listed = {p.match.expert_id for p in ranking.pairs}
        order = [ids[i] for i in np.argsort(-measured.score[row], kind="stable") if ids[i] in listed]
        assert order == [p.match.expert_id for p in ranking.pairs]
    assert RereadScorer(scorer, favourite, reading.rereader.params).score([]).score.shape[0] == 0


SCORES = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.2500001, 0.5, 0.9, 1.0]), max_size=12)


@given(SCORES, st.integers(1, 14), st.floats(0, 1), st.randoms(use_true_random=False))
def test_reorder_moves_the_first_ones_only(
    values: list[float], top: int, weight: float, random: object
) -> None:
    score = np.array(values)
    ids = [f"E{i:02}" for i in range(len(values))]
    readings = {row: ((row * 7919) % 13) / 12 for row in range(len(values))}
    done = reorder(score, ids, lambda rows: [readings[r] for r in rows], RerankerSettings("x", top, weight))
    old = sorted(range(len(values)), key=lambda row: (-round(values[row], 6), ids[row]))
    new = sorted(range(len(values)), key=done.place.__getitem__)
    assert new[top:] == old[top:]
    assert set(new[:top]) == set(old[:top]) == set(done.readings)
    assert done.moved == {after for before, after in zip(old, new, strict=True) if before != after}
    assert sorted(done.order_score) == sorted(values)
    followed = [float(done.order_score[row]) for row in new]
    assert all(a >= b - 1e-6 for a, b in pairwise(followed))
    mixed = [(1 - weight) * values[row] + weight * readings[row] for row in new[:top]]
    assert all(a >= b - 1e-8 for a, b in pairwise(mixed))


def test_settings_are_checked(tmp_path: object, make_settings: Callable[[str], Settings]) -> None:
    assert make_settings("").reranker == RerankerSettings()
    read = make_settings('[reranker]\nname = "BAAI/bge-reranker-base"\ntop = 10\nweight = 0.3\n')
    assert read.reranker == RerankerSettings("BAAI/bge-reranker-base", 10, 0.3)
    for wrong in ("top = 0", "weight = 1.5", 'weight = "much"', "share = 1"):
        with pytest.raises(InputError):
            make_settings(f"[reranker]\n{wrong}\n")


@pytest.fixture
def make_settings(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Settings]:
    def make(text: str) -> Settings:
        home = tmp_path_factory.mktemp("settings")
        (home / "settings.toml").write_text(text, encoding="utf-8")
        return load_settings(home, {})

    return make
