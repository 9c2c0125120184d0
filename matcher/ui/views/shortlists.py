"""候选清单: named lists of ticked pairings, with notes, grouped by need, to be taken away as a file."""

from __future__ import annotations

from itertools import groupby

import streamlit as st

from matcher.models import Shortlist, ShortlistItem
from matcher.services.shortlists import ShortlistRow, ShortlistSummary, ShortlistView
from matcher.ui import guard, navigation, resources, texts
from matcher.ui.components import cards, layout, records, ticks
from matcher.ui.components.html import Html, join, md, sample_badge, show, tag

PAGE = "shortlists"


def _follow() -> None:
    chosen = str(st.session_state[f"{PAGE}_choice"])
    navigation.set_param("list", chosen)
    st.session_state[ticks.CURRENT] = chosen


def _choose(lists: tuple[ShortlistSummary, ...]) -> str:
    by_id = {summary.shortlist.shortlist_id: summary for summary in lists}
    chosen = navigation.param("list") or str(st.session_state.get(ticks.CURRENT, ""))
    if chosen not in by_id:
        chosen = next(iter(by_id), "")
    if not chosen:
        return ""
    key = f"{PAGE}_choice"
    st.session_state[key] = chosen

    def name(list_id: str) -> str:
        summary = by_id[list_id]
        return f"{summary.shortlist.name}（{summary.n_needs} 条需求，{summary.n_items} 个组合）"

    st.selectbox("清单", list(by_id), key=key, format_func=name, on_change=_follow)
    return chosen


def _rename(shortlist: Shortlist) -> None:
    with guard.calm_action("rename shortlist"):
        name, note = str(st.session_state[f"{PAGE}_name"]), str(st.session_state[f"{PAGE}_note"])
        resources.application().shortlists.rename(shortlist.shortlist_id, name, note, shortlist.version)
        guard.say_done("已保存。")


def _delete(shortlist: Shortlist) -> None:
    with guard.calm_action("delete shortlist"):
        resources.application().shortlists.delete(shortlist.shortlist_id)
        navigation.set_param("list", "")
        st.session_state.pop(ticks.CURRENT, None)
        guard.say_done("清单已删除。")


def _row_key(what: str, row: ShortlistRow) -> str:
    """Key of a widget of one row; with the list in it, since two lists may hold the same pairing."""
    item = row.item
    return f"{PAGE}_{what}_{item.shortlist_id}_{item.need_id}_{item.expert_id}"


def _save_note(row: ShortlistRow) -> None:
    with guard.calm_action("note"):
        item = row.item
        note = str(st.session_state[_row_key("note", row)])
        resources.application().shortlists.set_note(item.shortlist_id, item.need_id, item.expert_id, note)
        guard.say_done("备注已保存。")


def _remove(view: ShortlistView) -> None:
    with guard.calm_action("remove"):
        chosen = [row.item for row in view.items if st.session_state.get(_row_key("remove", row))]
        pairs = [(item.need_id, item.expert_id) for item in chosen]
        if pairs:
            resources.application().shortlists.remove(view.shortlist.shortlist_id, pairs)
            guard.say_done(f"已移除 {len(pairs)} 个组合。")


def _quotes(item: ShortlistItem) -> tuple[str, str]:
    """The asking and the answering side of the first evidence the list kept; empty when it kept none."""
    asked, _, answered = (item.evidence[0] if item.evidence else "").partition(" ↔ ")
    return asked, answered


def _gone(kind: str, record_id: str, kept: str) -> Html:
    """A record that was deleted since, by its id and what the list itself still says of it."""
    title = tag("div", f"{kind} {record_id}（已不在系统中）")
    return join((title, tag("div", f"清单中留存：{kept}", cls="m-sub"))) if kept else title


def _head(row: ShortlistRow) -> Html:
    need = row.need
    if need is None:
        return tag("div", tag("h2", _gone("需求", row.item.need_id, _quotes(row.item)[0])), cls="m-record")
    place = "　".join(part for part in (need.company, need.town, need.sector) if part)
    return tag(
        "div",
        tag("h2", need.title, records.markers_html(need), sample_badge(need.is_sample)),
        tag("div", place, cls="m-sub"),
        cls="m-record",
    )


