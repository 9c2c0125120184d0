"""Who may do what, as one table; and what of a need somebody outside the bureau may see.

Pure: the services ask here before every call (``services.access``), the pages ask the same table what to offer. Owners
are ids, never names. Nothing is permitted that the table does not name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from matcher.models import Engagement, Expert, Interest, Need, Person
from matcher.vocab import Confidentiality, NeedStatus, Role


class Scope(StrEnum):
    """How far a permission reaches."""

    NONE = "不可"
    OWN = "限本单位"
    OPEN = "限公开发布"
    ALL = "全部"


class Action(StrEnum):
    """What the services do, in the words of the audit log and of the refusal."""

    SEE_OVERVIEW = "看总览"
    SEE_NEED = "看需求"
    POST_NEED = "填报和修改需求"
    REVIEW_NEED = "受理和退回需求"
    SEE_EXPERT = "看专家资料"
    EDIT_PROFILE = "修改专家资料"
    MATCH_NEED = "为需求找团队"
    MATCH_EXPERT = "为团队找需求"
    SEARCH = "自由检索"
    SEE_LISTS = "看候选清单"
    EDIT_LISTS = "改候选清单"
    SEE_QUEUE = "看审核台"
    DECIDE = "审核配对"
    SEE_ENGAGEMENT = "看对接"
    EDIT_ENGAGEMENT = "办理对接"
    HAND_OVER = "移交对接"
    DECLARE = "揭榜"
    SEE_INTEREST = "看揭榜申请"
    SETTLE_INTEREST = "答复揭榜申请"
    SEE_YEAR = "看年度目标"
    EXPORT = "导出"
    EXPORT_CONTACTS = "导出联系方式"
    SEE_DATA = "浏览全部数据"
    IMPORT = "导入数据"
    EDIT_RECORD = "修改数据"
    DROP_SAMPLES = "删除示例数据"
    SEE_MODEL = "看语义模型"
    SWITCH_MODEL = "换语义模型"
    MANAGE_ACCOUNTS = "管理企业和团队账号"
    MANAGE_OFFICIALS = "管理科技局账号"
    SEE_AUDIT = "看操作记录"
    OWN_ACCOUNT = "管理自己的账号"


HIDDEN_FIRM = "（企业名称不公开）"
OWN_FIRM = "本企业"
_TOLD = ("title", "problem", "key_tech", "goal")
HIDDEN_TEAM = "（团队名称由科技局告知）"
_A, _O, _F, _T = Role.ADMIN, Role.OFFICIAL, Role.FIRM, Role.TEAM
_BUREAU = {_A: Scope.ALL, _O: Scope.ALL}
_ADMIN = {_A: Scope.ALL}

TABLE: Mapping[Action, Mapping[Role, Scope]] = {
    Action.SEE_OVERVIEW: _BUREAU,
    Action.SEE_NEED: {**_BUREAU, _F: Scope.OWN, _T: Scope.OPEN},
    Action.POST_NEED: {**_BUREAU, _F: Scope.OWN},
    Action.REVIEW_NEED: _BUREAU,
    Action.SEE_EXPERT: {**_BUREAU, _T: Scope.OWN},
    Action.EDIT_PROFILE: {**_BUREAU, _T: Scope.OWN},
    Action.MATCH_NEED: {**_BUREAU, _F: Scope.OWN},
    Action.MATCH_EXPERT: {**_BUREAU, _T: Scope.OWN},
    Action.SEARCH: _BUREAU,
    Action.SEE_LISTS: _BUREAU,
    Action.EDIT_LISTS: _BUREAU,
    Action.SEE_QUEUE: _BUREAU,
    Action.DECIDE: _BUREAU,
    Action.SEE_ENGAGEMENT: {**_BUREAU, _F: Scope.OWN, _T: Scope.OWN},
    Action.EDIT_ENGAGEMENT: _BUREAU,
    Action.HAND_OVER: _BUREAU,
    Action.DECLARE: {_T: Scope.OWN},
    Action.SEE_INTEREST: {**_BUREAU, _T: Scope.OWN},
    Action.SETTLE_INTEREST: _BUREAU,
    Action.SEE_YEAR: _BUREAU,
    Action.EXPORT: _BUREAU,
    Action.EXPORT_CONTACTS: _BUREAU,
    Action.SEE_DATA: _BUREAU,
    Action.IMPORT: _BUREAU,
    Action.EDIT_RECORD: _BUREAU,
    Action.DROP_SAMPLES: _ADMIN,
    Action.SEE_MODEL: _BUREAU,
    Action.SWITCH_MODEL: _ADMIN,
    Action.MANAGE_ACCOUNTS: _BUREAU,
    Action.MANAGE_OFFICIALS: _ADMIN,
    Action.SEE_AUDIT: _ADMIN,
    Action.OWN_ACCOUNT: {**_BUREAU, _F: Scope.OWN, _T: Scope.OWN},
}


def scope_of(person: Person, action: Action) -> Scope:
    """How far the person's permission reaches; an account without an owner id owns nothing."""
    return TABLE[action].get(person.role, Scope.NONE)


