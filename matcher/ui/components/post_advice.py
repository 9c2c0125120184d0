"""Beside the form of a need: what is still missing, what the changes do, needs like it, and candidate teams at once.

Owns only how these look; all of it is measured by the services on the text as it was last kept.
"""

from __future__ import annotations

import streamlit as st

from matcher.intake.coaching import Check, missing_summary
from matcher.models import Draft
from matcher.services.posting_drafts import Measured
from matcher.services.rankings import Ranking
from matcher.ui import guard, navigation, resources, texts
from matcher.ui.components import cards
from matcher.ui.components.html import Html, badge, join, md, show, tag
from matcher.ui.components.results import N_TOPICS

PAGE = "post"
N_OPEN = 2
_MIN_TEXT = 8
_TEXTS = ("title", "situation", "key_tech", "goal")
_BEGIN = "写下难题名称和现象后，这里马上列出可能合适的团队。"
_SOFT = "下面是按文字找到的，只供参考；正式推荐和联系由科技局安排。"


def show_advice(draft: Draft) -> None:
    """The whole column, the first things first."""
    posting = resources.application().posting
    with guard.calm("checklist"):
        _checks(posting.checklist(draft.draft_id))
    if sum(len(draft.content.get(name, "")) for name in _TEXTS) < _MIN_TEXT:
        st.info(_BEGIN, icon=":material/groups:")
        return
    with guard.calm("effect"):
        _effect(posting.effect(draft.draft_id))
    with guard.calm("similar"):
        _similar(draft)
    with guard.calm("candidates"):
        _teams(posting.candidates(draft.draft_id))


def checks_html(checks: tuple[Check, ...]) -> Html:
    """The checklist: what is said, quoted, and what to add."""
    rows = []
    for check in checks:
        mark = badge("已写明" if check.met else "还缺", "good" if check.met else "limited")
        about = f"“{check.found}”" if check.met else check.advice
        rows.append(tag("li", check.label, mark, tag("div", about, cls="m-sub")))
    return tag("div", tag("ul", join(rows)), cls="m-note")


def _checks(checks: tuple[Check, ...]) -> None:
    n_met = sum(check.met for check in checks)
    with st.expander(
        f"写清楚了吗？{n_met} / {len(checks)} 项已写明", expanded=n_met < len(checks), key="post_checks"
    ):
        st.caption(md(missing_summary(checks) + "写得越清楚，找到的团队越准。"))
        show(checks_html(checks))


def _effect(measured: Measured | None) -> None:
    if measured is None:
        st.caption("想知道改写有没有用？先点表下面的“记下这一版”，再改，这里会比较前后。")
        return
    effect = measured.effect
    with st.expander("修改后有什么变化", expanded=True, key="post_effect"):
        st.caption(md(effect.sentence))
        rows = []
        for line in effect.lines:
            after, before = line.covered_after, line.covered_before
            if after is None:
                mark = badge("已删去", "quiet")
            elif after:
                mark = badge("有依据" if before else "新找到依据", "good")
            else:
                mark = badge("还没有依据", "quiet")
            team = measured.experts.get(line.best_expert_id)
            said = f"{team.name}：{line.facet_text}" if team and line.facet_text and after else ""
            rows.append(tag("li", line.text, mark, tag("div", said, cls="m-sub") if said else Html("")))
        show(tag("div", tag("ul", join(rows)), cls="m-note"))


def _similar(draft: Draft) -> None:
    found = resources.application().posting.similar(draft.draft_id)
    if not found:
        return
    with st.expander(
        f"已有 {len(found)} 条相似的需求", expanded=any(s.duplicate for s in found), key="post_similar"
    ):
        for one in found:
            navigation.link(PAGE, one.title, {"need": one.need_id}, icon=":material/description:")
            st.caption(md(one.why))


def _teams(ranking: Ranking) -> None:
    st.subheader("可能合适的团队", anchor=False)
    for sentence in ranking.degraded:
        st.caption(md(sentence))
    if not ranking.pairs:
        st.info(_BEGIN if ranking.n_pool else "系统里还没有专家（团队），请联系科技局。")
        return
    if ranking.n_weak == len(ranking.pairs):
        st.info("还没有找到明显合适的团队。把现象、条件和指标写得更清楚，会找得更准。")
    st.caption(f"从 {ranking.n_pool} 个团队中找出。{_SOFT}{texts.SCORE_NOTE}")
    for number, pair in enumerate(ranking.pairs, 1):
        card = cards.match_html(
            pair.match, cards.expert_who(pair.expert) if pair.expert else Html(""), cards.Sides()
        )
        if number <= N_OPEN:
            with st.container(border=True, key=f"post_card_{number}"):
                show(card)
        else:
            with st.expander(md(cards.pair_title(pair, by_expert=True)), key=f"post_card_{number}"):
                show(card)
    if ranking.topics:
        st.caption(md("系统联想到：" + "、".join(ranking.topics[:N_TOPICS])))
