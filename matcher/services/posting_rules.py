"""What sending a draft and moving a need do, inside the caller's transaction.

Owns the status a need has after it was sent or moved, what of it may be put back, and the events of all this. Drafts
are ``drafting``'s; transactions and the role check are ``posting``'s.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date

from matcher.columns import RecordKind, clean_text
from matcher.errors import ConflictError, InputError
from matcher.intake.identity import bare, holds_id_card, identity_key
from matcher.models import Firm, Need
from matcher.services.access import Access, denied
from matcher.services.drafting import Unsent, own_need, refuse_solved
from matcher.store.repositories import Repositories
from matcher.store.versioned import new_id
from matcher.vocab import NeedStatus
from matcher.workflow.permissions import Action
from matcher.workflow.states import Step, check_need_step, next_statuses

MAX_REASON = 300
FIRM_STEPS = (NeedStatus.WAITING, NeedStatus.WITHDRAWN)
"""Where a firm may take its own need; all else is the bureau's."""
BY_EDITING_ONLY = (NeedStatus.PUBLISHED, NeedStatus.WAITING)
CHANGED_BY_FIRM = "企业修改了已发布的内容"
_MERGE = "您写的都还在草稿里。请点“合并最新内容”，看过后再提交。"


def send(stored: Repositories, access: Access, work: Unsent) -> Need:
    """Store the need a draft comes to, with its events; the draft is gone afterwards.

    Raises:
        InputError: something is missing or cannot be read; names every such field.
        ConflictError: the stored need was changed since the draft began.
    """
    problems = work.reading.problems
    if problems:
        raise InputError("".join(p.message for p in problems), "改好这几栏后再提交，已填的内容都还在。")
    made = _send_change(stored, access, work) if work.before else _send_new(stored, access, work)
    stored.drafts.delete(work.draft.draft_id)
    return made


def _send_new(stored: Repositories, access: Access, work: Unsent) -> Need:
    need = work.need
    _refuse_same_title(stored, need, "")
    need_id = new_id("N")  # made of chance: one made of the firm's name would tell whose it is
    need = replace(need, need_id=need_id, status=NeedStatus.WAITING.value)
    check_need_step(NeedStatus.DRAFT, need.status)
    stored.needs.upsert([need])
    stored.audit.add(access.actor, "need.post", "need", need_id, {"to": need.status})
    return need


def _send_change(stored: Repositories, access: Access, work: Unsent) -> Need:
    before = own_need(stored, access, work.draft.need_id)
    refuse_solved(access, before)
    began = work.before or before
    need = work.need
    names = changed_fields(began, need)
    if "title" in names:
        _refuse_same_title(stored, need, need.need_id)
    status, why = before.status, ""
    if before.status == NeedStatus.PUBLISHED and not access.is_bureau and names:
        status, why = NeedStatus.WAITING.value, CHANGED_BY_FIRM
    elif before.status in (NeedStatus.DRAFT, NeedStatus.RETURNED, NeedStatus.WITHDRAWN):
        status = NeedStatus.WAITING.value
        check_need_step(before.status, status)
    need = replace(need, status=status, posted_on=before.posted_on)
    try:
        stored.needs.update(need, work.version, base=began)
    except ConflictError as error:
        raise ConflictError(error.user_message, _MERGE) from error
    if names:
        stored.audit.add(access.actor, "need.edit", "need", need.need_id, {"fields": names})
    if status != before.status:
        _log_step(stored, access, need.need_id, before.status, status, why)
    return need


def _refuse_same_title(stored: Repositories, need: Need, but: str) -> None:
    key = identity_key(RecordKind.NEEDS, {"company": need.company, "title": need.title})
    for other in stored.needs.all():
        if other.need_id == but or not need.firm_id or other.firm_id != need.firm_id:
            continue
        if key == identity_key(RecordKind.NEEDS, {"company": need.company, "title": other.title}):
            status = other.status or NeedStatus.WAITING
            raise InputError(
                f"这家企业已经有一条同名的需求（{other.need_id}，{status}）。",
                "请改「技术需求名称」，或直接修改原来那一条。",
            )


