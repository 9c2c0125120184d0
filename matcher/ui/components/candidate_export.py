"""导出候选合作清单: choose the groups and what is in the file, then make it."""

from __future__ import annotations

import streamlit as st

from matcher.services.bootstrap import Application
from matcher.services.candidates import GROUPINGS, CandidateCount
from matcher.services.rankings import BEIJING
from matcher.ui import guard, resources, texts
from matcher.ui.components.html import md
from matcher.vocab import Stage
from matcher.workflow.permissions import Action, may

_KEY = "candidates"
_FILE = f"{_KEY}_file"
_NAMED = 6  # groups named in the sentence on the size
_SLOW = 100  # pairings from which a Word file takes more than a few seconds


def candidate_export(year: int) -> None:
    """The exporter; ``year`` is the one the page shows."""
    app = resources.application()
    st.subheader("候选合作清单", anchor=False)
    st.caption("所有已接受的配对，带匹配度、依据、意见和对接状态，按组分开，可直接带去开会。")
    by = str(
        st.segmented_control(
            "按什么分组",
            list(GROUPINGS),
            default="sector",
            required=True,
            key=f"{_KEY}_by",
            format_func=GROUPINGS.__getitem__,
        )
    )
    left, right = st.columns(2)
    with left:
        stages = st.multiselect("对接状态", list(map(str, Stage)), key=f"{_KEY}_stages", placeholder="全部")
    with right:
        only = st.toggle(f"只要 {year} 年的", key=f"{_KEY}_year")
    chosen_year = year if only else None
    size = app.candidates.count(by, year=chosen_year, statuses=stages)
    if not size.groups:
        st.info("还没有符合条件的配对。在“审核台”接受推荐的配对后，就能在这里导出。")
        return
    if by == "institution":
        st.caption("按高校分的清单会交给高校：没有公开的企业名称不写进去。")
    secret = _secret(size)
    contacts = _contacts(app)
    st.caption(_size(size, secret))
    suffix = str(
        st.selectbox(
            "格式", app.exports.suffixes, key=f"{_KEY}_suffix", format_func=texts.SUFFIX_LABELS.__getitem__
        )
    )
    wanted = (by, chosen_year, tuple(stages), contacts, secret, suffix)
    if st.button("生成文件", key=f"{_KEY}_make", icon=":material/description:", type="primary"):
        _make(app, wanted, size)
    _ready(app, wanted)


_Wanted = tuple[str, int | None, tuple[str, ...], bool, bool, str]


def _secret(size: CandidateCount) -> bool:
    if not size.confidential:
        return False
    ticked = st.checkbox(f"含保密需求（{size.confidential} 对）", key=f"{_KEY}_secret")
    st.caption("勾选后，保密需求的内容会写进文件，请只在科技局内部使用。不勾选时，文件里只写有几对没有列入。")
    return ticked


def _contacts(app: Application) -> bool:
    if not may(app.person, Action.EXPORT_CONTACTS):
        return False
    ticked = st.checkbox("含联系方式", key=f"{_KEY}_contacts")
    st.caption("勾选后，文件里有企业联系人的姓名、电话和团队的联系方式；系统会记下您导出了多少人的联系方式。")
    return ticked


def _size(size: CandidateCount, secret: bool) -> str:
    n = sum(count for _, count in size.groups) - (0 if secret else size.confidential)
    names = "、".join(f"{md(name)} {count}" for name, count in size.groups[:_NAMED])
    more = f" 等 {len(size.groups)} 组" if len(size.groups) > _NAMED else ""
    return f"文件里会有 {n} 对。各组（连保密的）：{names}{more}。"


def _make(app: Application, wanted: _Wanted, size: CandidateCount) -> None:
    by, year, stages, contacts, secret, suffix = wanted
    n = sum(count for _, count in size.groups)
    slow = suffix == ".docx" and n > _SLOW
    with guard.calm("candidate export"), st.spinner(f"正在生成{f'，约 {n // 18 + 1} 秒' if slow else ''}……"):
        data = app.candidates.export(
            by, suffix, year=year, statuses=stages, with_contacts=contacts, with_confidential=secret
        )
        st.session_state[_FILE] = (wanted, data, app.clock())


def _ready(app: Application, wanted: _Wanted) -> None:
    """The file that was made, as long as nothing else was chosen since."""
    made = st.session_state.get(_FILE)
    if made is None:
        return
    if made[0] != wanted:
        del st.session_state[_FILE]
        return
    _, data, at = made
    stem = f"候选合作清单_按{GROUPINGS[wanted[0]]}"
    st.download_button(
        f"下载（{len(data) / 1024:,.0f} KB）",
        data=data,
        file_name=app.exports.file_name(stem, wanted[-1]),
        key=f"{_KEY}_download",
        on_click="ignore",
        icon=":material/download:",
    )
    st.caption(f"{at + BEIJING:%H:%M} 生成。之后有变动的，请再点一次“生成文件”。")
