"""总览: what to do today, and where the year stands. Answers before the model is loaded."""

from __future__ import annotations

import streamlit as st

from matcher.services.overview import Overview
from matcher.ui import guard, navigation, resources, texts
from matcher.ui.components import charts, html, layout, tables
from matcher.ui.components.html import md

_COUNTED = ("needs", "experts", "works", "firms", "institutions")


def _todo(summary: Overview) -> None:
    st.subheader("今天先做什么？", anchor=False)
    if not summary.todo:
        st.success(
            "没有等着处理的事。可以去“按需求看”或“自由检索”再找找机会。",
            icon=":material/check_circle:",
        )
        return
    per_row = len(summary.todo) if len(summary.todo) <= 4 else 3
    for start in range(0, len(summary.todo), per_row):
        for column, todo in zip(st.columns(per_row), summary.todo[start : start + per_row], strict=False):
            with column.container(border=True, height="stretch"):
                st.markdown(f"**{md(todo.title)}**")
                st.caption(md(todo.detail))
                if st.button("去处理", key=f"overview_todo_{todo.kind}", icon=":material/arrow_forward:"):
                    navigation.go(todo.page, todo.params)


def _year(summary: Overview) -> None:
    st.subheader(f"{summary.year} 年签约", anchor=False)
    html.show(charts.year_html(summary))
    signed = resources.application().overview.signed(summary.year)
    if signed:
        with st.expander(f"查看这 {len(signed)} 项", icon=":material/list:", key="overview_signed"):
            tables.records_table("cooperation", signed, "overview_signed_table")
            exports = resources.application().exports
            layout.export_menu(
                "overview_signed",
                f"{summary.year}年签约项目",
                lambda suffix: exports.cooperation_rows(signed, suffix),
            )
    first, last = summary.total_years
    html.show(charts.total_html(summary))
    everything = resources.application().overview.signed(None)
    if everything:
        with st.expander(
            f"查看 {first}–{last} 年的 {len(everything)} 项",
            icon=":material/list:",
            key="overview_total",
        ):
            tables.records_table("cooperation", everything, "overview_total_table")


def _months(summary: Overview) -> None:
    st.subheader("各月签约", anchor=False)
    st.altair_chart(
        charts.months_chart(summary.signed_by_month),
        alt="各月签约项数：" + "、".join(f"{m}月{n}项" for m, n in enumerate(summary.signed_by_month, 1)),
    )


def _empty() -> None:
    """A system without records: the two tables to begin with."""
    st.info("系统里还没有数据。先导入需求和专家（团队）两张表，就可以匹配。", icon=":material/upload_file:")
    with st.container(horizontal=True, gap="medium"):
        for kind in ("needs", "experts"):
            label = f"导入{texts.KIND_LABELS[kind]}"
            navigation.link("data", label, {"tab": "import", "kind": kind}, icon=":material/arrow_forward:")


def _inventory(summary: Overview) -> None:
    st.subheader("系统里有什么", anchor=False)
    with st.container(horizontal=True, gap="medium"):
        for kind in _COUNTED:
            with st.container(width="content", gap=None):
                html.show(charts.count_html(summary.counts.get(kind, 0), texts.KIND_LABELS[kind]))
                navigation.link("data", "查看", {"kind": kind})
        with st.container(width="content", gap=None):
            html.show(charts.count_html(summary.counts.get("shortlists", 0), texts.KIND_LABELS["shortlists"]))
            navigation.link("shortlists", "查看")
    if summary.n_sample:
        st.caption(f"其中 {summary.n_sample} 条是示例数据。{texts.SAMPLE_NOTE}")


layout.heading("总览", "产业界出题、科技界答题：先看今天要做的事，再看今年的进度。")
with guard.calm("overview"):
    shown = resources.application().overview.summary()
    if shown.counts["needs"] or shown.counts["experts"]:
        _todo(shown)
    else:
        _empty()
    left, right = st.columns(2, gap="large")
    with left:
        _year(shown)
    with right:
        _months(shown)
    _inventory(shown)
    left, right = st.columns(2, gap="large")
    if shown.by_sector:
        with left:
            st.subheader("各领域已发布需求", anchor=False)
            st.caption("深色为已有候选团队的需求。")
            html.show(charts.rows_html([(s, n, done) for s, n, done in shown.by_sector], "条"))
    if shown.by_ring:
        with right:
            st.subheader("各圈层团队", anchor=False)
            st.caption("由近到远：区内、周边区域、全国。")
            html.show(charts.rows_html([(ring, n, n) for ring, n in shown.by_ring], "个", single=True))
