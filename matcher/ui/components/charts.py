"""Numbers as bars: the year against its target, months, and counts by group."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from matcher.services.overview import Overview
from matcher.ui.components.html import Html, join, tag

BLUE = "#1F4E8C"


def _percent(part: float, whole: float) -> str:
    return f"{min(100.0, 100 * part / whole) if whole else 0:.1f}%"


def progress_sentence(signed: int, expected: float) -> str:
    """Where the year should be by now and how far it is from there, in whole projects."""
    due = round(expected)
    gap = due - signed
    state = f"还差 {gap} 项" if gap > 0 else f"已超出 {-gap} 项" if gap < 0 else "正好持平"
    return f"按进度应有 {due} 项，{state}。"


def _sample_sentence(summary: Overview) -> Html:
    if not summary.signed_sample:
        return Html("")
    return tag("small", f"其中 {summary.signed_sample} 项来自示例数据。")


def year_html(summary: Overview) -> Html:
    """The big number, the bar with the mark of today, and one sentence."""
    big = tag(
        "div",
        tag("b", str(summary.year_signed)),
        tag("span", f"/ {summary.year_target} 项　已签约"),
        cls="m-big",
    )
    today = _percent(summary.expected_by_now, summary.year_target)
    fill = tag("div", "", cls="m-fill", style=f"width:{_percent(summary.year_signed, summary.year_target)}")
    mark = tag("div", tag("em", "今天应到这里"), cls="m-mark", style=f"left:{today}")
    sentence = progress_sentence(summary.year_signed, summary.expected_by_now)
    said = f"已签约 {summary.year_signed} 项，目标 {summary.year_target} 项。{sentence}"
    track = tag("div", fill, mark, cls="m-track", role="img", label=said)
    return tag("div", big, track, tag("div", sentence, " ", _sample_sentence(summary), cls="m-lead"))


def total_html(summary: Overview) -> Html:
    """One sentence on the years of the plan."""
    first, last = summary.total_years
    after = []
    if summary.landed:
        after.append(f"已落地 {summary.landed} 项")
    if summary.ended:
        after.append(f"签约后终止 {summary.ended} 项")
    tail = f"（{'，'.join(after)}）" if after else ""
    text = f"{first}–{last} 年累计签约 {summary.total_signed} / {summary.total_target} 项{tail}。"
    return tag("div", text, cls="m-lead")


def months_chart(by_month: Sequence[int]) -> alt.LayerChart | alt.FacetChart:
    """Signed projects by month, January first."""
    data = pd.DataFrame({"月份": [f"{m}月" for m in range(1, 13)], "签约": list(by_month)})
    x = alt.X("月份:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, ticks=False, domain=False))
    scale = alt.Scale(domain=[0, max([*by_month, 3]) * 1.15])
    base = alt.Chart(data).encode(x=x, y=alt.Y("签约:Q", axis=None, scale=scale))
    bars = base.mark_bar(color=BLUE, cornerRadiusTopLeft=2, cornerRadiusTopRight=2, size=22)
    labels = (
        base.transform_filter("datum['签约'] > 0").mark_text(dy=-8, color="#42505F").encode(text="签约:Q")
    )
    return alt.layer(bars, labels, height=170)


def count_html(count: int, label: str) -> Html:
    """A number with its noun."""
    return tag("div", tag("b", f"{count:,}"), tag("span", label), cls="m-count")


def rows_html(rows: Sequence[tuple[str, int, int]], unit: str, *, single: bool = False) -> Html:
    """Bars by group: label, all, and the part of them that is done."""
    most = max((n for _, n, _ in rows), default=0)
    parts: list[Html] = []
    for label, n, done in rows:
        bars = join(
            [
                tag("i", "", style=f"width:{_percent(n, most)}"),
                tag("i", "", cls="m-done", style=f"width:{_percent(done, most)}"),
            ]
        )
        number = f"{n} {unit}" if single else f"{done} / {n} {unit}"
        parts += [
            tag("span", label),
            tag("div", bars, cls="m-line"),
            tag("span", number, cls="m-num"),
        ]
    return tag("div", join(parts), cls="m-rows")
