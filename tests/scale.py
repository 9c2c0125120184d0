"""A county far beyond its first years: made-up needs, teams and 对接 in any number, written through the repositories."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from matcher.models import Engagement, Expert, Firm, Institution, Need
from matcher.services.bootstrap import Application
from matcher.services.ownership import link_records
from matcher.store.repositories import Repositories
from matcher.text.thesaurus import load_thesaurus
from matcher.vocab import CallType, Confidentiality, DataKind, NeedStatus, Ring, SolutionMode, Stage

TOWNS = tuple(f"示例镇{n:02}" for n in range(1, 17))
START = datetime(2026, 1, 5, 1, tzinfo=UTC)
SAMPLE = DataKind.SAMPLE.value
STAGES = (*(s for s in Stage for _ in range(2)), Stage.SIGNED)


def fill(app: Application, *, needs: int, experts: int, engagements: int, seed: int = 0) -> None:
    """Store so many records of each kind; equal numbers and seed give equal records."""
    rng = random.Random(seed)
    topics = load_thesaurus(app.settings.thesaurus_paths).topics
    firms = [
        Firm(f"XF{n:03}", f"示例企业{n:03}", town=TOWNS[n % 16], data_kind=SAMPLE)
        for n in range(max(1, needs // 8))
    ]
    schools = [
        Institution(f"XI{n:03}", f"示例大学{n:03}", ring=list(Ring)[n % 3])
        for n in range(max(1, experts // 60))
    ]
    posed = [_need(rng, n, topics, firms) for n in range(needs)]
    teams = [_expert(rng, n, topics, schools) for n in range(experts)]
    with app.database.session() as session:
        stored = Repositories(session, lambda: START)
        stored.firms.upsert(firms)
        stored.institutions.upsert(schools)
        stored.needs.upsert(posed)
        stored.experts.upsert(teams)
        link_records(stored)
        owned = {need.need_id: need for need in stored.needs.get_many(n.need_id for n in posed).values()}
        known = list(stored.experts.get_many(e.expert_id for e in teams).values())
        taken: set[tuple[str, str]] = set()
        for n in range(engagements):
            need, expert = owned[posed[n % needs].need_id], known[(n * 7 + n // needs) % experts]
            if (need.need_id, expert.expert_id) in taken:
                continue
            taken.add((need.need_id, expert.expert_id))
            _engage(stored, rng, n, need, expert)


def _need(rng: random.Random, n: int, topics: tuple, firms: list[Firm]) -> Need:  # type: ignore[type-arg]
    topic, firm = topics[n * 13 % len(topics)], firms[n % len(firms)]
    lay = rng.sample(topic.lay, min(4, len(topic.lay)))
    return Need(
        f"XN{n:05}", firm.name, f"{lay[0]}（第{n}条）", "。".join(lay[1:]) + "。",
        town=firm.town, sector=topic.sector, key_tech=f"{topic.objects[0] if topic.objects else '产品'}合格率达到98%",
        keywords=tuple(topic.objects[:2]), solution_mode=rng.choice(list(SolutionMode)),
        call_type=rng.choice(list(CallType)), confidentiality=rng.choice(list(Confidentiality)),
        budget_wan=float(rng.randint(5, 200)), status=rng.choice([NeedStatus.PUBLISHED] * 5 + list(NeedStatus)),
        posted_on=date(2026, 1, 1) + timedelta(days=n % 300), data_kind=SAMPLE, firm_id=firm.firm_id,
    )  # fmt: skip


def _expert(rng: random.Random, n: int, topics: tuple, schools: list[Institution]) -> Expert:  # type: ignore[type-arg]
    topic, school = topics[n * 7 % len(topics)], schools[n % len(schools)]
    terms = rng.sample(topic.terms, min(5, len(topic.terms)))
    return Expert(
        f"XE{n:05}", f"{topic.name[:10]}示例团队{n:05}", school.name, ring=school.ring,
        disciplines=tuple(topic.disciplines[:2]), research_directions=tuple(terms[:3]),
        achievements=(f"{terms[3]}方法与装置",), keywords=tuple(terms[4:]), capacity=rng.randint(0, 5),
        data_kind=SAMPLE, updated_on=date(2026, 1, 1) - timedelta(days=n % 700), institution_id=school.institution_id,
    )  # fmt: skip


def _engage(stored: Repositories, rng: random.Random, n: int, need: Need, expert: Expert) -> None:
    stage = rng.choice(STAGES)
    began = START + timedelta(hours=n)
    signed = date(2026, 1, 10) + timedelta(days=n % 300) if stage in (Stage.SIGNED, Stage.LANDED) else None
    made = Engagement(
        f"XG{n:05}", need.need_id, expert.expert_id, need.firm_id, expert.institution_id, need.company,
        expert.institution, need.title, expert.name, stage.value, f"official{n % 4}", began, began, began,
        next_action="电话回访", due_on=date(2026, 6, 1) + timedelta(days=n % 200), signed_on=signed,
        contract_no=f"2026-{n:05}" if signed else "", signed_wan=50.0 if signed else None,
        end_reason="企业没有回应" if stage is Stage.ENDED else "", data_kind=SAMPLE,
    )  # fmt: skip
    stored.engagements.add(made)
    for before, after in _way(stage):
        stored.audit.add(
            f"official{n % 4}", "engagement.step" if before else "engagement.begin", "engagement",
            made.engagement_id, {"from": before, "to": after, "need": need.need_id, "expert": expert.expert_id},
        )  # fmt: skip


def _way(stage: Stage) -> list[tuple[str, str]]:
    """The steps that lead to a stage."""
    line = ["", *(s.value for s in Stage if s is not Stage.ENDED)]
    reached = line[: line.index(stage.value) + 1] if stage is not Stage.ENDED else [*line[:3], stage.value]
    return list(pairwise(reached))
