from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from matcher.services.bootstrap import Application
from matcher.store.repositories import Repositories

TEXT = "量子点荧光编码防伪油墨"


def add_direction(app: Application, expert_id: str, text: str) -> None:
    with app.database.session() as session:
        stored = Repositories(session)
        expert = stored.experts.get(expert_id)
        assert expert is not None
        stored.experts.upsert([replace(expert, research_directions=(*expert.research_directions, text))])


def test_a_changed_record_is_found_by_the_next_query(app: Application) -> None:
    before = app.matching.experts_for_text(TEXT, top=1).pairs[0].match
    add_direction(app, "E101", TEXT)
    after = app.matching.experts_for_text(TEXT, top=1).pairs[0].match
    assert before.expert_id != "E101"
    assert after.expert_id == "E101"
    assert any(e.facet.text == TEXT for e in after.evidence)


def test_a_change_by_another_process_is_found_too(
    app: Application, reopen: Callable[[], Application]
) -> None:
    other = reopen()
    app.matching.experts_for_text(TEXT, top=1)
    add_direction(other, "E202", TEXT)
    assert app.matching.experts_for_text(TEXT, top=1).pairs[0].match.expert_id == "E202"


def test_an_own_thesaurus_file_takes_effect_at_the_next_query(app: Application) -> None:
    plain = "机器一开就打摆子"
    before = app.matching.experts_for_text(plain, top=5)
    folder = app.settings.home / "thesaurus"
    folder.mkdir()
    topic = {
        "topic": "转子动力学平衡",
        "sector": "汽车机电",
        "lay": [plain],
        "terms": ["刺参遗传育种", "选择育种"],
    }
    (folder / "own.jsonl").write_text(json.dumps(topic, ensure_ascii=False), encoding="utf-8")
    # ``settings.thesaurus_paths`` looks at the folder at every question.
    after = app.matching.experts_for_text(plain, top=5)
    assert "转子动力学平衡" in after.topics
    assert "转子动力学平衡" not in before.topics
    assert "E501" in {p.match.expert_id for p in after.pairs}


def test_a_damaged_or_foreign_index_is_rebuilt_not_served(
    app: Application, reopen: Callable[[], Application]
) -> None:
    expected = app.matching.for_need("N302", top=5).run.matches
    folder: Path = app.settings.home / "index" / "experts"
    for damage in ("items.npz", "facets.npz"):
        (folder / damage).write_bytes(b"broken")
        assert reopen().matching.for_need("N302", top=5).run.matches == expected
        assert (folder / damage).stat().st_size > 100, "rebuilt on disk"
    manifest = folder / "manifest.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps({**content, "pool": "0" * 16}), encoding="utf-8")
    assert reopen().matching.for_need("N302", top=5).run.matches == expected
    assert json.loads(manifest.read_text(encoding="utf-8")) == content


def test_an_intact_index_is_loaded_and_not_built_again(
    app: Application, reopen: Callable[[], Application], monkeypatch: pytest.MonkeyPatch
) -> None:
    from matcher.retrieval.index import PoolIndex

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("the index was built although the one on disk is good")

    monkeypatch.setattr(PoolIndex, "build", refuse)
    assert reopen().matching.for_need("N302", top=1).pairs
