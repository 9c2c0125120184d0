"""The form of a technical need: its fields, the texts somebody typed, and the record they come to.

Owns the fields of the 技术需求征集表 with their limits, and the way from typed texts to a ``Need`` and back. Amounts,
dates and choices are read as an import reads them. Pure: no storage, no permission.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from matcher.columns import CellType, Field, RecordKind, clean_text, fields_of, join_list, split_list
from matcher.errors import InputError
from matcher.intake.identity import holds_id_card
from matcher.intake.values import is_blank, parse_cell, text_of
from matcher.models import Draft, Firm, Need
from matcher.text.normalise import has_content
from matcher.vocab import CallType, Confidentiality, DataKind

PARTS = ("situation", "tried", "impact")
"""The three parts of 主要问题; stored as paragraphs of ``problem`` with a blank line between."""
BASE, REMEMBERED = "base_version", "remembered"
"""What a draft keeps beside the form: the version of the stored need it started from; an earlier text, as JSON."""
SOURCE = "在线填报"
MIN_DIGITS = 7
_READ_AS_BLANK = "按空白处理"  # an import says so of “面议”; it is no mistake


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of the form; ``limit`` in characters, ``lines`` of the box it is typed into."""

    name: str
    label: str
    limit: int
    lines: int = 1
    required: bool = False


