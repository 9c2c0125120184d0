"""Which topics a query calls up, what they add, and the bridges shown."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.encoding.protocol import Encoder
from matcher.models import RequirementLine
from matcher.retrieval.expansion import (
    MIN_BRIDGE_WEIGHT,
    MIN_PHRASE,
    CalledTopic,
    Expander,
    ExpansionParams,
    query_weights,
)
from matcher.retrieval.lexical import LexicalIndex
from matcher.retrieval.pool import build_expert_pool, build_lines
from matcher.text.normalise import normalise
from matcher.text.thesaurus import Thesaurus, Topic, merge_topics
from matcher.text.tokenise import Tokeniser


def check_bridges(expander: Expander, line: str, facet: str, topics: list[CalledTopic]) -> int:
    """Assert what a bridge promises; give their number."""
    bridges = expander.find_bridges(line, facet, topics)
    strong = [called.topic for called in topics if called.weight >= MIN_BRIDGE_WEIGHT]
    names = [topic.name for topic in strong]
    assert [bridge.topic for bridge in bridges] == [
        name for name in names if name in {b.topic for b in bridges}
    ]
    for bridge in bridges:
        topic = strong[names.index(bridge.topic)]
        assert bridge.phrase in normalise(line)
        assert bridge.term in normalise(facet)
        assert bridge.phrase not in normalise(facet)
        assert bridge.term not in normalise(line)
        own = [normalise(p) for p in (*topic.lay, *topic.objects, *topic.terms)]
        assert any(bridge.phrase in p for p in own)
        assert len(bridge.phrase) >= MIN_PHRASE or bridge.phrase in own
        assert bridge.term in [normalise(t) for t in (*topic.terms, *topic.objects, *topic.disciplines)]
    return len(bridges)


def test_topics_are_called_by_bm25_over_their_words(
    small_expander: Expander, small_thesaurus: Thesaurus, small_tokeniser: Tokeniser
) -> None:
    query = small_tokeniser.features("轴承磨得快，海参也不行")
    documents = [
        small_tokeniser.features("，".join((*t.lay, *t.terms, *t.objects, t.name)))
        for t in small_thesaurus.topics
    ]
    scores = LexicalIndex.build(documents).score([dict.fromkeys(query, 1.0)])[0]
    expected = sorted(zip(-scores, (t.name for t in small_thesaurus.topics), strict=True))
    called = small_expander.call_topics([query])[0]
    assert [c.topic.name for c in called] == [name for negative, name in expected if negative < 0]
    assert called[0].topic.name == "摩擦学"
    top = -expected[0][0]
    for topic, (negative, _) in zip(called, expected, strict=False):
        assert topic.weight == pytest.approx((-negative / top) ** 2.0)


def test_an_encoder_calls_topics_by_meaning_too(
    small_thesaurus: Thesaurus, small_tokeniser: Tokeniser, make_encoder: Callable[..., Encoder]
) -> None:
    encoder = make_encoder()
    plain = Expander(small_thesaurus, small_tokeniser, ExpansionParams(meaning=1.0))
    knowing = plain.with_encoder(encoder)
    texts = ["轴承磨得快，海参也不行", "划痕漏检"]
    features, vectors = [small_tokeniser.features(text) for text in texts], encoder.encode_query(texts)
    words = ["，".join((t.name, *t.lay, *t.terms, *t.objects)) for t in small_thesaurus.topics]
    bm25 = LexicalIndex.build([small_tokeniser.features(w) for w in words]).score(
        [dict.fromkeys(f, 1.0) for f in features]
    )
    cosine = vectors @ encoder.encode_document(words).T

    def z(row: np.ndarray) -> np.ndarray:
        return (row - row.mean()) / row.std()

    for row, called in enumerate(knowing.call_topics(features, vectors)):
        expected = z(bm25[row]) + z(cosine[row].astype(np.float64))
        order = [small_thesaurus.topics[i].name for i in np.argsort(-expected) if expected[i] > 0]
        assert [c.topic.name for c in called] == order
        assert called[-1].weight == pytest.approx(
            (sorted(expected)[-len(called)] / max(expected)) ** 2, rel=1e-5
        )
    assert plain.call_topics(features, vectors) == plain.call_topics(features)


@given(st.lists(st.text("磨得快海参漏检轴承zz ", max_size=8), max_size=3))
def test_weights_are_at_most_one_and_fall(
    small_expander: Expander, small_tokeniser: Tokeniser, texts: list[str]
) -> None:
    called = small_expander.call_topics([small_tokeniser.features(text) for text in texts])
    assert len(called) == len(texts)
    for topics in called:
        weights = [c.weight for c in topics]
        assert weights == sorted(weights, reverse=True)
        assert not weights or weights[0] == 1.0
        assert all(0.0 < weight <= 1.0 for weight in weights)


def test_number_and_sharpness_of_topics(small_thesaurus: Thesaurus, small_tokeniser: Tokeniser) -> None:
    query = [small_tokeniser.features("轴承磨得快，海参漏检")]
    flat = Expander(small_thesaurus, small_tokeniser, ExpansionParams(2, 1.0)).call_topics(query)[0]
    sharp = Expander(small_thesaurus, small_tokeniser, ExpansionParams(2, 3.0)).call_topics(query)[0]
    assert len(flat) == len(sharp) == 2
    assert sharp[1].weight == pytest.approx(flat[1].weight ** 3)
    assert flat[1].weight < 1.0


@pytest.mark.parametrize("text", ["", "zzz", "，。"])
def test_unknown_words_call_nothing(small_expander: Expander, small_tokeniser: Tokeniser, text: str) -> None:
    assert small_expander.call_topics([small_tokeniser.features(text)]) == [[]]
    assert small_expander.expand([]) == {}


def test_an_empty_thesaurus_calls_nothing(small_tokeniser: Tokeniser) -> None:
    assert Expander(Thesaurus(()), small_tokeniser).call_topics([["磨"], []]) == [[], []]


def test_expansion_adds_the_topic_s_words_with_its_weight(
    small_thesaurus: Thesaurus, small_tokeniser: Tokeniser
) -> None:
    one, two = small_thesaurus.topics[0], small_thesaurus.topics[1]
    expander = Expander(small_thesaurus, small_tokeniser)

    def features(*words: str) -> set[str]:
        return {f for word in words for f in small_tokeniser.features(word)}

    technical = [features(*t.terms, *t.objects, *t.disciplines) for t in (one, two)]
    plain = [features(*t.lay, *t.objects, *t.terms) for t in (one, two)]
    called = [CalledTopic(one, 1.0), CalledTopic(two, 0.25)]
    for found, words in ((expander.expand(called), technical), (expander.expand(called, plain=True), plain)):
        assert found == {f: 1.0 * (f in words[0]) + 0.25 * (f in words[1]) for f in words[0] | words[1]}


def test_the_original_query_stays_as_it_was(small_expander: Expander, small_tokeniser: Tokeniser) -> None:
    features = small_tokeniser.features("轴承磨得快，轴承发烫")
    before = copy.deepcopy(features)
    topics = small_expander.call_topics([features])
    small_expander.expand(topics[0])
    assert features == before
    assert query_weights(features) == dict.fromkeys(before, 1.0)


def test_a_bridge_of_the_textbook(small_expander: Expander, small_tokeniser: Tokeniser) -> None:
    line, facet = "轴承磨得快", "摩擦磨损机理与自润滑涂层"
    topics = small_expander.call_topics([small_tokeniser.features(line)])[0]
    bridges = small_expander.find_bridges(line, facet, topics)
    assert [(b.phrase, b.term, b.topic) for b in bridges] == [("磨得快", "自润滑涂层", "摩擦学")]
    assert small_expander.find_bridges(line, "摩擦磨损机理", topics)[0].term == "摩擦磨损"
    assert small_expander.find_bridges("摩擦磨损", "磨得快", topics) == ()
    assert small_expander.find_bridges("海", "摩擦磨损", topics) == ()
    assert small_expander.find_bridges(line, "轴承座", topics) == ()  # both say 轴承: nothing to bridge


@pytest.mark.parametrize(
    "empty", [{}, {"disciplines": ("摩擦学",)}, {"objects": ("轴承",)}, {"lay": ("磨损",)}]
)
def test_a_topic_may_be_nearly_empty(small_tokeniser: Tokeniser, empty: dict[str, tuple[str, ...]]) -> None:
    """A bureau's own file may hold a name only; no question may stop at it."""
    thesaurus = merge_topics([Topic("磨损", "", **{"lay": (), "terms": (), **empty})])
    expander = Expander(thesaurus, small_tokeniser)
    topics = expander.call_topics([small_tokeniser.features("轴承磨损")])[0]
    assert [called.topic.name for called in topics] == ["磨损"]
    check_bridges(expander, "轴承磨损", "摩擦学", topics)


