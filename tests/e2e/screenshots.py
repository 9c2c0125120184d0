"""Take a picture of every page at desktop and phone width.

Run it beside a running app: ``python tests/e2e/screenshots.py --url http://localhost:8501 --out docs/screenshots``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

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
WIDTHS = {"1440": (1440, 1000), "390": (390, 844)}
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
}
QUIET_MS = 1_500


def settle(page: Page) -> None:
    """Wait until the run has ended and the page has drawn what it got."""
    page.wait_for_selector(".m-page", timeout=60_000)
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'",
        timeout=60_000,
    )
    page.wait_for_timeout(QUIET_MS)


def whole_height(page: Page) -> int:
    """Height of the content, in pixels; the app scrolls inside its main block."""
    return int(page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight"))


def take(browser: Browser, url: str, out: Path, names: list[str]) -> None:
    """One picture for each view and width."""
    for label, (width, height) in WIDTHS.items():
        page = browser.new_page(viewport={"width": width, "height": height}, locale="zh-CN")
        for name in names:
            page.set_viewport_size({"width": width, "height": height})
            page.goto(f"{url}/{VIEWS[name]}")
            settle(page)
            page.set_viewport_size({"width": width, "height": min(whole_height(page) + 80, 6_000)})
            page.wait_for_timeout(QUIET_MS)
            page.screenshot(path=out / f"{name}-{label}.png")
        page.close()


def main() -> None:
    """Read the arguments and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://localhost:8501")
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"))
    parser.add_argument("--browser", default=CHROMIUM, help="path of Chromium or Chrome")
    parser.add_argument("views", nargs="*", choices=[*VIEWS, []], help="default: all")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=given.browser, args=list(FLAGS))
        take(browser, given.url, given.out, given.views or list(VIEWS))
        browser.close()


if __name__ == "__main__":
    main()
