"""Export → import gives the same records, for every kind, in CSV and in XLSX."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from matcher.columns import CellType, Field, RecordKind, clean_text, fields_of
from matcher.export.layouts import records_sheet
from matcher.export.writers import write_document
from matcher.intake.readers import read_table
from matcher.intake.validation import parse_rows
from matcher.intake.values import BLANK_WORDS
from matcher.models import Cooperation, Expert, Firm, Institution, Need, Record, Work

TYPES: Mapping[RecordKind, type[Record]] = {
    RecordKind.NEEDS: Need,
    RecordKind.EXPERTS: Expert,
    RecordKind.WORKS: Work,
    RecordKind.FIRMS: Firm,
    RecordKind.INSTITUTIONS: Institution,
    RecordKind.COOPERATION: Cooperation,
}
SPECIAL = "=+-@＝＋－＠'\"，,；;、/|。\n\t ()（）1·é中文示例"
ALPHABET = st.one_of(
    st.sampled_from(SPECIAL), st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Co", "Cn"])
)


def is_text(text: str) -> bool:
    # Words for "nothing" are read as empty; error codes and footers are no data of a cell.
    return text not in BLANK_WORDS and not text.startswith(("合", "总", "小", "共", "#"))


TEXT = st.text(ALPHABET, max_size=30).map(clean_text).filter(is_text)
ITEM = (
    st.text(ALPHABET.filter(lambda ch: ch not in "；;|｜\n"), min_size=1, max_size=12)
    .map(clean_text)
    .filter(lambda item: is_text(item) and not item[:1].isdigit() and item[:1] not in "(（")
)
DAY = st.dates(date(1950, 1, 1), date(2100, 12, 31))


def strategy_of(kind: RecordKind, field: Field) -> st.SearchStrategy[Any]:
    is_id = field is fields_of(kind)[0]
    if field.name == "data_kind":
        return st.sampled_from(field.vocabulary)
    if field.type is CellType.TEXT:
        named = field.required or is_id or field.name == "source"
        return TEXT.filter(bool) if named else st.just("") | TEXT
    if field.type is CellType.LIST:
        return st.lists(ITEM, unique=True, max_size=3, min_size=field.name == "disciplines").map(tuple)
    return {
        CellType.AMOUNT_WAN: st.none() | st.integers(0, 10**9).map(lambda n: n / 10**4),
        CellType.NUMBER: st.none() | st.integers(0, field.bounds[1] * 10).map(lambda n: n / 10),
        CellType.INT: st.none() | st.integers(*field.bounds),
        CellType.DATE: st.none() | DAY,
        CellType.CHOICE: st.sampled_from(("", *field.vocabulary)),
        CellType.BOOL: st.booleans(),
    }[field.type]


def record_of(kind: RecordKind) -> st.SearchStrategy[Record]:
    return st.builds(TYPES[kind], **{f.name: strategy_of(kind, f) for f in fields_of(kind)})


def id_of(record: Record, kind: RecordKind) -> str:
    return str(getattr(record, fields_of(kind)[0].name))


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@pytest.mark.parametrize("kind", list(RecordKind))
@settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(data=st.data())
def test_round_trip(kind: RecordKind, suffix: str, data: st.DataObject) -> None:
    records = data.draw(st.lists(record_of(kind), max_size=4, unique_by=lambda r: id_of(r, kind)))
    content = write_document(records_sheet(kind, records, include_contacts=True), suffix)
    parsed = parse_rows(kind, read_table(content, f"导出{suffix}", kind))
    assert not [issue for issue in parsed.issues if "确认单位" not in issue.message]
    assert list(parsed.records) == records
    assert parsed.unmapped == ()


@pytest.mark.parametrize("kind", list(RecordKind))
def test_columns_are_the_fields_of_the_record(kind: RecordKind) -> None:
    owner = {"needs": {"firm_id"}, "experts": {"institution_id"}}.get(kind.value, set())
    assert {f.name for f in fields_of(kind)} | owner == set(TYPES[kind].__dataclass_fields__)
