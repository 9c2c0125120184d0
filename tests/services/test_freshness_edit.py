"""What is edited by hand is found by the next query in both channels, by every process, without building anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from matcher.encoding.protocol import Encoder
from matcher.models import Person, Work
from matcher.retrieval.index import PoolIndex
from matcher.services import switching
from matcher.services.bootstrap import Application, open_application
from matcher.services.rankings import RankedPair
from matcher.vocab import Channel, Role

TEXT = "量子点荧光编码防伪油墨"
LIMIT = 60
Open = Callable[[], Application]


class Counter:
    """Hands out one hashing encoder and knows what it encoded."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    def build(self, settings: object, progress: object = None) -> Encoder:
        return self.encoder

    @property
    def texts(self) -> list[str]:
        return self.encoder.encoded  # type: ignore[attr-defined,no-any-return]


@pytest.fixture
def counter(make_encoder: Callable[..., Encoder], monkeypatch: pytest.MonkeyPatch) -> Counter:
    made = Counter(make_encoder())
    monkeypatch.setattr(switching, "build_encoder", made.build)
    return made


@pytest.fixture
def opened(small_app: Application, counter: Counter) -> Iterator[Open]:
    """Open the same home again and again, as other processes would; each with the model ready."""
    settings = replace(small_app.settings, encoder=replace(small_app.settings.encoder, name="counted"))
    made: list[Application] = []

    def open_one() -> Application:
        made.append(open_application(settings, small_app.clock))
        made[-1].engine.wait(LIMIT)
        return made[-1]

    yield open_one
    for one in made:
        one.close()


Signals = dict[str, tuple[float, float]]
"""Signal by words and by meaning, by id."""


def of_experts(app: Application) -> Signals:
    """How each team answers the text."""
    pairs = app.matching.experts_for_text(TEXT, top=99).pairs
    return {pair.match.expert_id: both(pair) for pair in pairs}


def of_needs(app: Application) -> Signals:
    """How each need answers the text."""
    pairs = app.matching.needs_for_text(TEXT, top=99).pairs
    return {pair.match.need_id: both(pair) for pair in pairs}


def both(pair: RankedPair) -> tuple[float, float]:
    signals = pair.match.signals
    return round(signals[Channel.LEXICAL], 6), round(signals[Channel.DENSE], 6)


def assert_found(after: Signals, before: Signals, record_id: str) -> None:
    """First by words, and nearer by meaning than it was."""
    assert max(after, key=lambda i: after[i][0]) == record_id
    words, meaning = before.get(record_id, (0.0, 0.0))
    assert after[record_id][0] > words + 0.2
    assert after[record_id][1] > meaning + 0.1


def test_an_edited_profile_is_found_at_once_in_both_channels_and_undo_hides_it(
    opened: Open, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = opened(), opened()
    expert = one.records.expert("E330")
    team = one.as_person(
        Person("team", "团队", Role.TEAM, institution_id=expert.institution_id, expert_id="E330")
    )
    earlier = of_experts(one)
    assert of_experts(other) == earlier
    before, build, anew = len(counter.texts), PoolIndex.build, []

    def watched(pool: Any, *args: Any, **options: Any) -> PoolIndex:
        anew.append(options.get("previous") is None)
        return build(pool, *args, **options)

    monkeypatch.setattr(PoolIndex, "build", watched)
    stored = team.editing.record("experts", "E330")
    directions = f"{stored.texts['research_directions']}\n{TEXT}"
    saved = team.editing.save("experts", "E330", {"research_directions": directions}, stored.version)
    for app in (one, other):
        assert_found(of_experts(app), earlier, "E330")
    assert anew == [False, False], "each process renewed the one pool from the index it had"
    assert len(counter.texts) - before < 12, "only the query and what changed"
    team.editing.undo("experts", "E330", saved.version)
    for app in (one, other):
        assert of_experts(app) == earlier


def test_an_added_work_is_found_and_a_deleted_one_is_not(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = opened(), opened()
    earlier = of_experts(other)
    made = one.editing.add("works", {"expert_id": "E331", "title": TEXT, "kind": "发明专利"})
    assert isinstance(made.record, Work)
    for app in (one, other):
        assert_found(of_experts(app), earlier, "E331")
    one.editing.delete_work(made.record.work_id, made.version)
    for app in (one, other):
        assert of_experts(app) == earlier


def test_an_edited_need_is_found_from_both_sides(opened: Open) -> None:
    one, other = opened(), opened()
    earlier = of_needs(other)
    stored = one.editing.record("needs", "N303")
    saved = one.editing.save("needs", "N303", {"title": TEXT, "problem": f"缺少{TEXT}。"}, stored.version)
    for app in (one, other):
        assert_found(of_needs(app), earlier, "N303")
    one.editing.save("experts", "E332", {"research_directions": TEXT}, one.editing.expert("E332")[1])
    for app in (one, other):
        assert app.matching.for_need("N303", top=1).pairs[0].match.expert_id == "E332"
    one.editing.undo("needs", "N303", saved.version)
    assert of_needs(one) == of_needs(other) == earlier


def test_a_need_posted_on_the_page_is_found_by_another_process(opened: Open) -> None:
    one, other = opened(), opened()
    earlier = of_needs(other)
    draft = one.posting.start(one.records.need("N301").firm_id)
    for name, text in {"title": TEXT, "situation": f"我们缺少{TEXT}的办法。"}.items():
        draft = one.posting.save(draft.draft_id, name, text, draft.version)
    posted = one.posting.submit(draft.draft_id, draft.version)
    for app in (one, other):
        assert_found(of_needs(app), earlier, posted.need_id)
