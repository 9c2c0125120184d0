"""The loader: what it accepts, what it names when it refuses, and that order never matters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.errors import InputError
from matcher.text.thesaurus import Topic, load_thesaurus, merge_topics

WORDS = st.lists(st.sampled_from(["磨得快", "发烫", "摩擦学", "润滑", "轴承"]), max_size=3).map(tuple)
TOPICS = st.lists(
    st.builds(
        Topic,
        st.sampled_from("甲乙丙"),
        st.sampled_from(["", "电子信息", "海洋生物"]),
        WORDS,
        WORDS,
        WORDS,
        WORDS,
    ),
    max_size=5,
)


def write(path: Path, *rows: object) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_fields_are_read_without_blanks(tmp_path: Path) -> None:
    row = {
        "topic": " 摩擦学 ",
        "sector": "汽车机电",
        "lay": [" 磨得快", "", " "],
        "terms": ["摩擦磨损"],
        "note": "x",
    }
    file = write(tmp_path / "a.jsonl", "", row, "   ")
    assert load_thesaurus([file]).topics == (Topic("摩擦学", "汽车机电", ("磨得快",), ("摩擦磨损",), (), ()),)


def test_a_byte_order_mark_is_no_letter(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + '{"topic": "摩擦学", "lay": ["磨得快"]}\r\n'.encode())
    assert [topic.name for topic in load_thesaurus([file]).topics] == ["摩擦学"]


@pytest.mark.parametrize(
    "bad",
    ["{", "[]", "3", "null", '"文字"', '{"lay": []}', '{"topic": "乙", "lay": null}', '{"topic": "乙", "lay": 3}',
     '{"topic": ""}', '{"topic": null}', '{"topic": "乙", "lay": "磨得快"}'],
)  # fmt: skip
def test_a_bad_line_is_named_with_file_and_number(tmp_path: Path, bad: str) -> None:
    file = write(tmp_path / "本局词库.jsonl", {"topic": "甲"}, "", bad, {"topic": "丙"})
    with pytest.raises(InputError) as caught:
        load_thesaurus([tmp_path / "本局词库.jsonl"])
    assert "本局词库.jsonl 第 3 行" in caught.value.user_message
    assert "改正" in caught.value.hint
    assert file.exists()


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "gbk.jsonl").write_bytes('{"topic": "摩擦学"}'.encode("gbk"))
    with pytest.raises(InputError, match=r"gbk\.jsonl"):
        load_thesaurus([tmp_path])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"没有\.jsonl"):
        load_thesaurus([tmp_path / "没有.jsonl"])


def test_only_a_line_feed_ends_a_line(tmp_path: Path) -> None:
    """U+2028 comes with text pasted from Word and is legal inside a JSON string."""
    file = write(tmp_path / "a.jsonl", {"topic": "甲", "lay": ["磨\u2028得快"]})
    assert len(load_thesaurus([file]).topics) == 1


def test_topics_of_one_name_are_joined(tmp_path: Path) -> None:
    write(tmp_path / "1.jsonl", {"topic": "摩擦学", "lay": ["磨得快"], "terms": ["磨损"]})
    own = write(
        tmp_path / "2.jsonl",
        {"topic": "摩擦学", "sector": "汽车机电", "lay": ["磨得快", "响"], "objects": ["轴"]},
    )
    (joined,) = load_thesaurus([tmp_path]).topics
    assert (joined.name, joined.sector) == ("摩擦学", "汽车机电")
    assert [sorted(words) for words in (joined.lay, joined.terms, joined.objects)] == [
        ["响", "磨得快"],
        ["磨损"],
        ["轴"],
    ]
    assert own.exists()


def test_folders_and_files_give_the_same(tmp_path: Path) -> None:
    first, second = write(tmp_path / "1.jsonl", {"topic": "乙"}), write(tmp_path / "2.jsonl", {"topic": "甲"})
    (tmp_path / "README.md").write_text("no topic", encoding="utf-8")
    folder = load_thesaurus([tmp_path])
    assert folder == load_thesaurus([second, first])
    assert [topic.name for topic in folder.topics] == sorted(["甲", "乙"])


@given(TOPICS, st.randoms(use_true_random=False))
def test_order_never_changes_the_fingerprint(topics: list[Topic], random: object) -> None:
    shuffled = list(topics)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert merge_topics(shuffled).fingerprint == merge_topics(topics).fingerprint


@given(TOPICS)
def test_merging_keeps_every_word_once(topics: list[Topic]) -> None:
    merged = merge_topics(topics)
    assert [t.name for t in merged.topics] == sorted({t.name for t in topics})
    for topic in merged.topics:
        same = [t for t in topics if t.name == topic.name]
        for field in ("lay", "terms", "objects", "disciplines"):
            assert set(getattr(topic, field)) == {word for t in same for word in getattr(t, field)}


@pytest.mark.parametrize("field", ["name", "sector", "lay", "terms", "objects", "disciplines"])
def test_any_change_changes_the_fingerprint(field: str) -> None:
    base = {
        "name": "甲",
        "sector": "其他",
        "lay": ("a",),
        "terms": ("b",),
        "objects": ("c",),
        "disciplines": ("d",),
    }
    changed = {**base, field: "乙" if field in ("name", "sector") else (*base[field], "e")}
    assert merge_topics([Topic(**base)]).fingerprint != merge_topics([Topic(**changed)]).fingerprint  # type: ignore[arg-type]


def test_moving_a_word_to_another_field_changes_the_fingerprint() -> None:
    one, other = Topic("甲", "", ("a", "b"), ("c",)), Topic("甲", "", ("a",), ("b", "c"))
    assert merge_topics([one]).fingerprint != merge_topics([other]).fingerprint


def test_lexicon_holds_technical_words_of_two_to_eight_characters() -> None:
    topic = Topic("甲", "", ("磨得快",), ("磨损", "氮", "一" * 8, "一" * 9), ("轴承",), ("机械工程",))
    assert merge_topics([topic]).lexicon == tuple(sorted(("磨损", "一" * 8, "轴承", "机械工程")))
