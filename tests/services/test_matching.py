from __future__ import annotations

import json

import pytest

from matcher.config import EncoderSettings
from matcher.errors import InputError, NotFoundError
from matcher.ranking.eligibility import ExpertFilter, NeedFilter
from matcher.services.bootstrap import Application
from matcher.vocab import Channel, CooperationKind

NEED = "N302"


def test_both_directions_give_a_pair_the_same_score(app: Application) -> None:
    for pair in app.matching.for_need(NEED, top=3).pairs:
        back = app.matching.for_expert(pair.match.expert_id, top=200)
        same = next(p for p in back.pairs if p.match.need_id == NEED)
        assert same.match.score == pair.match.score
        assert same.match.contributions == pair.match.contributions
        assert same.rank_in_need == pair.match.rank
        assert same.match.evidence == pair.match.evidence


def test_contributions_sum_to_the_score_and_ranks_are_in_order(app: Application) -> None:
    ranking = app.matching.for_need(NEED, top=50)
    assert [p.match.rank for p in ranking.pairs] == list(range(1, 51))
    scores = [p.match.score for p in ranking.pairs]
    assert scores == sorted(scores, reverse=True)
    for pair in ranking.pairs:
        assert sum(pair.match.contributions.values()) == pytest.approx(pair.match.score, abs=2e-6)
        assert set(pair.match.contributions) == {Channel.LEXICAL, Channel.THESAURUS}


def test_filters_remove_pairs_and_never_change_a_score(app: Application) -> None:
    everyone = {p.match.expert_id: p.match for p in app.matching.for_need(NEED, top=500).pairs}
    local = app.matching.for_need(NEED, filter=ExpertFilter(rings=frozenset({"区内"})), top=500)
    assert {p.expert.ring for p in local.pairs if p.expert} == {"区内"}
    assert len(local.pairs) + local.n_filtered + local.n_forbidden == local.n_pool
    for pair in local.pairs:
        assert pair.match.score == everyone[pair.match.expert_id].score


def test_forbidden_pairs_are_listed_in_neither_direction(app: Application) -> None:
    rows = [
        c
        for c in app.records.cooperation()
        if c.kind in {CooperationKind.CONFLICT, CooperationKind.DO_NOT_CONTACT}
    ]
    assert rows
    for row in rows:
        need = next(n for n in app.records.needs() if n.company == row.firm)
        ranking = app.matching.for_need(need.need_id, top=500)
        assert row.expert_id not in {p.match.expert_id for p in ranking.pairs}
        back = app.matching.for_expert(row.expert_id, top=500)
        assert row.firm not in {p.need.company for p in back.pairs if p.need}
        absence = app.matching.explain_absence(need.need_id, row.expert_id)
        assert absence.kind == row.kind
        assert row.kind in absence.message


def test_why_not_says_rank_filter_or_that_it_is_listed(app: Application) -> None:
    ranking = app.matching.for_need(NEED, top=228)
    first, last = ranking.pairs[0].match, ranking.pairs[-1].match
    assert app.matching.explain_absence(NEED, first.expert_id).kind == "已列出"
    low = app.matching.explain_absence(NEED, last.expert_id)
    assert low.kind in {"排名靠后", "无匹配依据"}
    assert f"第 {last.rank} 位" in low.message
    national = ExpertFilter(rings=frozenset({"全国"}))
    filtered = app.matching.explain_absence(NEED, first.expert_id, filter=national)
    assert filtered.kind == "筛选条件"
    assert "圈层" in filtered.message


def test_practical_signals_reorder_only_when_switched_on(app: Application) -> None:
    plain = app.matching.for_need(NEED, top=50)
    reordered = app.matching.for_need(NEED, top=50, practical=True)
    score = {p.match.expert_id: p.match.score for p in plain.pairs}
    for pair in reordered.pairs:
        assert score.get(pair.match.expert_id, pair.match.score) == pair.match.score
    assert [p.match.expert_id for p in plain.pairs] != [p.match.expert_id for p in reordered.pairs]
    assert all(p.match.practical for p in plain.pairs)


