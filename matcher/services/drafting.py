"""Drafts of needs, inside the caller's transaction.

Owns whose a draft is, what it stands on, and what the second of two people typing is told. What the typed texts come to
is ``need_text``'s, what sending one does ``posting_rules``'.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from matcher.errors import ConflictError, HiddenError, InputError, NotFoundError
from matcher.models import Draft, Firm, Need
from matcher.services.access import Access, denied, missing_need
from matcher.services.need_text import BASE, FORM, REMEMBERED, FormReading, form_of, need_of, read_form
from matcher.services.rankings import BEIJING
from matcher.store.repositories import Repositories
from matcher.vocab import NeedStatus
from matcher.workflow.permissions import Action

_SHOWN = 60


@dataclass(frozen=True)
class Unsent:
    """A draft with what it stands on.

    Attributes:
        draft: as stored now.
        firm: whose need it is.
        before: the stored need as it was when the draft began; None for a new one.
        version: the version of ``before``.
        is_behind: somebody changed the stored need since.
        today: calendar day in Beijing.
    """

    draft: Draft
    firm: Firm
    before: Need | None
    version: int
    is_behind: bool
    today: date

    @property
    def need(self) -> Need:
        """The need as the draft has it now."""
        return need_of(self.draft, self.firm, self.before, self.today)

    @property
    def reading(self) -> FormReading:
        return read_form(self.draft.content, self.before, self.today)

    @property
    def earlier(self) -> Need | None:
        """What the effect of a rewrite is measured from: the text noted down, else the stored one."""
        noted = self.draft.content.get(REMEMBERED)
        if noted is None:
            return self.before
        content = {**self.draft.content, **json.loads(noted)}
        return need_of(replace(self.draft, content=content), self.firm, self.before, self.today)


def today_of(clock: Callable[[], datetime]) -> date:
    return (clock() + BEIJING).date()


def own_draft(stored: Repositories, access: Access, draft_id: str) -> Draft:
    """The draft, if the person may work on it; else as if there were none. Raises NotFoundError, HiddenError."""
    draft = stored.drafts.require(draft_id)
    if not access.sees_need(Need("", "", "", "", firm_id=draft.firm_id), Action.POST_NEED):
        raise HiddenError(f"没有编号为“{draft_id}”的草稿，可能已被删除。", "请刷新列表后再试。")
    return draft


def own_need(stored: Repositories, access: Access, need_id: str, action: Action = Action.POST_NEED) -> Need:
    """The stored need, if the person may do this to it. Raises NotFoundError, HiddenError."""
    need = stored.needs.get(need_id)
    if need is None:
        raise NotFoundError(*missing_need(need_id))
    return access.need(need, action)


def firm_of(stored: Repositories, firm_id: str) -> Firm:
    """The firm as registered, else as its own needs name it. Raises NotFoundError."""
    firm = stored.firms.get(firm_id)
    if firm is not None:
        return firm
    named = next((n for n in stored.needs.all() if n.firm_id == firm_id), None) if firm_id else None
    if named is None:
        raise NotFoundError("这家企业还没有登记。", "请由科技局先登记企业名称。")
    return Firm(firm_id, named.company, town=named.town, sector=named.sector, data_kind=named.data_kind)


def unsent(stored: Repositories, draft: Draft, today: date) -> Unsent:
    """The draft with its firm and the need it changes. Raises NotFoundError when that need is gone."""
    firm = firm_of(stored, draft.firm_id)
    if not draft.need_id:
        return Unsent(draft, firm, None, 0, False, today)
    present = stored.needs.get(draft.need_id)
    if present is None or present.firm_id != draft.firm_id:  # it may have gone to another firm meanwhile
        raise NotFoundError(*missing_need(draft.need_id))
    version, base = stored.needs.version(draft.need_id), int(draft.content.get(BASE, "0"))
    if version == base:
        return Unsent(draft, firm, present, version, False, today)
    past = (p.record for p in stored.needs.history(draft.need_id) if p.version == base)
    return Unsent(draft, firm, next(past, present), base, True, today)


def begin(
    stored: Repositories, access: Access, firm_id: str, need_id: str, empty: Mapping[str, str]
) -> Draft:
    """A draft of a new need, or the one draft that changes a stored need."""
    if need_id:
        need = own_need(stored, access, need_id)
        refuse_solved(access, need)
        known = stored.drafts.of_need(need_id)
        if known is not None and known.firm_id == need.firm_id:
            return known
        if known is not None:  # of the firm the need belonged to before
            stored.drafts.delete(known.draft_id)
        content = {**form_of(need), BASE: str(stored.needs.version(need_id))}
        return stored.drafts.add(need.firm_id, access.actor, content, need_id)
    own = access.person.firm_id
    if not access.is_bureau and (not own or firm_id not in ("", own)):
        raise denied(Action.POST_NEED)
    firm_id = firm_id if access.is_bureau else own
    firm_of(stored, firm_id)
    blank = (d for d in stored.drafts.of_firm(firm_id) if not d.need_id and dict(d.content) == dict(empty))
    return next(blank, None) or stored.drafts.add(firm_id, access.actor, empty)


def with_field(access: Access, draft: Draft, field: str, text: str, version: int, base: str | None) -> Draft:
    """The draft with one field as typed; what another person typed in *other* fields is no conflict given ``base``."""
    present = draft.content.get(field, "")
    if present == text:
        return draft
    if draft.version != version and (base is None or base != present):
        raise ConflictError(
            f"「{FORM[field].label}」刚刚在别处被改成“{_cut(present) or '（空）'}”，您写的还没有保存。",
            "请看过那边写的，再决定用哪一个。",
        )
    return replace(draft, content={**draft.content, field: text}, author=access.actor)


def merged(stored: Repositories, work: Unsent) -> Draft:
    """The draft on the newest stored need: what it changed stays, the rest is as stored now."""
    need = stored.needs.get(work.draft.need_id)
    if need is None or work.before is None:
        return work.draft
    began, now, typed = form_of(work.before), form_of(need), work.draft.content
    texts = {name: now[name] if typed.get(name, "") == began[name] else typed.get(name, "") for name in FORM}
    base = {BASE: str(stored.needs.version(need.need_id))}
    return replace(work.draft, content={**typed, **texts, **base})


def refuse_solved(access: Access, need: Need) -> None:
    """A firm changes nothing of a need that is solved. Raises InputError."""
    if not access.is_bureau and need.status == NeedStatus.SOLVED:
        raise InputError("这条需求已经解决，不能再修改。", "需要时请联系科技局重新打开。")


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}……"
