"""Public test files: their formats, and what is set beside what, on a few synthetic lines."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from matcher.config import EncoderSettings, Settings
from matcher.errors import InputError
from matcher.services.text_benchmark import measure_texts, read_csl, read_sts

PAPERS = [
    ("滚动轴承磨损机理研究", "轴承_磨损_润滑", "针对高速工况下滚动轴承的磨损问题,分析了润滑油膜厚度的影响."),
    ("刺参苗种中间培育技术", "刺参_苗种_池塘", "在池塘网箱中开展刺参苗种中间培育,成活率明显提高."),
    (
        "基于视觉的钢板缺陷检测",
        "机器视觉_缺陷检测",
        "采用机器视觉方法检测钢板表面缺陷,识别准确率达到百分之九十八.",
    ),
    ("苹果果锈发生规律", "苹果_果锈_套袋", "调查了不同套袋处理下苹果果锈的发生规律."),
]
PAIRS = [
    ("一个人在弹吉他", "一个男人在弹吉他", 5),
    ("一只狗在跑", "一只狗在草地上奔跑", 4),
    ("飞机正在起飞", "一架飞机要起飞", 5),
    ("一个女人在切菜", "股市今天下跌", 0),
    ("孩子在踢球", "两个人在下棋", 1),
]


@pytest.fixture
def csl(tmp_path: Path) -> Path:
    folder = tmp_path / "csl"
    folder.mkdir()
    titled = "".join(f"to title\t{abstract}\t{title}\n" for title, _, abstract in PAPERS)
    keyed = "".join(f"to keywords\t{abstract} {title}\t{keys}\n" for title, keys, abstract in PAPERS)
    (folder / "ts.test.tsv").write_text(titled, encoding="utf-8")
    (folder / "kg.test.tsv").write_text(keyed, encoding="utf-8")
    return folder


@pytest.fixture
def sts(tmp_path: Path) -> Path:
    path = tmp_path / "sts.jsonl.gz"
    lines = [json.dumps({"s1": a, "s2": b, "label": str(label)}, ensure_ascii=False) for a, b, label in PAIRS]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


def settings_for(home: Path, encoder: str) -> Settings:
    return Settings(home, f"sqlite:///{home / 'matcher.db'}", encoder=EncoderSettings(encoder))


def test_the_title_is_kept_out_of_what_is_searched(csl: Path) -> None:
    found = read_csl(csl)
    assert found.titles == tuple(title for title, _, _ in PAPERS)
    assert found.keywords[0] == "轴承、磨损、润滑"
    assert found.abstracts == tuple(abstract for _, _, abstract in PAPERS)
    assert len(read_csl(csl, 2).titles) == len(read_csl(csl, 2).keywords) == 2


def test_model_and_words_stand_side_by_side(csl: Path, sts: Path, tmp_path: Path) -> None:
    found = measure_texts(settings_for(tmp_path, "builtin"), csl, sts)
    assert found.sizes == {"title": 4, "keywords": 4, "sts": 5}
    assert list(found.figures["title"]) == ["dense", "lexical", "words"]
    assert list(found.figures["sts"]) == ["dense", "lexical"]
    for task, systems in found.figures.items():
        for system, figure in systems.items():
            assert figure.low <= figure.value <= figure.high, (task, system)
            assert figure.value > 0.6, "these are easy"
    told = found.as_json()
    assert told["sts"]["metric"] == "spearman"  # type: ignore[index]
    assert told["title"]["dense"]["value"] == found.figures["title"]["dense"].value == 1.0  # type: ignore[index]


def test_without_a_model_the_words_are_measured_alone(csl: Path, tmp_path: Path) -> None:
    found = measure_texts(settings_for(tmp_path, "none"), csl, limit=3)
    assert found.encoder == "none"
    assert set(found.figures) == {"title", "keywords"}
    assert list(found.figures["title"]) == ["lexical", "words"]
    assert found.sizes["title"] == 3


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("ts.test.tsv", "to title\t只有摘要\n", "第 1 行"),
        ("ts.test.tsv", "", "同一批"),
        ("kg.test.tsv", "to keywords\t别的摘要\t词\n", "同一批"),
    ],
)
def test_other_files_are_refused(csl: Path, name: str, text: str, word: str) -> None:
    (csl / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=word):
        read_csl(csl)


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ts\.test\.tsv"):
        read_csl(tmp_path / "没有")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl", b'{"s1": "a"}\n'),
        ("a.jsonl", b"not json\n"),
        ("a.jsonl", b"[1, 2, 3]\n"),
        ("a.jsonl", '{"s1": "甲", "s2": "乙", "label": "高"}\n'.encode()),
        ("a.jsonl", '{"s1": "甲", "s2": "乙", "label": 1}\n'.encode()),
        ("a.jsonl.gz", b"not compressed"),
        ("a.jsonl.gz", gzip.compress(b"x" * 99)[:-9]),
        ("a.jsonl", b"\xff\xfe\xfa"),
    ],
)
def test_what_are_no_pairs_is_refused(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"句对"):
        read_sts(path)
