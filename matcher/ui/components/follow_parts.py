"""What is kept beside a 对接 and what is done to many: contacts, files, handing over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

import streamlit as st

from matcher.errors import InputError
from matcher.models import Attachment
from matcher.services.enclosures import MAX_FILES, SIGNS
from matcher.services.following_rules import LIMITS, WAYS
from matcher.services.following_views import EngagementRow, EngagementView
from matcher.services.rankings import BEIJING
from matcher.ui import guard, resources
from matcher.ui.components.follow_cards import contacts_html
from matcher.ui.components.html import md, show, tag
from matcher.vocab import Stage

_MIB = 1024 * 1024


def contacts(page: str, view: EngagementView, today: date) -> None:
    """The contacts noted so far and the form for another one."""
    key = f"{page}_contact_{view.engagement.engagement_id}"
    st.session_state.setdefault(f"{key}_on", today)
    with st.form(f"{key}_form", border=False):
        left, right = st.columns(2)
        with left:
            st.date_input("联系日期", key=f"{key}_on", max_value=today, format="YYYY-MM-DD")
        with right:
            st.selectbox("方式", WAYS, key=f"{key}_way")
        st.text_area(
            "说了什么",
            key=f"{key}_text",
            max_chars=LIMITS["text"],
            height=80,
            placeholder="和谁联系，结果怎样",
        )
        st.form_submit_button(
            "记下这次联系", key=f"{key}_save", on_click=_contact, args=(key, view.engagement.engagement_id)
        )
    if view.contacts:
        show(contacts_html(view.contacts))
    else:
        st.caption("还没有联系记录。打过电话、走访过，都可以记一笔。")


def _contact(key: str, engagement_id: str) -> None:
    with guard.calm_action("engagement contact"):
        typed = st.session_state
        resources.application().following.contact(
            engagement_id, typed[f"{key}_on"], str(typed[f"{key}_way"]), str(typed[f"{key}_text"] or "")
        )
        typed[f"{key}_text"] = ""
        guard.say_done("已记下。")


def files(page: str, view: EngagementView) -> None:
    """Upload, download and delete the files of a 对接."""
    one_id = view.engagement.engagement_id
    key = f"{page}_files_{one_id}"
    limit = resources.application().settings.workflow.max_upload_mib
    kinds = sorted(SIGNS.keys())
    # A file sent changes the key, and the uploader comes back empty.
    upload = f"{key}_new_{st.session_state.get(f'{key}_sent', 0)}"
    st.caption(f"合同扫描件、会议纪要等，每个不超过 {limit:g} MB，最多 {MAX_FILES} 个。企业和团队看不到。")
    st.file_uploader("选择文件", type=kinds, key=upload)
    st.button("上传", key=f"{key}_send", on_click=_attach, args=(key, upload, one_id))
    for file in view.attachments:
        _file(key, file)
    if not view.attachments:
        st.caption("还没有附件。")


def _file(key: str, file: Attachment) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        about = f"{file.size / _MIB:.2f} MB　{file.uploaded_at + BEIJING:%Y-%m-%d}"
        show(tag("div", file.name, tag("div", about, cls="m-sub")))
        following = resources.application().following
        st.download_button(
            "下载",
            data=lambda: following.download(file.attachment_id)[1],
            file_name=file.name,
            mime="application/octet-stream",
            key=f"{key}_get_{file.attachment_id}",
            on_click="ignore",
            icon=":material/download:",
        )
        with st.popover("删除", key=f"{key}_drop_menu_{file.attachment_id}"):
            st.write("删除后不能找回。")
            st.button(
                "确认删除",
                key=f"{key}_drop_{file.attachment_id}",
                on_click=_detach,
                args=(file.attachment_id,),
            )


def _attach(key: str, upload: str, engagement_id: str) -> None:
    with guard.calm_action("engagement attach"):
        chosen = st.session_state.get(upload)
        if chosen is None:
            raise InputError("还没有选择文件。", "请先点“选择文件”。")
        made = resources.application().following.attach(engagement_id, chosen.name, chosen.getvalue())
        st.session_state[f"{key}_sent"] = st.session_state.get(f"{key}_sent", 0) + 1
        guard.say_done(f"“{made.name}”已上传。")


def _detach(attachment_id: str) -> None:
    with guard.calm_action("engagement detach"):
        resources.application().following.detach(attachment_id)
        guard.say_done("附件已删除。")


def hand_over(page: str, rows: Sequence[EngagementRow]) -> None:
    """Give a colleague's 对接 to another one in one step; ``rows`` are all the person may see."""
    names = {row.engagement.owner: row.owner_name or "（没有经办人）" for row in rows}
    counts = Counter(row.engagement.owner for row in rows if row.engagement.stage != Stage.ENDED)
    people = {person.login: person.name for person in resources.application().accounts.officials()}
    with st.expander(
        "移交：同事离岗时，把手上的对接一次交给别人", icon=":material/swap_horiz:", key=f"{page}_over"
    ):
        if not counts:
            st.caption("没有可移交的对接。")
            return
        given = sorted(counts, key=lambda login: names[login])
        st.selectbox(
            "移出",
            given,
            key=f"{page}_over_from",
            format_func=lambda login: f"{names[login]}（{counts[login]} 项）",
        )
        st.selectbox(
            "移入",
            sorted(people.keys(), key=people.__getitem__),
            key=f"{page}_over_to",
            format_func=people.__getitem__,
            index=None,
            placeholder="选一位同事",
        )
        st.caption("已终止的不移交。移交会记入每个对接的经过，不影响催办天数。")
        st.button("移交", key=f"{page}_over_save", on_click=_hand_over, args=(page, names, people))


def _hand_over(page: str, names: dict[str, str], people: dict[str, str]) -> None:
    with guard.calm_action("hand over"):
        giver, taker = (str(st.session_state[f"{page}_over_{side}"] or "") for side in ("from", "to"))
        if not taker:
            raise InputError("还没有选移入的同事。", "请在“移入”里选一位。")
        n = resources.application().following.hand_over(giver, taker)
        guard.say_done(md(f"{names.get(giver, giver)} 的 {n} 项对接已移交给 {people.get(taker, taker)}。"))
