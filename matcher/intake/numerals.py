"""Chinese numerals in amounts: 二十万, 一百二十万, 一万五千, 壹拾万.

Owns turning a whole numeral into digits. Deliberately leaves alone what has two readings (五六十万,
几十万), which the caller then complains about.
"""

from __future__ import annotations

import re

_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")}
_DIGITS |= {"〇": 0, "两": 2}
_PLACES = {"十": 10, "百": 100, "千": 1000}
_FORMAL = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟萬億", "一二三四五六七八九十百千万亿")
_NUMERAL = re.compile(r"(?<![\d.])[〇零一二两三四五六七八九十][〇零一二两三四五六七八九十百千万亿]*")
_WAN = 10_000
_YI = 100_000_000


def with_digits(text: str) -> str:
    """``text`` with each Chinese numeral in digits; one holding 万 or 亿 is given in 万."""
    return _NUMERAL.sub(lambda match: _in_digits(match.group()), text.translate(_FORMAL))


def _in_digits(numeral: str) -> str:
    value = _value_of(numeral)
    if value is None:
        return numeral
    if "万" not in numeral and "亿" not in numeral:
        return str(value)
    return f"{value / _WAN:f}".rstrip("0").rstrip(".") + "万"


def _value_of(numeral: str) -> int | None:
    """The number, or None when the characters do not make one."""
    total = 0
    rest, last_unit = numeral, 10
    for sign, unit in (("亿", _YI), ("万", _WAN)):
        head, found, tail = rest.rpartition(sign)
        if found:
            part = _below_wan(head, 10)
            if part is None:
                return None
            total += part * unit
            rest, last_unit = tail, unit
    # In 一万五 the last digit counts thousands, as in 一百二 it counts tens.
    part = _below_wan(rest, last_unit) if rest else 0
    return None if part is None else total + part


def _below_wan(text: str, unit_before: int) -> int | None:
    total, digit, place, zero = 0, None, unit_before, False
    for character in text:
        if character in _PLACES:
            if digit is None and (total or character != "十"):
                return None
            if total and _PLACES[character] >= place:
                return None
            place = _PLACES[character]
            total += (1 if digit is None else digit) * place
            digit = None
        elif digit is not None or character not in _DIGITS:
            return None
        elif _DIGITS[character] == 0:
            zero = True
        else:
            digit = _DIGITS[character]
    if digit is None:
        return total if text else None
    shortened = place >= 100 and not zero
    return total + digit * (place // 10 if shortened else 1)
