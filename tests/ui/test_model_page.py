"""语义模型: the page says what is in use, changes it, shows how that goes, and shows the 精读得分 on the cards."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from matcher.config import EncoderSettings, RerankerSettings, Settings
from matcher.encoding.protocol import Encoder, Progress
from matcher.errors import EncoderError
from matcher.services import reranking, switching
from matcher.services.bootstrap import Application, open_application
from matcher.ui import resources

HtmlOf = Callable[[AppTest], str]
OpenPage = Callable[..., AppTest]
LIMIT = 60


class Shop:
    """Stands in for loading: one model by name, behind a gate."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder, self.gate, self.reached = encoder, threading.Event(), threading.Event()
        self.asked: list[EncoderSettings] = []

    def build(self, settings: Settings, progress: Progress | None = None) -> Encoder | None:
        self.asked.append(settings.encoder)
        if settings.encoder.name == "none":
            return None
        if settings.encoder.name != "lab/model":
            raise EncoderError("找不到模型目录“/没有/*这个*”。", "请检查路径。")
        assert progress
        progress(12_400_000, 95_000_000)
        self.reached.set()
        assert self.gate.wait(LIMIT)
        return self.encoder


@pytest.fixture
def shop(
    app: Application, make_encoder: Callable[..., Encoder], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shop]:
    made = Shop(make_encoder("lab/model", 48))
    monkeypatch.setattr(switching, "build_encoder", made.build)
    yield made
    made.gate.set()
    app.engine.join(LIMIT)


def _ask(page: AppTest, name: str) -> AppTest:
    page.radio(key="model_kind").set_value("other").run()
    page.text_input(key="model_name").set_value(name).run()
    return page.button(key="model_change").click().run()


def test_the_page_says_what_is_in_use(open_page: OpenPage, html_of: HtmlOf) -> None:
    page = open_page("model")
    said = html_of(page)
    for words in ("不使用语义模型", "只按用词和术语匹配", "词库主题", "未启用"):
        assert words in said
    assert page.radio(key="model_kind").value == "none"
    assert not page.warning


def test_a_change_is_shown_while_it_runs_and_when_it_is_done(
    open_page: OpenPage, html_of: HtmlOf, app: Application, shop: Shop
) -> None:
    page = _ask(open_page("model"), "lab/model")
    assert shop.reached.wait(LIMIT)
    page.run()
    assert "正在换用：**lab\\/model**" in page.markdown[0].value
    assert page.button(key="model_change").disabled
    assert "下载模型（MB） 12/95" in html_of(page), "the line at the foot says it, too"
    other = open_page("needs", need="N101")
    assert not other.exception
    assert "正在换用“lab/model”" in html_of(other)
    shop.gate.set()
    app.engine.join(LIMIT)
    page.run()
    assert not page.exception
    assert "已换用" in page.success[0].value
    assert ">48<" in html_of(page)
    assert not page.button(key="model_change").disabled
    assert shop.asked[-1] == EncoderSettings("lab/model")
    assert app.matching.for_need("N101").run.encoder == "lab/model"
    assert (app.settings.home / "settings.toml").exists()


def test_prompts_may_be_given_or_switched_off(open_page: OpenPage, app: Application, shop: Shop) -> None:
    shop.gate.set()
    page = open_page("model")
    page.radio(key="model_kind").set_value("other").run()
    page.toggle(key="model_own").set_value(False).run()
    page.text_input(key="model_query").set_value("查询：").run()
    _ask(page, "lab/model")
    app.engine.join(LIMIT)
    assert shop.asked[-1] == EncoderSettings("lab/model", "查询：", "")


@pytest.mark.parametrize("prompts", [("查询：", "资料："), ("查询：", None), (None, ""), ("", "")])
def test_prompts_of_ones_own_stay_when_nothing_is_touched(
    open_page: OpenPage, app: Application, shop: Shop, prompts: tuple[str | None, str | None]
) -> None:
    shop.gate.set()
    app.semantic.change("lab/model", *prompts)
    app.engine.join(LIMIT)
    page = open_page("model")
    assert not page.toggle(key="model_own").value
    assert page.text_input(key="model_query").value == (prompts[0] or "")
    page.button(key="model_change").click().run()
    app.engine.join(LIMIT)
    assert len(shop.asked) == 2
    assert shop.asked[-1] == EncoderSettings("lab/model", *prompts)


