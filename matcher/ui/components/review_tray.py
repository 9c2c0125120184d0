"""What lies before an official on the 审核台: suggestions at hand, the place among them, what was just decided.

Owns that state of the browser tab and the calls that change it. A key press asks the services for a decision only;
new suggestions are fetched when those at hand run out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import streamlit as st

from matcher.errors import ConflictError
from matcher.ranking.eligibility import NeedFilter
from matcher.services.review_queue import QueueItem
from matcher.ui import guard, resources
from matcher.vocab import DecisionKind

PAGE = "review"
CHUNK = 10
"""Suggestions fetched at a time: about two needs, whose evidence is found in well under a second."""
_TRAY = f"{PAGE}_tray"


@dataclass(frozen=True, slots=True)
class Done:
    """A decision of this tab that can be taken back."""

    decision_id: int
    item: QueueItem
    said: str


@dataclass(slots=True)
class Tray:
    """``asks`` is the decision waiting for its reason; ``n_total`` counts all that wait, at hand or not."""

    asked: tuple[object, ...]
    wanted: NeedFilter
    need_id: str
    items: list[QueueItem] = field(default_factory=list)
    at: int = 0
    n_total: int = 0
    n_without: int = 0
    degraded: tuple[str, ...] = ()
    asks: str = ""
    done: list[Done] = field(default_factory=list)
    fetched: bool = False

    @property
    def current(self) -> QueueItem | None:
        return self.items[self.at] if self.at < len(self.items) else None

    def fetch(self) -> None:
        """Get the next suggestions behind those at hand; at the end begin again with those passed over."""
        review = resources.application().review
        found = review.queue(
            self.wanted, need_id=self.need_id, limit=CHUNK, skip={item.pair for item in self.items}
        )
        self.fetched = True
        self.items += found.items
        self.n_total, self.n_without, self.degraded = found.n_total, found.n_without, found.degraded
        if self.at >= len(self.items):
            self.at = 0

    def ready(self) -> QueueItem | None:
        """The suggestion to show now, fetched when needed; None when nothing waits."""
        if not self.fetched or self.current is None:
            self.fetch()
        return self.current

    def move(self, step: int) -> None:
        """Go on, or back as far as the first one; nothing is decided."""
        self.asks = ""
        self.at = min(max(self.at + step, 0), len(self.items))

    def drop(self, item: QueueItem) -> None:
        """Take a suggestion away that is decided."""
        self.asks = ""
        self.n_total = max(self.n_total - 1, 0)
        place = self.items.index(item)
        del self.items[place]
        self.at -= place < self.at

    def forget_team(self, expert_id: str) -> None:
        """Fetch a team's other suggestions anew: what is said about it has changed."""
        ahead = sum(item.expert.expert_id == expert_id for item in self.items[: self.at])
        self.items = [item for item in self.items if item.expert.expert_id != expert_id]
        self.at -= ahead


def tray(wanted: NeedFilter, need_id: str) -> Tray:
    """The tray for these filters and this person; a new one when either changed."""
    asked = (resources.application().person.login, wanted, need_id)
    held = st.session_state.get(_TRAY)
    if not isinstance(held, Tray) or held.asked != asked:
        held = st.session_state[_TRAY] = Tray(asked, wanted, need_id)
    return held


def put_away() -> None:
    """Fetch everything anew: something was decided elsewhere on the page."""
    held = st.session_state.get(_TRAY)
    if isinstance(held, Tray):
        held.items, held.at, held.asks, held.fetched = [], 0, "", False


def note_key(item: QueueItem) -> str:
    """Key of the note of one pair: a note never moves on to the next one."""
    return f"{PAGE}_note_{item.need.need_id}_{item.expert.expert_id}"


def ask(held: Tray, kind: DecisionKind) -> None:
    """Ask for the reason of 搁置 or 不合适."""
    held.asks = kind.value


def decide(held: Tray, item: QueueItem, kind: DecisionKind, reason: str = "") -> None:
    """Record a decision and go on to the next suggestion; a callback."""
    note = str(st.session_state.get(note_key(item), ""))
    with guard.calm_action("review"):
        try:
            made = resources.application().review.decide(
                *item.pair, kind, reason=reason, note=note, seen=item.seen, run=item.run
            )
        except ConflictError as error:
            held.drop(item)
            kept = f"您写的备注是“{note}”。" if note else ""
            raise ConflictError(f"{error.user_message}{kept}", f"{error.hint}已转到下一条。") from error
        held.drop(item)
        said = f"{item.expert.name} ↔ {item.need.title}：{kind.value}" + (f"（{reason}）" if reason else "")
        held.done.append(Done(made.decision_id, item, said))
        if kind is DecisionKind.ACCEPT:
            held.forget_team(item.expert.expert_id)


def undo(held: Tray) -> None:
    """Take back the latest decision of this tab and show its suggestion again; a callback."""
    if not held.done:
        return
    with guard.calm_action("undo review"):
        last = held.done[-1]
        try:
            made = resources.application().review.undo(last.decision_id)
        finally:
            held.done.pop()  # what cannot be taken back here does not stand in the way of the one before
        held.asks = ""
        held.n_total += 1
        held.items.insert(held.at, replace(last.item, seen=made.decision_id))
