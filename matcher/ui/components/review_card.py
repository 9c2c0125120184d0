"""How a suggested pairing looks on the 审核台: need and team side by side, with what speaks for and against them.

Owns only the look; every word and number comes from the queue's item or the decision.
"""

from __future__ import annotations

from matcher.models import Expert, Need
from matcher.services.review_queue import QueueItem
from matcher.services.review_rules import Decided, moment_text
from matcher.ui.components import cards
from matcher.ui.components.html import Html, badge, esc, join, sample_badge, shortened, tag
from matcher.ui.components.records import fields_html, markers_html
from matcher.vocab import CallType

_LONG = 110
_N_DIRECTIONS = 4


def _line(*parts: str) -> str:
    return "　".join(part for part in parts if part)


def _call_badge(need: Need) -> Html:
    return badge(need.call_type, "ring") if need.call_type not in ("", CallType.GENERAL) else Html("")


def _clipped(label: str, text: str) -> Html:
    """A labelled text of the need, folded when it is long; nothing for an empty one."""
    if not text:
        return Html("")
    return tag("div", tag("small", label), shortened(text, esc(text), _LONG))


def need_side(need: Need) -> Html:
    """The need in brief: what hurts, what must be reached, what is paid."""
    budget = f"拟投入 {need.budget_wan:g} 万元" if need.budget_wan is not None else ""
    ends = f"{need.end_on:%Y-%m-%d} 前" if need.end_on else ""
    return tag(
        "div",
        tag("small", "企业需求"),
        tag(
            "div",
            need.title,
            _call_badge(need),
            markers_html(need),
            sample_badge(need.is_sample),
            cls="m-title",
        ),
        tag("div", _line(need.company, need.town, need.sector, budget, ends), cls="m-sub"),
        _clipped("主要问题", need.problem),
        _clipped("技术关键", need.key_tech),
        _clipped("预期目标", need.goal),
        cls="m-side",
    )


def team_side(expert: Expert, capacity_left: int | None) -> Html:
    """The team in brief: who, what it works on, whether it has room."""
    ring = badge(expert.ring, "ring") if expert.ring else Html("")
    room = "" if capacity_left is None else f"还可承接 {max(capacity_left, 0)} 项"
    about = fields_html(
        (
            ("研究方向", "；".join(expert.research_directions[:_N_DIRECTIONS])),
            ("产业经历", expert.industry_experience),
            ("承接名额", room or "没有填写"),
        )
    )
    return tag(
        "div",
        tag("small", "专家团队"),
        tag("div", expert.name, sample_badge(expert.is_sample), ring, cls="m-title"),
        tag("div", _line(expert.institution, expert.department), cls="m-sub"),
        about,
        cls="m-side",
    )


def warnings_html(warnings: tuple[str, ...]) -> Html:
    """What to mind before deciding, one line each."""
    rows = [tag("div", badge("注意", "limited"), " ", text) for text in warnings]
    return tag("div", *rows, cls="m-note") if rows else Html("")


def card_html(item: QueueItem) -> Html:
    """The whole card."""
    match = item.match
    score = tag("div", tag("b", cards.score_text(match.score)), tag("span", "匹配度"), cls="m-score")
    place = tag("div", f"在全部团队中，按匹配度排第 {item.rank_in_need} 位", cls="m-title m-sub")
    return tag(
        "div",
        tag("div", need_side(item.need), team_side(item.expert, item.capacity_left), cls="m-pair"),
        warnings_html(item.warnings),
        tag("div", place, score, cls="m-head"),
        cards.bar_html(match.score, match.contributions),
        cards.evidence_html(match.evidence, cards.Sides()),
        cards.gaps_html(match.gaps) if match.evidence else Html(""),
        cards.practical_html(match.practical),
    )


def row_html(item: QueueItem) -> Html:
    """One suggestion as a row of the list."""
    best = item.match.evidence[:1]
    why = [f"依据：{one.line.text} ↔ {one.facet.text}" for one in best]
    head = join(
        (
            tag("b", item.need.title),
            _call_badge(item.need),
            markers_html(item.need),
            sample_badge(item.need.is_sample),
            " ↔ ",
            tag("b", item.expert.name),
            sample_badge(item.expert.is_sample),
        )
    )
    about = _line(item.need.company, item.expert.institution, f"匹配度 {cards.score_text(item.match.score)}")
    rows = [tag("div", text, cls="m-sub") for text in (about, *why)]
    return tag("div", head, *rows, warnings_html(item.warnings), cls="m-side")


def decided_html(one: Decided) -> Html:
    """One decision: what on, by whom, when and why, and where its 对接 stands."""
    decision = one.decision
    need = one.need.title if one.need else f"需求 {decision.need_id}（已不在系统中）"
    team = one.expert.name if one.expert else f"团队 {decision.expert_id}（已不在系统中）"
    head = join(
        (
            badge(decision.kind, "good" if one.engagement else "quiet"),
            " ",
            tag("b", need),
            markers_html(one.need) if one.need else Html(""),
            sample_badge(bool(one.need and one.need.is_sample)),
            " ↔ ",
            tag("b", team),
            sample_badge(bool(one.expert and one.expert.is_sample)),
        )
    )
    stage = f"对接现在是“{one.engagement.stage}”" if one.engagement else ""
    who = _line(one.by, moment_text(decision.decided_at), decision.reason, stage)
    note = tag("div", f"备注：{decision.note}", cls="m-sub") if decision.note else Html("")
    return tag("div", head, tag("div", who, cls="m-sub"), note, cls="m-side")
