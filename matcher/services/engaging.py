"""Begin a 对接: what accepting a pairing, pairing by hand and taking an answer all come to.

Owns the checks before a 对接 begins and its first event. The caller owns the transaction and has asked for permission.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from matcher.errors import InputError
from matcher.models import Engagement, Expert, Need
from matcher.ranking.eligibility import ForbiddenPairs, Names
from matcher.services.access import Access
from matcher.store.repositories import Repositories
from matcher.store.versioned import new_id
from matcher.vocab import DataKind, InterestState, NeedStatus, Stage


def begin_engagement(
    stored: Repositories,
    access: Access,
    clock: Callable[[], datetime],
    need: Need,
    expert: Expert,
    *,
    run_id: str = "",
    note: str = "",
    owner: str = "",
) -> Engagement:
    """Store a new 对接 in 已推荐, with its event, inside the caller's transaction; a waiting answer of the team is taken.

    Args:
        need: as stored now.
        expert: as stored now.
        owner: login of who follows it; the person acting by default.

    Raises:
        InputError: the need is not published, or the 台账 forbids the pair.
        ConflictError: the pair has a 对接 that is not over.
    """
    if need.status != NeedStatus.PUBLISHED:
        raise InputError(
            f"需求“{need.title}”现在是“{need.status or NeedStatus.WAITING}”，还不能开始对接。",
            "请先受理并发布这条需求。",
        )
    names = Names.build(stored.firms.all(), stored.institutions.all())
    forbidden = ForbiddenPairs.build(stored.cooperation.all(), names).kind(need.company, expert)
    if forbidden:
        raise InputError(
            f"台账里“{need.company}”与这个团队（单位）标为“{forbidden}”，不能开始对接。",
            "确实要对接，请先在台账里改掉这一条。",
        )
    now = clock()
    sample = need.is_sample or expert.is_sample
    made = stored.engagements.add(
        Engagement(
            engagement_id=new_id("G"),
            need_id=need.need_id,
            expert_id=expert.expert_id,
            firm_id=need.firm_id,
            institution_id=expert.institution_id,
            firm=need.company,
            institution=expert.institution,
            need_title=need.title,
            expert_name=expert.name,
            stage=Stage.PROPOSED.value,
            owner=owner or access.actor,
            created_at=now,
            stage_since=now,
            touched_at=now,
            note=note,
            run_id=run_id,
            data_kind=(DataKind.SAMPLE if sample else DataKind.OWN).value,
        )
    )
    stored.audit.add(
        access.actor,
        "engagement.begin",
        "engagement",
        made.engagement_id,
        {"need": need.need_id, "expert": expert.expert_id, "owner": made.owner, "to": made.stage},
    )
    for answer in stored.interests.of_pairs([(need.need_id, expert.expert_id)]):
        if answer.state == InterestState.SENT:
            taken = replace(answer, state=InterestState.TAKEN.value, updated_at=now)
            stored.interests.update(taken, answer.version)
            said = {"to": taken.state, "reply": "", "engagement": made.engagement_id}
            stored.audit.add(access.actor, "interest.settle", "interest", answer.interest_id, said)
    return made
