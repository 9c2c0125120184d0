"""Records as tables with Chinese column names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

import pandas as pd
import streamlit as st

from matcher.columns import BADGED_FIELDS, CellType, Field, RecordKind, fields_of, join_list
from matcher.models import Record
from matcher.ui import texts

EMPTY = "—"
"""What stands in a cell without a value."""
_WIDE, _MEDIUM = 30, 18  # characters of a spreadsheet column


def _cell(record: Record, field: Field, badged: tuple[str, ...]) -> str | float | int | date | None:
    value: Any = getattr(record, field.name)
    if field.type is CellType.LIST:
        return join_list(value, commas=field.commas)
    if field.type is CellType.BOOL:
        return "是" if value else "否"
    if field.name in badged and value and getattr(record, "is_sample", False):
        return f"{value}{texts.SAMPLE_BADGE}"
    return value  # type: ignore[no-any-return]


def _width(field: Field) -> Literal["small", "medium", "large"]:
    if field.width >= _WIDE:
        return "large"
    return "medium" if field.width >= _MEDIUM else "small"


def frame(kind: str, records: Sequence[Record]) -> pd.DataFrame:
    """One row a record, without personal contacts."""
    fields = [field for field in fields_of(kind) if not field.contact]
    badged = BADGED_FIELDS[RecordKind(kind)]
    rows = [[_cell(record, field, badged) for field in fields] for record in records]
    return pd.DataFrame(rows, columns=[field.label for field in fields])


def records_table(kind: str, records: Sequence[Record], key: str) -> None:
    """A sortable table; long texts are shortened in the cell and whole on a click."""
    config: dict[str, Any] = {}
    for field in fields_of(kind):
        if field.type is CellType.DATE:
            config[field.label] = st.column_config.DateColumn(field.label, format="YYYY-MM-DD")
        elif field.type in (CellType.AMOUNT_WAN, CellType.NUMBER):
            config[field.label] = st.column_config.NumberColumn(field.label, format="%.6g")
        elif field.label == "年份":
            config[field.label] = st.column_config.NumberColumn(field.label, format="%d")
        else:
            config[field.label] = st.column_config.Column(field.label, width=_width(field))
    st.dataframe(
        frame(kind, records),
        key=key,
        hide_index=True,
        placeholder=EMPTY,
        column_config=config,
        alt=f"{texts.KIND_LABELS[kind]}表，{len(records)} 行",
    )
