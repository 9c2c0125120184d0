"""需求凝练, measured: what a rewrite changes in matching, and which needs already say much the same.

Owns two pure questions over one ``Snapshot``: the effect of a rewrite, counted in requirement lines with evidence, and
similar needs among those the reader may see. Asks no permission and stores nothing; whoever calls decides who may see
the needs in ``allowed`` and shows teams only as the reader may see them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from matcher.intake.coaching import says_something
from matcher.intake.identity import bare
from matcher.models import Facet, Need
from matcher.ranking.lines import LineScorer
from matcher.ranking.scorer import Query, Scorer, need_query
from matcher.retrieval.expansion import background_texts
from matcher.retrieval.index import PoolIndex
from matcher.retrieval.pool import build_need_pool
from matcher.services.snapshot import Snapshot
from matcher.vocab import FacetKind

TOP = 5
SIMILAR_SCORE = 0.8
"""Score from which two needs count as similar.

Read by hand on the 104 needs of data/needs.csv, where ten pairs are one problem that one team could answer for both (两家
冷库的叉车电池, 两家的硝化釜窜温 …), so twenty directions. With the built-in model 0.8 finds 16 and names 3 others; 0.75
finds 18 and names 11 others; 0.9 finds 10 and names none. Without a model 0.8 finds 16 and names 6 others.
"""
DUPLICATE_OVERLAP = 0.6
"""Share of character pairs two texts of one firm have in common from which the second repeats the first.

