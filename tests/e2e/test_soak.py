"""A long visit of random actions on every page: nothing breaks, nothing is forgotten, memory stays bounded."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from matcher.config import EncoderSettings, Settings
from matcher.services.bootstrap import open_application

pytestmark = [pytest.mark.slow, pytest.mark.e2e]

N_WARM_UP, N_ACTIONS, SEED = 30, 120, 20261125
MAX_GROWTH_MIB = 150.0
PROBES = ("_stcore/host-config", "_stcore/health")  # Streamlit looks for its base path below a deep address
QUERIES = ("刹车片磨得快", "海参苗种死得多", "烘干后颜色发暗", "看不清划痕", "C++ <b>*", "x", "水" * 300, "")
KINDS = ("needs", "experts", "works", "firms", "institutions", "cooperation")
RINGS = ("区内", "周边区域", "全国")
SUFFIXES = (".xlsx", ".docx", ".csv", ".json")


def ticked(home: Path) -> set[tuple[str, str]]:
    """What the database holds in all lists."""
    settings = Settings(home, f"sqlite:///{home / 'matcher.db'}", encoder=EncoderSettings("none"))
    with open_application(settings, samples=False) as app:
        return {
            pair
            for one in app.shortlists.list()
            for pair in app.shortlists.ticked(one.shortlist.shortlist_id)
        }


class Wanderer:
    """Does one random thing after the other, and remembers what it ticked."""

    def __init__(self, person: Any, chance: random.Random, folder: Path, ticks: set[tuple[str, str]]) -> None:
        self.person, self.page, self.chance, self.folder = person, person.page, chance, folder
        self.ticks = ticks
        self.done: list[str] = []
        self.actions: dict[Callable[[], str], int] = {
            self.open_need: 4,
            self.open_expert: 3,
            self.pick: 4,
            self.find: 3,
            self.tick: 8,
            self.ring: 4,
            self.practical: 2,
            self.fold_out: 3,
            self.search: 5,
            self.turn_direction: 2,
            self.export: 4,
            self.write_note: 2,
            self.browse: 3,
            self.turn_page: 4,
            self.go_back: 2,
        }

    def act(self) -> str:
        action = self.chance.choices(list(self.actions), list(self.actions.values()))[0]
        self.done.append(action.__name__)
        self.done[-1] += f" {action()}"
        self.rest()
        return action.__name__

    def rest(self) -> None:
        """Wait until the script has rested for a moment; an action may need a while to begin."""
        self.page.wait_for_function(
            """() => {
                const app = document.querySelector('[data-testid=stApp]');
                const busy = app?.dataset.testScriptState !== 'notRunning' || !document.querySelector('.m-page h1');
                if (busy || window.restSince === undefined) window.restSince = performance.now();
                return performance.now() - window.restSince > 400;
            }"""
        )
        self.page.evaluate("() => { window.restSince = undefined; }")

    def one_of(self, selector: str) -> Any:
        """A random visible element, or None."""
        found = self.page.locator(f"{selector} >> visible=true")
        count = found.count()
        return found.nth(self.chance.randrange(count)) if count else None

    # ------------------------------------------------------------ actions

    def open_need(self) -> str:
        path = f"needs?need=N{self.chance.choice((101, 105, 112, 204, 302, 313, 999))}"
        self.person.open(path)
        return path

    def open_expert(self) -> str:
        path = f"experts?expert=E{self.chance.choice((101, 108, 202, 337, 423, 999))}"
        self.person.open(path)
        return path

    def pick(self) -> str:
        choice = self.one_of("[class*='_list'] [role=radiogroup] label, [data-testid=stRadio] label")
        if choice is None:
            return "nothing"
        text = str(choice.inner_text()).split("\n")[0]
        choice.click()
        return text

    def find(self) -> str:
        box = self.one_of("input[type=search]")
        if box is None:
            return "nothing"
        text = self.chance.choice(("", "电机", "涂层", "海", "不存在的词"))
        box.fill(text)
        box.press("Enter")
        return text

    def tick(self) -> str:
        box = self.one_of("[class*='_tick_'] label")
        if box is None:
            self.open_need()
            self.rest()
            box = self.one_of("[class*='_tick_'] label")
        if box is None:
            return "nothing"
        holder = box.locator("xpath=ancestor::*[contains(@class, '_tick_')][1]")
        key = next(name for name in str(holder.get_attribute("class")).split() if "_tick_" in name)
        key = key.removeprefix("st-key-")
        need_id, expert_id = key.split("_tick_")[1].split("_")
        pair = (need_id, expert_id)
        before = holder.get_by_role("checkbox").is_checked()
        assert before == (pair in self.ticks), f"the box of {pair} shows {before}"
        box.click()
        self.rest()
        assert self.person.part(key).get_by_role("checkbox").is_checked() != before, pair
        self.ticks ^= {pair}
        return f"{pair} {'off' if before else 'on'}"

    def ring(self) -> str:
        for page in ("needs", "experts", "search"):
            if self.person.part(f"{page}_ring").count() == 0:
                continue
            # On 按专家看 the ring stands in the filter of the list.
            expander = f"{page}_list_filters" if page == "experts" else f"{page}_filters"
            if self.person.part(expander).locator("details[open]").count() == 0:
                self.person.unfold(expander)
            ring, box = self.chance.choice(RINGS), self.person.part(f"{page}_ring")
            clear = box.get_by_role("button", name="Clear all")
            if clear.count():
                clear.click()
                return "cleared"
            self.person.choose(f"{page}_ring", ring)
            return ring
        return "nothing"

    def practical(self) -> str:
        toggle = self.one_of("[class*='_practical'] label, [class*='_capacity'] label")
        if toggle is None:
            return "nothing"
        toggle.click()
        return "toggled"

    def fold_out(self) -> str:
        summary = self.one_of("summary")
        if summary is None:
            return "nothing"
        text = str(summary.inner_text()).split("\n")[-1]
        summary.click()
        return text

    def search(self) -> str:
        if "/search" not in self.page.url:
            self.person.open("search")
        text = self.chance.choice(QUERIES)
        self.page.get_by_label("一句话说清问题").fill(text)
        self.rest()
        return text[:20]

    def turn_direction(self) -> str:
        button = self.one_of("[class*='st-key-search_to'] button, [class*='st-key-data_tab'] button")
        if button is None:
            return "nothing"
        text = str(button.inner_text())
        button.click()
        return text

    def export(self) -> str:
        for key in ("needs", "experts", "search", "shortlists", "data"):
            if self.person.part(f"{key}_export").count() == 1:
                suffix = self.chance.choice(SUFFIXES)
                file = self.person.download(key, suffix, self.folder)
                assert file.stat().st_size > 50
                self.page.keyboard.press("Escape")
                return file.name
        return "nothing"

    def write_note(self) -> str:
        if "/shortlists" not in self.page.url:
            self.person.open("shortlists")
            self.rest()
        note = self.one_of("[class*='st-key-shortlists_note_'] input")
        if note is None:
            return "nothing"
        text = f"备注{self.chance.randrange(1000)}"
        note.fill(text)
        note.press("Enter")
        return text

    def browse(self) -> str:
        path = (
            f"data?tab={self.chance.choice(('browse', 'import', 'system'))}&kind={self.chance.choice(KINDS)}"
        )
        self.person.open(path)
        return path

    def turn_page(self) -> str:
        title = self.chance.choice(("总览", "按需求看", "按专家看", "自由检索", "候选清单", "数据"))
        self.person.turn_to(title)
        return title

    def go_back(self) -> str:
        if len(self.done) < 3:
            return "nothing"
        self.page.go_back()
        if self.page.url == "about:blank":
            self.person.open()
        return self.page.url


def test_a_long_random_visit(visit: Any, server: Any, tmp_path: Path, record_property: Any) -> None:
    person = visit()
    person.open()
    person.wait_for_model()
    wanderer = Wanderer(person, random.Random(SEED), tmp_path, ticked(server.home))
    counts: Counter[str] = Counter()
    warm = 0.0
    for number in range(N_ACTIONS):
        if number == N_WARM_UP:
            warm = server.memory_mib()
        story = "\n".join(wanderer.done[-12:])
        try:
            counts[wanderer.act()] += 1
        except Exception as error:
            error.add_note(f"action {number}: {wanderer.done[-1]}\nafter\n{story}\n{person.page.url}")
            raise
        story = "\n".join(wanderer.done[-12:])
        assert person.page.get_by_text("这一步没有完成").count() == 0, story
        assert person.page.get_by_test_id("stException").count() == 0, story
        assert [e for e in person.watch.errors if not any(p in e for p in PROBES)] == [], story
        assert person.watch.outside == [], story
        assert "Traceback" not in server.log, story
    growth = server.memory_mib() - warm
    record_property("memory_growth_mib", round(growth, 1))
    print(
        f"\n{dict(counts)}\nserver {warm:.0f} MiB after {N_WARM_UP} actions, {growth:+.0f} MiB after {N_ACTIONS}"
    )
    assert len(counts) >= 14
    assert len(wanderer.ticks) > 3
    assert ticked(server.home) == wanderer.ticks, "what was ticked on the pages is what is stored"
    assert growth < MAX_GROWTH_MIB
