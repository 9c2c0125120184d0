"""The demo's own history: real 对接 in every stage of work, told once, gone with the samples, and counted right."""

from __future__ import annotations

from matcher.services.bootstrap import Application
from matcher.services.demo import tell_stories
from matcher.services.entrance import DEMO_BUREAU
from matcher.vocab import Stage


def test_stories_fill_the_pages_and_agree_with_the_log(app: Application) -> None:
    before = app.overview.summary().year_signed
    assert tell_stories(app) == 7
    engagements = [row.engagement for row in app.following.list()]
    assert {e.stage for e in engagements} == {
        Stage.PROPOSED, Stage.CONTACT, Stage.TALKS, Stage.SIGNED, Stage.ENDED,
    }  # fmt: skip
    assert all(e.is_sample for e in engagements)
    assert len({e.need_id for e in engagements}) == len({e.expert_id for e in engagements}) == 7
    assert app.following.digest().items, "some are overdue"
    assert app.overview.summary().year_signed == before + 1
    assert app.year.differences(app.year.dashboard().year) == ()
    assert tell_stories(app) == 0, "once"
    admin, official = DEMO_BUREAU
    demo = app.as_person(official)
    assert set(demo.accounts.officials()) == {admin, official}
    assert demo.following.hand_over(official.login, admin.login) == 3, (
        "all of the official's that are not over"
    )
    decided = [one.decision.decided_at for one in demo.review.decided()]
    assert decided == sorted(decided, reverse=True)
    app.records.drop_samples()
    assert app.following.list() == ()