WORDS = st.lists(st.text("磨得快Ａa１ 摩擦，", max_size=5), max_size=3).map(tuple)
LAY = st.lists(st.just("磨得快"), min_size=1).map(tuple)
TOPICS = st.lists(
    st.builds(Topic, st.sampled_from("甲乙丙"), st.just(""), LAY, WORDS, WORDS, WORDS), max_size=3
)


@given(TOPICS, st.text("磨得快Ａa１ 摩擦，", max_size=12), st.text("磨得快ａA1　摩擦，", max_size=12))
def test_bridges_hold_on_any_text(
    small_tokeniser: Tokeniser, topics: list[Topic], line: str, facet: str
) -> None:
    expander = Expander(Thesaurus(()), small_tokeniser)
    distinct = merge_topics(topics).topics
    check_bridges(
        expander, line, facet, [CalledTopic(t, w) for t, w in zip(distinct, (1.0, 0.3, 0.2), strict=False)]
    )


@pytest.fixture(scope="module")
def called_lines(
    sample: object, shipped_expander: Expander, shipped_tokeniser: Tokeniser
) -> list[tuple[RequirementLine, list[CalledTopic]]]:
    needs = sample.needs  # type: ignore[attr-defined]
    lines = [build_lines(need) for need in needs]
    texts = ["。".join(line.text for line in of_need) for of_need in lines]
    topics = shipped_expander.call_topics([shipped_tokeniser.features(text) for text in texts])
    return [(line, called) for of_need, called in zip(lines, topics, strict=True) for line in of_need]


