"""What an answer to a published need (揭榜) may say, which needs fit a team, and how both are listed.

Owns the fields of the one page with their limits, and the rows of both sides. Permissions, transactions and events are
``answering``'s. A firm that is not to be known is told by nothing here: rows hold the need as the team may see it, and
no signal that comes from the firm's name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np

from matcher.columns import clean_text
from matcher.errors import ConflictError, InputError
from matcher.intake.identity import holds_id_card
from matcher.models import Engagement, Expert, Interest, Match, Need
from matcher.ranking.evidence import EvidenceFinder
from matcher.ranking.scorer import need_query
from matcher.services.access import Access
from matcher.services.following_views import as_seen
from matcher.services.rankings import is_weak, match_at, with_evidence
from matcher.services.snapshot import Records, Snapshot
from matcher.store.entries import Decision
from matcher.store.repositories import Repositories
from matcher.text.normalise import normalise
from matcher.vocab import DecisionKind, InterestState
from matcher.workflow.states import OPEN_STAGES

MAX_REPLY = 300


@dataclass(frozen=True, slots=True)
class PageField:
    """One part of the one-page answer; ``limit`` in characters."""

    name: str
    label: str
    limit: int
    required: bool = False


PAGE_FIELDS: tuple[PageField, ...] = (
    PageField("approach", "技术思路", 1500, required=True),
    PageField("foundation", "已有基础", 800),
    PageField("plan", "工作安排", 800),
    PageField("terms", "合作条件", 800),
)


@dataclass(frozen=True, slots=True)
class CallRow:
    """A published need as a team may see it, with how well one of its profiles fits.

    Attributes:
        expert: the own profile that fits best.
        match: its score with evidence; never with practical signals.
        days_left: until 需求时限止, negative when it has passed; None when there is none.
        interest: the profile's last answer to this need.
        warnings: what to mind before answering, in sentences.
    """

    need: Need
    expert: Expert
    match: Match
    days_left: int | None
    interest: Interest | None
    warnings: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether the pair is more than chance."""
        return not is_weak(self.match)


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """An answer with what it is about.

    ``need`` is as the reader may see it, None when it is gone or no longer shown; ``expert`` is None when it is gone.
    ``warnings`` are for the bureau.
    """

    interest: Interest
    need: Need | None
    expert: Expert | None
    capacity_left: int | None
    sent_by: str
    engagement: Engagement | None
    warnings: tuple[str, ...] = ()


def checked_page(texts: Mapping[str, str], today: date) -> dict[str, str]:
    """The cleaned texts of the page by field.

    Raises:
        InputError: 技术思路 is missing, a text is too long, or one holds an ID-card number. Names every such field.
    """
    cleaned = {field.name: clean_text(texts.get(field.name, "")) for field in PAGE_FIELDS}
    said: list[str] = []
    for field in PAGE_FIELDS:
        text = cleaned[field.name]
        if field.required and not text:
            said.append(f"还没有写「{field.label}」。")
        if len(text) > field.limit:
            said.append(f"「{field.label}」最多 {field.limit} 个字，现在有 {len(text)} 个字。")
        if holds_id_card(text, today):
            said.append(f"「{field.label}」里有身份证号，平台不收集身份证号。")
    if said:
        raise InputError("".join(said), "改好后再提交，已写的内容都还在。")
    return cleaned


def checked_reply(reply: str, today: date, *, required: bool) -> str:
    """The bureau's sentence. Raises InputError when it is missing, too long or holds an ID-card number."""
    text = " ".join(clean_text(reply).split())
    if required and not text:
        raise InputError("不采纳需要写一句答复。", "请告诉团队为什么，例如“企业已选定别的方案”。")
    if len(text) > MAX_REPLY:
        raise InputError(f"答复最多 {MAX_REPLY} 个字，现在有 {len(text)} 个字。", "请精简后再试。")
    if holds_id_card(text, today):
        raise InputError("答复里有身份证号，没有保存。", "平台不收集身份证号，请删去后再试。")
    return text


# ------------------------------------------------------------ which needs fit


def rank_calls(
    snapshot: Snapshot, experts: Sequence[Expert], shown: Mapping[str, Need], words: str, top: int
) -> tuple[tuple[Need, Expert, Match], ...]:
    """The ``top`` needs by the best score any of the profiles has for them, ties by id; forbidden pairs left out.

    Args:
        experts: the own profiles, at least one.
        shown: the needs that may be listed by id, as the team may see them; ``words`` are looked for in these.
        words: only needs that hold all of them.
    """
    scorer, records = snapshot.experts, snapshot.records
    columns = [scorer.index.pool.position[expert.expert_id] for expert in experts]
    wanted = normalise(words).split()
    ids = [i for i in snapshot.need_ids if i in shown and _holds(shown[i], wanted)]
    if not ids:
        return ()
    scores = snapshot.scores_of(ids)
    own = np.round(scores.score[:, columns], 6)
    for row, need_id in enumerate(ids):
        for column, expert in enumerate(experts):
            if records.forbidden.kind(records.needs[need_id].company, expert):
                own[row, column] = -1.0
    best = own.argmax(axis=1)
    order = [row for row in range(len(ids)) if own[row, best[row]] >= 0]
    order.sort(key=lambda row: (-float(own[row, best[row]]), ids[row]))
    found = []
    for rank, row in enumerate(order[:top], 1):
        need, expert, column = records.needs[ids[row]], experts[int(best[row])], columns[int(best[row])]
        match = match_at(scorer, scores, row, column, need.need_id, expert.expert_id)
        match = with_evidence(replace(match, rank=rank), EvidenceFinder(scorer, need_query(need)), column)
        found.append((shown[need.need_id], expert, match))
    return tuple(found)


