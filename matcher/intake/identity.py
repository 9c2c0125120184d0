"""Ids of records that come without one, and the ID-card numbers that are never collected.

Owns the derivation of an id from a record's own words, so that the same sheet imported twice, or
typed with other spacing, gives the same id. Deliberately looks up no stored record.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from datetime import date

from matcher.columns import RecordKind
from matcher.vocab import CooperationKind

_PREFIX_AND_PARTS: Mapping[RecordKind, tuple[str, tuple[str, ...]]] = {
    RecordKind.NEEDS: ("N", ("company", "title")),
    RecordKind.EXPERTS: ("E", ("institution", "name")),
    RecordKind.WORKS: ("W", ("expert_id", "title")),
    RecordKind.FIRMS: ("F", ("name",)),
    RecordKind.INSTITUTIONS: ("I", ("name",)),
    RecordKind.COOPERATION: ("C", ("firm", "institution", "title")),
}
PROHIBITIONS = (CooperationKind.CONFLICT, CooperationKind.DO_NOT_CONTACT)
_ID_CARD = re.compile(r"(?<![0-9A-Za-z])(\d{6})[ -]?(\d{8})[ -]?(\d{3}[\dXx])(?![0-9A-Za-z])")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def derive_id(kind: str, values: Mapping[str, object]) -> str:
    """A stable id such as ``N-3f2a91c07b``, from the columns that name the record.

    Width, case, spaces and punctuation make no difference.

    Args:
        kind: the record kind.
        values: the record's values by canonical column; missing ones count as empty.
    """
    # The unit separator keeps 甲＋乙丙 apart from 甲乙＋丙.
    text = "\x1f".join(identity_key(kind, values))
    prefix = _PREFIX_AND_PARTS[RecordKind(kind)][0]
    return f"{prefix}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def identity_key(kind: str, values: Mapping[str, object]) -> tuple[str, ...]:
    """The words that name a record, in comparable form: equal keys mean the same firm and title, and so on.

    A prohibition is also named by its kind and expert, so that it never takes the place of a
    cooperation of the same firm and institution.
    """
    names = _PREFIX_AND_PARTS[RecordKind(kind)][1]
    if kind == RecordKind.COOPERATION and values.get("kind") in PROHIBITIONS:
        names = (*names, "kind", "expert_id")
    return tuple(bare(str(values.get(name, ""))) for name in names)


def holds_id_card(text: str, today: date | None = None) -> bool:
    """Whether an 18-digit ID-card number stands in it: check digit, and a birth date from 1900 to ``today``."""
    last = today or date.today()
    return len(text) >= 18 and any(
        _is_id_card("".join(match.groups()), last)
        for match in _ID_CARD.finditer(unicodedata.normalize("NFKC", text))
    )


def _is_id_card(number: str, today: date) -> bool:
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    if not date(1900, 1, 1) <= born <= today:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return number[0] != "0" and number[17].upper() == "10X98765432"[total % 11]


def bare(text: str) -> str:
    """Text without width, case, spaces and punctuation."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(ch for ch in folded if unicodedata.category(ch)[0] not in "PZC")
