"""Text people type during the working day never becomes markup, on any page of any role."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from matcher.models import Firm, Person
from matcher.services.bootstrap import Application
from matcher.store.repositories import Repositories
from matcher.vocab import Role

EVIL = "<script>x</script>**粗**[链](b)<img src=x>"
LIVE = re.compile(r"(?<!\\)(<script|<img|\*\*粗|\[链\]\()")
"""Markup that no backslash takes the power from."""
OFFICIAL = Person("演示科技局", "演示科技局", Role.OFFICIAL)


@pytest.fixture
def busy(app: Application) -> str:
    """A firm, its need, a 对接 with a contact, a file and a note, an answer of a team: all of it hostile text.

    Returns the id of the 对接.
    """
    with app.database.session() as session:
        Repositories(session).firms.upsert([Firm("F-evil", EVIL, town=EVIL)])
    firm = app.as_person(Person("evil", EVIL, Role.FIRM, firm_id="F-evil"))
    draft = firm.posting.start()
    for name, text in (
        ("title", EVIL),
        ("situation", f"针眼{EVIL}"),
        ("key_tech", EVIL),
        ("contact", EVIL[:30]),
    ):
        draft = firm.posting.save(draft.draft_id, name, text, draft.version)
    need = firm.posting.submit(draft.draft_id, draft.version)
    open_draft = firm.posting.start()
    firm.posting.save(open_draft.draft_id, "title", EVIL, open_draft.version)
    bureau = app.as_person(OFFICIAL)
    with app.database.reading() as session:
        version = Repositories(session).needs.version(need.need_id)
    bureau.posting.move(need.need_id, "已发布", version)
    me = next(p for p in app.entrance.demo_people() if p.role is Role.TEAM)
    bureau.review.pair(need.need_id, me.expert_id, EVIL)
    engagement = next(row.engagement for row in bureau.following.list())
    engagement = bureau.following.edit(
        engagement.engagement_id, engagement.version, next_action=EVIL, note=EVIL
    )
    bureau.following.contact(engagement.engagement_id, app.clock().date(), "电话", EVIL)
    bureau.following.attach(engagement.engagement_id, f"{EVIL}.pdf", b"%PDF-1.4 x")
    call = app.as_person(me).answering.calls()[0].need
    app.as_person(me).answering.declare(call.need_id, me.expert_id, EVIL, EVIL, EVIL, EVIL)
    return engagement.engagement_id


@pytest.mark.parametrize(
    ("login", "name", "params"),
    [
        ("演示科技局", "overview", {}),
        ("演示科技局", "review", {}),
        ("演示科技局", "review", {"review_tab": "已决定"}),
        ("演示科技局", "post", {}),
        ("演示科技局", "follow", {}),
        ("演示科技局", "follow", {"id": "THE-ONE"}),
        ("演示科技局", "year", {"show": "signed"}),
        ("演示科技局", "calls", {}),
        ("演示科技局", "data", {"kind": "needs"}),
        ("演示管理员", "users", {}),
        ("演示团队", "calls", {}),
        ("演示团队", "follow", {"id": "THE-ONE"}),
        ("演示团队", "profile", {}),
    ],
)
def test_hostile_text_stays_text(
    busy: str, open_page: Callable[..., AppTest], login: str, name: str, params: dict[str, str]
) -> None:
    page = open_page("overview")
    page.selectbox(key="bar_role").set_value(login).run()
    page.switch_page(f"matcher/ui/views/{name}.py")
    for key, value in params.items():
        page.query_params[key] = busy if value == "THE-ONE" else value
    page.run()
    assert not page.exception
    blocks = [str(block.value) for block in page.get("html")]
    assert all("<script" not in block and "<img" not in block for block in blocks)
    markdown = [*page.markdown, *page.caption, *page.warning, *page.info, *page.success, *page.error]
    labelled = [*page.expander, *page.button, *page.tabs]
    spoken = [str(part.value) for part in markdown] + [str(part.label) for part in labelled]
    live = [part for part in spoken if LIVE.search(part)]
    assert live == []
    if name == "follow" and params:
        assert any("&lt;script&gt;" in block for block in blocks), "the text is there, as text"