def test_free_text_finds_both_sides(app: Application) -> None:
    experts = app.matching.experts_for_text("导管插两次就不滑了，还掉渣", top=5)
    assert "E337" in {p.match.expert_id for p in experts.pairs}
    assert all(p.need is None and p.match.need_id == "" for p in experts.pairs)
    needs = app.matching.needs_for_text(
        "亲水润滑涂层 医用导管", filter=NeedFilter(sectors=frozenset({"医药及健康食品"})), top=5
    )
    assert needs.pairs[0].match.need_id == NEED
    assert all(p.expert is None for p in needs.pairs)


@pytest.mark.parametrize("text", ["", "   ", "。，！", "字" * 5001])
def test_unusable_text_is_refused_with_what_to_do(app: Application, text: str) -> None:
    with pytest.raises(InputError) as caught:
        app.matching.experts_for_text(text)
    assert caught.value.hint


def test_unknown_ids_are_not_found(app: Application) -> None:
    with pytest.raises(NotFoundError):
        app.matching.for_need("N999")
    with pytest.raises(NotFoundError):
        app.matching.for_expert("E999")
    with pytest.raises(NotFoundError):
        app.matching.explain_absence(NEED, "E999")


def test_equal_questions_have_equal_run_ids_and_different_ones_do_not(app: Application) -> None:
    one, two = app.matching.for_need(NEED), app.matching.for_need(NEED)
    other = app.matching.for_need(NEED, filter=ExpertFilter(rings=frozenset({"全国"})))
    assert one.run.run_id == two.run.run_id
    assert other.run.run_id != one.run.run_id
    json.dumps(dict(one.run.parameters))
    assert one.run.matches == tuple(p.match for p in one.pairs)


def test_missing_model_is_said_on_the_run_and_in_the_ranking(app: Application) -> None:
    ranking = app.matching.for_need(NEED)
    assert ranking.degraded == ranking.run.degraded
    assert "未启用语义模型" in ranking.degraded[0]


def test_every_evidence_line_resolves_to_a_stored_record(app: Application) -> None:
    works = {work.work_id: work for work in app.records.works()}
    for need in app.records.needs()[::7]:
        for pair in app.matching.for_need(need.need_id, top=5).pairs:
            for evidence in pair.match.evidence:
                assert evidence.line.record_id == need.need_id
                source = (
                    f"{need.title}\n{need.problem}\n{need.key_tech}\n{need.goal}\n{'、'.join(need.keywords)}"
                )
                for piece in evidence.line.text.split("，"):
                    assert piece in source
                facet = evidence.facet
                if facet.record_id in works:
                    work = works[facet.record_id]
                    assert work.expert_id == pair.match.expert_id
                    assert facet.text in {work.title, f"{work.title}。{work.abstract}"}
                else:
                    expert = app.records.expert(facet.record_id)
                    assert expert.expert_id == pair.match.expert_id
                    held = [*expert.research_directions, *expert.achievements, "、".join(expert.keywords)]
                    assert any(facet.text in text for text in (*held, expert.industry_experience))


def test_text_that_resembles_nothing_is_said_to(app: Application) -> None:
    """Only with the built-in model, whose cosines the limit was measured on; the ranking stays."""
    app.engine.switch(EncoderSettings("builtin"))
    app.engine.wait()
    for ask, problem in (
        (app.matching.experts_for_text, "离合器磨得快，修一次停半个月"),
        (app.matching.needs_for_text, "刹车片磨得快，跑几千公里就要换"),
    ):
        assert ask(problem).degraded == ()
        strange = ask("asdfgh qwerty")
        assert strange.pairs
        assert "都不接近" in strange.degraded[-1]
    titles = [need.title for need in app.records.needs()]
    said = [title for title in titles if app.matching.experts_for_text(title, top=1).degraded]
    assert len(said) <= len(titles) / 50
