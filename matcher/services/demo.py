"""A little history for the demo: a few pairings on their way, so that no page of the demo is empty.

Owns the choice of the pairs and what happens to them. Everything goes through the services, some weeks back in time, and
is 示例 like the records it concerns: dropping the samples drops it too.
"""

from __future__ import annotations

import csv
from datetime import timedelta

from matcher.models import Engagement, Person
from matcher.services.bootstrap import Application
from matcher.services.entrance import DEMO_BUREAU
from matcher.services.rankings import BEIJING
from matcher.vocab import ContractKind, EndReason, NeedStatus, Stage

SURE = "3"
# How many days ago it began, how far it came, and what is to be done next.
_STORIES = (
    (2, Stage.PROPOSED, "电话联系企业"),
    (26, Stage.PROPOSED, "等企业答复"),
    (12, Stage.CONTACT, "约双方线上交流"),
    (50, Stage.CONTACT, "催团队给方案"),
    (30, Stage.TALKS, "商定费用和进度"),
    (75, Stage.SIGNED, "办理技术合同登记"),
    (40, Stage.ENDED, ""),
)
_WAY = (Stage.CONTACT, Stage.TALKS, Stage.SIGNED)


def tell_stories(app: Application) -> int:
    """Begin a 对接 for some 示例 needs and let each go its way; returns how many. Does nothing where there are any."""
    if app.engine.records().engagements:
        return 0
    pairs = _pairs(app, len(_STORIES))
    for number, (pair, story) in enumerate(zip(pairs, _STORIES, strict=False)):
        _tell(app, DEMO_BUREAU[number % len(DEMO_BUREAU)], pair, *story)
    return len(pairs)


def _pairs(app: Application, n: int) -> list[tuple[str, str]]:
    """Judged pairings of published 示例 needs, a need and a team at most once."""
    path = app.settings.data / "qrels.csv"
    if not path.exists():
        return []
    records = app.engine.records()
    found: dict[str, str] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            need, expert = records.needs.get(row["need_id"]), records.experts.get(row["expert_id"])
            if need is None or expert is None or not (need.is_sample and expert.is_sample):
                continue
            free = need.need_id not in found and expert.expert_id not in found.values()
            allowed = need.status == NeedStatus.PUBLISHED and not records.forbidden.kind(need.company, expert)
            if row["grade"] == SURE and free and allowed:
                found[need.need_id] = expert.expert_id
    return list(found.items())[:: max(1, len(found) // n)][:n]


def _tell(
    app: Application, owner: Person, pair: tuple[str, str], days: int, goal: Stage, next_action: str
) -> None:
    need_id, expert_id = pair
    began = app.clock() - timedelta(days=days)

    def at(share: float) -> Application:
        moment = began + timedelta(days=days * share)
        return app.with_clock(lambda: moment).as_person(owner)

    at(0.0).review.pair(need_id, expert_id, "走访时企业提出")
    engagement: Engagement = next(
        one for one in app.engine.records().engagements_by_need[need_id] if one.expert_id == expert_id
    )
    key, version = engagement.engagement_id, engagement.version
    way = _WAY[: _WAY.index(goal) + 1] if goal in _WAY else _WAY[:2] if goal is Stage.ENDED else ()
    for number, stage in enumerate(way, 1):
        then = at(number / (len(way) + 1) * 0.5)
        if stage is Stage.SIGNED:
            on, kind = (then.clock() + BEIJING).date(), ContractKind.DEVELOPMENT
            moved = then.following.move(key, stage, version, on=on, contract_kind=kind, signed_wan=30.0)
        else:
            moved = then.following.move(key, stage, version)
        version = moved.version
    if goal is Stage.ENDED:
        at(0.6).following.move(key, Stage.ENDED, version, reason=EndReason.PRICE)
    elif next_action:
        at(0.6).following.edit(key, version, next_action=next_action)
