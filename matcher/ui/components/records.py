"""A need, an expert and its works as readable blocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from matcher.models import Expert, Need, Work
from matcher.ui import texts
from matcher.ui.components.html import Html, badge, esc, join, sample_badge, tag
from matcher.vocab import Confidentiality, NeedStatus


def fields_html(pairs: Iterable[tuple[str, str]]) -> Html:
    """Labels and values, those without a value left out."""
    rows = [join((tag("dt", label), tag("dd", value))) for label, value in pairs if value]
    return tag("dl", *rows, cls="m-fields") if rows else Html("")


def markers(need: Need) -> tuple[str, ...]:
    """What must not be overlooked before a need is passed on: 保密, 仅平台, 草稿."""
    limited = need.confidentiality in (Confidentiality.CONFIDENTIAL, Confidentiality.PLATFORM)
    words = (need.confidentiality if limited else "", need.status if need.status == NeedStatus.DRAFT else "")
    return tuple(str(word) for word in words if word)


def markers_html(need: Need) -> Html:
    """``markers`` as badges."""
    return join(badge(word, "limited") for word in markers(need))


def need_title(need: Need) -> str:
    """Title with its marks as plain text, for lists and folded cards."""
    marks = "".join(f"【{word}】" for word in markers(need))
    return need.title + marks + (texts.SAMPLE_BADGE if need.is_sample else "")


def _items(values: Sequence[str]) -> Html:
    """A short list on lines of their own."""
    return join(values, "\n")


def _day(day: date | None) -> str:
    return f"{day:%Y-%m-%d}" if day else ""


def _period(start: date | None, end: date | None) -> str:
    return f"{_day(start) or '……'} 至 {_day(end) or '……'}" if start or end else ""


def need_html(need: Need) -> Html:
    """The need as the firm put it."""
    head = tag("h2", need.title, markers_html(need), sample_badge(need.is_sample))
    place = "　".join(part for part in (need.company, need.town, need.sector) if part)
    badges = join([badge(word, "ring") for word in (need.status, need.call_type) if word])
    budget = f"{need.budget_wan:g} 万元" if need.budget_wan is not None else ""
    body = fields_html(
        (
            ("主要问题", need.problem),
            ("技术关键", need.key_tech),
            ("预期目标", need.goal),
        )
    )
    more = fields_html(
        (
            ("关键字", "、".join(need.keywords)),
            ("解决方式", need.solution_mode),
            ("合作意向", need.intended_partner),
            ("拟投入", budget),
            ("时限", _period(need.start_on, need.end_on)),
            ("公开范围", need.confidentiality),
            ("联系人", "　".join(part for part in (need.contact, need.phone) if part)),
            ("编号与来源", "　".join(part for part in (need.need_id, need.source) if part)),
        )
    )
    # Folded on a phone, where the teams should not be far down.
    rest = (
        tag("details", tag("summary", "关键字、投入、时限与来源"), more, cls="m-more") if more else Html("")
    )
    return tag("div", head, tag("div", place, badges, cls="m-sub"), body, rest, cls="m-record")


def expert_html(expert: Expert, works: Sequence[Work], capacity_left: int | None) -> Html:
    """The profile with directions, results and works."""
    head = tag("h2", expert.name, sample_badge(expert.is_sample))
    place = "　".join(p for p in (expert.institution, expert.department, expert.position) if p)
    ring = badge(expert.ring, "ring") if expert.ring else Html("")
    capacity = "" if expert.capacity is None else f"上限 {expert.capacity} 项"
    if capacity and capacity_left is not None:
        capacity += f"，还可承接 {max(capacity_left, 0)} 项"
    body = fields_html(
        (
            ("学科", "、".join(expert.disciplines)),
            ("研究方向", _items(expert.research_directions)),
            ("研究成果", _items(expert.achievements)),
            ("关键词", "、".join(expert.keywords)),
            ("产业经历", expert.industry_experience),
            ("承接名额", capacity),
            ("联系方式", expert.contact),
            ("个人主页", expert.homepage),
            ("资料更新", _day(expert.updated_on)),
            ("编号与来源", "　".join(part for part in (expert.expert_id, expert.source) if part)),
        )
    )
    return tag("div", head, tag("div", place, ring, cls="m-sub"), body, works_html(works), cls="m-record")


def works_html(works: Sequence[Work]) -> Html:
    """Works with kind, year and id; abstracts below the title."""
    if not works:
        return Html("")
    rows = []
    for work in works:
        about = "　".join(p for p in (work.kind, str(work.year or ""), work.work_id) if p)
        abstract = tag("div", work.abstract, cls="m-sub") if work.abstract else Html("")
        rows.append(tag("li", esc(work.title), badge(about, "quiet"), abstract))
    return tag("div", f"成果（{len(works)}）", tag("ul", join(rows)), cls="m-note")
