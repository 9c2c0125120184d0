"""The list behind one number of the year, with its export and the way to each record."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from matcher.export.document import Sheet
from matcher.services.year_groups import NEEDS, Number
from matcher.ui import navigation, resources
from matcher.ui.components import layout
from matcher.ui.components.html import md
from matcher.ui.components.tables import EMPTY
from matcher.ui.components.year_board import PAGE, SHOW

_LINKS = 20


def behind(title: str, number: Number) -> None:
    """The list with a title; the way back stands above it."""
    app = resources.application()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "返回年度目标",
            key=f"{PAGE}_back",
            icon=":material/arrow_back:",
            on_click=navigation.set_param,
            args=(SHOW, ""),
        )
        layout.export_menu(
            f"{PAGE}_list",
            title,
            lambda suffix: app.year.file(title, number.kind, number.ids, suffix),
            label="导出名单",
        )
    st.subheader(md(title), anchor=False)
    sheet = app.year.rows(number.kind, number.ids)
    st.caption(f"共 {len(sheet.rows)} 条。同一合同编号只计一项；导入的台账和平台里的对接一起数。")
    if not sheet.rows:
        st.info("这里没有可列出的记录。")
        return
    _table(sheet)
    _links(number)


def _table(sheet: Sheet) -> None:
    config: dict[str, Any] = {}
    for column in sheet.columns:
        if column.kind == "date":
            config[column.label] = st.column_config.DateColumn(column.label, format="YYYY-MM-DD")
        elif column.kind == "number":
            config[column.label] = st.column_config.NumberColumn(column.label, format="%.6g")
    frame = pd.DataFrame(list(sheet.rows), columns=[column.label for column in sheet.columns])
    st.dataframe(
        frame,
        key=f"{PAGE}_table",
        hide_index=True,
        placeholder=EMPTY,
        column_config=config,
        alt=f"{sheet.title}表，{len(sheet.rows)} 行",
    )


def _links(number: Number) -> None:
    """The way to the records that have a page of their own."""
    page, param = ("needs", "need") if number.kind == NEEDS else ("follow", "id")
    found = resources.application().year.labels(number.kind, number.ids)
    if found:
        with st.expander("打开其中一条", key=f"{PAGE}_links"):
            for key, label in found[:_LINKS]:
                navigation.link(page, label, {param: key})
            if len(found) > _LINKS:
                st.caption(f"先列出 {_LINKS} 条，其余 {len(found) - _LINKS} 条在表里查找。")
