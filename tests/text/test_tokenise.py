"""The segmenter: its own dictionary, exact features, and terms a person would recognise."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.text.normalise import normalise
from matcher.text.tokenise import STOP_TERMS, Tokeniser

LEXICON = ["激光仿生耦合", "摩擦磨损", "表面缺陷检测", "nvh"]
PIECES = ["激光仿生耦合", "摩擦磨损", "表面缺陷检测", "轴承", "轴承发烫", "技术研究", "PLC", "ＮＶＨ", "3.5", "100", "12万", "，",
          " ", "\n", "🐟", "\x00", "海参", "—", "3D打印", "a-b"]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)


@pytest.fixture(scope="module")
def tokeniser() -> Tokeniser:
    return Tokeniser(LEXICON)


@pytest.fixture(scope="module")
def plain() -> Tokeniser:
    return Tokeniser()


@pytest.fixture(scope="module")
def shuffled() -> Tokeniser:
    words = [*LEXICON, LEXICON[0]]
    random.Random(3).shuffle(words)
    return Tokeniser(iter(words))


@given(TEXTS)
def test_the_order_of_the_lexicon_never_matters(tokeniser: Tokeniser, shuffled: Tokeniser, text: str) -> None:
    assert shuffled.fingerprint == tokeniser.fingerprint
    assert shuffled.features(text) == tokeniser.features(text)
    assert shuffled.terms(text) == tokeniser.terms(text)


def test_tokenisers_do_not_share_words(tokeniser: Tokeniser, plain: Tokeniser) -> None:
    import jieba

    assert "激光仿生耦合" in tokeniser.words("激光仿生耦合表面")
    assert "激光仿生耦合" not in plain.words("激光仿生耦合表面")
    assert "激光仿生耦合" not in list(jieba.cut("激光仿生耦合表面"))
    other = Tokeniser(["油滑气刀"])
    assert "油滑气刀" in other.words("油滑气刀")
    assert "油滑气刀" not in tokeniser.words("油滑气刀")
    assert len({tokeniser.fingerprint, plain.fingerprint, other.fingerprint}) == 3


def test_a_lexicon_word_is_found_in_any_width_and_case() -> None:
    upper = Tokeniser(["ＮＶＨ噪声"])
    assert "nvh噪声" in upper.words("车内nvh噪声大")
    assert upper.words("车内NVH噪声大") == upper.words("车内ｎｖｈ噪声大")


def test_words_hold_the_words_inside_a_long_word(tokeniser: Tokeniser) -> None:
    assert tokeniser.words("摩擦磨损") == ["摩擦", "磨损", "摩擦磨损"]


def test_features_are_words_characters_pairs_and_latin_runs(tokeniser: Tokeniser) -> None:
    assert Counter(tokeniser.features("摩擦磨损PLC，3.5")) == Counter(
        [
            "w:摩擦",
            "w:磨损",
            "w:摩擦磨损",
            "w:plc",
            "w:3.5",
            *"摩擦磨损",
            "摩擦",
            "擦磨",
            "磨损",
            "l:plc",
            "l:3.5",
        ]
    )


@pytest.mark.parametrize("text", ["", " \n", "，。！", "🐟", "\x00\u200b", "……", "%%", "--", "++.."])
def test_nothing_readable_has_no_features(tokeniser: Tokeniser, text: str) -> None:
    assert tokeniser.features(text) == []
    assert tokeniser.terms(text) == []


def test_a_full_stop_is_no_part_of_a_latin_word(tokeniser: Tokeniser) -> None:
    """Forms typed with an English full stop: “采用PLC.” must find “PLC控制”."""
    assert tokeniser.features("采用PLC.") == tokeniser.features("采用PLC")


@given(TEXTS)
def test_characters_and_pairs_are_counted_exactly(tokeniser: Tokeniser, text: str) -> None:
    found = Counter(f for f in tokeniser.features(text) if f[:2] not in ("w:", "l:"))
    chinese = "".join(c if "\u3400" <= c <= "\u9fff" else " " for c in normalise(text))
    pairs = [chinese[i : i + 2] for i in range(len(chinese) - 1) if " " not in chinese[i : i + 2]]
    assert found == Counter([*chinese.replace(" ", ""), *pairs])


@given(TEXTS)
def test_terms_are_distinct_telling_and_stand_in_the_text(tokeniser: Tokeniser, text: str) -> None:
    terms = tokeniser.terms(text)
    assert len(set(terms)) == len(terms)
    assert not set(terms) & STOP_TERMS
    assert all(len(term) >= 2 and term in normalise(text) for term in terms)


@pytest.mark.parametrize("text", ["100", "3.5", "2024", "12.5%", "１００％"])
def test_bare_numbers_are_no_terms(tokeniser: Tokeniser, text: str) -> None:
    """“5 %” on both sides is no common ground between a firm and a team."""
    assert tokeniser.terms(f"磨损{text}") == ["磨损"]


@given(TEXTS, TEXTS)
def test_shared_terms(tokeniser: Tokeniser, left: str, right: str) -> None:
    shared = tokeniser.shared_terms(left, right)
    assert set(shared) == set(tokeniser.shared_terms(right, left))
    assert shared == [term for term in tokeniser.terms(left) if term in shared]
    assert not any(a != b and a in b for a in shared for b in shared)
    both = set(tokeniser.terms(left)) & set(tokeniser.terms(right))
    assert set(shared) <= both
    assert all(any(term in longer for longer in shared) for term in both)


def test_shared_terms_keep_the_longest(tokeniser: Tokeniser) -> None:
    assert tokeniser.shared_terms("摩擦磨损严重", "抗摩擦磨损涂层") == ["摩擦磨损"]
    assert tokeniser.shared_terms("摩擦磨损严重", "摩擦学与磨损") == ["摩擦", "磨损"]
    assert tokeniser.shared_terms("轴承发烫", "海参") == []
