"""Parts around the content: page heading, link to the view, export menu."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from matcher.ui import guard, navigation, resources, texts
from matcher.ui.components.html import show, tag


def heading(title: str, sentence: str) -> None:
    """The page's title with one sentence on what it is for, and what the last action left to say."""
    show(tag("div", tag("h1", title), tag("p", sentence), cls="m-page"))
    guard.show_kept()


def invite(sentence: str, kind: str) -> None:
    """Say what is missing, with the link to where it is imported."""
    st.info(sentence, icon=":material/upload_file:")
    label = f"导入{texts.KIND_LABELS[kind]}"
    navigation.link("data", label, {"tab": "import", "kind": kind}, icon=":material/arrow_forward:")


def removable_note(sentence: str, param: str, key: str) -> None:
    """A line on what the address leaves out of a list, with the button that takes it back."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(sentence, width="content")
        st.button(
            "看全部",
            key=key,
            type="tertiary",
            icon=":material/close:",
            on_click=navigation.set_param,
            args=(param, ""),
        )


def link_menu(page: str, chosen: Mapping[str, str] | None = None) -> None:
    """A menu holding the address of the present view."""
    with st.popover("链接", icon=":material/link:", key=f"{page}_link"):
        st.caption(texts.LINK_NOTE)
        st.code(navigation.present_url(chosen), language=None, wrap_lines=True)


def export_menu(key: str, stem: str, make: Callable[[str], bytes], *, label: str = "导出") -> None:
    """A menu with one download for each format; the file is made when it is asked for.

    Args:
        key: prefix of the widget keys.
        stem: name of the file without date and suffix.
        make: suffix → the file.
    """
    exports = resources.application().exports
    with st.popover(label, icon=":material/download:", key=f"{key}_export"):
        st.caption(texts.EXPORT_NOTE)
        for suffix in exports.suffixes:
            st.download_button(
                texts.SUFFIX_LABELS.get(suffix, suffix),
                data=_maker(make, suffix),
                file_name=exports.file_name(stem, suffix),
                key=f"{key}_export_{suffix[1:]}",
                on_click="ignore",
                width="stretch",
            )


def _maker(make: Callable[[str], bytes], suffix: str) -> Callable[[], bytes]:
    return lambda: make(suffix)
