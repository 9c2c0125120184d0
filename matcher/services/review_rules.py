"""What a decision of the 审核台 may say, when it may be made, and what taking it back undoes.

Owns these rules and the values that bulk decisions are made of. Works inside the caller's transaction; permissions and
the decision itself are ``review``'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from matcher.columns import clean_text
from matcher.errors import ConflictError, InputError
from matcher.export.document import shown_score
from matcher.intake.identity import holds_id_card
from matcher.models import Engagement, Exclusion, Expert, Need, Run
from matcher.ranking.scorer import WEAK_SCORE
from matcher.services.rankings import BEIJING
from matcher.services.snapshot import Records
from matcher.store.entries import Decision
from matcher.store.repositories import Repositories
from matcher.vocab import DecisionKind, DecisionReason, InterestState, NeedStatus, Stage
from matcher.workflow.states import OPEN_STAGES

MAX_NOTE = 500
CHOICES = (DecisionKind.ACCEPT, DecisionKind.SHELVE, DecisionKind.REJECT)


@dataclass(frozen=True, slots=True)
class Opinion:
    """A checked decision without its pair."""

    kind: DecisionKind
    reason: str
    note: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """One pairing of many, and the decision id its chooser saw (0 when there was none)."""

    need_id: str
    expert_id: str
    seen: int
    need_title: str = ""
    expert_name: str = ""

    @property
    def name(self) -> str:
        return f"“{self.need_title or self.need_id}”与“{self.expert_name or self.expert_id}”"


@dataclass(frozen=True, slots=True)
class BulkPreview:
    """What deciding on many at once would do: on ``can``; ``cannot`` come with the reason, ``notices`` with a warning."""

    opinion: Opinion
    can: tuple[Chosen, ...]
    cannot: tuple[tuple[Chosen, str], ...]
    notices: tuple[str, ...] = ()
    runs: Mapping[str, Run] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that counts. ``need`` or ``expert`` is None when the record is gone; ``by`` is a person's name."""

    decision: Decision
    need: Need | None
    expert: Expert | None
    engagement: Engagement | None
    by: str


def checked_opinion(kind: str, reason: str, note: str) -> Opinion:
    """The decision as it is stored.

    Raises:
        InputError: unknown kind or reason, no reason where one is needed, or a note that is too long or holds an
            ID-card number.
    """
    if kind not in CHOICES:
        raise InputError(f"没有“{kind}”这种审核意见。", f"可以选：{'、'.join(CHOICES)}。")
    if reason and reason not in tuple(DecisionReason):
        raise InputError(f"没有“{reason}”这个原因。", f"请从中选一个：{'、'.join(DecisionReason)}。")
    if not reason and kind != DecisionKind.ACCEPT:
        raise InputError(f"“{kind}”需要选一个原因。", f"请从中选一个：{'、'.join(DecisionReason)}。")
    note = clean_text(note)
    if len(note) > MAX_NOTE:
        raise InputError(f"备注太长（{len(note)} 字）。", f"请控制在 {MAX_NOTE} 字以内。")
    if holds_id_card(note):
        raise InputError("备注里有身份证号码。", "平台不收集身份证号码，请删去后再试。")
    return Opinion(DecisionKind(kind), reason, note)


def name_of(stored: Repositories, login: str) -> str:
    """A person's name, or the login where there is no such account."""
    account = stored.accounts.get(login)
    return account.person.name if account and account.person.name else login


def moment_text(at: datetime) -> str:
    """A UTC time as it is read in Beijing."""
    local = at + BEIJING
    return f"{local.month} 月 {local.day} 日 {local:%H:%M}"


def said_of(stored: Repositories, decision: Decision) -> str:
    """Who decided what, when and why, as one clause."""
    who, when = name_of(stored, decision.decided_by), moment_text(decision.decided_at)
    if decision.kind == DecisionKind.UNDONE:
        return f"{who} {when} 撤销了原来的审核意见"
    return f"{who} {when} 已定为“{decision.kind}”" + (f"（{decision.reason}）" if decision.reason else "")


def check_seen(stored: Repositories, latest: Decision | None, seen: int) -> None:
    """Raise ConflictError when somebody decided on the pair meanwhile, or when it is accepted already."""
    if (latest.decision_id if latest else 0) != seen:
        what = said_of(stored, latest) if latest else "原来的审核意见已不在"
        raise ConflictError(f"这个配对，{what}，您这次的意见没有保存。", "如要改，请先到“已决定”里撤销。")
    if latest is not None and latest.kind == DecisionKind.ACCEPT:
        raise ConflictError("这个配对已经接受，正在对接。", "如要改，请先撤销，或到“对接跟踪”里终止。")