def _pair_html(row: ShortlistRow) -> Html:
    item = row.item
    if row.expert:
        who = cards.expert_who(row.expert)
    else:
        who = tag("div", _gone("团队", item.expert_id, _quotes(item)[1]), cls="m-title")
    score = tag("div", tag("b", cards.score_text(item.score)), tag("span", "匹配度"), cls="m-score")
    quotes = join(tag("li", quote) for quote in item.evidence)
    why = tag("div", "匹配依据", tag("ul", quotes), cls="m-note") if item.evidence else Html("")
    bar = cards.bar_html(item.score, item.contributions)
    return tag("div", tag("div", who, score, cls="m-head"), bar, why, cls="m-split")


def _group(rows: list[ShortlistRow]) -> None:
    with st.container(border=True):
        show(_head(rows[0]))
        if rows[0].need is not None:
            navigation.link("needs", "看这条需求的全部团队", {"need": rows[0].item.need_id})
        for row in rows:
            show(_pair_html(row))
            st.session_state[_row_key("note", row)] = row.item.note
            with st.container(horizontal=True, vertical_alignment="bottom"):
                st.text_input(
                    "备注",
                    key=_row_key("note", row),
                    on_change=_save_note,
                    args=(row,),
                    placeholder="写完按回车即保存",
                )
                st.checkbox("选中", key=_row_key("remove", row))


def _settings(shortlist: Shortlist) -> None:
    with st.expander("名称、说明与删除", icon=":material/edit:", key=f"{PAGE}_settings"):
        st.session_state.setdefault(f"{PAGE}_loaded", "")
        loaded = f"{shortlist.shortlist_id}/{shortlist.version}"
        if st.session_state[f"{PAGE}_loaded"] != loaded:
            st.session_state[f"{PAGE}_name"], st.session_state[f"{PAGE}_note"] = (
                shortlist.name,
                shortlist.note,
            )
            st.session_state[f"{PAGE}_loaded"] = loaded
        with st.form(f"{PAGE}_rename_form", border=False):
            st.text_input("清单名称", key=f"{PAGE}_name")
            st.text_area("说明", key=f"{PAGE}_note", height=80)
            st.form_submit_button("保存", key=f"{PAGE}_save", on_click=_rename, args=(shortlist,))
        sure = st.checkbox(
            "我要删除整个清单（不影响需求和团队）", key=f"{PAGE}_sure_{shortlist.shortlist_id}"
        )
        st.button("删除清单", key=f"{PAGE}_delete", disabled=not sure, on_click=_delete, args=(shortlist,))


def _body(list_id: str) -> None:
    app = resources.application()
    view = app.shortlists.open(list_id)
    with st.container(horizontal=True, vertical_alignment="center"):
        layout.export_menu(
            PAGE,
            view.shortlist.name,
            lambda suffix: app.exports.shortlist(list_id, suffix),
            label="导出清单",
        )
        layout.link_menu(PAGE, {"list": list_id})
        if view.items:
            st.button(
                "移除选中的组合",
                key=f"{PAGE}_remove",
                icon=":material/remove:",
                on_click=_remove,
                args=(view,),
            )
    if view.shortlist.note:
        st.caption(md(view.shortlist.note))
    _settings(view.shortlist)
    if not view.items:
        st.info("清单还是空的。到“按需求看”或“按专家看”里，勾选“加入候选清单”。")
        navigation.link("needs", "去按需求看", icon=":material/factory:")
        return
    st.caption(texts.SCORE_NOTE)
    for _, rows in groupby(view.items, key=lambda row: row.item.need_id):
        _group(list(rows))


layout.heading("候选清单", "把看中的组合放进清单，写上备注，导出后用于对接。")
with guard.calm("shortlists"):
    existing = resources.application().shortlists.list()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        current = _choose(existing)
        ticks.new_list(PAGE, lambda list_id: navigation.set_param("list", list_id))
    ticks.show_made()
    if current:
        navigation.set_param("list", current)
        _body(current)
    elif not resources.application().records.needs():
        layout.invite(f"还没有清单。{texts.NO_NEEDS}", "needs")
    elif not resources.application().records.experts():
        layout.invite(f"还没有清单。{texts.NO_EXPERTS}", "experts")
    else:
        st.info("还没有清单。可以先新建一个，也可以在“按需求看”里直接勾选，系统会自动建立。")
        navigation.link("needs", "去按需求看", icon=":material/factory:")
