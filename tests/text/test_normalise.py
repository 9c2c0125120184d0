"""One form for every text, and pieces that lose nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.text.normalise import has_content, normalise, split_phrases, split_sentences

# What people really paste: full width, controls, blanks of all kinds, zero-width characters, emoji, marks.
AWKWARD = st.text(
    st.sampled_from(
        "磨损轴承海参aBC19ＡＢ９％℃①㎜ \t\n\r\u3000\xa0\u2003\x00\x07\x7f\u200b\ufeff🐟，,。.；;、|！？!?—（）()"
    ),
    max_size=30,
)


def letters(text: str) -> str:
    return "".join(re.findall(r"[\u3400-\u9fffa-z0-9]", normalise(text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ＡＢＣ　１２３％", "abc 123%"),
        ("  多   个\t\t空\xa0格　 ", "多 个 空 格"),
        ("磨\x00损\x07加\x7f剧", "磨损加剧"),
        ("第一行\r\n第二行", "第一行\n第二行"),
        ("5㎜ ① ℃", "5mm 1 °c"),
        ("（威海）", "(威海)"),
        ("🐟", "🐟"),
        ("", ""),
        (" \u3000\u200b \n", ""),
    ],
)
def test_normalise(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.mark.parametrize(
    "mark", ["\u200b", "\u200c", "\u200d", "\ufeff", "\u2060", "\xad", "\u2066", "\u202e"]
)
def test_invisible_characters_do_not_split_a_word(mark: str) -> None:
    assert normalise(f"磨{mark}损") == "磨损"


@given(AWKWARD)
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert once == once.strip()
    assert "  " not in once
    assert once == once.lower()


@pytest.mark.parametrize("text", ["", " ", "，。！", "———", "🐟🎉", "\u200b\ufeff", "\x00", "（）"])
def test_nothing_readable_is_no_content(text: str) -> None:
    assert not has_content(text)
    assert split_sentences(text) == []
    assert split_phrases(text) == []


@pytest.mark.parametrize("text", ["磨", "7", "x", "Ｚ", "①", "。磨。", "🐟a"])
def test_one_letter_is_content(text: str) -> None:
    assert has_content(text)
    assert split_sentences(text) == [text.strip("。")]


def test_sentences() -> None:
    text = "轴承烧了。换了油！还是不行？\n\n——\n转速 3.5 万转；温度80℃; 怎么办"
    assert split_sentences(text) == ["轴承烧了", "换了油", "还是不行", "转速 3.5 万转", "温度80℃", "怎么办"]


@given(AWKWARD)
def test_sentences_quote_the_text_in_order_and_lose_no_letter(text: str) -> None:
    pieces = split_sentences(text)
    start = 0
    for piece in pieces:
        start = text.index(piece, start) + len(piece)
        assert has_content(piece)
        assert piece == piece.strip()
        assert not re.search("[。！？!?；;\n\r]", piece)
    assert "".join(map(letters, pieces)) == letters(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("摩擦磨损、润滑；密封|腐蚀\n断裂", ["摩擦磨损", "润滑", "密封", "腐蚀", "断裂"]),
        ("固溶强化，时效。", ["固溶强化，时效"]),
        ("含碳、氮、氧", ["含碳、氮、氧"]),
        ("碳；氮化", ["碳", "氮化"]),
        ("；；、", []),
    ],
)
def test_phrases(text: str, expected: list[str]) -> None:
    assert split_phrases(text) == expected


def test_phrases_lose_the_blanks_around_them() -> None:
    """Word forms are full of full-width blanks; a facet is shown and deduplicated as it stands."""
    assert split_phrases("　磨损　；\t断裂\xa0、 疲劳 ") == ["磨损", "断裂", "疲劳"]


@given(AWKWARD)
def test_phrases_lose_no_letter_and_only_the_first_may_be_single(text: str) -> None:
    pieces = split_phrases(text)
    assert "".join(map(letters, pieces)) == letters(text)
    assert all(len(piece) >= 2 for piece in pieces[1:])
    assert all(has_content(piece) for piece in pieces)