def _holds(need: Need, words: Collection[str]) -> bool:
    parts = (need.need_id, need.title, need.company, need.problem, need.key_tech, *need.keywords)
    content = normalise(" ".join(parts)) if words else ""
    return all(word in content for word in words)


def call_rows(
    records: Records,
    found: Iterable[tuple[Need, Expert, Match]],
    answers: Iterable[Interest],
    today: date,
) -> tuple[CallRow, ...]:
    """The needs found, each with the profile's last answer and what to mind."""
    last: dict[tuple[str, str], Interest] = {}
    for one in sorted(answers, key=lambda one: (one.sent_at, one.state != InterestState.WITHDRAWN)):
        last[one.need_id, one.expert_id] = one
    rows = []
    for need, expert, match in found:
        days = (need.end_on - today).days if need.end_on else None
        warnings = [room_text(records, expert)]
        if days is not None and days < 0:
            warnings.append("需求写的时限已经过了，提交前请先向科技局问一声。")
        answer = last.get((need.need_id, expert.expert_id))
        rows.append(CallRow(need, expert, match, days, answer, tuple(filter(None, warnings))))
    return tuple(rows)


def room_text(records: Records, expert: Expert) -> str:
    """A sentence when the team has no capacity left; empty otherwise."""
    left = records.history.capacity_left(expert)
    if left is None or left > 0:
        return ""
    load = records.history.load(expert.expert_id)
    return f"“{expert.name}”的承接上限是 {expert.capacity} 项，现在在办 {load} 项，已经没有名额。"


# ------------------------------------------------------------ answers listed


def answer_rows(
    stored: Repositories, access: Access, records: Records, found: Sequence[Interest]
) -> tuple[AnswerRow, ...]:
    """Answers with their records; a fixed number of queries however many there are."""
    latest = stored.decisions.latest_by_pair({one.need_id for one in found}) if access.is_bureau else {}
    names = {account.person.login: account.person.name for account in stored.accounts.all()}
    rows = []
    for one in found:
        need, expert = records.needs.get(one.need_id), records.experts.get(one.expert_id)
        began = _engagement(records, one)
        began = as_seen(access, began, need, "") if began else None
        warnings = _warnings(records, one, need, expert, latest) if access.is_bureau else ()
        shown = access.shown_need(need) if need is not None and access.sees_need(need) else None
        left = records.history.capacity_left(expert) if expert else None
        rows.append(
            AnswerRow(one, shown, expert, left, names.get(one.sent_by) or one.sent_by, began, warnings)
        )
    return tuple(rows)


def _engagement(records: Records, interest: Interest) -> Engagement | None:
    """The latest 对接 of the answer's pair, once it was taken."""
    if interest.state != InterestState.TAKEN:
        return None
    pair = [
        e for e in records.engagements_by_expert.get(interest.expert_id, ()) if e.need_id == interest.need_id
    ]
    return max(pair, key=lambda e: (e.created_at, e.engagement_id), default=None)


def _warnings(
    records: Records,
    interest: Interest,
    need: Need | None,
    expert: Expert | None,
    latest: Mapping[tuple[str, str], Decision],
) -> tuple[str, ...]:
    if interest.state != InterestState.SENT or need is None or expert is None:
        return ()
    said = [room_text(records, expert)]
    forbidden = records.forbidden.kind(need.company, expert)
    if forbidden:
        said.append(f"台账里这家企业与该团队（单位）标为“{forbidden}”，不能采纳。")
    open_ones = [one for one in records.engagements_by_need.get(need.need_id, ()) if one.stage in OPEN_STAGES]
    if any(one.expert_id == expert.expert_id for one in open_ones):
        said.append("这一对已经在对接。")
    others = [one.expert_name for one in open_ones if one.expert_id != expert.expert_id]
    if others:
        said.append(f"这条需求正在与 {len(others)} 个别的团队对接：{'、'.join(others[:3])}。")
    decision = latest.get((need.need_id, expert.expert_id))
    if decision is not None and decision.kind not in (DecisionKind.UNDONE, DecisionKind.ACCEPT):
        said.append(f"审核台已把这一对定为“{decision.kind}”，采纳后以采纳为准。")
    return tuple(filter(None, said))


def check_read(present: Interest, version: int) -> None:
    """Raise ConflictError when the page was rewritten after the person read it."""
    if present.version != version:
        raise ConflictError("这份揭榜申请刚刚改过，您这一步没有做。", "请先看一遍最新内容，再决定。")


def moved(interest: Interest, now: datetime, **changes: str) -> Interest:
    """The answer with some fields changed now."""
    return replace(interest, updated_at=now, **changes)  # type: ignore[arg-type]
