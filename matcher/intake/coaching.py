"""需求凝练: what a stated need already says, and what an expert would still have to ask.

Owns eight readable rules over the words of a need. Each rule looks at one clause at a time, so that writing more never
takes a tick away. No model, and nothing is written into the need: a rule quotes or advises. What a rewrite changes in
matching is measured elsewhere (``services.coaching``).

How often the rules are right was read by hand; the labelled sentences and the figures stand in the tests.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from matcher.intake.coaching_patterns import (
    BUDGET,
    CONDITION,
    DEADLINE,
    GENERIC,
    INDICATOR,
    INDICATOR_STATED,
    INDICATOR_WISHED,
    SYMPTOM,
    THING,
    TRIED,
    WISH,
)
from matcher.models import Need

QUOTE = 40
"""Longest clause quoted whole, in characters; of a longer one the words around the finding are quoted."""
AROUND = 12
LONGEST = 150
"""Longest clause looked at in one piece, so that a text without punctuation costs no more than another."""


@dataclass(frozen=True, slots=True)
class Check:
    """One point of the checklist.

    Attributes:
        name: key of the point, for widgets and links.
        label: the point in Chinese.
        met: the need says it.
        found: the words that say it, as they stand in the need; empty when not met.
        advice: one sentence with an example of how to say it. The example is nobody's data.
    """

    name: str
    label: str
    met: bool
    found: str
    advice: str


_TITLED = ("title", "problem")
_STATED = ("key_tech", "goal")
_TEXTS = (*_TITLED, *_STATED)

Finder = Callable[[str], tuple[int, int] | None]
"""A folded clause → the place of the finding in it."""


def _fold(text: str) -> str:
    """Width and case folded character by character: every place in the result is the same place in ``text``."""
    folded = []
    for character in text:
        plain = unicodedata.normalize("NFKC", character).lower()
        folded.append(plain if len(plain) == 1 else character)
    return "".join(folded)


def _clauses(text: str) -> Iterator[tuple[int, str]]:
    """Start and folded text of each clause."""
    for match in re.finditer(rf"[^,。;!?\n\r]{{1,{LONGEST}}}", _fold(text)):
        yield match.start(), match.group()


def _search(pattern: re.Pattern[str]) -> Finder:
    return lambda clause: match.span() if (match := pattern.search(clause)) else None


def _find_symptom(clause: str) -> tuple[int, int] | None:
    """A wish (想要不漏的…) says what should be, not what is."""
    return None if WISH.match(clause) else _search(SYMPTOM)(clause)


def _find_figure(*patterns: re.Pattern[str]) -> Finder:
    """A figure that is not merely the time allowed (两年内拿出工艺)."""

    def find(clause: str) -> tuple[int, int] | None:
        rest = _without(DEADLINE, clause)
        return next((found for pattern in patterns if (found := _search(pattern)(rest))), None)

    return find


def _without(pattern: re.Pattern[str], clause: str) -> str:
    """The clause with what the pattern matches blanked, every other character at its place."""
    return pattern.sub(lambda match: " " * len(match.group()), clause)


def _find_thing(clause: str) -> tuple[int, int] | None:
    """What is left of a clause without the complaint itself, and without the words that fit every need."""
    return _search(THING)(_without(GENERIC, _without(SYMPTOM, clause)))


def says_something(text: str) -> bool:
    """Whether a text holds anything of this need: 越快越好 and 希望提高产品质量 would fit every need."""
    return any(
        re.search(r"\d", clause) or THING.search(_without(GENERIC, clause)) for _, clause in _clauses(text)
    )


def _quote(need: Need, names: Sequence[str], find: Finder) -> str:
    """The first words found, as they stand in the need; empty when there are none."""
    for name in names:
        text: str = getattr(need, name)
        for start, clause in _clauses(text):
            if place := find(clause):
                whole = len(clause) <= QUOTE
                first = 0 if whole else max(0, place[0] - AROUND)
                last = len(clause) if whole else min(len(clause), place[1] + AROUND)
                return text[start + first : start + last].strip()
    return ""


def _indicator(need: Need) -> str:
    return (
        _quote(need, _STATED, _find_figure(INDICATOR))
        or _quote(need, _STATED, _find_figure(INDICATOR_STATED))
        or _quote(need, _TITLED, _find_figure(INDICATOR, INDICATOR_WISHED))
    )


def _budget(need: Need) -> str:
    amount = need.budget_wan
    if amount is not None and math.isfinite(amount) and amount > 0:
        return f"{amount:g} 万元"
    return _quote(need, _TEXTS, _search(BUDGET))


def _deadline(need: Need) -> str:
    if need.end_on is not None:
        return need.end_on.isoformat()
    return _quote(need, _TEXTS, _search(DEADLINE))


_RULES: tuple[tuple[str, str, Callable[[Need], str], str], ...] = (
    (
        "object",
        "对象",
        lambda need: _quote(need, _TITLED, _find_thing),
        "请写明是什么产品、部件或工序，例如“水泵泵体的铸造毛坯”。",
    ),
    (
        "symptom",
        "现象",
        lambda need: _quote(need, _TITLED, _find_symptom),
        "请写明出了什么毛病、有多严重，例如“打压时漏水，一百件里有九件”。",
    ),
    (
        "condition",
        "工况",
        lambda need: _quote(need, _TEXTS, _search(CONDITION)),
        "请写明在什么条件下发生，例如转速、温度、介质、批次或季节：“每分钟三千转、油温 80℃ 时”。",
    ),
    (
        "indicator",
        "指标与单位",
        _indicator,
        "请写明要达到的数字和单位，例如“废品率不高于 3%”“寿命不少于 5000 小时”。",
    ),
    (
        "tried",
        "已试过什么",
        lambda need: _quote(need, _TEXTS, _search(TRIED)),
        "请写明试过哪些办法、结果怎样，例如“换过两种密封圈，只管了一个月”；还没试过也请写一句。",
    ),
    ("budget", "预算", _budget, "请填拟投入资金，例如“50 万元”；只有大概数也可以。"),
    ("deadline", "期限", _deadline, "请填需求时限的截止日期，例如“2027-06-30”。"),
    (
        "scope",
        "公开范围",
        lambda need: need.confidentiality.strip(),
        "请选择公开范围：公开、仅平台或保密。",
    ),
)


def check_need(need: Need) -> tuple[Check, ...]:
    """The checklist of a need: 对象, 现象, 工况, 指标与单位, 已试过什么, 预算, 期限, 公开范围, always in this order.

    ``found`` is quoted from title, problem, key technique or goal; of 预算, 期限 and 公开范围 it is the field's own
    value, where that is filled in.
    """
    checks = []
    for name, label, rule, advice in _RULES:
        found = rule(need)
        checks.append(Check(name, label, bool(found), found, advice))
    return tuple(checks)


def missing_summary(checks: Sequence[Check]) -> str:
    """One sentence: which points are still missing."""
    missing = [check.label for check in checks if not check.met]
    if not missing:
        return f"{len(checks)} 项都已写明。"
    return f"{len(checks)} 项中还缺 {len(missing)} 项：{'、'.join(missing)}。"