def take_step(
    stored: Repositories, access: Access, need_id: str, to: str, version: int, reason: str, today: date
) -> Need:
    """Take a need to another status, with its event.

    Raises:
        PermissionDenied: a firm asks for more than to hand in again or to withdraw.
        InputError: there is no such step, or it lacks its reason.
        ConflictError: the need was changed since ``version``.
    """
    need = own_need(stored, access, need_id)
    if not access.is_bureau and to not in FIRM_STEPS:
        raise denied(Action.REVIEW_NEED)
    reason = checked_reason(reason, today)
    check_need_step(need.status, to, reason)
    first = to == NeedStatus.PUBLISHED and need.posted_on is None
    changed = replace(need, status=str(to), posted_on=today if first else need.posted_on)
    stored.needs.update(changed, version, base=as_of(stored, need, version))
    _log_step(stored, access, need_id, need.status or NeedStatus.WAITING.value, changed.status, reason)
    return changed


def previous(stored: Repositories, need: Need) -> Need | None:
    """The content before the latest change of content, under the present status; None when it never changed."""
    earlier = (
        replace(past.record, status=need.status, posted_on=need.posted_on, firm_id=need.firm_id)
        for past in stored.needs.history(need.need_id)
    )
    return next((one for one in earlier if one != need), None)


def restore(stored: Repositories, access: Access, need_id: str, version: int) -> Need:
    """Put the previous content of a need back; its status stays. Raises InputError when there is none."""
    need = own_need(stored, access, need_id, Action.REVIEW_NEED)
    found = previous(stored, need)
    if found is None:
        raise InputError("这条需求没有改动过，没有可以恢复的内容。", "需要改内容时，请点“修改”。")
    stored.needs.update(found, version, base=as_of(stored, need, version))
    detail = {"fields": changed_fields(need, found)}
    stored.audit.add(access.actor, "record.undo", RecordKind.NEEDS.value, need_id, detail)
    return found


def register(stored: Repositories, access: Access, firm: Firm) -> Firm:
    """Store a firm, or give the one that goes by this name already."""
    for known in stored.firms.all():
        if bare(firm.name) in map(bare, (known.name, *known.aliases)):
            return known
    taken = stored.firms.get(firm.firm_id) is not None
    made = replace(firm, firm_id=new_id("F")) if taken else firm
    stored.firms.upsert([made])
    names = [name for name in ("name", "town", "sector") if getattr(made, name)]
    stored.audit.add(access.actor, "record.edit", RecordKind.FIRMS.value, made.firm_id, {"fields": names})
    return made


def as_of(stored: Repositories, present: Need, version: int) -> Need | None:
    """The need as it was at a version, for the words of a conflict; None when nobody knows."""
    if stored.needs.version(present.need_id) == version:
        return present
    past = (p.record for p in stored.needs.history(present.need_id) if p.version == version)
    return next(past, None)


def steps_of(access: Access, need: Need) -> tuple[tuple[str, Step], ...]:
    """Steps the person may take with the need as it stands, with the status each leads to."""
    return tuple(
        (to, step)
        for to, step in next_statuses(need.status)
        if (access.is_bureau or to in FIRM_STEPS) and (need.status, to) != BY_EDITING_ONLY
    )


def changed_fields(before: Need, after: Need) -> list[str]:
    """Names of the fields that differ, but for status and 发布日期."""
    return [
        item.name
        for item in fields(Need)
        if item.name not in ("status", "posted_on")
        and getattr(before, item.name) != getattr(after, item.name)
    ]


def checked_reason(reason: str, today: date) -> str:
    """The cleaned sentence why. Raises InputError when it is too long or holds an ID-card number."""
    text = " ".join(clean_text(reason).split())
    if len(text) > MAX_REASON:
        raise InputError(f"原因最多 {MAX_REASON} 个字，现在有 {len(text)} 个字。", "请精简后再试。")
    if holds_id_card(text, today):
        raise InputError("原因里有身份证号，没有保存。", "平台不收集身份证号，请删去后再试。")
    return text


def _log_step(stored: Repositories, access: Access, need_id: str, before: str, after: str, why: str) -> None:
    detail = {"from": str(before), "to": str(after), "why": why}
    stored.audit.add(access.actor, "need.step", "need", need_id, detail)
