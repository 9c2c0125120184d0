"""Import a file: choose, look at what would happen, confirm."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from matcher.services.importing import ImportPreview
from matcher.ui import guard, resources, texts
from matcher.ui.components import browser, mapping, system, tables
from matcher.ui.components.html import md

_DONE, _ROUND = "data_import_done", "data_import_round"
_ISSUE_WIDTHS = {"行": 50, "性质": 80, "列": 150, "填的内容": 130, "怎么办": 700}  # pixels


def _confirm(preview: ImportPreview, drop_samples: bool, skip_blocked: bool) -> None:
    with guard.calm_action("import"):
        done = resources.application().imports.confirm(
            preview, drop_samples=drop_samples, skip_blocked=skip_blocked
        )
        parts = [f"新增 {done.n_new} 条", f"更新 {done.n_changed} 条", f"未变 {done.n_same} 条"]
        if done.n_skipped:
            parts.append(f"跳过 {done.n_skipped} 行")
        dropped = "，示例数据已删除" if drop_samples else ""
        st.session_state[_DONE] = (
            f"已导入“{preview.filename}”：{'，'.join(parts)}{dropped}。现在就可以在各页查到。"
        )
        st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def _counts(preview: ImportPreview) -> None:
    sentence = (
        f"“{preview.filename}”共 {preview.n_rows} 行（表头在第 {preview.header_row} 行）："
        f"新增 {preview.n_new} 条，更新 {preview.n_changed} 条，未变 {preview.n_same} 条"
    )
    if preview.n_blocked:
        skip = "，也可以跳过它们" if preview.n_blocked < preview.n_rows else ""
        st.error(
            md(
                f"{sentence}；有 {preview.n_blocked} 行不能导入。"
                f"请按下面的提示改好后重新上传{skip}。目前没有写入任何数据。"
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
        placeholder=tables.EMPTY,
        column_config={
            name: st.column_config.Column(name, width=width) for name, width in _ISSUE_WIDTHS.items()
        },
        alt="导入问题",
    )


def _without_samples(page: str) -> bool:
    """Ask whether the samples go with this import; nothing is asked when there are none."""
    if not resources.application().overview.summary().n_sample:
        return False
    chosen = st.checkbox("导入的同时删除示例数据", key=f"{page}_import_drop")
    warning = system.sample_lists_sentence() if chosen else ""
    if warning:
        st.warning(warning, icon=":material/checklist:")
    return chosen


def _buttons(page: str, preview: ImportPreview, drop_samples: bool) -> None:
    n_good = preview.n_rows - preview.n_blocked
    with st.container(horizontal=True):
        st.button(
            "全部导入",
            key=f"{page}_confirm",
            type="primary",
            disabled=preview.n_blocked > 0 or not preview.n_rows,
            on_click=_confirm,
            args=(preview, drop_samples, False),
        )
        if preview.n_blocked and n_good:
            st.button(
                f"跳过有误的 {preview.n_blocked} 行，导入其余 {n_good} 行",
                key=f"{page}_confirm_good",
                on_click=_confirm,
                args=(preview, drop_samples, True),
            )


def import_file(page: str) -> None:
    """The whole tab."""
    app = resources.application()
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
    # Any file may be chosen: the reader says in Chinese what to do with one it cannot read.
    upload = st.file_uploader(
        "选择表格（.xlsx 或 .csv，不超过 20 MB）",
        key=f"{page}_file_{kind}_{st.session_state.get(_ROUND, 0)}",
    )
    if upload is None:
        st.caption("不必改列名：常见的中文表头都认得。先预览，确认后才写入；同一文件导入两次不会重复。")
        return
    with guard.calm("import preview"):
        drop_samples = _without_samples(page)
        token = f"{kind}_{upload.file_id}"
        by_hand = mapping.given(token)
        preview = app.imports.preview(
            kind, upload.getvalue(), upload.name, mapping=by_hand or None, drop_samples=drop_samples
        )
        _counts(preview)
        mapping.columns_by_hand(token, preview)
        _issues(preview)
        _buttons(page, preview, drop_samples)
        if preview.sample:
            st.markdown(f"**前 {len(preview.sample)} 行导入后的样子**")
            tables.records_table(kind, preview.sample, f"{page}_sample")
