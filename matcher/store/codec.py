"""Records and matches as rows and JSON, and back.

Owns the content hash, the six ``RecordSpec``s and the JSON form of a ``Match``. Pure: no queries.
Every ``decode`` gives back a value equal to the one encoded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Generic, TypeVar

from sqlalchemy import Boolean, Date, Double, Table, Text

from matcher.columns import RecordKind, fields_of
from matcher.models import (
    Bridge,
    Cooperation,
    Evidence,
    Expert,
    Facet,
    Firm,
    Institution,
    Match,
    Need,
    PracticalSignal,
    Record,
    RequirementLine,
    Work,
)
from matcher.store import tables
from matcher.store.schema import TextList
from matcher.vocab import Channel, FacetKind, LineKind

R = TypeVar("R", bound=Record)
_SHOWN = 40
"""Characters of a value that a conflict message shows; a longer one starts near the difference."""


@dataclass(frozen=True, slots=True)
class RecordSpec(Generic[R]):
    """How one kind of record lies in its table; the first field of the class is its id."""

    kind: RecordKind
    table: Table
    cls: type[R]

    @property
    def names(self) -> tuple[str, ...]:
        """Field names in the order of the class."""
        return tuple(item.name for item in fields(self.cls))

    @property
    def id_name(self) -> str:
        return self.names[0]

    def id_of(self, record: R) -> str:
        """The record's id.

        Raises:
            ValueError: the id is blank.
        """
        value = str(getattr(record, self.id_name))
        if not value.strip():
            raise ValueError(f"a record of {self.kind} has a blank {self.id_name}")
        return value

    def encode(self, record: R) -> dict[str, object]:
        """Column values of a record, as the database keeps them.

        An enum member becomes its text and a whole number in a decimal column a float, so that the
        content hash is that of what will be read back.
        """
        return {name: self._plain(name, getattr(record, name)) for name in self.names}

    def decode(self, row: Sequence[Any]) -> R:
        """The record of a row whose columns are in the order of ``names``."""
        return self.cls(*row)

    def to_json(self, record: R) -> dict[str, object]:
        """The fields that are not empty, as JSON values."""
        filled = {k: v for k, v in self.encode(record).items() if v not in (None, "", ())}
        return {key: value.isoformat() if isinstance(value, date) else value for key, value in filled.items()}

    def from_json(self, content: Mapping[str, Any]) -> R:
        """The inverse of ``to_json``; a field of a later version, or one no longer known, is passed over."""
        empty = {Text: "", TextList: (), Boolean: False}
        values: dict[str, Any] = {}
        for name in self.names:
            kind = type(self.table.c[name].type)
            value = content.get(name, empty.get(kind))
            if isinstance(value, str) and kind is Date:
                value = date.fromisoformat(value)
            values[name] = tuple(value) if isinstance(value, list) else value
        return self.cls(**values)

    def content_hash(self, record: R) -> str:
        """SHA-256 (64 hex digits) of the fields that are not empty.

        Leaving out empty fields keeps the hash when a later version adds a field.

        Raises:
            ValueError: a number is NaN or infinite.
        """
        text = json.dumps(self.to_json(record), ensure_ascii=False, sort_keys=True, allow_nan=False)
        return hashlib.sha256(f"{self.kind}\n{text}".encode()).hexdigest()

    def differences(self, old: R, new: R) -> tuple[str, ...]:
        """Chinese lines “「标题」甲 → 乙”, one for each field that differs."""
        before, after = self.encode(old), self.encode(new)
        return tuple(
            f"「{item.label}」{' → '.join(_excerpts(before[item.name], after[item.name]))}"
            for item in fields_of(self.kind)
            if before[item.name] != after[item.name]
        )

    def _plain(self, name: str, value: object) -> object:
        if isinstance(value, str):
            return str(value)
        if isinstance(value, tuple | list):
            return tuple(str(item) for item in value)
        if isinstance(value, int) and isinstance(self.table.c[name].type, Double):
            return float(value)
        return value


NEEDS = RecordSpec(RecordKind.NEEDS, tables.needs, Need)
EXPERTS = RecordSpec(RecordKind.EXPERTS, tables.experts, Expert)
WORKS = RecordSpec(RecordKind.WORKS, tables.works, Work)
FIRMS = RecordSpec(RecordKind.FIRMS, tables.firms, Firm)
INSTITUTIONS = RecordSpec(RecordKind.INSTITUTIONS, tables.institutions, Institution)
COOPERATION = RecordSpec(RecordKind.COOPERATION, tables.cooperation, Cooperation)


def _excerpts(old: object, new: object) -> tuple[str, str]:
    texts = (_shown(old), _shown(new))
    if max(map(len, texts)) <= _SHOWN:
        return texts
    shared = next((i for i, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), min(map(len, texts)))
    start = max(0, shared - _SHOWN // 4)
    return _cut(texts[0], start), _cut(texts[1], start)


def _cut(text: str, start: int) -> str:
    middle = text[start : start + _SHOWN]
    return ("…" if start else "") + middle + ("…" if start + _SHOWN < len(text) else "")


def _shown(value: object) -> str:
    if value in (None, "", ()):
        return "（空）"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, tuple):
        return "；".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


# ---------------------------------------------------------------- matches as JSON


def encode_channels(values: Mapping[Channel, float]) -> dict[str, float]:
    """Numbers by channel with plain text keys, in the order given."""
    return {channel.value: value for channel, value in values.items()}


def decode_channels(values: Mapping[str, float]) -> dict[Channel, float]:
    """The inverse of ``encode_channels``."""
    return {Channel(name): value for name, value in values.items()}


def encode_match(match: Match) -> dict[str, object]:
    """A match as JSON values, with its evidence, gaps and practical signals."""
    return {
        **{name: getattr(match, name) for name in ("need_id", "expert_id", "rank", "score")},
        "signals": encode_channels(match.signals),
        "contributions": encode_channels(match.contributions),
        "evidence": [
            {
                **_flat(item),
                "line": _flat(item.line),
                "facet": _flat(item.facet),
                "bridges": [_flat(bridge) for bridge in item.bridges],
            }
            for item in match.evidence
        ],
        "gaps": [_flat(line) for line in match.gaps],
        "practical": [_flat(signal) for signal in match.practical],
    }


def decode_match(data: Mapping[str, Any]) -> Match:
    """The inverse of ``encode_match``."""
    return Match(
        **{name: data[name] for name in ("need_id", "expert_id", "rank", "score")},
        signals=decode_channels(data["signals"]),
        contributions=decode_channels(data["contributions"]),
        evidence=tuple(
            Evidence(
                line=_line(item["line"]),
                facet=Facet(**item["facet"] | {"kind": FacetKind(item["facet"]["kind"])}),
                strength=item["strength"],
                shared_terms=tuple(item["shared_terms"]),
                bridges=tuple(Bridge(**bridge) for bridge in item["bridges"]),
            )
            for item in data["evidence"]
        ),
        gaps=tuple(_line(line) for line in data["gaps"]),
        practical=tuple(PracticalSignal(**signal) for signal in data["practical"]),
    )


def _flat(value: Evidence | Facet | RequirementLine | Bridge | PracticalSignal) -> dict[str, Any]:
    return {item.name: getattr(value, item.name) for item in fields(value)}


def _line(data: Mapping[str, Any]) -> RequirementLine:
    return RequirementLine(**{**data, "kind": LineKind(data["kind"])})
