"""Changing the model of a running process: the old one serves until the new one does, and stays when it fails."""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from matcher.config import EncoderSettings, Settings, load_settings
from matcher.encoding.protocol import Encoder, Progress, Vectors
from matcher.encoding.sentence_transformer import load_encoder
from matcher.errors import ConflictError, EncoderError, InputError
from matcher.ranking.scorer import Asked, PoolScores, Scorer
from matcher.services import snapshot, switching
from matcher.services.bootstrap import Application, open_application
from matcher.services.rankings import Ranking
from matcher.store.repositories import Repositories

LIMIT = 60
NEED = "N302"


class Held:
    """An encoder whose documents wait for a gate, so that a test can look at the middle of a change."""

    def __init__(self, inner: Encoder) -> None:
        self.inner, self.gate, self.reached = inner, threading.Event(), threading.Event()
        self.name, self.fingerprint, self.dimension = inner.name, inner.fingerprint, inner.dimension
        self.error: Exception | None = None
        self.n_free = 0

    def encode_query(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        return self.inner.encode_query(texts, progress=progress)

    def encode_document(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        if progress:
            progress(0, len(texts))
        if self.n_free:
            self.n_free -= 1
            return self.inner.encode_document(texts, progress=progress)
        self.reached.set()
        assert self.gate.wait(LIMIT)
        if self.error is not None:
            raise self.error
        return self.inner.encode_document(texts, progress=progress)


class Shop:
    """Stands in for loading: models by name."""

    def __init__(self, make: Callable[..., Encoder]) -> None:
        self.first = make("first", 64)
        self.second = Held(make("second", 96))
        self.asked: list[EncoderSettings] = []

    def build(self, settings: Settings, progress: Progress | None = None) -> Encoder | None:
        wanted = settings.encoder
        self.asked.append(wanted)
        if wanted.name == "none":
            return None
        if wanted.name == "hub/big":
            assert progress is not None
            progress(3_000_000, 95_000_000)
            self.second.reached.set()
            assert self.second.gate.wait(LIMIT)
            progress(95_000_000, 95_000_000)
        made = {"first": self.first, "second": self.second, "hub/big": self.second}.get(wanted.name)
        if made is None:
            raise EncoderError(f"没有模型“{wanted.name}”。", "请检查名称。")
        return made


@pytest.fixture
def shop(make_encoder: Callable[..., Encoder], monkeypatch: pytest.MonkeyPatch) -> Shop:
    made = Shop(make_encoder)
    monkeypatch.setattr(switching, "build_encoder", made.build)
    return made


@pytest.fixture
def running(small_app: Application, shop: Shop) -> Iterator[Application]:
    """An application that serves with the model ``first``."""
    with open_application(replace(small_app.settings, encoder=EncoderSettings("first"))) as application:
        application.engine.wait(LIMIT)
        yield application
        shop.second.gate.set()
        application.engine.join(LIMIT)


def _wait_until_embedding(shop: Shop) -> None:
    assert shop.second.reached.wait(LIMIT)


def _finish(app: Application, shop: Shop) -> None:
    shop.second.gate.set()
    app.engine.join(LIMIT)


def _answer(ranking: Ranking) -> list[object]:
    return [ranking.run.encoder, ranking.degraded, ranking.run.matches]


def test_the_old_model_answers_until_the_new_one_does(running: Application, shop: Shop) -> None:
    before = running.matching.for_need(NEED)
    running.semantic.change("second")
    _wait_until_embedding(shop)
    status = running.engine.status()
    assert status.state == "ready"
    assert status.busy
    assert "正在换用“second”" in status.message
    assert status.progress is not None
    assert "计算向量" in status.progress[0]
    assert _answer(running.matching.for_need(NEED)) == _answer(before)
    assert running.matching.for_expert("E337").run.encoder == "first"
    assert running.semantic.facts().dimension == 64
    assert not (running.settings.home / "settings.toml").exists(), "not written before it is in use"
    _finish(running, shop)
    after = running.matching.for_need(NEED)
    assert after.run.encoder == "second"
    assert after.degraded == ()
    assert after.run.run_id != before.run.run_id
    assert running.matching.needs_for_text("轴承").run.encoder == "second"
    facts = running.semantic.facts()
    assert (facts.name, facts.dimension) == ("second", 96)
    assert facts.n_texts > 200
    assert running.engine.last_switch is not None
    assert running.engine.last_switch.state == "done"
    assert not running.engine.status().busy
    assert running.engine.status().progress is None


def test_the_new_model_ranks_as_if_it_had_been_there_from_the_start(running: Application, shop: Shop) -> None:
    shop.second.gate.set()
    running.semantic.change("second")
    running.engine.join(LIMIT)
    switched = running.matching.for_need(NEED, top=50)
    running.engine.flush()
    with open_application(replace(running.settings, encoder=EncoderSettings("second"))) as fresh:
        fresh.engine.wait(LIMIT)
        assert fresh.matching.for_need(NEED, top=50).run.matches == switched.run.matches
    running.semantic.change("first")
    running.engine.join(LIMIT)
    assert running.matching.for_need(NEED).run.encoder == "first"


def test_a_record_edited_meanwhile_is_found_before_and_after(running: Application, shop: Shop) -> None:
    text = "量子点荧光编码防伪油墨"
    running.semantic.change("second")
    _wait_until_embedding(shop)
    with running.database.session() as session:
        stored = Repositories(session)
        expert = stored.experts.get("E101")
        assert expert is not None
        stored.experts.upsert([replace(expert, research_directions=(text,))])
    during = running.matching.experts_for_text(text, top=1)
    assert (during.pairs[0].match.expert_id, during.run.encoder) == ("E101", "first")
    _finish(running, shop)
    after = running.matching.experts_for_text(text, top=1)
    assert (after.pairs[0].match.expert_id, after.run.encoder) == ("E101", "second")
    assert len(after.pairs[0].match.contributions) == 3


def test_a_second_change_is_refused_while_one_runs(running: Application, shop: Shop) -> None:
    running.semantic.change("second")
    _wait_until_embedding(shop)
    with pytest.raises(ConflictError, match="正在换用语义模型“second”") as caught:
        running.semantic.change("none")
    assert caught.value.hint
    _finish(running, shop)
    assert running.matching.for_need(NEED).run.encoder == "second"
    running.semantic.change("none")
    running.engine.join(LIMIT)
    ranking = running.matching.for_need(NEED)
    assert ranking.run.encoder == ""
    assert "未启用语义模型" in ranking.degraded[0]
    assert len(ranking.pairs[0].match.contributions) == 2
    assert running.engine.status().state == "lexical_only"


@pytest.mark.parametrize(
    "error",
    [
        EncoderError("算不动。", "换小的。"),
        RuntimeError("torch"),
        MemoryError(),
        AttributeError("items"),
        TypeError(),
    ],
)
def test_a_model_that_fails_leaves_everything_as_it_was(
    running: Application, shop: Shop, error: Exception
) -> None:
    before = running.matching.for_need(NEED)
    shop.second.error = error
    running.semantic.change("second")
    _finish(running, shop)
    switch = running.engine.last_switch
    assert switch is not None
    assert switch.state == "failed"
    assert switch.error is not None
    assert switch.error.hint
    assert _answer(running.matching.for_need(NEED)) == _answer(before)
    assert running.engine.status().state == "ready"
    assert running.engine.encoder_settings.name == "first"
    assert not (running.settings.home / "settings.toml").exists()


def test_a_step_after_the_exchange_that_breaks_is_said(running: Application, shop: Shop) -> None:
    def broken() -> str:
        raise KeyError("name")

    shop.second.gate.set()
    running.engine.switch(EncoderSettings("second"), broken)
    running.engine.join(LIMIT)
    switch = running.engine.last_switch
    assert switch is not None
    assert switch.state == "done", "the model is in use"
    assert "KeyError" in switch.note
    assert "请" in switch.note
    assert running.matching.for_need(NEED).run.encoder == "second"


def test_a_first_load_that_breaks_in_any_way_ends(small_app: Application, shop: Shop) -> None:
    shop.second.error = AttributeError("'list' object has no attribute 'items'")
    shop.second.gate.set()
    with open_application(replace(small_app.settings, encoder=EncoderSettings("second"))) as application:
        with pytest.raises(EncoderError, match="AttributeError"):
            application.engine.wait(LIMIT)
        status = application.engine.status()
        assert (status.state, status.busy, status.progress) == ("failed", False, None)
        said = application.matching.for_need(NEED).degraded[0]
        assert "未能使用" in said
        assert "请运行 python -m matcher doctor" in said, "what to do"


def test_a_bag_of_words_model_serves(small_app: Application, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules.bow import BoW

    marks = []
    for number, weights in enumerate([{}, {"轴承": 3.0}, {"轴承": 3.0}]):
        folder = tmp_path / f"bow{number}"
        SentenceTransformer(modules=[BoW(["轴承", "涂层", "导管"], weights)], device="cpu").save(str(folder))
        marks.append(load_encoder(str(folder)).fingerprint)
    assert marks[0] != marks[1] == marks[2], "the weights of the words are part of the model"
    small_app.semantic.change(str(tmp_path / "bow0"))
    small_app.engine.join(LIMIT)
    assert small_app.engine.last_switch is not None
    assert small_app.engine.last_switch.state == "done"
    assert small_app.semantic.facts().dimension == 3


def test_words_alone_are_recorded_though_the_model_arrives_meanwhile(
    small_app: Application, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking, rate = threading.current_thread(), Scorer.rate

    def slow(scorer: Scorer, asked: Sequence[Asked]) -> PoolScores:
        found = rate(scorer, asked)
        if threading.current_thread() is asking:
            _finish(application, shop)
        return found

    with open_application(replace(small_app.settings, encoder=EncoderSettings("hub/big"))) as application:
        application.engine.start()
        _wait_until_embedding(shop)
        with monkeypatch.context() as patch:
            patch.setattr(Scorer, "rate", slow)
            ranking = application.matching.for_need(NEED)
        assert application.engine.encoder is not None
        assert ranking.run.encoder == ""
        assert "正在加载" in ranking.run.degraded[0]
        assert application.matching.for_need(NEED).degraded == ()


def test_each_text_is_encoded_once_where_nothing_can_be_cached(
    make_encoder: Callable[..., Encoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "STEP", 3)
    inner, told, done = make_encoder(), [], []
    texts = [f"轴承{'磨' * (n % 5)}{n}" for n in range(8)] + ["轴承1磨", "轴承1磨", ""]
    stepwise = snapshot._Stepwise(inner, "计算", lambda *step: told.append(step))
    vectors = stepwise.encode_document(texts, progress=lambda *step: done.append(step))
    assert sorted(inner.encoded) == sorted(set(texts))  # type: ignore[attr-defined]
    assert np.array_equal(vectors, make_encoder().encode_document(texts))
    assert vectors.dtype == np.float32
    assert told[-1] == ("计算", 10, 10)
    assert done[-1] == (11, 11)
    assert stepwise.encode_document([]).shape == (0, 64)


def test_an_unknown_name_fails_and_the_next_change_works(running: Application, shop: Shop) -> None:
    running.semantic.change("nobody/none")
    running.engine.join(LIMIT)
    assert running.engine.last_switch is not None
    assert "没有模型" in str(running.engine.last_switch.error)
    shop.second.gate.set()
    running.semantic.change("second")
    running.engine.join(LIMIT)
    assert running.matching.for_need(NEED).run.encoder == "second"
    with pytest.raises(InputError, match="没有填写"):
        running.semantic.change("  ")


def test_a_download_tells_megabytes_and_can_be_stopped(running: Application, shop: Shop) -> None:
    running.semantic.change("hub/big")
    _wait_until_embedding(shop)
    assert running.engine.status().progress == ("下载模型（MB）", 3, 95)
    running.engine.stop_loading()
    _finish(running, shop)
    switch = running.engine.last_switch
    assert switch is not None
    assert "已按要求停止" in str(switch.error)
    assert running.matching.for_need(NEED).run.encoder == "first"
    running.semantic.change("second")
    running.engine.join(LIMIT)
    assert running.matching.for_need(NEED).run.encoder == "second", "a later change is not stopped"


def test_what_was_done_before_a_stop_is_not_done_again(
    running: Application, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "STEP", 40)
    shop.second.n_free = 3
    running.semantic.change("second")
    _wait_until_embedding(shop)
    done = set(shop.second.inner.encoded)  # type: ignore[attr-defined]
    assert len(done) > 80
    running.engine.stop_loading()
    _finish(running, shop)
    running.semantic.change("second")
    running.engine.join(LIMIT)
    encoded = shop.second.inner.encoded  # type: ignore[attr-defined]
    assert running.matching.for_need(NEED).run.encoder == "second"
    assert not [text for text in done if encoded.count(text) > 1]


def test_the_first_load_can_be_stopped_and_another_model_chosen(small_app: Application, shop: Shop) -> None:
    with open_application(replace(small_app.settings, encoder=EncoderSettings("hub/big"))) as application:
        assert application.engine.status().state == "loading"
        _wait_until_embedding(shop)
        with pytest.raises(ConflictError, match="正在加载"):
            application.semantic.change("first")
        application.engine.stop_loading()
        _finish(application, shop)
        assert application.engine.status().state == "failed"
        assert "停止" in application.matching.for_need(NEED).degraded[0]
        application.semantic.change("first")
        application.engine.join(LIMIT)
        assert application.matching.for_need(NEED).degraded == ()
        assert application.engine.status().state == "ready"


def test_the_choice_is_kept_for_the_next_start(running: Application, shop: Shop) -> None:
    home = running.settings.home
    (home / "settings.toml").write_text("# 本局设置\n[targets]\nyearly = 25 # 加码\n", encoding="utf-8")
    shop.second.gate.set()
    running.semantic.change("second", "查询：", "")
    running.engine.join(LIMIT)
    text = (home / "settings.toml").read_text("utf-8")
    assert "# 本局设置" in text
    assert "# 加码" in text
    assert tomllib.loads(text)["encoder"] == {
        "name": "second",
        "query_prompt": "查询：",
        "document_prompt": "",
    }
    assert shop.asked[-1] == EncoderSettings("second", "查询：", "")
    read = load_settings(home, {})
    assert read.encoder == EncoderSettings("second", "查询：", "")
    assert read.targets.yearly == 25
    running.semantic.change("first")
    running.engine.join(LIMIT)
    assert load_settings(home, {}).encoder == EncoderSettings("first")


@pytest.mark.parametrize("content", ["[broken", 'encoder = "x"\n', '[[encoder]]\nname = "x"\n'])
def test_a_choice_that_cannot_be_kept_is_said(running: Application, shop: Shop, content: str) -> None:
    shop.second.gate.set()
    (running.settings.home / "settings.toml").write_text(content, encoding="utf-8")
    running.semantic.change("second")
    running.engine.join(LIMIT)
    switch = running.engine.last_switch
    assert switch is not None
    assert switch.state == "done"
    assert "下次启动仍用原来的" in switch.note
    assert "settings.toml" in switch.note
    assert running.matching.for_need(NEED).run.encoder == "second"


def test_the_environment_wins_and_that_is_said(running: Application, tmp_path: Path) -> None:
    home = tmp_path / "other"
    home.mkdir()
    (home / "settings.toml").write_text('[encoder]\nname = "a/b"\nquery_prompt = "问："\n', encoding="utf-8")
    named = load_settings(home, {"MATCHER_ENCODER": "c/d"})
    assert named.encoder == EncoderSettings("c/d"), "a prompt belongs to the model it was written for"
    assert named.encoder_from_environ
    same = load_settings(home, {"MATCHER_ENCODER": "a/b"})
    assert same.encoder.query_prompt == "问："
    with open_application(replace(running.settings, encoder_from_environ=True)) as application:
        assert "MATCHER_ENCODER" in application.semantic.facts().environment
    assert running.semantic.facts().environment == ""
