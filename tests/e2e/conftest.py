"""The real app in its own process, and a real browser that writes down what it asks for and what goes wrong.

Without a Chromium the tests are skipped; with ``MATCHER_REQUIRE_BROWSER=1`` they fail instead.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from matcher.config import load_settings
from matcher.services.bootstrap import Application, open_application

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

ROOT = Path(__file__).resolve().parents[2]
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
BROWSERS = ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
LOCAL_SCHEMES = frozenset({"data", "blob", "about"})
START_S = 120
WAIT_MS = 30_000
MENU_OF = {"需求受理": "收件", "揭榜申请": "收件"} | dict.fromkeys(
    ("数据", "用户", "语义模型", "我的账号"), "管理"
)


def _without_browser(reason: str) -> None:
    if os.environ.get("MATCHER_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def _browser_path() -> str:
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found is None:
        _without_browser(f"no Chromium found; looked for {', '.join(BROWSERS)}")
    return str(found)


# ---------------------------------------------------------------- server


@dataclass
class Server:
    """The running app."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def memory_mib(self) -> float:
        """Resident memory of the process; skips the test where the system has no /proc."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            pytest.skip("memory is read from /proc, which this system lacks")
        line = next(one for one in status.read_text().splitlines() if one.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(server: Server) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)  # nothing to wait on before the port is open
    pytest.fail(f"the app did not start:\n{server.log[-3000:]}")


def _demo(app: Application) -> None:
    app.entrance.start_demo()


@pytest.fixture(scope="session")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """``start_server(prepare)`` → the app over the sample data in a fresh home, with the shipped model.

    ``prepare`` gets the application before the server starts: it lets people in, as the demo or with accounts.
    """
    _browser_path()
    running: list[Server] = []

    def start(prepare: Callable[[Application], None] = _demo) -> Server:
        folder = tmp_path_factory.mktemp("e2e")
        home, log_file, port = folder / "home", folder / "server.log", _free_port()
        home.mkdir()
        environ = {
            key: value for key, value in os.environ.items() if not key.startswith(("MATCHER_", "STREAMLIT_"))
        }
        environ |= {"MATCHER_HOME": str(home), "MATCHER_ENCODER": "builtin", "PYTHONUNBUFFERED": "1"}
        with open_application(load_settings(home, environ)) as app:
            prepare(app)
        command = [sys.executable, "-m", "streamlit", "run", "app.py"]
        command += ["--server.port", str(port), "--server.address", "127.0.0.1"]
        with log_file.open("wb") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=subprocess.STDOUT)
        running.append(Server(f"http://127.0.0.1:{port}", home, process, log_file))
        _wait_until_healthy(running[-1])
        return running[-1]

    yield start
    for server in running:
        server.process.terminate()
        try:
            server.process.wait(15)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()


@pytest.fixture(scope="session")
def server(start_server: Callable[..., Server]) -> Server:
    """The app in demo mode, shared by the tests."""
    return start_server()


# ---------------------------------------------------------------- browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = _browser_path()
    try:
        from playwright.sync_api import expect, sync_playwright
    except ImportError as error:
        _without_browser(f"playwright is not installed: {error}")
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield opened
        opened.close()


@dataclass
class Watch:
    """What a browser asked for and what went wrong in it."""

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda channel: self.requests.append(channel.url))
        page.on("pageerror", lambda error: self.errors.append(f"{page.url}: {error}"))
        page.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location})")

    @property
    def outside(self) -> list[str]:
        """Requests to anywhere but this machine."""
        parts = [(urlsplit(url), url) for url in self.requests]
        return [
            url for part, url in parts if part.scheme not in LOCAL_SCHEMES and part.hostname not in LOOPBACK
        ]


class Visitor:
    """A person at the app: opens pages, reads cards, presses buttons; every wait is for a condition."""

    def __init__(self, page: Page, base: str, watch: Watch) -> None:
        self.page, self.base, self.watch = page, base, watch

    def open(self, path: str = "") -> None:
        self.page.goto(f"{self.base}/{path}")
        self.settle()

    def turn_to(self, title: str) -> None:
        """Another page by the navigation at the top."""
        if title in MENU_OF:
            self._take_from_menu(MENU_OF[title], title)
        else:
            self.page.get_by_test_id("stTopNav").get_by_role("link", name=title).click()
        self.page.locator(".m-page h1", has_text=title).wait_for()
        self.settle()

    def _take_from_menu(self, menu: str, title: str) -> None:
        """Open a menu and take a page; a menu that shuts because the page is drawn anew is opened once more."""
        from playwright.sync_api import TimeoutError as Late

        section = self.page.get_by_test_id("stTopNavSection").get_by_text(menu, exact=True)
        entry = self.page.get_by_test_id("stTopNavDropdownLink").filter(has_text=title)
        for patience in (WAIT_MS / 6, WAIT_MS / 6, WAIT_MS):
            if not entry.is_visible():
                section.click()
            try:
                entry.click(timeout=patience)
            except Late:
                continue
            return
        pytest.fail(f"the menu {menu} does not open")

    def settle(self) -> None:
        """The heading is there and the script rests."""
        self.page.locator(".m-page h1").wait_for()
        self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()

    def wait_for_model(self) -> None:
        self.page.locator(".m-status", has_text="语义模型已就绪").wait_for(timeout=4 * WAIT_MS)
        self.settle()

    def wait_for_heading(self, key: str, title: str) -> None:
        """A record block shows this record; the old one may stand beside it for a moment."""
        self.part(key).get_by_role("heading", name=title).wait_for()

    def part(self, key: str) -> Locator:
        """The element of a widget or container key."""
        return self.page.locator(f".st-key-{key}")

    def type_into(self, label: str, text: str) -> None:
        box = self.page.get_by_label(label, exact=True).locator("visible=true")
        box.fill(text)
        box.press("Enter")

    def unfold(self, key: str) -> None:
        """Open an expander and wait until it has stopped moving: its lists close when they are moved."""
        self.part(key).locator("summary").click()
        self.part(key).locator("details[open]").wait_for()
        self.page.wait_for_function(
            "key => document.querySelector('.st-key-' + key).getAnimations({subtree: true})"
            ".every(one => one.playState !== 'running')",
            arg=key,
        )

    def choose(self, key: str, option: str) -> None:
        """Take an option of a list."""
        self.part(key).get_by_role("combobox").click()
        self.page.get_by_role("option", name=option, exact=True).click()
        self.page.keyboard.press("Escape")

    @staticmethod
    def name_and_score(head: Locator) -> tuple[str, str]:
        """Name and 匹配度 at the head of a card."""
        name = head.locator(".m-title").evaluate("e => e.firstChild.textContent")
        return str(name), head.locator(".m-score b").inner_text()

    def ranking(self, page: str) -> list[tuple[str, str]]:
        """(name, 匹配度) of the open cards as they stand."""
        heads = self.page.locator(f"[class*='st-key-{page}_card_'] .m-head:visible")
        return [self.name_and_score(head) for head in heads.all()]

    def run_id(self, page: str) -> str:
        """运行编号 of the ranking on the page, from its explanation."""
        self.open_menu(f"{page}_about")
        line = self.page.get_by_text("运行编号").first.inner_text()
        self.page.keyboard.press("Escape")
        return line.rsplit("运行编号", 1)[1].strip(" 。")

    def open_menu(self, key: str) -> None:
        self.part(key).get_by_role("button").first.click()

    def download(self, key: str, suffix: str, folder: Path) -> Path:
        """Press a button of an export menu and keep the file."""
        button = self.page.locator(f".st-key-{key}_export_{suffix[1:]} button")
        if not button.is_visible():
            self.open_menu(f"{key}_export")
            button.wait_for()
        with self.page.expect_download() as waiting:
            button.click()
        target = folder / waiting.value.suggested_filename
        waiting.value.save_as(target)
        return target

    def overflow(self) -> tuple[int, int]:
        """Width of the document and of its main block, in CSS pixels."""
        return tuple(
            self.page.evaluate(
                "() => [document.scrollingElement.scrollWidth,"
                " document.querySelector('[data-testid=stMain]').scrollWidth]"
            )
        )


NewVisitor = Callable[..., Visitor]


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[NewVisitor]:
    """``visit(width=1440, height=1000)`` → a person with a fresh browser profile."""
    contexts: list[BrowserContext] = []

    demo = server

    def make(width: int = 1440, height: int = 1000, server: Server | None = None) -> Visitor:
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN", accept_downloads=True
        )
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        watch = Watch()
        context.on("page", watch.follow)
        return Visitor(context.new_page(), (server or demo).url, watch)

    yield make
    for context in contexts:
        context.close()
