"""The report on the thesaurus: counts by hand on a small one, and what the shipped one must keep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from matcher.config import ROOT, Settings
from matcher.errors import InputError
from matcher.models import Expert, Need
from matcher.services.thesaurus_report import (
    MAX_SHARE,
    SHINGLE,
    ThesaurusReport,
    compare_with_profiles,
    describe_thesaurus,
    find_shared_phrases,
    report_thesaurus,
    shingles,
)
from matcher.text.thesaurus import Thesaurus, Topic, merge_topics

EVAL = ROOT / "data" / "eval"


def topic(name: str, **fields: tuple[str, ...] | str) -> Topic:
    given = {"sector": "电子信息", "lay": (), "terms": (), **fields}
    return Topic(name, **given)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> ThesaurusReport:
    home = tmp_path_factory.mktemp("home")
    settings = Settings(home, f"sqlite:///{home / 'matcher.db'}")
    return report_thesaurus(settings, EVAL / "needs.csv", EVAL / "experts.csv")


def test_coverage_by_hand() -> None:
    thesaurus = merge_topics(
        [
            topic(
                "甲",
                lay=("看不清", "老 漏检"),
                terms=("图像识别",),
                objects=("相机",),
                disciplines=("自动化",),
            ),
            topic("乙", lay=("老漏检",), terms=("图像识别", "目标检测"), disciplines=("自动化", "光学工程")),
            topic("丙", sector="海洋生物", lay=tuple("一二三四五六"), terms=tuple("甲乙丙丁戊己庚辛")),
        ]
    )
    found = describe_thesaurus(thesaurus)
    assert found.counts == {"topics": 3, "plain_phrases": 8, "terms": 10, "objects": 1, "disciplines": 2}
    assert found.sectors["电子信息"] == {"topics": 2, "plain_phrases": 2, "terms": 2, "objects": 1}
    assert list(found.sectors) == sorted(found.sectors)
    assert list(found.disciplines.items()) == [("自动化", 2), ("光学工程", 1)]
    assert found.n_rare_disciplines == 2
    assert found.repeated == {2: 1}, "blanks make no other phrase"
    assert sorted(found.thin) == ["乙", "甲"]
    assert "shared_with_needs" not in found.as_json()


def test_six_characters_in_a_row_are_shared_whatever_stands_between_them(
    make_need: Callable[..., Need],
) -> None:
    assert shingles("轴承，磨得快！") == set()
    assert shingles("轴承，磨得很快") == {"轴承磨得很快"}
    thesaurus = merge_topics([topic("甲", lay=("轴承磨得很快", "轴承磨得快", "别的说法不相干"))])
    need = make_need("N1", "新轴承", "这个轴承磨、得很快")
    assert find_shared_phrases(thesaurus, [need]) == ("轴承磨得很快",)
    assert find_shared_phrases(thesaurus, [make_need("N1", "轴承", "磨得很快")]) == (), "two fields"
    assert find_shared_phrases(thesaurus, [make_need("N1", "轴承", key_tech="轴承磨得很快")]) == (
        "轴承磨得很快",
    )


def test_sharing_with_profiles_by_hand(make_expert: Callable[..., Expert]) -> None:
    experts = [
        make_expert("E1", "无位置传感器控制、图像识别", disciplines=("自动化",)),
        make_expert("E2", "面向永磁同步电机的控制策略，转矩脉动"),
    ]
    entries = {
        "图像识别",
        "转矩脉动",
        "永磁同步电机",
        "无位置传感器控制方法",
        "自动",
        "海参养殖",
        "海洋生物活性物质",
    }
    found = compare_with_profiles(entries, experts)
    counts = {length: (count.n, count.total) for length, count in found.occurring.items()}
    assert counts == {1: (4, 7), 4: (3, 6), 6: (1, 3), 8: (0, 2)}
    assert (found.equal.n, found.equal.total) == (2, 7), (
        "图像识别 and 转矩脉动 are listed; 自动 is only part of a word"
    )
    assert (found.shingled.n, found.shingled.total) == (2, 3), "a longer entry may hold a run of a profile"
    assert found.examples == ("永磁同步电机", "图像识别", "转矩脉动", "自动")
    assert not found.ok
    assert compare_with_profiles(set(), experts).ok


def test_copied_entries_are_noticed(make_expert: Callable[..., Expert]) -> None:
    """Two of a hundred entries taken from profiles are too many; the same words inside longer phrases are not."""
    own = {f"第{number:03}种完全不同的术语" for number in range(98)}
    expert = make_expert("E1", "电磁干扰抑制、热管理")
    assert not compare_with_profiles(own | {"热管理", "电磁干扰抑制"}, [expert]).ok
    assert compare_with_profiles(own | {"管理", "干扰"}, [expert]).ok
    assert not compare_with_profiles(own | {"管理", "干扰"}, [expert], hold_occurrence=True).ok
    assert compare_with_profiles(own | {"外来"}, [expert], hold_occurrence=True).ok


def test_no_plain_phrase_shares_six_characters_with_a_judged_need(shipped: ThesaurusReport) -> None:
    assert shipped.needs == ()


def test_the_measure_of_needs_can_fail(shipped_thesaurus: Thesaurus, make_need: Callable[..., Need]) -> None:
    phrase = max((p for t in shipped_thesaurus.topics for p in t.lay), key=len)
    assert len(phrase) >= SHINGLE
    assert phrase in find_shared_phrases(shipped_thesaurus, [make_need("N1", f"我们这里{phrase}")])


@pytest.mark.parametrize("kind", ["terms", "objects"])
def test_entries_shared_with_judged_profiles_are_under_one_in_a_hundred(
    shipped: ThesaurusReport, kind: str
) -> None:
    """Terms may hardly occur in a profile at all; objects are common nouns, see the module."""
    assert shipped.experts is not None
    found = shipped.experts[kind]
    assert found.equal.share < MAX_SHARE
    assert found.shingled.share < MAX_SHARE
    assert found.ok
    if kind == "terms":
        assert found.occurring[1].share < MAX_SHARE
    assert found.occurring[1].n >= found.occurring[4].n >= found.occurring[6].n >= found.occurring[8].n
    assert found.shingled.n >= found.occurring[SHINGLE].n
    assert found.occurring[1].n > 0, "the profiles were really read"


def test_the_shipped_thesaurus_covers_every_sector(shipped: ThesaurusReport) -> None:
    assert sum(counts["topics"] for counts in shipped.sectors.values()) == shipped.counts["topics"] >= 2_000
    assert shipped.thin == ()
    assert max(shipped.repeated, default=0) <= 3
    assert len(shipped.as_json()["commonest_disciplines"]) == 30  # type: ignore[arg-type]


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="没有的需求"):
        report_thesaurus(Settings(tmp_path, "sqlite://"), tmp_path / "没有的需求.csv")