def may(person: Person, action: Action) -> bool:
    """Whether the person may do it to anything at all."""
    return scope_of(person, action) is not Scope.NONE


def owns_need(person: Person, need: Need) -> bool:
    return bool(person.firm_id) and person.role is Role.FIRM and person.firm_id == need.firm_id


def owns_expert(person: Person, expert: Expert) -> bool:
    """A team owns its profile; an institution's office owns every profile of the institution."""
    if person.role is not Role.TEAM or not person.institution_id:
        return False
    if person.institution_id != expert.institution_id:
        return False
    return not person.expert_id or person.expert_id == expert.expert_id


def is_open(need: Need) -> bool:
    """Whether teams may see the need: published, and not 保密."""
    return need.status == NeedStatus.PUBLISHED and need.confidentiality != Confidentiality.CONFIDENTIAL


def shows_firm(need: Need) -> bool:
    """Whether teams may see whose need it is: only when it is 公开; 仅平台 and nothing said hide the firm."""
    return need.confidentiality == Confidentiality.PUBLIC


def need_as_seen(person: Person, need: Need) -> Need:
    """The need as the person may read it: whole for the bureau and its firm; teams never get contacts."""
    if person.role in (Role.ADMIN, Role.OFFICIAL) or owns_need(person, need):
        return need
    open_part = replace(need, contact="", phone="", source="", firm_id="", intended_partner="")
    if shows_firm(need):
        return open_part
    told: dict[str, Any] = {name: without_firm(need, getattr(need, name)) for name in _TOLD}
    keywords = tuple(without_firm(need, word) for word in need.keywords)
    return replace(open_part, company=HIDDEN_FIRM, town="", keywords=keywords, **told)


def without_firm(need: Need, text: str) -> str:
    """A text of the need in which its firm does not stand by name."""
    return text.replace(need.company, OWN_FIRM) if need.company else text


def expert_as_seen(person: Person, expert: Expert, *, masked: bool = False) -> Expert:
    """The profile as the person may read it: firms get no contact, and neither name nor institution when masked."""
    if person.role in (Role.ADMIN, Role.OFFICIAL) or owns_expert(person, expert):
        return expert
    open_part = replace(expert, contact="", source="")
    if not masked:
        return open_part
    place = f"{expert.ring}高校院所" if expert.ring else "高校院所"
    hidden = replace(open_part, name=HIDDEN_TEAM, institution=place, department="", position="", homepage="")
    return replace(hidden, industry_experience="")


def may_on_need(person: Person, action: Action, need: Need) -> bool:
    """Whether the person may do this to this need."""
    scope = scope_of(person, action)
    if scope is Scope.OPEN:
        return is_open(need)
    return scope is Scope.ALL or (scope is Scope.OWN and owns_need(person, need))


def may_on_expert(person: Person, action: Action, expert: Expert) -> bool:
    """Whether the person may do this to this profile."""
    scope = scope_of(person, action)
    return scope is Scope.ALL or (scope is Scope.OWN and owns_expert(person, expert))


def may_on_engagement(person: Person, action: Action, engagement: Engagement) -> bool:
    """Whether the person may do this to this 对接: a firm to its own, a team to its own."""
    scope = scope_of(person, action)
    if scope is Scope.OWN and person.role is Role.FIRM:
        return bool(person.firm_id) and person.firm_id == engagement.firm_id
    if scope is Scope.OWN and person.role is Role.TEAM:
        own = bool(person.institution_id) and person.institution_id == engagement.institution_id
        return own and person.expert_id in ("", engagement.expert_id)
    return scope is Scope.ALL


def may_on_interest(person: Person, action: Action, interest: Interest) -> bool:
    """Whether the person may do this to this answer of a team."""
    scope = scope_of(person, action)
    if scope is Scope.OWN and person.role is Role.TEAM:
        own = bool(person.institution_id) and person.institution_id == interest.institution_id
        return own and person.expert_id in ("", interest.expert_id)
    return scope is Scope.ALL
