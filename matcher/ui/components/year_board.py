"""Parts of the year's page: the sentence, the big numbers, months, funnel, groups, days and reasons.

Every number that is not zero is a button: it puts its key into the address, and the page shows the list behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import altair as alt
import pandas as pd
import streamlit as st

from matcher.services.year_counts import Dashboard
from matcher.services.year_groups import Number, Share
from matcher.ui import navigation
from matcher.ui.components import html
from matcher.ui.components.charts import BLUE, count_html
from matcher.ui.components.html import Html, md, tag
from matcher.ui.components.year_keys import GROUPS, cell_key, group_key, joined, shares_of

PAGE, SHOW = "year", "show"
AMBER = "#C8862A"
_FIRST = 12  # groups shown at once, the rest on a click
_GRID = "grid-template-columns:8em 1fr"  # rows are drawn one by one, and their bars must begin at one line


def open_list(key: str) -> None:
    """Show the list behind a number."""
    navigation.set_param(SHOW, key)


def sentence(board: Dashboard) -> str:
    """Where the year stands, in one sentence."""
    n, closest = int(board.signed.value), int(board.closest.value)
    if board.year != board.today.year:
        gap = board.target - n
        if board.year > board.today.year:
            return f"{board.year} 年还没有开始，目标签约 {board.target} 项。"
        return (
            f"{board.year} 年签约 {n} 项，目标 {board.target} 项，{f'差 {gap} 项' if gap > 0 else '已完成'}。"
        )
    due = round(board.expected)
    gap = due - n
    state = f"还差 {gap} 项" if gap > 0 else f"超出 {-gap} 项" if gap < 0 else "正好持平"
    near = f"最接近签约的有 {closest} 项" if closest else "还没有走到洽谈的对接"
    return f"今年已签约 {n} 项，按进度应有 {due} 项，{state}；{near}。"


def number_button(key: str, number: Number, label: str) -> None:
    """A number that opens its list; plain text when there is nothing behind it."""
    if not number.ids:
        st.caption(label, width="content")
        return
    st.button(
        md(label), key=f"{PAGE}_{SHOW}_{key}", type="tertiary", on_click=open_list, args=(key,), help="看名单"
    )


def big_numbers(board: Dashboard) -> None:
    """Signed, total, landed, ended, under way."""
    first, last = board.total_years
    cards = (
        ("signed", board.signed, f"/ {board.target} 项　{board.year} 年签约"),
        ("total", board.total, f"/ {board.total_target} 项　{first}–{last} 年累计"),
        ("landed", board.landed, "项　其中已落地"),
        ("ended", board.ended, "项　签约后终止，仍计入"),
        ("closest", board.closest, "项　正在洽谈"),
        ("under_way", board.under_way, "项　正在推进"),
    )
    with st.container(horizontal=True, gap="medium"):
        for key, number, label in cards:
            with st.container(width="content", gap=None):
                html.show(count_html(int(number.value), label))
                number_button(key, number, "看名单" if number.ids else "没有")
    if board.samples:
        st.caption(f"{board.year} 年签约里有 {board.samples} 项是示例数据。")


def months(board: Dashboard) -> None:
    """Signed so far by month against where the year must be; below, the months as buttons."""
    st.subheader("各月累计签约", anchor=False)
    st.caption("蓝色是到月底累计签约，黄线是按全年目标匀速推进应到的位置。")
    now = board.today.month if board.year == board.today.year else 12 if board.year < board.today.year else 0
    counts = [int(number.value) for number in board.by_month]
    so_far = [sum(counts[: month + 1]) if month < now else None for month in range(12)]
    st.altair_chart(
        _months_chart(so_far, board.due_by_month),
        alt="各月签约：" + "、".join(f"{month}月{n}项" for month, n in enumerate(counts, 1)),
    )
    with st.container(horizontal=True, gap="small"):
        for month, number in enumerate(board.by_month, 1):
            if number.ids:
                number_button(f"month:{month}", number, f"{month}月 {int(number.value)} 项")


def _months_chart(so_far: Sequence[int | None], due: Sequence[float]) -> alt.LayerChart | alt.FacetChart:
    data = pd.DataFrame(
        {"月份": [f"{month}月" for month in range(1, 13)], "累计签约": so_far, "应到": list(due)}
    )
    x = alt.X("月份:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, ticks=False, domain=False))
    top = max([*(n or 0 for n in so_far), *due, 3]) * 1.12
    scale = alt.Scale(domain=[0, top])
    base = alt.Chart(data).encode(x=x)
    bars = base.mark_bar(color=BLUE, cornerRadiusTopLeft=2, cornerRadiusTopRight=2, size=20).encode(
        y=alt.Y("累计签约:Q", axis=None, scale=scale)
    )
    labels = (
        base.transform_filter("isValid(datum['累计签约'])")
        .mark_text(dy=-8, color="#42505F")
        .encode(y=alt.Y("累计签约:Q", axis=None, scale=scale), text="累计签约:Q")
    )
    line = base.mark_line(color=AMBER, point=False).encode(y=alt.Y("应到:Q", axis=None, scale=scale))
    return alt.layer(bars, labels, line, height=190)


def funnel(board: Dashboard) -> None:
    """From collected needs to landed projects, with the share of the step before and of the first."""
    st.subheader("从需求到落地", anchor=False)
    st.caption(
        f"只数 {board.year} 年提出的需求（没有提出日期的按发布日期），每条需求只计一次；走到过某一步就计入那一步，"
        "后来终止的仍计入，登记错退回的按退回后的算。"
    )
    if not board.funnel[0].number.ids:
        st.info("这一年还没有收集到需求。可以到“需求受理”代录，或请企业在平台上填报。")
    for place, step in enumerate(board.funnel):
        after = ""
        if place and step.of_before is not None and step.of_first is not None:
            after = f"上一步的 {step.of_before:.0%}，全部的 {step.of_first:.0%}"
        part = step.of_first or 0.0 if place else float(bool(step.number.ids))
        _row(_bar(step.label, part, after), (f"funnel:{place}", step.number, f"{int(step.number.value)} 条"))
    if board.undated.ids:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption("还有没有日期的需求没有计入：", width="content")
            number_button("undated", board.undated, f"{int(board.undated.value)} 条")


def _bar(label: str, part: float, below: str = "", done: float | None = None) -> Html:
    """One line: a label with a remark below it, a bar of ``part`` (0–1) with ``done`` (0–1) of the whole in dark."""
    dark = part if done is None else done
    bars = html.join(
        [
            tag("i", "", style=f"width:{100 * min(part, 1.0):.1f}%"),
            tag("i", "", cls="m-done", style=f"width:{100 * min(dark, 1.0):.1f}%"),
        ]
    )
    name = tag("span", label, tag("div", below, cls="m-sub") if below else "")
    return tag("div", name, tag("div", bars, cls="m-line"), cls="m-rows", style=_GRID)


def _row(bar: Html, *buttons: tuple[str, Number, str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        html.show(bar)
        for key, number, label in buttons:
            number_button(key, number, label)


def groups(board: Dashboard, kind: str) -> None:
    """One kind of groups: signed in the year and under way."""
    shares = shares_of(board, kind)
    st.subheader(f"按{GROUPS[kind]}", anchor=False)
    st.caption(f"深色是 {board.year} 年签约，浅色是现在正在推进。")
    if not shares:
        st.caption("还没有签约或正在推进的对接。")
    most = max((joined(share).value for share in shares), default=1)
    with st.container(gap=None):
        for share in shares[:_FIRST]:
            _group(kind, share, most)
    if len(shares) > _FIRST:
        with st.expander(f"其余 {len(shares) - _FIRST} 个", key=f"{PAGE}_more_{kind}"):
            for share in shares[_FIRST:]:
                _group(kind, share, most)


def _group(kind: str, share: Share, most: float) -> None:
    _row(
        _bar(share.label, joined(share).value / most, done=share.signed.value / most),
        *(
            (group_key(kind, share.label, signed=signed), number, f"{word} {int(number.value)}")
            for signed, number, word in ((True, share.signed, "签约"), (False, share.under_way, "推进"))
        ),
    )


def matrix(board: Dashboard) -> None:
    """Sectors × institutions; a click on a cell opens its list."""
    st.subheader("领域与单位", anchor=False)
    if not board.cells:
        st.caption("还没有签约或正在推进的对接。")
        return
    st.caption("每格是“签约 / 推进”的项数，点一格看名单。")
    sectors = [share.label for share in board.sectors]
    names = [share.label for share in board.institutions]
    table = [["" for _ in sectors] for _ in names]
    for (sector, institution), share in board.cells.items():
        row, column = names.index(institution), sectors.index(sector)
        table[row][column] = f"{int(share.signed.value)} / {int(share.under_way.value)}"
    frame = pd.DataFrame(table, index=pd.Index(names, name="单位"), columns=sectors)
    key = f"{PAGE}_matrix"
    st.dataframe(
        frame,
        key=key,
        selection_mode="single-cell",
        on_select=lambda: open_cell(board, st.session_state[key]["selection"]["cells"], names),
        placeholder="",
        alt=f"领域与单位表，{len(names)} 行",
    )


def open_cell(board: Dashboard, cells: Sequence[tuple[int, str]], names: Sequence[str]) -> None:
    """Open the list of the cell that was clicked, if there is anything in it."""
    for row, sector in cells:
        if (sector, names[row]) in board.cells:
            open_list(cell_key(sector, names[row]))


def stage_days(board: Dashboard) -> None:
    """Median days in each stage."""
    st.subheader("每一步用多少天", anchor=False)
    st.caption(f"{board.year} 年走完这一阶段的对接，一半比这个天数短，一半比它长。")
    if not board.stage_days:
        st.caption("这一年还没有对接走完一个阶段。")
    most = max((one.number.value for one in board.stage_days), default=1) or 1
    for one in board.stage_days:
        bar = _bar(one.stage, one.number.value / most, f"{one.number.value:g} 天")
        _row(bar, (f"days:{one.stage}", one.number, f"{len(one.number.ids)} 项"))


def reasons(board: Dashboard) -> None:
    """Why pairings were found unfit, and why 对接 ended."""
    _reasons("终止的原因", "end", board.end_reasons, "这一年没有终止的对接。", lambda n: f"{n} 项")
    _reasons(
        "审核为不合适的理由",
        "reject",
        board.reject_reasons,
        "这一年没有审核为不合适的配对。",
        lambda n: f"{n} 对",
    )


def _reasons(
    title: str, kind: str, rows: Sequence[tuple[str, Number]], empty: str, said: Callable[[int], str]
) -> None:
    st.subheader(title, anchor=False)
    if not rows:
        st.caption(empty)
    most = max((number.value for _, number in rows), default=1)
    for reason, number in rows:
        bar = _bar(reason, number.value / most)
        _row(bar, (f"{kind}:{reason}", number, said(int(number.value))))
