"""The tabular form of the records: canonical columns in order, and how one cell is written as text.

Owns what reading and writing must share so that an exported file can be imported again: names,
Chinese labels, cell types, and the inverse pairs ``join_list``/``split_list`` and
``guard_formula``/``unguard_formula``. Deliberately knows no header aliases, parses no amounts or
dates (``intake``) and knows no file format (``export``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from matcher.vocab import (
    CallType,
    Confidentiality,
    CooperationKind,
    DataKind,
    NeedStatus,
    Ring,
    Sector,
    SolutionMode,
    Stage,
)

SAMPLE_BADGE = "【示例】"
LIST_SEPARATOR = "；"


class RecordKind(StrEnum):
    """The six tables; the value is the name of the CSV file."""

    NEEDS = "needs"
    EXPERTS = "experts"
    WORKS = "works"
    FIRMS = "firms"
    INSTITUTIONS = "institutions"
    COOPERATION = "cooperation"

    @property
    def label(self) -> str:
        """Chinese name of the table."""
        return _KIND_LABELS[self.value]


_KIND_LABELS = {
    "needs": "技术需求",
    "experts": "专家（团队）",
    "works": "成果",
    "firms": "企业",
    "institutions": "高校院所",
    "cooperation": "合作台账",
}


class CellType(StrEnum):
    """What a cell holds. ``AMOUNT_WAN`` is 万元; ``CHOICE`` one word of the vocabulary."""

    TEXT = "text"
    LIST = "list"
    AMOUNT_WAN = "amount_wan"
    NUMBER = "number"
    INT = "int"
    DATE = "date"
    CHOICE = "choice"
    BOOL = "bool"


@dataclass(frozen=True, slots=True)
class Field:
    """One canonical column.

    ``width`` is in characters of a spreadsheet column. ``merges`` says that several source
    columns may be joined into it, ``commas`` that a comma separates its list items. ``contact``
    marks personal contact data, which an export leaves out unless asked. ``bounds`` are the lowest
    and highest number that make sense, in the field's own unit.
    """

    name: str
    label: str
    type: CellType = CellType.TEXT
    required: bool = False
    vocabulary: tuple[str, ...] = ()
    width: int = 14
    merges: bool = False
    commas: bool = False
    contact: bool = False
    bounds: tuple[int, int] = (0, 10_000_000)
    strict: bool = False
    """An unknown word stops the row: emptying it would publish a secret or lose a prohibition."""


def _text(name: str, label: str, width: int = 14, *, required: bool = False) -> Field:
    return Field(name, label, width=width, required=required)


def _long(name: str, label: str, *, required: bool = False) -> Field:
    return Field(name, label, width=40, required=required, merges=True)


def _list(name: str, label: str, width: int = 30, *, commas: bool = False) -> Field:
    return Field(name, label, CellType.LIST, width=width, merges=True, commas=commas)


def _choice(name: str, label: str, vocabulary: type[StrEnum], *, strict: bool = False) -> Field:
    words = tuple(member.value for member in vocabulary)
    return Field(name, label, CellType.CHOICE, vocabulary=words, width=12, strict=strict)


_DATA_KIND = _choice("data_kind", "数据性质", DataKind)
_SOURCE = _text("source", "来源", 20)

COLUMNS: Mapping[RecordKind, tuple[Field, ...]] = {
    RecordKind.NEEDS: (
        _text("need_id", "需求编号"),
        _text("company", "企业名称", 24, required=True),
        _text("town", "镇街"),
        _choice("sector", "领域", Sector),
        _text("title", "技术需求名称", 30, required=True),
        _long("problem", "主要问题", required=True),
        _long("key_tech", "技术关键（含主要指标）"),
        _long("goal", "预期目标"),
        _list("keywords", "关键字", 24, commas=True),
        _choice("solution_mode", "技术需求解决方式", SolutionMode),
        _choice("call_type", "需求类型", CallType),
        _text("intended_partner", "合作意向单位", 20),
        Field("budget_wan", "拟投入资金（万元）", CellType.AMOUNT_WAN),
        Field("start_on", "需求时限起", CellType.DATE),
        Field("end_on", "需求时限止", CellType.DATE),
        _choice("confidentiality", "公开范围", Confidentiality, strict=True),
        Field("contact", "联系人", merges=True, contact=True),
        Field("phone", "联系电话", merges=True, contact=True, width=16),
        _choice("status", "需求状态", NeedStatus),
        Field("posted_on", "发布日期", CellType.DATE),
        _DATA_KIND,
        _SOURCE,
    ),
    RecordKind.EXPERTS: (
        _text("expert_id", "专家编号"),
        _text("name", "专家（团队）名称", 24, required=True),
        _text("institution", "所属单位", 24, required=True),
        Field("department", "所在部门", width=20, merges=True),
        _choice("ring", "圈层", Ring),
        Field("position", "职称职务", merges=True),
        _list("disciplines", "学科", commas=True),
        _list("research_directions", "研究方向", 40),
        _list("achievements", "研究成果", 40),
        _list("keywords", "关键词", 24, commas=True),
        _long("industry_experience", "产业经历"),
        Field("capacity", "承接上限", CellType.INT, width=10, bounds=(0, 1000)),
        Field("contact", "联系方式", merges=True, contact=True, width=20),
        _text("homepage", "个人主页", 24),
        _DATA_KIND,
        _SOURCE,
        Field("updated_on", "更新日期", CellType.DATE),
    ),
    RecordKind.WORKS: (
        _text("work_id", "成果编号"),
        _text("expert_id", "专家编号", required=True),
        _text("kind", "成果类型"),
        _text("title", "成果名称", 40, required=True),
        Field("year", "年份", CellType.INT, width=8, bounds=(1900, 2100)),
        _long("abstract", "摘要"),
        _SOURCE,
    ),
    RecordKind.FIRMS: (
        _text("firm_id", "企业编号"),
        _text("name", "企业名称", 28, required=True),
        _list("aliases", "别名", commas=True),
        _text("credit_code", "统一社会信用代码", 22),
        _text("town", "镇街"),
        _choice("sector", "领域", Sector),
        _text("size", "企业规模"),
        Field("chain_leader", "是否链主企业", CellType.BOOL),
        _DATA_KIND,
        _SOURCE,
    ),
    RecordKind.INSTITUTIONS: (
        _text("institution_id", "单位编号"),
        _text("name", "单位名称", 28, required=True),
        _list("aliases", "别名", commas=True),
        _text("city", "所在城市"),
        _choice("ring", "圈层", Ring),
        Field("travel_days", "往返天数", CellType.NUMBER, bounds=(0, 365)),
        _SOURCE,
    ),
    RecordKind.COOPERATION: (
        _text("cooperation_id", "台账编号"),
        _text("firm", "企业名称", 24, required=True),
        _text("institution", "合作单位", 24, required=True),
        _text("expert_id", "专家编号"),
        _text("title", "项目名称", 30),
        _choice("stage", "合作阶段", Stage),
        Field("signed_on", "签约日期", CellType.DATE),
        _text("contract_no", "合同编号", 18),
        Field("amount_wan", "合同金额（万元）", CellType.AMOUNT_WAN),
        _choice("kind", "关系类型", CooperationKind, strict=True),
        _DATA_KIND,
        _SOURCE,
    ),
}

BADGED_FIELDS: Mapping[RecordKind, tuple[str, ...]] = {
    RecordKind.NEEDS: ("company", "title"),
    RecordKind.EXPERTS: ("name",),
    RecordKind.WORKS: (),
    RecordKind.FIRMS: ("name",),
    RecordKind.INSTITUTIONS: (),
    RecordKind.COOPERATION: ("firm", "title"),
}
"""Names that carry ``SAMPLE_BADGE`` in an export when the record is 示例."""


def fields_of(kind: str) -> tuple[Field, ...]:
    """Canonical columns of a table, in order.

    Raises:
        ValueError: for an unknown kind; the message lists the known ones.
    """
    if kind not in tuple(RecordKind):
        raise ValueError(f"unknown record kind {kind!r}; known: {', '.join(RecordKind)}")
    return COLUMNS[RecordKind(kind)]


# ---------------------------------------------------------------- the text of one cell

# Zero-width marks, byte-order marks, code points XML forbids, and direction overrides.
_INVISIBLE = re.compile("[\u200b\u2060\ufeff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")
_STRONG = re.compile(r"[\n;；|｜]")
_ENUMERATOR = re.compile(r"[(（]?(\d{1,2})(?:[、）)]|[.．](?!\d))\s*")
_CJK_SLASH = re.compile(r"(?<=[\u4e00-\u9fff])\s*[/／]\s*(?=[\u4e00-\u9fff])")
_FORMULA_STARTS = "=+-@＝＋－＠"
_LEADING = " \t\r\n\u00a0\u3000'"


def clean_text(text: str) -> str:
    """Text in NFC without control or invisible characters, lines ended by ``\\n``, trimmed."""
    if text.isascii() and text.isprintable():
        return text.strip()
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    kept = (ch for ch in text if ch == "\n" or unicodedata.category(ch) not in ("Cc", "Cs"))
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", "".join(kept))).strip()


def join_list(items: Sequence[str], *, commas: bool = False) -> str:
    """List items in one cell, separated by ``；``; ``split_list`` gives them back.

    A closing ``；`` is added where the text alone would be split at a weaker separator.
    """
    text = LIST_SEPARATOR.join(items)
    return text if split_list(text, commas=commas) == tuple(items) else text + LIST_SEPARATOR


def split_list(text: str, *, commas: bool = False) -> tuple[str, ...]:
    """Items of a list cell, trimmed, without blanks and repetitions.

    The strongest separator present decides, so that a phrase keeps its own punctuation: first
    line breaks, ``；``, ``;`` and ``|``; else numbering (``1、…2、…``); else ``、`` and a ``/``
    between Chinese characters, and with ``commas`` also ``，`` and ``,``. Prose with a full stop
    inside is one item.
    """
    text = text.strip()
    if _STRONG.search(text):
        parts = [part.strip() for part in _STRONG.split(text) if part.strip()]
        marks = [mark for part in parts if (mark := _ENUMERATOR.match(part))]
        if len(marks) == len(parts) and _runs_from_one(marks):
            parts = [part[mark.end() :] for part, mark in zip(parts, marks, strict=True)]
    elif _runs_from_one(marks := list(_ENUMERATOR.finditer(text))) and marks[0].start() == 0:
        ends = [mark.start() for mark in marks[1:]] + [len(text)]
        parts = [text[mark.end() : end] for mark, end in zip(marks, ends, strict=True)]
    elif "。" in text[:-1]:
        parts = [text]
    else:
        parts = re.split("[、，,]" if commas else "、", _CJK_SLASH.sub("、", text))
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _runs_from_one(marks: Sequence[re.Match[str]]) -> bool:
    return len(marks) > 1 and [int(m.group(1)) for m in marks] == list(range(1, len(marks) + 1))


def _could_run(text: str) -> bool:
    core = text.lstrip(_LEADING)
    lead = text[: len(text) - len(core)]
    return core[:1] in tuple(_FORMULA_STARTS) or any(ch in lead for ch in "\t\r\n")


def guard_formula(text: str) -> str:
    """``text`` with a leading ``'`` when a spreadsheet would run it as a formula."""
    return "'" + text if text and _could_run(text) else text


def unguard_formula(text: str) -> str:
    """The inverse of ``guard_formula``."""
    return text[1:] if text.startswith("'") and _could_run(text[1:]) else text
