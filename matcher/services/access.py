"""The gate every service call passes: may this person do this, to this.

Owns asking ``workflow.permissions`` before a service does anything, and the audit line of a refusal. What somebody may
not see is reported exactly as if it did not exist, so that an error message tells nothing about another firm's need.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from matcher.errors import HiddenError, MatcherError, PermissionDenied
from matcher.models import Engagement, Expert, Interest, Match, Need, Person, RequirementLine
from matcher.store.database import Database
from matcher.store.repositories import Repositories
from matcher.vocab import FacetKind, Role
from matcher.workflow import permissions
from matcher.workflow.permissions import Action, Scope

P = ParamSpec("P")
T = TypeVar("T")

OPERATOR = Person("本机", "本机操作员", Role.ADMIN)
"""Who runs commands on the machine itself: whoever may do that can read the database file anyway."""


class Access:
    """One person's permissions over one database."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], person: Person, *, masks: bool = False
    ) -> None:
        """``masks``: firms do not learn which team a candidate is."""
        self._database = database
        self._clock = clock
        self.person = person
        self.masks = masks and person.role is Role.FIRM

    @property
    def actor(self) -> str:
        """Who is named in the audit log."""
        return self.person.login

    @property
    def is_bureau(self) -> bool:
        return self.person.role in (Role.ADMIN, Role.OFFICIAL)

    def scope(self, action: Action) -> Scope:
        return permissions.scope_of(self.person, action)

    def require(self, action: Action) -> None:
        """Raises PermissionDenied when the role may not do this to anything."""
        if not permissions.may(self.person, action):
            raise denied(action)

    def sees_need(self, need: Need, action: Action = Action.SEE_NEED) -> bool:
        return permissions.may_on_need(self.person, action, need)

    def need(self, need: Need, action: Action = Action.SEE_NEED) -> Need:
        """The need, if the person may do this to it; else as if there were none. Raises HiddenError."""
        if not self.sees_need(need, action):
            raise HiddenError(*missing_need(need.need_id))
        return need

    def shown_need(self, need: Need) -> Need:
        """The need without what the person may not read of it."""
        return permissions.need_as_seen(self.person, need)

    def shown_expert(self, expert: Expert) -> Expert:
        """The profile without what the person may not read of it."""
        return permissions.expert_as_seen(self.person, expert, masked=self.masks)

    def shown_match(self, match: Match, need: Need | None = None) -> Match:
        """The match without evidence that would name a masked team, or quotes in which a hidden firm stands."""
        shown = self.shown_need(need) if need else None
        if need and shown and shown.company != need.company:

            def told(line: RequirementLine) -> RequirementLine:
                return replace(line, text=permissions.without_firm(need, line.text))

            evidence = tuple(replace(e, line=told(e.line)) for e in match.evidence)
            match = replace(match, evidence=evidence, gaps=tuple(map(told, match.gaps)))
        if not self.masks:
            return match
        naming = (FacetKind.NAME, FacetKind.INDUSTRY)
        return replace(match, evidence=tuple(e for e in match.evidence if e.facet.kind not in naming))

    def sees_expert(self, expert: Expert, action: Action = Action.SEE_EXPERT) -> bool:
        return permissions.may_on_expert(self.person, action, expert)

    def expert(self, expert: Expert, action: Action = Action.SEE_EXPERT) -> Expert:
        """The profile, if the person may do this to it; else as if there were none. Raises HiddenError."""
        if not self.sees_expert(expert, action):
            raise HiddenError(*missing_expert(expert.expert_id))
        return expert

    def sees_engagement(self, engagement: Engagement, action: Action = Action.SEE_ENGAGEMENT) -> bool:
        return permissions.may_on_engagement(self.person, action, engagement)

    def engagement(self, engagement: Engagement, action: Action = Action.SEE_ENGAGEMENT) -> Engagement:
        """The 对接, if the person may do this to it; else as if there were none. Raises HiddenError."""
        if not self.sees_engagement(engagement, action):
            raise HiddenError(
                f"没有编号为“{engagement.engagement_id}”的对接，可能已被删除。", "请刷新列表后再试。"
            )
        return engagement

    def sees_interest(self, interest: Interest, action: Action = Action.SEE_INTEREST) -> bool:
        return permissions.may_on_interest(self.person, action, interest)

    def interest(self, interest: Interest, action: Action = Action.SEE_INTEREST) -> Interest:
        """The answer, if the person may do this to it; else as if there were none. Raises HiddenError."""
        if not self.sees_interest(interest, action):
            raise HiddenError(
                f"没有编号为“{interest.interest_id}”的揭榜申请，可能已被删除。", "请刷新列表后再试。"
            )
        return interest

    def note_refusal(self, method: str, action: Action, refusal: MatcherError) -> None:
        """Write the audit line of a refusal, once however many calls it passes through."""
        if refusal.noted:
            return
        refusal.noted = True
        with self._database.session() as session:
            Repositories(session, self._clock).audit.add(
                self.actor,
                "refuse",
                "permission",
                action.name,
                {"call": method, "role": self.person.role.value, "said": refusal.user_message},
            )


def denied(action: Action) -> PermissionDenied:
    return PermissionDenied(f"您的账号不能{action.value}。", "需要时请联系科技局管理员。")


def missing_need(need_id: str) -> tuple[str, str]:
    """What is said of a need that is not there, or not there for this person."""
    return f"没有编号为“{need_id}”的需求。", "请在列表里查找正确的编号。"


def missing_expert(expert_id: str) -> tuple[str, str]:
    """What is said of a team that is not there, or not there for this person."""
    return f"没有编号为“{expert_id}”的专家（团队）。", "请在列表里查找正确的编号。"


class Guarded(Protocol):
    """A service: it knows who asks."""

    _access: Access


S = TypeVar("S", bound=Guarded)


def permits(
    action: Action,
) -> Callable[[Callable[Concatenate[S, P], T]], Callable[Concatenate[S, P], T]]:
    """Let only those call the method who may do ``action`` at all; a refusal, here or inside, is audited.

    Whether it may be done to *this* need, team or 对接 is asked inside, once it is known. ``call.action`` names the
    action, so that tests can go through every method of every service.
    """

    def wrap(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
        @wraps(method)
        def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
            access = self._access
            try:
                access.require(action)
                return method(self, *args, **kwargs)
            except (PermissionDenied, HiddenError) as refusal:
                access.note_refusal(method.__qualname__, action, refusal)
                raise

        call.action = action  # type: ignore[attr-defined]
        return call

    return wrap
