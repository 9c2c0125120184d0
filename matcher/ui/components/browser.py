"""Browse one table: kind, search, table, export."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from matcher.models import Cooperation, Record
from matcher.services.records import KINDS
from matcher.ui import navigation, resources, texts
from matcher.ui.components import layout, tables
from matcher.ui.components.html import md

_STAGE = "stage"


def kind_choice(page: str, label: str) -> str:
    """Choose a table; kept in the address as ``kind``."""
    wanted = navigation.param("kind")
    kind = wanted if wanted in KINDS else KINDS[0]
    key = f"{page}_kind"
    st.session_state[key] = kind
    st.pills(
        label,
        list(KINDS),
        key=key,
        format_func=lambda name: texts.KIND_LABELS[name],
        required=True,
        on_change=lambda: navigation.set_param("kind", str(st.session_state[key])),
    )
    return kind


def _records(kind: str, text: str) -> Sequence[Record]:
    records = resources.application().records
    if kind == "needs":
        return records.needs(text=text)
    if kind == "experts":
        return records.experts(text=text)
    everything: dict[str, Sequence[Record]] = {
        "works": records.works(),
        "firms": records.firms(),
        "institutions": records.institutions(),
        "cooperation": records.cooperation(),
    }
    found = everything[kind]
    words = text.split()
    if not words:
        return found
    rows = tables.frame(kind, found).itertuples(index=False)
    lines = [" ".join(str(cell) for cell in row if pd.notna(cell)) for row in rows]
    return [r for r, line in zip(found, lines, strict=True) if all(w in line for w in words)]


def browse(page: str) -> None:
    """The whole tab."""
    kind = kind_choice(page, "看哪张表")
    text = st.text_input(
        "查找", key=f"{page}_text_{kind}", type="search", placeholder="表中的词，可用空格隔开几个"
    )
    found = _records(kind, (text or "").strip())
    stage = navigation.param(_STAGE) if kind == "cooperation" else ""
    if stage:
        found = [row for row in found if isinstance(row, Cooperation) and row.stage == stage]
        layout.removable_note(md(f"只看“{stage}”的 {len(found)} 项"), _STAGE, f"{page}_all")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"共 {len(found)} 行。点列名可排序。{texts.SAMPLE_NOTE}", width="stretch")
        exports = resources.application().exports
        layout.export_menu(
            page,
            texts.KIND_LABELS[kind],
            lambda suffix: exports.records(kind, suffix),
            label="导出整张表",
        )
        layout.link_menu(page)
    if found:
        tables.records_table(kind, found, f"{page}_table_{kind}")
    elif text or stage:
        st.info(texts.NOTHING_LISTED)
    else:
        layout.invite(texts.NO_RECORDS, kind)
