"""The match card: rank, who, 匹配度 with its parts, evidence side by side, gaps and practical signals.

Owns only how a match looks; every word and number comes from the match and its records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matcher.export.document import PairRow, shown_contributions, shown_score
from matcher.models import Evidence, Expert, Match, Need, PracticalSignal, RequirementLine
from matcher.ranking.practical import REORDER_WEIGHT, practical_mean
from matcher.services.rankings import RankedPair
from matcher.services.reranking import READING
from matcher.ui import texts
from matcher.ui.components.html import Html, badge, esc, join, mark, sample_badge, shortened, tag
from matcher.ui.components.records import markers_html, need_title
from matcher.vocab import Channel

GOOD_SIGNAL = 0.6
HALF_LINES, WHOLE_LINES = 60, 110
"""Characters that fit on about two lines of half a card and of a whole one."""


@dataclass(frozen=True, slots=True)
class Sides:
    """What stands over the two columns of the evidence.

    Without ``query`` the asking side is left out; ``gaps`` says whether what found no evidence is listed,
    ``kinds`` whether the answering text is named by its kind (kinds are those of a team's profile).
    """

    query: str = "企业原话"
    item: str = "团队资料"
    gaps: bool = True
    kinds: bool = True


def score_text(score: float) -> str:
    """匹配度 as everywhere: ×100 with one decimal."""
    return f"{shown_score(score):.1f}"


def _shares(score: float, contributions: Mapping[Channel, float]) -> Mapping[Channel, float]:
    row = PairRow(1, "", "", "", "", "", "", "", "", "", score, contributions)
    return shown_contributions(row)


def bar_html(score: float, contributions: Mapping[Channel, float]) -> Html:
    """匹配度 as one stacked bar out of 100, with a legend in words."""
    shares = _shares(score, contributions)
    if not shares:
        return Html("")
    parts = [tag("i", "", cls=f"m-c-{c.value}", style=f"width:{share:.1f}%") for c, share in shares.items()]
    legend = [
        tag("span", tag("i", "", cls=f"m-c-{c.value}"), c.label, tag("b", f"{share:.1f}"))
        for c, share in shares.items()
    ]
    said = "，".join(f"{c.label} {share:.1f}" for c, share in shares.items())
    bar = tag("div", join(parts), cls="m-bar", role="img", label=f"匹配度构成：{said}")
    return join((bar, tag("div", join(legend), cls="m-legend")))


def evidence_html(evidence: Sequence[Evidence], sides: Sides) -> Html:
    """Evidence pairs, the asking side left, the answering side right."""
    if not evidence:
        return tag("div", texts.NO_EVIDENCE, cls="m-note")
    return tag("div", join(_pair(one, sides) for one in evidence), cls="m-pairs")


def _pair(one: Evidence, sides: Sides) -> Html:
    phrases = [bridge.phrase for bridge in one.bridges]
    terms = [bridge.term for bridge in one.bridges]
    facet = one.facet
    kind = facet.kind.value if sides.kinds else ""
    source = "　".join(p for p in (kind, facet.record_id, str(facet.year or "")) if p)
    left = tag(
        "div",
        tag("small", f"{sides.query}　{one.line.kind.value}"),
        shortened(one.line.text, mark(one.line.text, [*one.shared_terms, *phrases]), HALF_LINES),
        cls="m-side",
    )
    right = tag(
        "div",
        tag("small", f"{sides.item}　{source}", title=facet.source),
        mark(facet.text, [*one.shared_terms, *terms]),
        cls="m-side",
    )
    via: list[Html] = []
    if one.shared_terms:
        via.append(esc("共同用词：" + "、".join(one.shared_terms)))
    for bridge in one.bridges:
        via.append(
            tag(
                "span",
                "术语对应：",
                tag("b", f"{bridge.phrase} → {bridge.term}"),
                title=bridge.topic,
            )
        )
    line = tag("div", join(via, "　"), cls="m-via") if via else Html("")
    if not sides.query:
        return tag("div", right, line, cls="m-pair m-single")
    return tag("div", left, right, line, cls="m-pair")


def gaps_html(gaps: Sequence[RequirementLine]) -> Html:
    if not gaps:
        return Html("")
    said = [f"{line.kind.value}：{line.text}" for line in gaps]
    rows = join(tag("li", shortened(text, esc(text), WHOLE_LINES)) for text in said)
    return tag("div", texts.GAPS, tag("ul", rows), cls="m-note")


def practical_html(signals: Sequence[PracticalSignal]) -> Html:
    """Practical considerations as short texts; the ones that speak for the team are outlined in blue."""
    chips = [
        badge(signal.text, "good" if signal.value >= GOOD_SIGNAL else "quiet", title=signal.label)
        for signal in signals
    ]
    return tag("div", join(chips), cls="m-chips") if chips else Html("")


def who_html(name: str, badges: Sequence[Html], about: str, place: str = "") -> Html:
    """Name with badges over a line of detail."""
    rows = [tag("div", about, cls="m-sub"), tag("div", place, cls="m-sub") if place else Html("")]
    return tag("div", name, *badges, *rows, cls="m-title")


def expert_who(expert: Expert) -> Html:
    about = "　".join(part for part in (expert.institution, expert.department) if part)
    ring = badge(expert.ring, "ring") if expert.ring else Html("")
    return who_html(expert.name, [sample_badge(expert.is_sample), ring], about)


def need_who(need: Need, place: str = "") -> Html:
    about = "　".join(part for part in (need.company, need.town, need.sector, need.status) if part)
    return who_html(need.title, [markers_html(need), sample_badge(need.is_sample)], about, place)


def match_html(match: Match, who: Html, sides: Sides, *, practical_on: bool = False) -> Html:
    """A whole card."""
    lines = [tag("b", score_text(match.score)), tag("span", "匹配度")]
    practical = [signal for signal in match.practical if signal.name != READING]
    for reading in match.practical:
        if reading.name == READING:
            lines.append(
                tag("span", reading.text, title="精读模型通读两边文字后的评分；只影响先后，不计入匹配度")
            )
    if practical_on:
        extra = score_text(REORDER_WEIGHT * practical_mean(practical))
        lines.append(tag("span", f"实际因素 +{extra}", title="只影响先后，不计入匹配度"))
    head = tag(
        "div",
        tag("div", str(match.rank), cls="m-rank", title=f"第 {match.rank} 位"),
        who,
        tag("div", *lines, cls="m-score"),
        cls="m-head",
    )
    return tag(
        "div",
        head,
        bar_html(match.score, match.contributions),
        evidence_html(match.evidence, sides),
        gaps_html(match.gaps) if match.evidence and sides.gaps else Html(""),
        practical_html(practical),
    )


def pair_title(pair: RankedPair, *, by_expert: bool) -> str:
    """One line for a folded card, plain text."""
    record = pair.expert if by_expert else pair.need
    if isinstance(record, Expert):
        name, about = record.name + (texts.SAMPLE_BADGE if record.is_sample else ""), record.institution
    elif isinstance(record, Need):
        name, about = need_title(record), record.company
    else:
        return f"{pair.match.rank}"
    return f"{pair.match.rank}. {name} · {about} · 匹配度 {score_text(pair.match.score)}"
