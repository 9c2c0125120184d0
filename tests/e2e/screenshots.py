"""Take a picture of every page at desktop and phone width.

Without ``--url`` it starts the app over the sample data in a temporary home and stops it afterwards:
``python tests/e2e/screenshots.py --out docs/screenshots``. Pictures are cut below a height and reduced to 256 colours,
so that each stays below ``MAX_BYTES``.
"""

from __future__ import annotations

import argparse
import io
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from matcher.config import load_settings
from matcher.services.bootstrap import open_application
from matcher.services.demo import tell_stories

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTHS = {"1440": (1440, 1000, 1800), "390": (390, 844, 2400)}
"""Label → width and height of the window, and the height at which a picture is cut, in CSS pixels."""
VIEWS = {
    "overview": "",
    "needs": "needs?need=N101",
    "experts": "experts?expert=E101",
    "search": "search?q=刹车片磨得快，跑几千公里就要换",
    "search-needs": "search?q=铸件有气孔&to=needs",
    "shortlists": "shortlists",
    "data": "data?kind=needs",
    "import": "data?tab=import",
    "system": "data?tab=system",
    "model": "model",
    "review": "review",
    "post": "post",
    "follow": "follow",
    "year": "year",
    "users": "users",
}
LIST, N_TICKED = "11月汽车机电对接会", 3
START_S, WAIT_MS, QUIET_MS = 120, 60_000, 1_500
MAX_BYTES = 250_000


# ---------------------------------------------------------------- server


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def own_server() -> Iterator[str]:
    """The app over the sample data with the built-in model; yields its address."""
    url = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    command += ["--server.port", url.rsplit(":", 1)[1], "--server.address", "127.0.0.1"]
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MATCHER_", "STREAMLIT_"))}
    with tempfile.TemporaryDirectory() as home:
        environ = {**kept, "MATCHER_HOME": home, "MATCHER_ENCODER": "builtin"}
        with open_application(load_settings(Path(home), environ)) as app:
            app.entrance.start_demo()
            tell_stories(app)
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL)
        try:
            wait_until_healthy(url, process)
            yield url
        finally:
            process.terminate()
            process.wait()


def wait_until_healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    """Raises SystemExit when the app has ended or does not answer in time."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)  # nothing to wait on before the port is open
    raise SystemExit("the app did not start")


# ---------------------------------------------------------------- pictures


def settle(page: Page) -> None:
    """Wait until the run has ended and the page has drawn what it got."""
    page.wait_for_selector(".m-page", timeout=WAIT_MS)
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'",
        timeout=WAIT_MS,
    )
    page.wait_for_timeout(QUIET_MS)


def prepare(browser: Browser, url: str) -> None:
    """Wait for the model, and tick a few teams, so that the list page has something to show."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000}, locale="zh-CN")
    page.goto(f"{url}/{VIEWS['needs']}")
    page.locator(".m-status", has_text="语义模型已就绪").wait_for(timeout=2 * WAIT_MS)
    settle(page)
    if not page.locator(".st-key-needs_shortlist").count():
        page.locator(".st-key-needs_new").get_by_role("button").first.click()
        page.get_by_label("清单名称").fill(LIST)
        page.keyboard.press("Enter")
        page.locator(".st-key-needs_shortlist").wait_for()
        settle(page)
        for number in range(1, N_TICKED + 1):
            page.locator(f".st-key-needs_card_{number}").get_by_text("加入候选清单").click()
            settle(page)
    page.close()


def whole_height(page: Page) -> int:
    """Height of the content, in pixels; the app scrolls inside its main block."""
    return int(page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight"))


def save(picture: bytes, path: Path) -> None:
    """Write a picture with as many colours as fit into ``MAX_BYTES``."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colours in (256, 128, 64, 32):
        image.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= MAX_BYTES:
            return
    raise SystemExit(f"{path} is larger than {MAX_BYTES} bytes")


def take(browser: Browser, url: str, out: Path, names: list[str]) -> None:
    """One picture for each view and width."""
    for label, (width, height, cut) in WIDTHS.items():
        page = browser.new_page(viewport={"width": width, "height": height}, locale="zh-CN")
        for name in names:
            page.set_viewport_size({"width": width, "height": height})
            page.goto(f"{url}/{VIEWS[name]}")
            settle(page)
            page.set_viewport_size({"width": width, "height": min(whole_height(page) + 80, cut)})
            page.wait_for_timeout(QUIET_MS)
            save(page.screenshot(), out / f"{name}-{label}.png")
        page.close()


def main() -> None:
    """Read the arguments and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="a running app; default: start one")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--browser", default=CHROMIUM, help="path of Chromium or Chrome")
    parser.add_argument("views", nargs="*", choices=[*VIEWS, []], help="default: all")
    given = parser.parse_args()
    if given.url is None:
        with own_server() as url:
            shoot(given, url)
    else:
        shoot(given, given.url)


def shoot(given: argparse.Namespace, url: str) -> None:
    given.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=given.browser, args=list(FLAGS))
        prepare(browser, url)
        take(browser, url, given.out, given.views or list(VIEWS))
        browser.close()


if __name__ == "__main__":
    main()