@pytest.fixture(scope="module")
def sample_texts(sample: object) -> list[str]:
    pool = build_expert_pool(sample.experts, sample.works)  # type: ignore[attr-defined]
    return [normalise(facet.text) for facet in pool.facets]


@given(data=st.data())
@settings(max_examples=150)
def test_bridges_of_the_sample_data(
    shipped_expander: Expander,
    called_lines: list[tuple[RequirementLine, list[CalledTopic]]],
    sample_texts: list[str],
    data: st.DataObject,
) -> None:
    line, topics = data.draw(st.sampled_from(called_lines))
    topic = data.draw(st.sampled_from(topics)).topic
    words = [normalise(word) for word in (*topic.terms, *topic.disciplines)]
    near = [text for text in sample_texts if any(word in text for word in words)]
    check_bridges(shipped_expander, line.text, data.draw(st.sampled_from(near or sample_texts)), topics)


def test_the_sample_data_has_bridges(
    shipped_expander: Expander,
    called_lines: list[tuple[RequirementLine, list[CalledTopic]]],
    sample_texts: list[str],
) -> None:
    """Otherwise the test above says nothing."""
    rng = np.random.default_rng(7)
    found = 0
    for line, topics in called_lines[:: len(called_lines) // 40]:
        for number in rng.integers(0, len(sample_texts), 25):
            found += check_bridges(shipped_expander, line.text, sample_texts[number], topics)
    assert found >= 5
