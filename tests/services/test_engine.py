"""The engine while a model loads, fails, and while data and thesaurus change under it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from matcher.config import Settings
from matcher.encoding.protocol import Encoder
from matcher.errors import EncoderError, InputError, MatcherError
from matcher.services import switching
from matcher.services.bootstrap import Application, open_application
from matcher.store.repositories import Repositories

LIMIT = 60


class Gate:
    """A fake encoder that waits to be let through, and can be told to fail."""

    def __init__(self, encoder: Encoder) -> None:
        self.open = threading.Event()
        self.error: Exception | None = None
        self._encoder = encoder

    def build(self, settings: Settings, progress: object = None) -> Encoder:
        assert self.open.wait(LIMIT)
        if self.error is not None:
            raise self.error
        return self._encoder


@pytest.fixture
def gate(make_encoder: Callable[..., Encoder], monkeypatch: pytest.MonkeyPatch) -> Gate:
    made = Gate(make_encoder())
    monkeypatch.setattr(switching, "build_encoder", made.build)
    return made


@pytest.fixture
def gated(app: Application, gate: Gate) -> Iterator[Application]:
    settings = replace(app.settings, encoder=replace(app.settings.encoder, name="gated"))
    with open_application(settings) as application:
        yield application
        gate.open.set()
        application.engine._slot.join(LIMIT)


def test_words_answer_while_the_model_loads_and_the_model_after_it(gated: Application, gate: Gate) -> None:
    assert gated.engine.status().state == "loading"
    before = gated.matching.for_need("N302", top=5)
    assert "正在加载" in before.degraded[0]
    assert len(before.pairs[0].match.contributions) == 2
    gate.open.set()
    gated.engine.wait(LIMIT)
    after = gated.matching.for_need("N302", top=5)
    assert after.degraded == ()
    assert len(after.pairs[0].match.contributions) == 3
    assert gated.engine.status().state == "ready"
    assert after.run.run_id != before.run.run_id


def test_an_edit_while_the_model_loads_is_in_the_first_full_answer(gated: Application, gate: Gate) -> None:
    gated.matching.for_need("N302", top=1)
    text = "量子点荧光编码防伪油墨"
    with gated.database.session() as session:
        stored = Repositories(session)
        expert = stored.experts.get("E101")
        assert expert is not None
        stored.experts.upsert([replace(expert, research_directions=(text,))])
    gate.open.set()
    gated.engine.wait(LIMIT)
    first = gated.matching.experts_for_text(text, top=1).pairs[0].match
    assert first.expert_id == "E101"
    assert len(first.contributions) == 3


def test_status_answers_while_an_index_is_built(gated: Application) -> None:
    with gated.engine._build_lock:
        done = threading.Event()
        threading.Thread(target=lambda: (gated.engine.status(), done.set()), daemon=True).start()
        assert done.wait(5), "status waited for the build"


@pytest.mark.parametrize(
    "error", [EncoderError("模型坏了。", "换一个。"), OSError("disk"), RuntimeError("torch")]
)
def test_a_failed_model_is_said_and_words_go_on(gated: Application, gate: Gate, error: Exception) -> None:
    gate.error = error
    gate.open.set()
    with pytest.raises(MatcherError) as caught:
        gated.engine.wait(LIMIT)
    assert caught.value.hint
    assert gated.engine.status().state == "failed"
    ranking = gated.matching.for_need("N302", top=3)
    assert "未能使用" in ranking.degraded[0]
    assert ranking.pairs


def test_a_broken_thesaurus_line_is_named_and_mending_it_is_enough(gated: Application, gate: Gate) -> None:
    folder = gated.settings.home / "thesaurus"
    folder.mkdir()
    own = folder / "own.jsonl"
    own.write_text("{broken\n", encoding="utf-8")
    gate.open.set()
    with pytest.raises(InputError, match=r"own\.jsonl 第 1 行"):
        gated.matching.for_need("N302")
    own.write_text(
        json.dumps({"topic": "新主题", "lay": ["老出毛病"], "terms": ["故障诊断"]}, ensure_ascii=False),
        "utf-8",
    )
    assert gated.matching.for_need("N302").pairs
    deadline = time.monotonic() + LIMIT
    while gated.engine.status().state != "ready" and time.monotonic() < deadline:
        time.sleep(0.05)  # the loader starts again by itself; there is nothing to wait on before it does
    assert gated.engine.status().state == "ready"


def test_an_unwritable_index_folder_costs_nothing_but_the_next_start(app: Application) -> None:
    target: Path = app.settings.home / "index"
    app.engine.flush()
    import shutil

    shutil.rmtree(target)
    target.write_text("a file where a folder should be", encoding="utf-8")
    assert app.matching.for_need("N302", top=1).pairs
    app.engine.flush()


def test_a_forbidden_pair_is_found_under_every_name(app: Application) -> None:
    from matcher.models import Cooperation, Firm, Institution

    need = app.records.need("N302")
    listed = app.matching.for_need("N302", top=300)
    pair = next(p for p in listed.pairs if p.expert and p.expert.institution == "哈尔滨工业大学（威海）")
    assert pair.expert is not None
    with app.database.session() as session:
        stored = Repositories(session)
        firm = next(f for f in stored.firms.all() if f.name == need.company)
        assert isinstance(firm, Firm)
        stored.firms.upsert([replace(firm, aliases=("甲厂老名字",))])
        assert any("哈工大威海" in i.aliases for i in stored.institutions.all() if isinstance(i, Institution))
        stored.cooperation.upsert([Cooperation("C-X", "甲厂老名字", "哈工大威海", kind="勿联系")])
    after = app.matching.for_need("N302", top=300)
    left = {p.expert.institution for p in after.pairs if p.expert}
    assert "哈尔滨工业大学（威海）" not in left
    assert after.n_forbidden > listed.n_forbidden


def test_a_small_pool_is_measured_against_all_fields(app: Application) -> None:
    full = app.matching.for_need("N302", top=3)
    keep = {p.match.expert_id for p in full.pairs[:2]}
    with app.database.session() as session:
        stored = Repositories(session)
        stored.experts.delete([i for i in stored.experts.ids() if i not in keep])
    small = app.matching.for_need("N302", top=3)
    assert {p.match.expert_id for p in small.pairs} == keep
    earlier = {p.match.expert_id: p for p in full.pairs}
    for after in small.pairs:
        before = earlier[after.match.expert_id]
        assert after.match.score > 0.5 * before.match.score, "two teams are not worth less for being alone"
        assert after.match.evidence


def test_drafts_and_closed_needs_are_not_offered_to_teams(app: Application) -> None:
    ranking = app.matching.for_expert("E337", top=300)
    assert {p.need.status for p in ranking.pairs if p.need} <= {"已发布", "待受理", "退回补充"}
    texts = app.matching.needs_for_text("海马新种质创制", top=300)
    assert "N001" not in {p.match.need_id for p in texts.pairs}