def test_prompts_stay_with_the_model_they_were_written_for(
    open_page: OpenPage, app: Application, shop: Shop
) -> None:
    shop.gate.set()
    app.semantic.change("lab/model", "查询：", "资料：")
    app.engine.join(LIMIT)
    page = open_page("model")
    page.text_input(key="model_name").set_value("lab/other").run()
    assert page.toggle(key="model_own").value
    page.toggle(key="model_own").set_value(False).run()
    assert page.text_input(key="model_query").value == ""
    page.toggle(key="model_own").set_value(True).run()
    page.button(key="model_change").click().run()
    app.engine.join(LIMIT)
    assert shop.asked[-1] == EncoderSettings("lab/other")
    page.text_input(key="model_name").set_value("lab/model").run()
    page.toggle(key="model_own").set_value(False).run()
    assert page.text_input(key="model_query").value == "查询："


def test_a_change_that_fails_says_why_and_what_to_do(
    open_page: OpenPage, html_of: HtmlOf, app: Application, shop: Shop
) -> None:
    page = _ask(open_page("model"), "/没有/*这个*")
    app.engine.join(LIMIT)
    page.run()
    assert "没有换成" in page.error[0].value
    assert "\\*这个\\*" in page.error[0].value
    assert "请检查路径" in page.error[0].value
    assert "不使用语义模型" in html_of(page)
    assert not (app.settings.home / "settings.toml").exists()


def test_an_empty_name_is_refused(open_page: OpenPage, shop: Shop) -> None:
    page = _ask(open_page("model"), "  ")
    assert "没有填写模型名称" in page.error[0].value
    assert shop.asked == []


def test_a_running_change_can_be_stopped(open_page: OpenPage, app: Application, shop: Shop) -> None:
    page = _ask(open_page("model"), "lab/model")
    assert shop.reached.wait(LIMIT)
    page.run()
    page.button(key="model_stop").click().run()
    shop.gate.set()
    app.engine.join(LIMIT)
    page.run()
    assert "已按要求停止" in page.error[0].value
    assert app.matching.for_need("N101").run.encoder == ""


def test_the_environment_is_named_when_it_wins(
    open_page: OpenPage, app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = replace(app, settings=replace(app.settings, encoder_from_environ=True))
    monkeypatch.setattr(resources, "open_application", lambda _: named)
    page = open_page("model")
    assert "MATCHER\\_ENCODER" in page.warning[0].value


class Likes:
    """Gives one team's text a high number."""

    name = "reader"

    def __init__(self, phrase: str) -> None:
        self.phrase = phrase

    def read(self, query: str, texts: list[str]) -> list[float]:
        return [0.9 if self.phrase in text else 0.2 for text in texts]


def test_the_reading_stands_on_the_card_and_is_not_a_practical_signal(
    open_page: OpenPage,
    app: Application,
    cards_of: Callable[[AppTest], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fourth = app.matching.for_need("N101", top=4).pairs[3].expert
    assert fourth is not None
    plain = cards_of(open_page("needs", need="N101", needs_practical="true"))
    reader = Likes(fourth.research_directions[0])
    monkeypatch.setattr(reranking, "build_reranker", lambda settings: reader)
    with open_application(replace(app.settings, reranker=RerankerSettings("reader", 5))) as reading:
        reading.rereader.wait(LIMIT)
        monkeypatch.setattr(resources, "open_application", lambda _: reading)
        resources.process.clear()  # type: ignore[attr-defined]
        first = cards_of(open_page("needs", need="N101"))[0]
        both = cards_of(open_page("needs", need="N101", needs_practical="true"))
        reverse = cards_of(open_page("experts", expert=fourth.expert_id))
        places = [p.rank_in_need for p in reading.matching.for_expert(fourth.expert_id).pairs]
    for card, place in zip(reverse, places, strict=True):
        assert f"按匹配度排第 {place} 位（未计精读）" in card
    assert reverse
    assert "在这条需求中排第" not in "".join(reverse)
    assert fourth.name in first
    assert "精读得分 90.0（先后据此调整）" in first
    assert "精读得分" not in first.split('class="m-chips"')[1]
    name = fourth.name
    extra = [card.split("实际因素 +")[1][:3] for cards in (plain, both) for card in cards if name in card]
    assert extra[0] == extra[1]
