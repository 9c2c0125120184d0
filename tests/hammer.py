"""One of two processes that work on the same record and the same queue: ``python hammer.py URL HOME NAME N``.

It notes a word of its own on one 对接 N times and on one need N times, always on top of what is there, and decides on
every suggestion it gets; a conflict means looking again. Prints what it did as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from matcher.config import EncoderSettings, Settings
from matcher.errors import ConflictError
from matcher.models import Person
from matcher.services.bootstrap import open_application
from matcher.store.repositories import Repositories
from matcher.vocab import DecisionKind, Role

BOTH = 2
LOOKS = 400
"""Looks at one record before a writer that never gets its turn counts as starved."""


def main(url: str, home: Path, name: str, n_edits: int) -> dict[str, object]:
    done: dict[str, object] = {"notes": 0, "goals": 0, "conflicts": 0}
    conflicts = 0
    with open_application(
        Settings(home, url, home / "data", EncoderSettings("none")),
        samples=False,
        person=Person(name, name, Role.OFFICIAL),
    ) as app:
        (home / f"{name}.ready").touch()
        while not (home / "go").exists():  # both begin together
            time.sleep(0.01)
        engagement_id = next(
            row.engagement.engagement_id for row in app.following.list() if row.engagement.need_id == "N1"
        )
        for number in range(n_edits):
            for _ in range(LOOKS):
                with app.database.reading() as session:
                    current = Repositories(session).engagements.require(engagement_id)
                try:
                    note = f"{current.note} {name}{number}".strip()
                    app.following.edit(engagement_id, current.version, note=note[-900:])
                    break
                except ConflictError:
                    conflicts += 1
            else:
                raise SystemExit(f"{name} was starved at edit {number}")
            for _ in range(LOOKS):
                seen = app.editing.record("needs", "N1")
                words = [word for word in seen.texts["keywords"].replace(";", "；").split("；") if word]
                count = {word.split("#")[0]: int(word.split("#")[1]) for word in words}
                count[name] = count.get(name, 0) + 1
                text = "；".join(f"{who}#{times}" for who, times in sorted(count.items()))
                try:
                    app.editing.save("needs", "N1", {**seen.texts, "keywords": text}, seen.version)
                    break
                except ConflictError:
                    conflicts += 1
            else:
                raise SystemExit(f"{name} was starved at edit {number}")
        (home / f"{name}.edited").touch()
        while len(list(home.glob("*.edited"))) < BOTH:  # and clear the queue together
            time.sleep(0.01)
        step = 1 if name == min(one.stem for one in home.glob("*.edited")) else -1
        accepted = []
        while items := app.review.queue(per_need=2, limit=4).items:
            for item in items[::step]:
                try:
                    decision = app.review.decide(
                        *item.pair, DecisionKind.ACCEPT, seen=item.seen, run=item.run
                    )
                except ConflictError:
                    conflicts += 1
                    continue
                accepted.append((*item.pair, decision.decision_id))
        done |= {"accepted": accepted, "conflicts": conflicts}
    return done


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))))
