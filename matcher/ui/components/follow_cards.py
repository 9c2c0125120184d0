"""对接 to look at: cards, the board, the list, the head of one, its timeline and its contacts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

import pandas as pd
import streamlit as st

from matcher.models import Engagement
from matcher.services.following_views import BoardColumn, EngagementRow, EngagementView
from matcher.services.rankings import BEIJING
from matcher.services.reminders import DEGREES, DigestItem, Lateness
from matcher.services.timeline import Contact, Moment
from matcher.ui import texts
from matcher.ui.components import tables
from matcher.ui.components.html import Html, badge, join, sample_badge, show, tag
from matcher.ui.components.records import fields_html
from matcher.vocab import Confidentiality, Stage

ON_BOARD = (Stage.PROPOSED, Stage.CONTACT, Stage.TALKS, Stage.SIGNED)
SHOWN = 8
"""Cards of a column; the list has all."""
_LATE_KINDS = ("plain", "sample", "sample", "limited")
_LIMITED = (Confidentiality.CONFIDENTIAL, Confidentiality.PLATFORM)
_PATH = (*ON_BOARD, Stage.LANDED)
Open = Callable[[str], None]


def pair_text(one: Engagement) -> str:
    """Firm and team in one line."""
    return f"{one.firm} – {one.expert_name}"


def late_badge(late: Lateness) -> Html:
    """How late it is, nothing when it is not."""
    return badge(DEGREES[late.degree], _LATE_KINDS[late.degree], late.reason) if late.degree else Html("")


def _day(day: date | None) -> str:
    return f"{day:%Y-%m-%d}" if day else ""


def _moment(at: datetime) -> str:
    return f"{at + BEIJING:%Y-%m-%d %H:%M}"


def _wan(amount: float | None) -> str:
    return "" if amount is None else f"{amount:g} 万元"


def _limited(row: EngagementRow) -> Html:
    return badge(row.confidentiality, "limited") if row.confidentiality in _LIMITED else Html("")


def card_html(row: EngagementRow, *, stage: bool = False) -> Html:
    """One 对接 in a few lines: whose, what next, until when."""
    one = row.engagement
    title = tag("div", pair_text(one), sample_badge(one.is_sample), _limited(row), cls="m-title")
    what = tag("div", one.need_title, cls="m-sub")
    next_step = tag("div", f"下一步：{one.next_action}", cls="m-note") if one.next_action else Html("")
    facts = [row.owner_name or "还没有经办人"]
    if row.idle_days and one.stage in ON_BOARD:
        facts.append(f"{row.idle_days} 天没有动静")
    facts += [f"期限 {_day(one.due_on)}"] if one.due_on and one.stage in ON_BOARD else []
    facts += [f"签约 {_day(one.signed_on)}"] if one.signed_on else []
    facts += [f"终止：{one.end_reason}"] if one.end_reason else []
    stage_badge = badge(one.stage, "ring") if stage else Html("")
    foot = tag("div", "　".join(facts), stage_badge, late_badge(row.lateness), cls="m-sub")
    return tag("div", title, what, next_step, foot)


def due_html(item: DigestItem, owner: str) -> Html:
    """One line of what is to be followed up today."""
    one = item.engagement
    title = tag("div", pair_text(one), sample_badge(one.is_sample), late_badge(item.lateness), cls="m-title")
    facts = "　".join(part for part in (one.stage, item.lateness.reason, owner) if part)
    next_step = tag("div", f"下一步：{one.next_action}", cls="m-note") if one.next_action else Html("")
    return tag("div", title, tag("div", facts, cls="m-sub"), next_step)


def card(key: str, row: EngagementRow, on_open: Open, *, stage: bool = False) -> None:
    """A card with its button."""
    with st.container(border=True):
        show(card_html(row, stage=stage))
        open_button(key, row.engagement.engagement_id, on_open)


def open_button(key: str, engagement_id: str, on_open: Open) -> None:
    st.button(
        "打开",
        key=f"{key}_{engagement_id}",
        icon=":material/arrow_forward:",
        type="tertiary",
        on_click=on_open,
        args=(engagement_id,),
    )


def board(page: str, columns: Sequence[BoardColumn], on_open: Open) -> None:
    """Four columns of what is under way, and below what has landed or ended. On a phone they stand in one."""
    by_stage = {column.stage: column.rows for column in columns}
    for place, stage in zip(st.columns(len(ON_BOARD)), ON_BOARD, strict=True):
        with place:
            _column(f"{page}_board", stage, by_stage.get(stage, ()), on_open)
    for stage in (Stage.LANDED, Stage.ENDED):
        rows = by_stage.get(stage, ())
        if rows:
            with st.expander(f"{stage}（{len(rows)}）", key=f"{page}_board_{stage.name.lower()}"):
                _cards(f"{page}_board", rows, on_open)


def _column(key: str, stage: Stage, rows: Sequence[EngagementRow], on_open: Open) -> None:
    show(tag("div", tag("b", str(len(rows))), tag("span", stage.value), cls="m-count"))
    if rows:
        _cards(key, rows, on_open)
    else:
        st.caption("没有")


def _cards(key: str, rows: Sequence[EngagementRow], on_open: Open) -> None:
    for row in rows[:SHOWN]:
        card(key, row, on_open)
    if len(rows) > SHOWN:
        st.caption(f"还有 {len(rows) - SHOWN} 项，请换到“列表”或缩小范围。")


def table(page: str, rows: Sequence[EngagementRow]) -> None:
    """The list as a sortable table, with a link to each."""
    labels = (
        "打开",
        "企业",
        "专家（团队）",
        "技术需求",
        "阶段",
        "经办人",
        "没有动静（天）",
        "提醒",
        "下一步",
        "期限",
        "镇街",
        "签约日期",
        "合同金额（万元）",
    )
    cells = [
        (
            f"follow?id={row.engagement.engagement_id}",
            _badged(row.engagement.firm, row),
            _badged(row.engagement.expert_name, row),
            row.engagement.need_title,
            row.engagement.stage,
            row.owner_name,
            row.idle_days,
            row.lateness.reason,
            row.engagement.next_action,
            row.engagement.due_on,
            row.town,
            row.engagement.signed_on,
            row.engagement.signed_wan,
        )
        for row in rows
    ]
    st.dataframe(
        pd.DataFrame(cells, columns=list(labels)),
        key=f"{page}_table",
        hide_index=True,
        placeholder=tables.EMPTY,
        column_config={
            "打开": st.column_config.LinkColumn("打开", display_text="打开", width="small"),
            "期限": st.column_config.DateColumn("期限", format="YYYY-MM-DD"),
            "签约日期": st.column_config.DateColumn("签约日期", format="YYYY-MM-DD"),
            "合同金额（万元）": st.column_config.NumberColumn("合同金额（万元）", format="%.6g"),
        },
        alt=f"对接表，{len(rows)} 行",
    )


def _badged(name: str, row: EngagementRow) -> str:
    return name + (texts.SAMPLE_BADGE if row.engagement.is_sample else "")


def path_html(stage: str) -> Html:
    """Where on the way from 已推荐 to 落地 it stands."""
    at = _PATH.index(Stage(stage)) if stage in _PATH else len(_PATH)
    kinds = ["ring" if n == at else "good" if n < at < len(_PATH) else "quiet" for n in range(len(_PATH))]
    steps = [badge(f"{n + 1} {_PATH[n]}", kind) for n, kind in enumerate(kinds)]
    ended = [badge(stage, "limited")] if stage == Stage.ENDED else []
    return tag("div", tag("div", *steps, *ended, cls="m-chips"), cls="m-sub", label=f"现在是{stage}")


def head_html(view: EngagementView) -> Html:
    """Who with whom, about what, and where it stands."""
    row, one = view.row, view.engagement
    head = tag("h2", pair_text(one), sample_badge(one.is_sample), _limited(row), late_badge(row.lateness))
    since = f"{_moment(one.stage_since)[:10]} 起"
    contract = "　".join(part for part in (one.contract_kind, one.contract_no) if part)
    body = fields_html(
        (
            ("技术需求", one.need_title),
            ("单位", one.institution),
            ("阶段", f"{one.stage}（{since}）"),
            ("经办人", row.owner_name or "还没有"),
            ("提醒", row.lateness.reason),
            ("下一步", one.next_action),
            ("期限", _day(one.due_on)),
            ("合同", contract),
            ("签约日期", _day(one.signed_on)),
            ("合同金额", _wan(one.signed_wan)),
            ("到账金额", _wan(one.paid_wan)),
            ("落地日期", _day(one.landed_on)),
            ("终止", "　".join(part for part in (_day(one.ended_on), one.end_reason) if part)),
            ("备注", one.note),
            ("对接编号", one.engagement_id),
        )
    )
    return tag("div", head, path_html(one.stage), body, cls="m-record")


def timeline_html(moments: Sequence[Moment]) -> Html:
    """What happened, newest first."""
    lines = [tag("li", f"{_moment(one.at)}　{one.who}　{one.text}") for one in moments]
    return tag("div", tag("ul", join(lines)), cls="m-note")


def contacts_html(found: Sequence[Contact]) -> Html:
    """Contacts noted, the latest first."""
    lines = [tag("li", f"{_day(one.on)}　{one.way}　{one.by}：{one.text}") for one in found]
    return tag("div", tag("ul", join(lines)), cls="m-note")