FORM: Mapping[str, FormField] = {
    field.name: field
    for field in (
        FormField("title", "技术需求名称", 60, required=True),
        FormField("situation", "现象与工况", 1500, 5, required=True),
        FormField("tried", "已经试过什么", 1500, 4),
        FormField("impact", "造成的影响", 1500, 3),
        FormField("key_tech", "技术关键（含主要指标）", 1500, 4),
        FormField("goal", "预期目标", 1500, 3),
        FormField("keywords", "关键字", 200),
        FormField("call_type", "需求类型", 20),
        FormField("budget_wan", "拟投入资金（万元）", 40),
        FormField("solution_mode", "解决方式", 20),
        FormField("intended_partner", "合作意向单位", 100),
        FormField("start_on", "需求时限起", 20),
        FormField("end_on", "需求时限止", 20),
        FormField("confidentiality", "公开范围", 20),
        FormField("contact", "联系人", 40),
        FormField("phone", "联系电话", 40),
    )
}
EMPTY_FORM: Mapping[str, str] = {
    "confidentiality": Confidentiality.PLATFORM.value,
    "call_type": CallType.GENERAL.value,
}
"""What a new form says before anybody typed."""
_COLUMNS: Mapping[str, Field] = {field.name: field for field in fields_of(RecordKind.NEEDS)}


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What keeps a form from being sent: the field, and a sentence saying what to do."""

    field: str
    label: str
    message: str


@dataclass(frozen=True, slots=True)
class FormReading:
    """What the texts say: values by column of ``Need``, and every problem in the order of the form."""

    values: Mapping[str, Any]
    problems: tuple[FieldProblem, ...]


def checked(name: str, value: str, today: date) -> str:
    """The cleaned text of one field, however unfinished.

    Raises:
        InputError: no such field, longer than its limit, or it holds an ID-card number.
    """
    field = FORM.get(name)
    if field is None:
        raise InputError(f"表里没有“{clean_text(name)[:20]}”这一项。", "请刷新页面后再填。")
    text = clean_text(value)
    text = re.sub(r"\n\s*\n", "\n", text) if field.lines > 1 else " ".join(text.split())
    if len(text) > field.limit:
        raise InputError(
            f"「{field.label}」最多 {field.limit} 个字，现在有 {len(text)} 个字，还没有保存。",
            "请精简后再试。",
        )
    if holds_id_card(text, today):
        raise InputError(
            f"「{field.label}」里有身份证号，没有保存。", "平台不收集身份证号，请删去后再离开这一栏。"
        )
    return text


def form_texts(content: Mapping[str, str]) -> dict[str, str]:
    """The texts of the form alone, every field present."""
    return {name: content.get(name, "") for name in FORM}


def has_words(content: Mapping[str, str]) -> bool:
    """Whether anything was typed into the form."""
    return form_texts(content) != form_texts(EMPTY_FORM)


def join_parts(content: Mapping[str, str]) -> str:
    """主要问题 from its three parts."""
    return clean_text("\n\n".join(content.get(name, "") for name in PARTS))


def split_problem(problem: str) -> tuple[str, str, str]:
    """The three parts of 主要问题; a text without blank lines is all 现象与工况."""
    first, *rest = problem.split("\n\n")
    second = rest[0] if rest else ""
    return first, second, "\n".join(part for part in rest[1:] if part)


def form_of(need: Need) -> dict[str, str]:
    """A stored need as the texts of the form."""
    texts = dict(zip(PARTS, split_problem(need.problem), strict=True))
    for name in FORM:
        if name in PARTS:
            continue
        value = getattr(need, name)
        if isinstance(value, tuple):
            texts[name] = join_list(value, commas=_COLUMNS[name].commas)
        else:
            texts[name] = value.isoformat() if isinstance(value, date) else text_of(value)
    return {name: texts[name] for name in FORM}


def read_form(content: Mapping[str, str], before: Need | None, today: date) -> FormReading:
    """What a form says.

    Args:
        content: texts by field, as typed.
        before: the stored need it changes; what was not touched keeps the stored value, whatever its text reads like.
        today: calendar day in Beijing; a new need may not end before it.
    """
    texts, stored = form_texts(content), form_of(before) if before else {}
    problems: list[FieldProblem] = []

    def object_to(name: str, said: str) -> None:
        problems.append(FieldProblem(name, FORM[name].label, f"「{FORM[name].label}」{said}"))

    values: dict[str, Any] = {}
    for name, field in FORM.items():
        text = texts[name]
        if field.required and not has_content(text):
            object_to(name, "还没有填，请补上。")
        if name in PARTS:
            continue
        if before is not None and text == stored[name]:
            values[name] = getattr(before, name)
        else:
            values[name], said = _value(_COLUMNS[name], text)
            if said:
                object_to(name, said)
    unchanged = before is not None and all(texts[name] == stored[name] for name in PARTS)
    values["problem"] = before.problem if before is not None and unchanged else join_parts(texts)
    start, end = values["start_on"], values["end_on"]
    if start and end and end < start:
        object_to("end_on", f"早于需求时限起（{start:%Y-%m-%d}），请改正其中一个。")
    elif end and end < today and before is None:
        object_to("end_on", "已经过去，请改成今后的日期，或留空。")
    if not values["confidentiality"] and before is None:
        values["confidentiality"] = EMPTY_FORM["confidentiality"]
    return FormReading(values, tuple(problems))


def _value(column: Field, text: str) -> tuple[Any, str]:
    """What a changed field says, and what is wrong with it."""
    if column.type is CellType.LIST:
        return split_list(text, commas=column.commas), ""
    if column.type is CellType.TEXT:
        lacks = column.name == "phone" and text and sum(ch.isdigit() for ch in text) < MIN_DIGITS
        return text, f"填的是“{text}”，看不出电话号码，请改正。" if lacks else ""
    empty = "" if column.type is CellType.CHOICE else None
    if is_blank(text):
        return empty, ""
    reading = parse_cell(text, column)
    refused = reading.value in (None, "") and not reading.complaint.endswith(_READ_AS_BLANK)
    return reading.value, f"填的是“{text}”，{reading.complaint}。" if refused else ""


def need_of(draft: Draft, firm: Firm, before: Need | None, today: date) -> Need:
    """The need as the draft has it now, unfinished or not; fields nobody can read are empty.

    A new one goes by the draft's id and takes company, town and sector from the firm. Of a change only the form differs;
    what is no longer as a public source said becomes the bureau's own. Status and 发布日期 are not the form's.
    """
    values = read_form(draft.content, before, today).values
    if before is None:
        made = Need(draft.draft_id, firm.name, **values)
        kind = (DataKind.SAMPLE if firm.is_sample else DataKind.OWN).value
        place: dict[str, Any] = {"town": firm.town, "sector": firm.sector, "firm_id": draft.firm_id}
        return replace(made, **place, data_kind=kind, source=SOURCE)
    changed = replace(before, **values)
    if changed == before:
        return before
    changed = replace(changed, town=before.town or firm.town, sector=before.sector or firm.sector)
    if before.data_kind == DataKind.PUBLIC:
        return replace(changed, data_kind=DataKind.OWN.value, source=SOURCE)
    return changed
