"""The bureau's working day in a real browser, under real accounts: post, review by keyboard, answer, count, export.

Every person has a browser profile of their own; the database lies beside the server's and is looked at from here.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from matcher.config import load_settings
from matcher.models import Person
from matcher.services.bootstrap import Application, open_application
from matcher.vocab import Role

pytestmark = pytest.mark.e2e

PASSWORD = "wendeng-2026!"
TITLE, PROBLEM = "冷却液三天就发臭", "机床冷却液夏天三天就发臭长毛，工件生锈，换液太勤"


@pytest.fixture(scope="module")
def people(start_server: Callable[..., Any]) -> Any:
    """A server with accounts: an administrator, an official, a firm and a team, all with their own passwords."""
    accounts: dict[str, str] = {}

    def prepare(app: Application) -> None:
        app.entrance.create_first("admin", "李主任", PASSWORD)
        need = next(n for n in app.records.needs() if n.status == "已发布" and n.is_sample)
        expert = app.records.expert("E337")
        for person in (
            Person("kezhang", "张科长", Role.OFFICIAL),
            Person("qiye", need.company, Role.FIRM, firm_id=need.firm_id),
            Person("tuandui", expert.name, Role.TEAM, expert_id=expert.expert_id),
        ):
            first = app.accounts.create(person).password
            token = app.entrance.sign_in(person.login, first).token
            app.entrance.change_password(token, first, PASSWORD)
            accounts[person.login] = first

    server = start_server(prepare)
    server.first_passwords = accounts
    return server


@contextmanager
def _look(server: Any) -> Iterator[Application]:
    """The data as another process sees it."""
    environ = {"MATCHER_HOME": str(server.home), "MATCHER_ENCODER": "none"}
    with open_application(load_settings(server.home, environ), samples=False) as app:
        yield app


def _enter(person: Any, login: str, path: str = "") -> None:
    """Sign in at the address of a page."""
    person.page.goto(f"{person.base}/{path}")
    person.page.get_by_label("登录名", exact=True).fill(login)
    person.page.get_by_label("密码", exact=True).fill(PASSWORD)
    person.page.get_by_role("button", name="登录", exact=True).click()
    person.page.locator(".m-who").wait_for()
    person.settle()


def test_a_session_is_the_browsers_and_ends_with_it(visit: Any, people: Any) -> None:
    person = visit(server=people)
    person.page.goto(f"{person.base}/needs?need=N302")
    expect(person.page.get_by_role("heading", name="登录")).to_be_visible()
    assert "导管外面" not in person.page.content(), "nothing of the page is sent before signing in"
    person.page.get_by_label("登录名", exact=True).fill("kezhang")
    person.page.get_by_label("密码", exact=True).fill("wrong-password")
    person.page.get_by_role("button", name="登录", exact=True).click()
    expect(person.page.get_by_test_id("stAlert").get_by_text("登录名或密码不对")).to_be_visible()
    person.page.get_by_label("密码", exact=True).fill(PASSWORD)
    person.page.get_by_role("button", name="登录", exact=True).click()
    person.wait_for_heading("needs_block", "导管外面那层滑溜的东西插两次就掉")
    person.page.reload()
    person.wait_for_heading("needs_block", "导管外面那层滑溜的东西插两次就掉")
    cookie = next(c for c in person.page.context.cookies() if c["name"] == "matcher_session")
    assert cookie["sameSite"] == "Strict"
    with _look(people) as app:
        assert cookie["value"].encode() not in (people.home / "matcher.db").read_bytes()
        assert app.entrance.account_of(cookie["value"]) is not None
    person.page.get_by_role("button", name="退出").click()
    expect(person.page.get_by_role("heading", name="登录")).to_be_visible()
    with _look(people) as app:
        assert app.entrance.account_of(cookie["value"]) is None
    person.page.context.add_cookies([{**cookie, "value": cookie["value"]}])
    person.page.reload()
    expect(person.page.get_by_role("heading", name="登录")).to_be_visible()
    assert person.watch.outside == []


def test_a_firm_posts_a_problem_and_sees_teams_within_a_minute(visit: Any, people: Any) -> None:
    firm = visit(server=people)
    _enter(firm, "qiye")
    assert firm.page.get_by_test_id("stTopNav").get_by_role("link").all_inner_texts(), "a menu of its own"
    menu = firm.page.get_by_test_id("stTopNav").inner_text()
    assert "我的需求" in menu
    assert not any(word in menu for word in ("审核台", "按需求看", "候选清单", "用户", "年度目标"))
    firm.page.get_by_role("button", name="提出一个技术难题").click()
    firm.page.get_by_role("heading", name="技术需求征集表").wait_for()
    began = time.monotonic()
    for label, text in (("技术需求名称", TITLE), ("现象与工况", PROBLEM)):
        box = firm.page.get_by_label(re.compile(f"^{label}")).first
        box.fill(text)
        box.press("Tab")
        firm.settle()
    firm.page.locator("[class*='st-key-post_card_']").first.wait_for(timeout=60_000)
    assert time.monotonic() - began < 60
    expect(firm.page.get_by_text("已保存").first).to_be_visible()
    firm.page.reload()
    firm.settle()
    expect(firm.page.get_by_text(TITLE).first).to_be_visible()
    firm.open()  # back at the list, the form is taken up again and stays open while it is filled
    firm.page.get_by_role("button", name="继续填写").first.click()
    firm.page.get_by_role("heading", name="技术需求征集表").wait_for()
    firm.settle()
    box = firm.page.get_by_label(re.compile("^预期目标")).first
    box.fill("一年不换液")
    box.press("Tab")
    firm.settle()
    expect(firm.page.get_by_role("heading", name="技术需求征集表")).to_be_visible()
    firm.page.get_by_role("button", name="提交给科技局").click()
    firm.page.locator("[class*='st-key-post_row_'], .st-key-post_detail").first.wait_for()
    with _look(people) as app:
        need = next(n for n in app.records.needs() if n.title == TITLE)
        assert (need.status, need.confidentiality) == ("待受理", "仅平台")
        assert need.problem.startswith(PROBLEM)
    # Another firm's need, by link.
    with _look(people) as app:
        other = next(n for n in app.records.needs() if n.firm_id != need.firm_id and n.status == "已发布")
    foreign = other.need_id
    for path in (
        f"post?need={foreign}",
        f"needs?need={foreign}",
        "data?kind=needs",
        f"review?need={foreign}",
    ):
        firm.page.goto(f"{firm.base}/{path}")
        firm.page.locator(".m-who").wait_for()
        firm.settle()
        assert other.title not in firm.page.content()
        assert other.company not in firm.page.content()
    assert firm.watch.outside == []


@dataclass
class _Moved:
    """Whether the count of what waits is another one."""

    waiting: Any
    said: str

    def __call__(self) -> bool:
        return bool(self.waiting.count()) and self.waiting.inner_text() != self.said


def _press(person: Any, key: str, happened: Callable[[], bool]) -> None:
    """Press a key once the page rests; a key pressed while it is drawn anew is lost, and a person presses again."""
    for _ in range(3):
        person.settle()
        person.page.keyboard.press(key)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if happened():
                return
            person.page.wait_for_timeout(50)
    pytest.fail(f"the key {key} does nothing")


def test_an_official_clears_ten_suggestions_with_the_keyboard_alone(visit: Any, people: Any) -> None:
    with _look(people) as app:
        before = {kind: len(app.review.decided(kind, 500)) for kind in ("接受", "搁置", "不合适")}
        n_engagements = len(app.following.list())
    official = visit(server=people)
    _enter(official, "kezhang", "review")
    official.part("review_card").wait_for(timeout=90_000)
    waiting = official.page.get_by_text(re.compile(r"还有 \d+ 条")).first
    reasons = official.part("review_reason_10").get_by_role("button")  # the last of them
    for number in range(10):
        said = waiting.inner_text()
        moved = _Moved(waiting, said)
        if number % 3 == 0:
            _press(official, "a", moved)
        else:
            _press(official, "asx"[number % 3], reasons.is_visible)
            _press(official, str(1 + number % 9), moved)
    with _look(people) as app:
        after = {kind: len(app.review.decided(kind, 500)) for kind in before}
        assert {kind: after[kind] - before[kind] for kind in before} == {"接受": 4, "搁置": 3, "不合适": 3}
        assert len(app.following.list()) == n_engagements + 4
        newest = app.review.decided(None, 10)
        assert all(one.decision.decided_by == "kezhang" for one in newest)
    assert official.watch.outside == []


def test_the_need_is_published_a_team_answers_and_the_dashboard_moves(visit: Any, people: Any) -> None:
    official = visit(server=people)
    _enter(official, "kezhang", "post")
    row = official.page.locator("[class*='st-key-post_wait_']", has_text=TITLE)
    row.get_by_role("button", name="受理并发布").click()
    expect(row).to_have_count(0)
    with _look(people) as app:
        need = next(n for n in app.records.needs() if n.title == TITLE)
        assert need.status == "已发布"
        first = next(iter(app.as_person(_team(app)).answering.calls())).need
        signed = app.overview.summary().year_signed
    team = visit(server=people)
    _enter(team, "tuandui", f"calls?need={first.need_id}")
    team.page.get_by_text(first.title).first.wait_for(timeout=90_000)
    team.page.get_by_label(re.compile("^技术思路")).first.fill("用复合杀菌与过滤循环，三个月小试。")
    team.page.get_by_role("button", name=re.compile("提交")).first.click()
    expect(team.page.get_by_text("已提交").first).to_be_visible()
    with _look(people) as app:
        (answer,) = app.answering.answers()
        assert (answer.interest.need_id, answer.interest.state) == (first.need_id, "已提交")
        done = app.answering.settle(
            answer.interest.interest_id, answer.interest.version, True, "请尽快联系企业"
        )
        assert done.state == "已采纳"
        engagement = next(r.engagement for r in app.following.list() if r.engagement.need_id == first.need_id)
        for to in ("对接中", "洽谈"):
            engagement = app.following.move(engagement.engagement_id, to, engagement.version)
    follow = visit(server=people)
    _enter(follow, "kezhang", f"follow?id={engagement.engagement_id}")
    follow.page.get_by_text("登记签约").first.wait_for()
    with _look(people) as app:
        today = (app.clock()).date()
        app.following.move(
            engagement.engagement_id,
            "签约",
            engagement.version,
            on=today,
            contract_kind="技术开发",
            signed_wan=30.0,
        )
    official.page.goto(f"{official.base}/year")
    official.settle()
    expect(official.page.get_by_text(re.compile(f"今年已签约 {signed + 1} 项")).first).to_be_visible()


def _team(app: Application) -> Person:
    expert = app.records.expert("E337")
    return Person(
        "tuandui", expert.name, Role.TEAM, institution_id=expert.institution_id, expert_id=expert.expert_id
    )


SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("suffix", [".xlsx", ".docx"])
def test_an_export_opens_in_libreoffice_and_prints(people: Any, tmp_path: Path, suffix: str) -> None:
    with _look(people) as app:
        n_accepted = sum(n for _, n in app.candidates.count("sector").groups)
        assert n_accepted
        data = app.candidates.export("sector", suffix, with_confidential=True)
    path = tmp_path / f"候选合作清单{suffix}"
    path.write_bytes(data)
    subprocess.run(
        [str(SOFFICE), "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(path)],
        check=True, timeout=240, capture_output=True,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
    )  # fmt: skip
    pdf = (tmp_path / "候选合作清单.pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    n_pages = len(re.findall(rb"/Type\s*/Page[^s]", pdf))
    assert n_pages >= (n_accepted if suffix == ".docx" else 2)
