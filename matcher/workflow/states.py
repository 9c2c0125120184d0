"""Which state of a need, and which stage of a 对接, may follow which.

Owns the two tables and the check of one step. Deliberately knows neither people nor storage: who may take a step is
in ``permissions``, and services write what happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from matcher.errors import InputError
from matcher.vocab import EndReason, NeedStatus, Stage


@dataclass(frozen=True, slots=True)
class Step:
    """One permitted change. ``needs_reason`` says that a sentence why must come with it."""

    label: str
    needs_reason: bool = False
    back: bool = False


_N = NeedStatus
NEED_STEPS: Mapping[tuple[str, str], Step] = {
    (_N.DRAFT, _N.WAITING): Step("提交"),
    (_N.WAITING, _N.PUBLISHED): Step("受理并发布"),
    (_N.WAITING, _N.RETURNED): Step("退回补充", needs_reason=True),
    (_N.RETURNED, _N.WAITING): Step("重新提交"),
    (_N.PUBLISHED, _N.RETURNED): Step("退回补充", needs_reason=True, back=True),
    (_N.PUBLISHED, _N.WAITING): Step("修改后重新送审", back=True),
    (_N.PUBLISHED, _N.SOLVED): Step("标为已解决"),
    (_N.SOLVED, _N.PUBLISHED): Step("重新打开", needs_reason=True, back=True),
    (_N.DRAFT, _N.WITHDRAWN): Step("撤回"),
    (_N.WAITING, _N.WITHDRAWN): Step("撤回", needs_reason=True),
    (_N.RETURNED, _N.WITHDRAWN): Step("撤回", needs_reason=True),
    (_N.PUBLISHED, _N.WITHDRAWN): Step("撤回", needs_reason=True),
    (_N.WITHDRAWN, _N.WAITING): Step("重新提交", back=True),
}

_S = Stage
STAGE_STEPS: Mapping[tuple[str, str], Step] = {
    (_S.PROPOSED, _S.CONTACT): Step("开始对接"),
    (_S.CONTACT, _S.TALKS): Step("进入洽谈"),
    (_S.TALKS, _S.SIGNED): Step("登记签约"),
    (_S.SIGNED, _S.LANDED): Step("登记落地"),
    (_S.PROPOSED, _S.ENDED): Step("终止", needs_reason=True),
    (_S.CONTACT, _S.ENDED): Step("终止", needs_reason=True),
    (_S.TALKS, _S.ENDED): Step("终止", needs_reason=True),
    (_S.SIGNED, _S.ENDED): Step("终止", needs_reason=True),
    (_S.CONTACT, _S.PROPOSED): Step("退回上一步", needs_reason=True, back=True),
    (_S.TALKS, _S.CONTACT): Step("退回上一步", needs_reason=True, back=True),
    (_S.SIGNED, _S.TALKS): Step("撤销签约登记", needs_reason=True, back=True),
    (_S.LANDED, _S.SIGNED): Step("撤销落地登记", needs_reason=True, back=True),
}
ACTIVE_STAGES = (Stage.PROPOSED, Stage.CONTACT, Stage.TALKS)
"""Stages in which somebody still has to do something for a signature."""
OPEN_STAGES = (*ACTIVE_STAGES, Stage.SIGNED)
"""Stages that take up a team's capacity and forbid a second 对接 of the same pair."""


def next_statuses(status: str) -> tuple[tuple[str, Step], ...]:
    """Statuses that may follow, with the step that leads there, in the table's order."""
    return tuple(
        (after, step) for (before, after), step in NEED_STEPS.items() if before == (status or _N.WAITING)
    )


def next_stages(stage: str) -> tuple[tuple[str, Step], ...]:
    """Stages that may follow, with the step that leads there, in the table's order."""
    return tuple((after, step) for (before, after), step in STAGE_STEPS.items() if before == stage)


def check_need_step(before: str, after: str, reason: str = "") -> Step:
    """The step from one status to another; a need without a status counts as 待受理.

    Raises:
        InputError: there is no such step, or it lacks its reason.
    """
    return _check("需求", NEED_STEPS, before or _N.WAITING, after, reason)


def check_stage_step(before: str, after: str, reason: str = "") -> Step:
    """The step from one stage to another; 终止 takes an ``EndReason``, a step back any sentence.

    Raises:
        InputError: there is no such step, it lacks its reason, or 终止 has an unknown one.
    """
    step = _check("对接", STAGE_STEPS, before, after, reason)
    if after == Stage.ENDED and reason not in tuple(EndReason):
        raise InputError(f"终止原因“{reason}”不在可选的范围里。", f"请从中选一个：{'、'.join(EndReason)}。")
    return step


def _check(what: str, table: Mapping[tuple[str, str], Step], before: str, after: str, reason: str) -> Step:
    step = table.get((before, after))
    if step is None:
        ways = "、".join(f"“{b}”" for (a, b) in table if a == before)
        raise InputError(
            f"{what}现在是“{before}”，不能改成“{after}”。",
            f"可以改成{ways}。" if ways else "这是最后的状态，不能再改。",
        )
    if step.needs_reason and not reason.strip():
        raise InputError(f"“{step.label}”需要写明原因。", "请写一句话说明原因后再试。")
    return step
