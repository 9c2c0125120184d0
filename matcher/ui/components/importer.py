"""Import a file: choose, look at what would happen, confirm."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from matcher.services.importing import ImportPreview
from matcher.ui import guard, resources, texts
from matcher.ui.components import browser, tables
from matcher.ui.components.html import md
from matcher.ui.resources import ACTOR

_TYPES = ["xlsx", "csv"]
_DONE = "data_import_done"
_ISSUE_WIDTHS = {"行": 50, "性质": 80, "列": 150, "填的内容": 130, "怎么办": 700}  # pixels


def _confirm(preview: ImportPreview) -> None:
    with guard.calm_action("import"):
        done = resources.application().imports.confirm(preview, ACTOR)
        st.session_state[_DONE] = (
            f"已导入“{preview.filename}”：新增 {done.n_new} 条，更新 {done.n_changed} 条，"
            f"未变 {done.n_same} 条。现在就可以在各页查到。"
        )
        st.session_state["data_import_round"] = st.session_state.get("data_import_round", 0) + 1


def _counts(preview: ImportPreview) -> None:
    sentence = (
        f"“{preview.filename}”共 {preview.n_rows} 行（表头在第 {preview.header_row} 行）："
        f"新增 {preview.n_new} 条，更新 {preview.n_changed} 条，未变 {preview.n_same} 条"
    )
    if preview.n_blocked:
        st.error(
            md(
                f"{sentence}；有 {preview.n_blocked} 行不能导入。请按下表改好后重新上传，目前没有写入任何数据。"
            ),
            icon=":material/error:",
        )
    else:
        st.success(md(f"{sentence}。确认之前不会写入。"), icon=":material/check_circle:")
    for note in preview.notes:
        st.caption(md(note))


def _issues(preview: ImportPreview) -> None:
    if not preview.issues:
        return
    st.markdown(f"**要看一下的地方（{len(preview.issues)}）**")
    rows = [
        (
            issue.row,
            "不能导入" if issue.blocking else "提醒",
            issue.column,
            issue.value,
            issue.message,
        )
        for issue in sorted(preview.issues, key=lambda issue: (not issue.blocking, issue.row))
    ]
    st.dataframe(
        pd.DataFrame(rows, columns=list(_ISSUE_WIDTHS)),
        key="data_issues",
        hide_index=True,
        column_config={
            name: st.column_config.Column(name, width=width) for name, width in _ISSUE_WIDTHS.items()
        },
        alt="导入问题",
    )


def _mapping(preview: ImportPreview) -> None:
    with st.expander("表格的列怎样对应", icon=":material/table_view:", key="data_mapping"):
        st.dataframe(
            pd.DataFrame(preview.mapping, columns=["表格里的列名", "对应为"]),
            key="data_mapping_table",
            hide_index=True,
            alt="列的对应",
        )
        if preview.unmapped:
            st.warning(md("没有用到的列：" + "、".join(preview.unmapped)))


def import_file(page: str) -> None:
    """The whole tab."""
    app = resources.application()
    guard.show_kept()
    done = st.session_state.pop(_DONE, "")
    if done:
        st.success(md(done), icon=":material/check_circle:")
    kind = browser.kind_choice(page, "导入哪一种数据")
    st.download_button(
        f"下载空白表（{texts.KIND_LABELS[kind]}）",
        data=lambda: app.exports.template(kind),
        file_name=f"{texts.KIND_LABELS[kind]}_空白表.xlsx",
        key=f"{page}_template",
        icon=":material/download:",
        on_click="ignore",
    )
    round_number = st.session_state.get("data_import_round", 0)
    upload = st.file_uploader(
        "选择表格（.xlsx 或 .csv，不超过 20 MB）",
        type=_TYPES,
        key=f"{page}_file_{kind}_{round_number}",
    )
    if upload is None:
        st.caption("不必改列名：常见的中文表头都认得。先预览，确认后才写入；同一文件导入两次不会重复。")
        return
    with guard.calm("import preview"):
        preview = app.imports.preview(kind, upload.getvalue(), upload.name)
        _counts(preview)
        _issues(preview)
        _mapping(preview)
        if preview.sample:
            st.markdown(f"**前 {len(preview.sample)} 行导入后的样子**")
            tables.records_table(kind, preview.sample, f"{page}_sample")
        st.button(
            "确认导入",
            key=f"{page}_confirm",
            type="primary",
            disabled=preview.n_blocked > 0 or not preview.n_rows,
            on_click=_confirm,
            args=(preview,),
        )
