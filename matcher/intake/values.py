"""Understanding one cell: amounts, dates, numbers, choices, yes/no.

Owns how people write these. Deliberately knows no rows and no columns beyond the field it is given;
what could not be understood comes back as a short Chinese complaint, never as an exception.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from matcher.columns import CellType, Field, clean_text
from matcher.intake.numerals import with_digits
from matcher.intake.tables import CellValue
from matcher.models import Issue

BLANK_WORDS = frozenset({"", "/", "\\", "-", "--", "—", "——", "无", "暂无", "空", "N/A", "n/a"})
EXCEL_EPOCH = date(1899, 12, 30)
YEARS = range(1900, 2101)
_SERIALS = range(20_000, 73_416)  # 1954-10-03 … 2100-12-31
_UNITS_WAN: Mapping[str, float] = {"亿": 10_000, "百万": 100, "万": 1, "千": 0.1, "": 0.0001}
_SUSPICIOUS_WAN = 100_000
_HIGHEST_WAN = 10_000_000
_MOST_DIGITS = 15  # int() refuses thousands of digits with an error of its own
_NUMBER = r"[+-]?\d[\d,]*(?:\.\d+)?|[+-]?\.\d+"
_AMOUNT = re.compile(rf"({_NUMBER})\s*(亿|百万|万|千)?(元|人民币|rmb|块)?")
_RANGE = re.compile(r"^\s*(?:-|~|～|—|–|至|到)+\s*$")
_APPROXIMATE = re.compile(
    r"大约|约为|约|大概|预计|左右|以上|以内|以下|上下|不低于|不少于|不超过|不高于|至少|最多|最高|近|"
    r"人民币|rmb|[¥￥:：()（）。]|计划|总投资|总投入|投入|预算|整"
)
_NEGOTIABLE = ("面议", "待定", "待议", "协商", "商定", "视情况", "另议", "详谈")
_DATE = re.compile(
    r"^(\d{4})\s*[-/.年]\s*(\d{1,2})(?:\s*[-/.月]\s*(\d{1,2})\s*[日号]?|\s*月)?"
    r"(?:[\sT]+\d{1,2}:\d{2}.*)?$"
)
_INTEGER = re.compile(r"^([+-]?\d[\d,]*)(?:\.0+)?\s*[年个项名人天位]?(?:/年|度)?$")
_DECIMAL = re.compile(rf"^({_NUMBER})\s*[天日个]?$")
_TICKED = re.compile(r"[☑√✔■●]\s*([^☑√✔■●□☐○\s]+)")
_YES = frozenset({"是", "有", "y", "yes", "true", "1", "√", "✔", "对", "链主", "链主企业"})
_NO = frozenset({"否", "不是", "n", "no", "false", "0", "×", "x", "非链主", "没有"})

SYNONYMS: Mapping[str, Mapping[str, str]] = {
    "sector": {
        "汽车机电": "汽车 汽车零部件 汽车及零部件 机电 汽车与机电 机电装备 汽车制造",
        "新能源新材料": "新能源 新材料 新能源与新材料 新能源和新材料 新能源及新材料",
        "医药及健康食品": "医药 健康食品 医药健康 医药与健康食品 医药健康食品 生物医药 食品",
        "电子信息": "电子 信息技术 新一代信息技术 电子信息技术 信息",
        "海洋生物": "海洋 海洋经济 海洋产业 海洋生物产业",
        "现代农业": "农业 现代高效农业",
        "其他": "其它",
    },
    "ring": {
        "区内": "区属 本地 区内高校 本区 文登 文登区 区里",
        "周边区域": "周边 周边地区 威海 威海市 市内 周边高校",
        "全国": "国内 省外 外地 全国高校",
    },
    "solution_mode": {
        "合作开发": "联合开发 合作研发 联合研发 联合攻关 合作攻关",
        "委托开发": "委托研发 委托 技术开发(委托)",
        "技术转让": "转让 成果转让 技术许可",
        "技术入股": "入股 作价入股",
        "技术咨询": "咨询 技术服务",
        "其他": "其它",
    },
    "call_type": {
        "一般": "一般需求 普通 普通需求 常规",
        "揭榜挂帅": "揭榜 揭榜挂帅项目 张榜",
        "卡脖子": "卡脖子技术 “卡脖子” 卡脖子难题",
    },
    "confidentiality": {
        "公开": "完全公开 是 可公开 不保密",
        "仅平台": "仅平台可见 平台内公开 平台内 平台可见 部分公开 定向公开",
        "保密": "不公开 否 涉密 不对外公开 内部",
    },
    "status": {"已发布": "发布", "已解决": "解决", "撤回": "已撤回", "退回补充": "退回"},
    "stage": {
        "已推荐": "推荐",
        "对接中": "对接 正在对接",
        "洽谈": "洽谈中 正在洽谈",
        "签约": "已签约 签订合同 已签订",
        "落地": "已落地 已实施 实施中",
        "终止": "已终止 中止",
    },
    "kind": {
        "合作": "合作关系 已合作 产学研合作",
        "回避": "冲突 利益冲突 回避关系",
        "勿联系": "不联系 不要联系 请勿联系 勿打扰",
    },
    "data_kind": {"公开": "公开资料", "示例": "示范 演示 虚构", "本地": "自有 本单位"},
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a cell says; ``complaint`` is a Chinese clause, empty when all is well."""

    value: object
    complaint: str = ""