The two most alike of data/needs.csv share 0.10; a need with a fifth of its text replaced still shares 0.64 and more.
"""
_LABELS = frozenset({FacetKind.NAME, FacetKind.DISCIPLINE})  # never evidence, as in ranking.evidence
_SHOWN_TERMS = 4


@dataclass(frozen=True, slots=True)
class LineEffect:
    """One requirement line before and after a rewrite.

    Attributes:
        text: the line as it stands in the need.
        covered_before: a team among the first has evidence for it; None when the line was not there.
        covered_after: the same for the new text; None when the line is no longer there.
        best_expert_id: team with the strongest evidence, in the new text where the line is still there; may be empty.
        facet_text: that evidence, as it stands in the team's record; may be empty.
        facet_kind: what ``facet_text`` was taken from; a masked team's 产业经历 would name it.
    """

    text: str
    covered_before: bool | None
    covered_after: bool | None
    best_expert_id: str
    facet_text: str
    facet_kind: FacetKind | None


@dataclass(frozen=True, slots=True)
class Effect:
    """What a rewrite changed. Equal lines of one text count once.

    Attributes:
        lines: the lines of the new text in their order, then those no longer there.
        n_covered_before: lines of the old text with evidence from one of its first teams; ``n_lines_before`` in all.
        n_covered_after: the same for the new text; ``n_lines_after`` in all.
        entered: teams now among the first that were not, best first.
        left: teams no longer among the first, in their old order.
        moved: team, place before and place after, of those that stayed at another place; from 1.
        best_before: 匹配度 of the first team for the old text, 0–1. Not comparable with ``best_after``: every score is
            measured against the pool for its own text.
        best_after: the same for the new text.
        sentence: the change in plain words, with the numbers; says so when nothing was gained.
    """

    lines: tuple[LineEffect, ...]
    n_covered_before: int
    n_lines_before: int
    n_covered_after: int
    n_lines_after: int
    entered: tuple[str, ...]
    left: tuple[str, ...]
    moved: tuple[tuple[str, int, int], ...]
    best_before: float
    best_after: float
    sentence: str


@dataclass(frozen=True, slots=True)
class SimilarNeed:
    """A need that says much the same.

    Attributes:
        need_id: the need found.
        title: its title.
        score: likeness 0–1, measured without the asking need; comparable within one answer.
        duplicate: the same firm and nearly the same words.
        why: one sentence, quoting only words that both needs hold.
    """

    need_id: str
    title: str
    score: float
    duplicate: bool
    why: str


@dataclass(frozen=True)
class _Reading:
    """One text: its first teams, best first, and every line that says something with its strongest evidence, if any."""

    experts: tuple[str, ...]
    best: float
    lines: Mapping[str, tuple[str, Facet | None]]
    n_empty: int

    @property
    def n_covered(self) -> int:
        return sum(facet is not None for _, facet in self.lines.values())

    def covered(self, key: str) -> bool | None:
        return self.lines[key][1] is not None if key in self.lines else None


def measure_effect(snapshot: Snapshot, before: Need, after: Need, *, top: int = TOP) -> Effect:
    """Compare two versions of a need.

    The first teams are those by 匹配度 alone, without the pairs the 台账 forbids; a re-reading model does not take part.
    A line counts as covered when any of them has a facet at or above the recorded evidence threshold; on the sample
    needs the first five teams cover 94 % of the lines, five teams drawn by lot 28 %. Lines that would fit every need
    (越快越好) are left out, or a rewrite could gain by saying nothing: such lines find some facet nearly always.

    Args:
        snapshot: records and scorers of one moment; both versions are measured on it.
        before: the old version.
        after: the new version; neither needs to be stored.
        top: how many teams are looked at.

    Raises:
        ValueError: ``top`` is not positive.
    """
    if top < 1:
        raise ValueError("top must be positive")
    old, new = _read(snapshot, before, top), _read(snapshot, after, top)
    lines = []
    for key in dict.fromkeys([*new.lines, *old.lines]):
        text, facet = new.lines[key] if key in new.lines else old.lines[key]
        quoted = (facet.expert_id, facet.text, facet.kind) if facet else ("", "", None)
        lines.append(LineEffect(text, old.covered(key), new.covered(key), *quoted))
    place = {expert_id: n for n, expert_id in enumerate(old.experts, 1)}
    entered = tuple(e for e in new.experts if e not in place)
    left = tuple(e for e in old.experts if e not in new.experts)
    stayed = ((e, place[e], n) for n, e in enumerate(new.experts, 1) if e in place)
    moved = tuple(step for step in stayed if step[1] != step[2])
    return Effect(
        tuple(lines),
        old.n_covered,
        len(old.lines),
        new.n_covered,
        len(new.lines),
        entered,
        left,
        moved,
        old.best,
        new.best,
        _say_lines(lines, old, new) + _say_teams(len(entered), len(left), len(moved), len(new.experts)),
    )


def _read(snapshot: Snapshot, need: Need, top: int) -> _Reading:
    query, scorer, records = need_query(need), snapshot.experts, snapshot.records
    distinct = {bare(line.text): line for line in reversed(query.lines)}
    lines = tuple(line for line in query.lines if distinct[bare(line.text)] is line)
    telling = tuple(line for line in lines if says_something(line.text))
    ids = scorer.index.pool.item_ids
    score = scorer.score([query]).score[0].round(6) if query.lines and ids else ()
    free = (r for r in range(len(score)) if not records.forbidden.kind(need.company, records.experts[ids[r]]))
    rows = sorted(free, key=lambda row: (-float(score[row]), ids[row]))[:top]
    found = zip(telling, _strongest(scorer, Query(query.query_id, telling), rows), strict=True)
    return _Reading(
        tuple(ids[row] for row in rows),
        float(score[rows[0]]) if rows else 0.0,
        {bare(line.text): (line.text, facet) for line, facet in found},
        len(lines) - len(telling),
    )


def _strongest(scorer: Scorer, query: Query, rows: Sequence[int]) -> list[Facet | None]:
    """For every line the strongest facet of these teams, None where it does not reach the threshold."""
    pool = scorer.index.pool
    numbers = [n for row in rows for n in pool.facets_of(row) if pool.facets[n].kind not in _LABELS]
    if not numbers or not query.lines:
        return [None] * len(query.lines)
    strengths = LineScorer(scorer, query).strengths(numbers)
    reached = strengths.max(axis=1) >= scorer.params.evidence_threshold
    best = strengths.argmax(axis=1)
    return [pool.facets[numbers[j]] if enough else None for j, enough in zip(best, reached, strict=True)]


def _say_lines(lines: Sequence[LineEffect], old: _Reading, new: _Reading) -> str:
    gained = new.n_covered - old.n_covered
    said = (
        f"原来 {len(old.lines)} 条要求中 {old.n_covered} 条有依据，"
        f"现在 {len(new.lines)} 条中 {new.n_covered} 条有依据"
    )
    if gained > 0:
        won = sum(line.covered_after is True and line.covered_before is False for line in lines)
        fresh = sum(line.covered_after is True and line.covered_before is None for line in lines)
        parts = [f"原有的 {won} 条新找到依据"] * (won > 0) + [f"新写或改写的 {fresh} 条有依据"] * (fresh > 0)
        said += f"，多了 {gained} 条（{'，'.join(parts)}）。"
    else:
        said += f"{f'，少了 {-gained} 条' * (gained < 0)}：这次修改没有让更多要求找到依据。"
    return said + f"有 {new.n_empty} 句没有说到具体内容，不计在内。" * (new.n_empty > 0)


def _say_teams(entered: int, left: int, moved: int, n: int) -> str:
    steps = ((entered, "新进 {} 个"), (left, "退出 {} 个"), (moved, "换位置 {} 个"))
    changes = "、".join(words.format(count) for count, words in steps if count)
    same = f"排在前 {n} 位的团队没有变化。" if n else "现在没有可列出的团队。"
    said = f"排在前面的团队：{changes}。" if changes else same
    return said + "文字不同，前后的匹配度不能直接比较，请看有依据的条数。"


def find_similar(
    snapshot: Snapshot,
    need: Need,
    *,
    allowed: Collection[str],
    top: int = TOP,
    threshold: float = SIMILAR_SCORE,
) -> tuple[SimilarNeed, ...]:
    """Needs like this one, duplicates first, then by score.

    Only the needs in ``allowed`` take part, also in the statistics behind the score: what a reader may not see cannot
    even be guessed from a number. The need itself takes no part either, so a draft and the same need once stored get
    the same answer.

    Args:
        snapshot: records and scorers of one moment.
        need: stored or not.
        allowed: ids the reader may see; unknown ones are ignored.
        top: at most so many.
        threshold: score from which a need is listed; a duplicate, and another firm's with the same words, always is.
    """
    query, needs = need_query(need), snapshot.records.needs
    others = [needs[i] for i in sorted(set(allowed)) if i in needs and i != need.need_id]
    if not query.lines or not others:
        return ()
    scorer = _scorer_of(snapshot, others)
    scores = scorer.score([query]).score[0]
    found = []
    for other in others:
        score = round(float(scores[scorer.index.pool.position[other.need_id]]), 6)
        overlap = _overlap(_text(need), _text(other))
        same_title = bool(bare(need.title)) and bare(need.title) == bare(other.title)
        repeats = overlap >= DUPLICATE_OVERLAP
        duplicate = _same_firm(snapshot, need, other) and (same_title or repeats)
        if duplicate or repeats or score >= threshold:
            why = _why(scorer, need, other, duplicate, same_title, overlap)
            found.append(SimilarNeed(other.need_id, other.title, score, duplicate, why))
    return tuple(sorted(found, key=lambda s: (not s.duplicate, -s.score, s.need_id))[:top])


def _scorer_of(snapshot: Snapshot, needs: Collection[Need]) -> Scorer:
    """A scorer over some needs; texts the snapshot knows are neither tokenised nor encoded again."""
    whole = snapshot.needs
    background = background_texts(snapshot.words.thesaurus, len(needs), plain=True)
    index = PoolIndex.build(
        build_need_pool(needs), whole.tokeniser, whole.encoder, background=background, previous=whole.index
    )
    return Scorer(index, whole.tokeniser, whole.expander, whole.encoder, whole.params, plain=True)


def _text(need: Need) -> str:
    return "。".join((need.title, need.problem, need.key_tech, need.goal))


def _overlap(left: str, right: str) -> float:
    """Share of character pairs in common, 0–1; width, case, blanks and punctuation make no difference."""
    pairs = [{text[i : i + 2] for i in range(len(text) - 1)} for text in (bare(left), bare(right))]
    together = pairs[0] | pairs[1]
    return len(pairs[0] & pairs[1]) / len(together) if together else 0.0


def _same_firm(snapshot: Snapshot, left: Need, right: Need) -> bool:
    if left.firm_id and right.firm_id:
        return left.firm_id == right.firm_id
    names = snapshot.records.names
    return bool(bare(left.company)) and bare(names.firm(left.company)) == bare(names.firm(right.company))


def _why(scorer: Scorer, need: Need, other: Need, duplicate: bool, same_title: bool, overlap: float) -> str:
    if duplicate:
        said = "需求名称相同" if same_title else f"文字有 {overlap:.0%} 相同"
        return f"同一企业的需求，{said}，可能是重复填报。"
    shared = scorer.tokeniser.shared_terms(_text(need), _text(other))[:_SHOWN_TERMS]
    return f"两条需求都提到：{'、'.join(shared)}。" if shared else "说的是相近的问题。"