def why_not_begin(records: Records, need: Need, expert: Expert) -> str:
    """Why accepting would be refused, as far as the records say; empty when nothing stands against it."""
    if need.status != NeedStatus.PUBLISHED:
        return f"需求现在是“{need.status or NeedStatus.WAITING}”，还没有发布。"
    forbidden = records.forbidden.kind(need.company, expert)
    if forbidden:
        return f"台账里这家企业与该团队（单位）标为“{forbidden}”。"
    for one in records.engagements_by_expert.get(expert.expert_id, ()):
        if one.need_id == need.need_id and one.stage in OPEN_STAGES:
            return f"这一对已经在对接，现在是“{one.stage}”。"
    return ""


def why_not_suggested(
    stored: Repositories,
    records: Records,
    need: Need,
    expert: Expert,
    latest: Decision | None,
    found: Exclusion,
) -> tuple[str, str]:
    """Kind and sentence of why a pair is not in the queue; ``found`` is what the ranking alone says."""
    for one in records.engagements_by_expert.get(expert.expert_id, ()):
        if one.need_id == need.need_id and one.stage != Stage.ENDED:
            return "已在对接", f"这一对现在是“{one.stage}”。"
    if latest is not None and latest.kind != DecisionKind.UNDONE:
        return "已审核", f"{said_of(stored, latest)}，所以不再推荐。"
    if need.status != NeedStatus.PUBLISHED:
        return "需求未发布", f"这条需求现在是“{need.status or NeedStatus.WAITING}”，发布后才会推荐团队。"
    if found.match is not None and found.match.score < WEAK_SCORE:
        return "关联较弱", f"匹配度低于 {shown_score(WEAK_SCORE):.0f} 的不推荐。{found.message}"
    return found.kind, found.message


def with_records(
    stored: Repositories, records: Records, decisions: Iterable[Decision]
) -> tuple[Decided, ...]:
    """Decisions with the records and the latest 对接 of their pairs."""
    names = {account.person.login: account.person.name for account in stored.accounts.all()}
    began = {
        (one.need_id, one.expert_id): one
        for one in sorted(records.engagements.values(), key=lambda e: (e.created_at, e.engagement_id))
    }
    return tuple(
        Decided(
            one,
            records.needs.get(one.need_id),
            records.experts.get(one.expert_id),
            began.get((one.need_id, one.expert_id)),
            names.get(one.decided_by) or one.decided_by,
        )
        for one in decisions
    )


def crowded(records: Records, chosen: Iterable[Chosen]) -> tuple[str, ...]:
    """Teams that would be accepted for more than they have capacity for."""
    wanted = Counter(one.expert_id for one in chosen)
    said = []
    for expert_id, n in sorted(wanted.items()):
        expert = records.experts[expert_id]
        left = records.history.capacity_left(expert)
        if left is not None and n > left:
            said.append(f"“{expert.name}”还可承接 {max(left, 0)} 项，这次要接受 {n} 项。")
    return tuple(said)


def cancel_untouched(stored: Repositories, actor: str, accepted: Decision, now: datetime) -> str:
    """Delete the 对接 an accept began, if nobody has done anything with it; returns its id, empty when there is none.

    An answer of the team that was taken with it waits again.

    Raises:
        InputError: it has been worked on.
    """
    began = [
        str(event.detail.get("engagement", ""))
        for event in stored.audit.of("pair", pair_key(accepted))
        if event.action == "pair.decide"
    ]
    engagement_id = began[-1] if began else ""
    engagement = stored.engagements.get(engagement_id) if engagement_id else None
    if engagement is None:
        return ""
    contacted = any(e.action == "engagement.contact" for e in stored.audit.of("engagement", engagement_id))
    touched = engagement.version != 1 or contacted or stored.attachments.of(engagement_id)
    if engagement.stage != Stage.PROPOSED or touched:
        raise InputError(
            f"这个配对已经开始办理，现在是“{engagement.stage}”，不能直接撤销。",
            "请到“对接跟踪”里打开它，写明原因后终止。",
        )
    stored.engagements.delete(engagement_id)
    stored.audit.add(actor, "engagement.cancel", "engagement", engagement_id, {})
    for answer in stored.interests.of_pairs([(accepted.need_id, accepted.expert_id)]):
        if answer.state == InterestState.TAKEN:
            waiting = replace(answer, state=InterestState.SENT.value, reply="", updated_at=now)
            stored.interests.update(waiting, answer.version)
            stored.audit.add(actor, "interest.reopen", "interest", answer.interest_id, {"to": waiting.state})
    return engagement_id


def pair_key(decision: Decision) -> str:
    """The pair's id in the audit log."""
    return f"{decision.need_id}|{decision.expert_id}"