def text_of(value: CellValue) -> str:
    """A cell as cleaned text: whole numbers without ``.0``, dates in ISO form."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value == _midnight(value) else str(value)
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
    return clean_text(value) if isinstance(value, str) else str(value)


def is_blank(value: CellValue) -> bool:
    """Whether the cell is empty or holds a word for "nothing" such as 无 or /."""
    return value is None or (isinstance(value, str) and clean_text(value) in BLANK_WORDS)


def parse_amount(value: CellValue, *, unit: str = "万") -> Reading:
    """An amount in 万元, rounded to 0.01 元; of a range the lower end.

    Args:
        value: the cell.
        unit: the unit of a bare number: 亿, 万, 千 or "" for 元 (a header may say 元).
    """
    text = unicodedata.normalize("NFKC", text_of(value)).lower()
    # A space between two digits separates two numbers.
    text = re.sub(r"(?<!\d)\s+|\s+(?!\d)", "", text)
    if any(word in text for word in _NEGOTIABLE):
        return Reading(None, "没有写明金额，按空白处理")
    text = with_digits(_APPROXIMATE.sub("", text))
    found = list(_AMOUNT.finditer(text))
    rest = _AMOUNT.sub("", text)
    is_range = len(found) == 2 and (
        bool(_RANGE.match(rest)) or (not rest and found[1].group(1).startswith("-"))
    )
    if not is_range and not (len(found) == 1 and rest in ("", "起")):
        return Reading(None, "看不出金额；请填数字（万元），或留空")
    amounts = _in_wan(found, unit)
    lowest = amounts[0]
    if lowest < 0:
        return Reading(None, "金额不能是负数；请改正，或留空")
    if not amounts[-1] <= _HIGHEST_WAN:
        return Reading(None, f"超过 {_HIGHEST_WAN:,} 万元，不是合理的金额；请确认单位，或留空")
    if is_range:
        return Reading(lowest, f"是一个范围，已取较低的 {lowest:g} 万元")
    doubtful = f"合 {lowest:,.0f} 万元，请确认单位不是“元”" if lowest >= _SUSPICIOUS_WAN else ""
    return Reading(lowest, doubtful)


def _in_wan(found: list[re.Match[str]], unit: str) -> list[float]:
    """Amounts in 万元; in “50-80万” the unit of the last number also holds for the first."""
    amounts: list[float] = []
    for index, match in enumerate(found):
        number = float(match.group(1).replace(",", "").lstrip("-" if index else ""))
        own = match if match.group(2) or match.group(3) else found[-1]
        stated = own.group(2) or ("" if own.group(3) else unit)
        amounts.append(round(number * _UNITS_WAN[stated], 6))
    return sorted(amounts) if len(amounts) > 1 else amounts


def parse_date(value: CellValue, *, month_end: bool = False) -> Reading:
    """A calendar date of 1900–2100, from text, a date cell or an Excel serial.

    A month without a day is its first day, or its last with ``month_end``.
    """
    complaint = "不是日期；请写成 2026-03-01 这样，或留空"
    if isinstance(value, datetime | date):
        day = value.date() if isinstance(value, datetime) else value
        return Reading(day) if day.year in YEARS else Reading(None, complaint)
    text = unicodedata.normalize("NFKC", text_of(value))
    if re.fullmatch(r"\d{5}(?:\.\d+)?", text) and int(float(text)) in _SERIALS:
        return Reading(EXCEL_EPOCH + timedelta(days=int(float(text))))
    if re.fullmatch(r"\d{8}", text):
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    match = _DATE.match(text)
    if match is None:
        return Reading(None, complaint)
    year, month = int(match.group(1)), int(match.group(2))
    if year not in YEARS or month not in range(1, 13):
        return Reading(None, complaint)
    last = calendar.monthrange(year, month)[1]
    day_of_month = int(match.group(3)) if match.group(3) else (last if month_end else 1)
    if day_of_month not in range(1, last + 1):
        return Reading(None, "这一天不存在；请改正日期，或留空")
    return Reading(date(year, month, day_of_month))


def parse_integer(value: CellValue, bounds: tuple[int, int]) -> Reading:
    """A whole number within ``bounds``; 1.0 and “2 项” are accepted."""
    match = _INTEGER.match(unicodedata.normalize("NFKC", text_of(value)))
    if match is None:
        return Reading(None, "不是整数；请填 0、1、2 这样的数字")
    digits = match.group(1).replace(",", "")
    return _within(int(digits) if len(digits) <= _MOST_DIGITS else None, bounds)


def parse_decimal(value: CellValue, bounds: tuple[int, int]) -> Reading:
    """A number within ``bounds``; “半天” is 0.5."""
    text = unicodedata.normalize("NFKC", text_of(value)).replace("半天", "0.5")
    match = _DECIMAL.match(text)
    if match is None:
        return Reading(None, "不是数字；请填数字，或留空")
    return _within(float(match.group(1).replace(",", "")), bounds)


def _within(number: float | None, bounds: tuple[int, int]) -> Reading:
    low, high = bounds
    if number is not None and low <= number <= high:
        return Reading(number)
    return Reading(None, f"应在 {low}–{high} 之间；请改正，或留空")


def parse_choice(value: CellValue, field: Field) -> Reading:
    """One word of ``field.vocabulary``: exact, by a clear synonym, or the only one ticked (☑)."""
    text = text_of(value)
    ticked = _TICKED.findall(text)
    if ticked:
        text = ticked[0] if len(ticked) == 1 else text
    wanted = _comparable(text)
    for word in field.vocabulary:
        synonyms = SYNONYMS.get(field.name, {}).get(word, "").split()
        if wanted in {_comparable(known) for known in (word, *synonyms)}:
            return Reading(word)
    done = "请改填" if field.strict else "按空白处理；可填"
    return Reading("", f"不在可选范围内，{done}：{'、'.join(field.vocabulary)}")


def parse_bool(value: CellValue) -> Reading:
    """是 / 否 and their usual signs; None when neither."""
    text = text_of(value).lower()
    if text in _YES or text in _NO:
        return Reading(text in _YES)
    return Reading(None, "看不出是或否；请填“是”或“否”")


def parse_cell(value: CellValue, field: Field, *, unit: str = "万") -> Reading:
    """A non-blank cell of a field that holds neither text nor a list."""
    match field.type:
        case CellType.AMOUNT_WAN:
            return parse_amount(value, unit=unit)
        case CellType.DATE:
            return parse_date(value, month_end=field.name == "end_on")
        case CellType.INT:
            return parse_integer(value, field.bounds)
        case CellType.NUMBER:
            return parse_decimal(value, field.bounds)
        case CellType.BOOL:
            return parse_bool(value)
        case CellType.CHOICE:
            return parse_choice(value, field)
        case _:
            raise ValueError(f"{field.name} holds {field.type}, which needs no parsing")


def complain(
    row: int, field: Field, value: CellValue, complaint: str, *, header: str = "", blocking: bool = False
) -> Issue:
    """An Issue: “第 5 行「预算」填的是“若干”，看不出金额；…”, by the person's own ``header`` if known."""
    column = header or field.label
    shown = text_of(value)
    shown = shown if len(shown) <= 40 else shown[:40] + "…"
    message = f"第 {row} 行「{column}」填的是“{shown}”，{complaint}。"
    return Issue(row, column, shown, message, blocking=blocking)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _comparable(text: str) -> str:
    return re.sub(r"[\s“”\"'《》]", "", unicodedata.normalize("NFKC", text)).casefold()
