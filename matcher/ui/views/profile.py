"""我的资料: a team keeps its profile, works and capacity current, and sees which published needs it then fits."""

from __future__ import annotations

import streamlit as st

from matcher.models import Expert, Work
from matcher.services.editing_forms import profile_gaps
from matcher.ui import guard, navigation, resources, texts
from matcher.ui.components import cards, editor, layout, record_form, records
from matcher.ui.components.html import join, show, tag
from matcher.workflow.permissions import Action, may

PAGE = "profile"
_FORM, _WORK = f"{PAGE}_form", f"{PAGE}_work"
_N_NEEDS = 5
_NOTES = {
    "capacity": "今年还愿意同时承接几项。满了以后，科技局会看到“没有名额”。",
    "contact": "只有科技局能看到。",
    "research_directions": "写具体：做什么、用在哪里。企业的难题是按这些话来找团队的。",
}


def _choose(profiles: tuple[Expert, ...]) -> str:
    """The profile; the only one, or chosen by the institution's office and kept in the address."""
    ids = [expert.expert_id for expert in profiles]
    names = {expert.expert_id: expert.name for expert in profiles}
    if len(ids) == 1:
        return ids[0]
    wanted = navigation.param("expert")
    key = f"{PAGE}_expert"
    st.session_state[key] = wanted if wanted in ids else ids[0]
    st.selectbox(
        "哪个团队",
        ids,
        key=key,
        format_func=names.__getitem__,
        on_change=lambda: navigation.set_param("expert", str(st.session_state[key])),
    )
    return str(st.session_state[key])


def _completeness(expert: Expert, works: tuple[Work, ...]) -> None:
    missing, asked = profile_gaps(expert, len(works))
    done = asked - len(missing)
    st.progress(done / asked, text=f"资料完整程度：{asked} 项中有 {done} 项")
    if missing:
        show(
            tag(
                "div",
                "补上这些，会更容易被找到：",
                tag("ul", join(tag("li", m) for m in missing)),
                cls="m-note",
            )
        )
    else:
        st.caption("资料齐全。有新成果、名额有变化时，请随时更新。")


def _fits(expert: Expert) -> None:
    st.subheader("现在适合的需求", anchor=False)
    rows = [
        row for row in resources.application().answering.calls(expert.expert_id, top=_N_NEEDS) if row.fits
    ]
    if not rows:
        st.caption("已发布的需求里，还没有明显适合的。把研究方向写得更具体，或过几天再来看。")
        return
    for row in rows:
        with st.container(border=True, key=f"{PAGE}_fit_{row.need.need_id}"):
            about = f"匹配度 {cards.score_text(row.match.score)}"
            why = row.match.evidence[0].facet.text if row.match.evidence else ""
            show(
                tag(
                    "div",
                    tag("div", records.need_title(row.need), cls="m-title"),
                    tag("div", f"{about}　因为资料里写了：{why}", cls="m-sub"),
                )
            )
            target = {"need": row.need.need_id, "expert": expert.expert_id}
            navigation.link("calls", "看需求，揭榜", target, icon=":material/arrow_forward:")
    st.caption(texts.SCORE_NOTE)


def _set_work(value: str) -> None:
    record_form.close(_WORK)
    st.session_state[f"{PAGE}_open_work"] = value


def _delete(work_id: str, version: int) -> None:
    with guard.calm_action("delete work"):
        gone = resources.application().editing.delete_work(work_id, version)
        _set_work("")
        guard.say_done(f"已删除“{gone.title}”。")


def _works(expert: Expert, works: tuple[Work, ...]) -> None:
    st.subheader(f"成果（{len(works)}）", anchor=False)
    st.caption("论文、专利、项目都可以。每一项都会参与匹配，并作为依据显示给科技局。")
    opened = str(st.session_state.get(f"{PAGE}_open_work", ""))
    for work in works:
        if work.work_id == opened:
            _work(work)
            continue
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            about = "　".join(p for p in (work.kind, str(work.year or "")) if p)
            show(tag("div", tag("div", work.title, cls="m-title"), tag("div", about, cls="m-sub")))
            st.button("修改", key=f"{_WORK}_open_{work.work_id}", on_click=_set_work, args=(work.work_id,))
    if opened != "+":
        st.button("添加成果", key=f"{_WORK}_new", icon=":material/add:", on_click=_set_work, args=("+",))
        return
    with st.container(border=True):
        record_form.show_form(_WORK, "works", None, bureau=False, record_id="+")
        with st.container(horizontal=True):
            st.button(
                "添加", key=f"{_WORK}_add", type="primary", on_click=record_form.add,
                args=(_WORK, "works", {"expert_id": expert.expert_id}, lambda: _set_work("")),
            )  # fmt: skip
            st.button("不添加了", key=f"{_WORK}_add_cancel", on_click=_set_work, args=("",))


def _work(work: Work) -> None:
    stored = resources.application().editing.record("works", work.work_id)
    with st.container(border=True, key=f"{_WORK}_block"):
        record_form.show_form(_WORK, "works", stored, bureau=False, record_id=work.work_id)
        with st.container(horizontal=True):
            st.button(
                "保存", key=f"{_WORK}_save", type="primary", on_click=record_form.save,
                args=(_WORK, "works", lambda: _set_work("")),
            )  # fmt: skip
            st.button("不改了", key=f"{_WORK}_cancel", on_click=_set_work, args=("",))
            with st.popover("删除", key=f"{_WORK}_delete_menu"):
                st.write("删除后，这项成果不再参与匹配。")
                st.button(
                    "确定删除", key=f"{_WORK}_delete", on_click=_delete, args=(work.work_id, stored.version)
                )
        editor.history(_WORK, "works", work.work_id, stored.version)


layout.heading("我的资料", "资料写得越具体，企业的难题越容易找到您。改好后马上生效。")
with guard.calm("profile"):
    application = resources.application()
    own = application.editing.profiles()
    if not may(application.person, Action.DECLARE):
        st.info("这一页给专家团队用。科技局请在“按专家看”里打开团队，点“修改”。")
    elif not own:
        st.info("系统里还没有您的团队资料。请联系科技局先登记。")
    else:
        expert_id = _choose(own)
        stored_profile = application.editing.record("experts", expert_id)
        profile, _ = application.editing.expert(expert_id)
        own_works = application.records.works_of(expert_id)
        left, right = st.columns([1.5, 1], gap="large")
        with right:
            _completeness(profile, own_works)
            with guard.calm("fits"):
                _fits(profile)
        with left:
            place = "　".join(part for part in (profile.institution, profile.ring) if part)
            updated = f"上次更新 {profile.updated_on:%Y-%m-%d}" if profile.updated_on else "还没有更新过"
            show(
                tag(
                    "div",
                    tag("h2", profile.name),
                    tag("div", f"{place}　{updated}　名称和单位由科技局维护", cls="m-sub"),
                    cls="m-record",
                )
            )
            record_form.show_form(
                _FORM, "experts", stored_profile, bureau=False, record_id=expert_id, notes=_NOTES
            )
            st.button(
                "保存资料",
                key=f"{PAGE}_save",
                type="primary",
                on_click=record_form.save,
                args=(_FORM, "experts"),
            )
            editor.history(_FORM, "experts", expert_id, stored_profile.version)
            with guard.calm("works"):
                _works(profile, own_works)
