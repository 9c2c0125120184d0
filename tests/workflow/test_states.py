"""The two tables of states: what may follow what, and that nothing is a dead end by accident."""

from __future__ import annotations

import pytest

from matcher.errors import InputError
from matcher.vocab import EndReason, NeedStatus, Stage
from matcher.workflow.states import (
    NEED_STEPS,
    OPEN_STAGES,
    STAGE_STEPS,
    check_need_step,
    check_stage_step,
    next_stages,
    next_statuses,
)


def _reachable(table: object, start: str) -> set[str]:
    found, todo = {start}, [start]
    while todo:
        here = todo.pop()
        for before, after in table:  # type: ignore[attr-defined]
            if before == here and after not in found:
                found.add(after)
                todo.append(after)
    return found


def test_every_status_can_be_reached_from_a_draft() -> None:
    assert _reachable(NEED_STEPS, NeedStatus.DRAFT) == set(NeedStatus)


def test_every_stage_can_be_reached_from_the_first() -> None:
    assert _reachable(STAGE_STEPS, Stage.PROPOSED) == set(Stage)


def test_the_words_of_the_tables_are_those_of_the_vocabulary() -> None:
    assert {word for pair in NEED_STEPS for word in pair} == set(NeedStatus)
    assert {word for pair in STAGE_STEPS for word in pair} == set(Stage)


def test_a_need_is_published_only_after_it_was_waiting() -> None:
    assert check_need_step("待受理", "已发布").label == "受理并发布"
    assert check_need_step("", "已发布").label == "受理并发布", "an imported need without a status waits"
    with pytest.raises(InputError, match="现在是“草稿”，不能改成“已发布”") as refused:
        check_need_step("草稿", "已发布")
    assert "待受理" in refused.value.hint


def test_sending_back_needs_its_reason() -> None:
    with pytest.raises(InputError, match="“退回补充”需要写明原因"):
        check_need_step("待受理", "退回补充", "  ")
    assert check_need_step("待受理", "退回补充", "缺少指标").needs_reason


def test_no_stage_on_the_way_to_a_contract_is_skipped() -> None:
    ways = {before: [after for after, step in next_stages(before) if not step.back] for before in Stage}
    assert ways == {
        "已推荐": ["对接中", "终止"],
        "对接中": ["洽谈", "终止"],
        "洽谈": ["签约", "终止"],
        "签约": ["落地", "终止"],
        "落地": [],
        "终止": [],
    }


def test_ending_takes_one_of_the_reasons() -> None:
    for reason in EndReason:
        assert check_stage_step("洽谈", "终止", reason).label == "终止"
    with pytest.raises(InputError, match="不在可选的范围里"):
        check_stage_step("洽谈", "终止", "就是不想谈了")
    with pytest.raises(InputError, match="需要写明原因"):
        check_stage_step("洽谈", "终止")


def test_the_last_stage_says_so() -> None:
    with pytest.raises(InputError) as refused:
        check_stage_step("终止", "对接中")
    assert "最后的状态" in refused.value.hint


def test_open_stages_are_those_that_can_still_end() -> None:
    assert set(OPEN_STAGES) == {before for before, after in STAGE_STEPS if after == Stage.ENDED}


def test_statuses_on_offer_follow_the_table() -> None:
    assert [after for after, _ in next_statuses("")] == [after for after, _ in next_statuses("待受理")]
