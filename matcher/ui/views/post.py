"""我的需求 for a firm, 需求受理 for the bureau: pose a problem, follow it, accept it."""

from __future__ import annotations

import streamlit as st

from matcher.errors import InputError, NotFoundError
from matcher.models import Draft
from matcher.ui import guard, navigation, resources
from matcher.ui.components import layout, need_form, post_advice, post_desk, post_detail
from matcher.ui.components.html import md, show, tag
from matcher.vocab import NeedStatus
from matcher.workflow.permissions import Action, may

PAGE = "post"


def _back() -> None:
    navigation.set_param("draft", "")
    navigation.set_param("need", "")


def _begin() -> None:
    with guard.calm_action("start draft"):
        navigation.set_param("draft", resources.application().posting.start().draft_id)


# ------------------------------------------------------------ the form


def _submit(draft_id: str) -> None:
    with guard.calm_action("submit need"):
        left = need_form.unsaved(draft_id)
        if left:
            raise InputError(f"{'、'.join(f'「{name}」' for name in left)}还没有保存。", "请先改好再提交。")
        need = resources.application().posting.submit(draft_id, need_form.seen_version(draft_id))
        navigation.set_param("draft", "")
        navigation.set_param("need", need.need_id)
        guard.say_done("已提交，等科技局受理。" if need.status == NeedStatus.WAITING else "修改已保存。")


def _remember(draft_id: str) -> None:
    with guard.calm_action("remember text"):
        resources.application().posting.remember(draft_id)
        guard.say_done("已记下这一版。接着改，右边会比较前后。")


def _merge(draft_id: str) -> None:
    with guard.calm_action("merge draft"):
        resources.application().posting.merge(draft_id)
        guard.say_done("已合并最新内容，您改过的都还在。请看一遍再提交。")


def _discard(draft_id: str) -> None:
    with guard.calm_action("discard draft"):
        resources.application().posting.discard(draft_id)
        navigation.set_param("draft", "")
        guard.say_done("这张表已放弃。")


def _form(draft_id: str) -> None:
    app = resources.application()
    st.button("返回列表", key=f"{PAGE}_back", icon=":material/arrow_back:", type="tertiary", on_click=_back)
    try:
        draft = app.posting.draft(draft_id)
    except NotFoundError:
        need_form.show_typed(draft_id)
        raise
    whose = app.posting.preview(draft_id).company
    left, right = st.columns([1.15, 1], gap="large")
    with left:
        show(tag("div", tag("h2", "修改需求" if draft.need_id else "技术需求征集表"), cls="m-record"))
        kept = need_form.unsaved(draft_id)
        said = "有一栏还没有保存" if kept else need_form.saved_text(draft)
        st.caption(md(f"{whose}：{said}。每填完一栏自动保存，可以随时离开，下次接着填。"))
        if app.posting.is_behind(draft_id):
            st.warning("您开始修改后，这条需求在别处又改过。")
            st.button("合并最新内容", key=f"{PAGE}_merge", on_click=_merge, args=(draft_id,))
        need_form.show_form(draft, app.posting.problems(draft_id))
        _finish(draft)
    with right, st.container(key=f"{PAGE}_advice"):
        post_advice.show_advice(draft)


def _finish(draft: Draft) -> None:
    key = draft.draft_id
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "提交给科技局",
            key=f"{PAGE}_submit",
            type="primary",
            icon=":material/send:",
            on_click=_submit,
            args=(key,),
        )
        st.button("记下这一版", key=f"{PAGE}_remember", on_click=_remember, args=(key,))
        with st.popover("放弃这张表", key=f"{PAGE}_discard_menu"):
            st.write("填的内容会删掉。" + ("原来的需求不变。" if draft.need_id else ""))
            st.button("确定放弃", key=f"{PAGE}_discard", on_click=_discard, args=(key,))


# ------------------------------------------------------------ the firm's own list


def _own() -> None:
    posting = resources.application().posting
    st.button("提出一个技术难题", key=f"{PAGE}_begin", type="primary", icon=":material/add:", on_click=_begin)
    post_desk.show_drafts(posting.drafts())
    rows = posting.mine()
    if not rows:
        st.info("还没有提交过需求。点上面的按钮，把生产中的技术难题写下来，马上能看到可能合适的团队。")
        return
    st.subheader(f"已提交的（{len(rows)}）", anchor=False)
    for row in rows:
        need_id = row.need.need_id
        with st.container(border=True, key=f"{PAGE}_row_{need_id}"):
            show(post_detail.row_html(row))
            with st.container(horizontal=True, vertical_alignment="center"):
                navigation.link(PAGE, "看经过、撤回", {"need": need_id}, icon=":material/arrow_forward:")
                if row.need.status != NeedStatus.SOLVED:
                    st.button(
                        "修改", key=f"{PAGE}_change_{need_id}", on_click=post_detail.change, args=(need_id,)
                    )


person = resources.application().person
if may(person, Action.REVIEW_NEED):
    layout.heading("需求受理", "先受理企业提交的技术需求；也可以替企业填报，或查看全部需求的进展。")
else:
    layout.heading("我的需求", "把生产中的技术难题写下来，科技局帮您找能解决的团队。")
with guard.calm("needs of a firm"):
    open_draft, open_need = navigation.param("draft"), navigation.param("need")
    if open_draft:
        _form(open_draft)
    elif open_need:
        st.button(
            "返回列表", key=f"{PAGE}_back", icon=":material/arrow_back:", type="tertiary", on_click=_back
        )
        post_detail.show_detail(resources.application().posting.open(open_need))
    elif may(person, Action.REVIEW_NEED):
        post_desk.show_desk()
    else:
        _own()
