"""Records as forms: the texts of a record, and the record that changed texts come to.

Owns which fields may be changed by hand and by whom, their limits, and the checks of one record. Texts are read by the
parsers of an import, so that both say the same of the same mistake. Pure: no storage, no permission.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from matcher.columns import CellType, Field, RecordKind, clean_text, fields_of, join_list, split_list
from matcher.errors import InputError
from matcher.intake.identity import holds_id_card
from matcher.intake.mapping import EXPERT_TOPICS
from matcher.intake.values import is_blank, parse_cell, text_of
from matcher.models import Cooperation, Expert, Firm, Institution, Need, Record, Work
from matcher.text.normalise import has_content
from matcher.vocab import DataKind

TYPES: Mapping[RecordKind, type[Record]] = {
    RecordKind.NEEDS: Need,
    RecordKind.EXPERTS: Expert,
    RecordKind.WORKS: Work,
    RecordKind.FIRMS: Firm,
    RecordKind.INSTITUTIONS: Institution,
    RecordKind.COOPERATION: Cooperation,
}
KEPT: Mapping[RecordKind, tuple[str, ...]] = {
    RecordKind.NEEDS: ("status", "posted_on"),  # steps of a need are events of their own
    RecordKind.EXPERTS: ("updated_on",),
}
"""What no form changes, beside the id."""
LOCKED: Mapping[RecordKind, tuple[str, ...]] = {
    RecordKind.EXPERTS: ("name", "institution", "ring", "data_kind", "source"),
    RecordKind.WORKS: ("expert_id",),
}
"""What only the bureau changes."""
SOURCE = "在线填报"
SHORT, LONG, MANY = 200, 3000, 6000
MOST_ITEMS = 60
_READ_AS_BLANK = "按空白处理"
_DAYS = (("start_on", "end_on"),)


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps a form from being saved: the field, and a sentence saying what to do."""

    field: str
    message: str


def form_fields(kind: str, *, bureau: bool = True) -> tuple[Field, ...]:
    """The fields somebody may change, in the order of the columns. Raises ValueError for an unknown kind."""
    columns = fields_of(kind)
    given = RecordKind(kind)
    closed = {columns[0].name, *KEPT.get(given, ()), *(() if bureau else LOCKED.get(given, ()))}
    return tuple(field for field in columns if field.name not in closed)


def limit_of(field: Field) -> int:
    """The most characters a field may hold."""
    if field.type is CellType.LIST:
        return MANY
    return LONG if field.merges and field.width >= 40 else SHORT


def text_for(field: Field, value: object) -> str:
    """One value as it stands in the form; a long list has an item a line."""
    if field.type is CellType.LIST:
        items = tuple(value) if isinstance(value, tuple | list) else ()
        if field.width >= 40 and split_list("\n".join(items)) == items:
            return "\n".join(items)
        return join_list(items, commas=field.commas)
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else text_of(value)  # type: ignore[arg-type]


def texts_of(record: Record, kind: str) -> dict[str, str]:
    """A record as the texts of its form, every field present."""
    return {field.name: text_for(field, getattr(record, field.name)) for field in form_fields(kind)}


def read_texts(
    kind: str, texts: Mapping[str, str], before: Record | None, today: date
) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """What changed texts say: values by field, and every problem in the order of the columns.

    Args:
        kind: the record kind.
        texts: by field; those left out, and those as they stand in ``before``, keep the stored value.
        before: the stored record; None for a new one.
        today: calendar day in Beijing.

    Raises:
        ValueError: a text for something that is no field of the form.
    """
    columns = form_fields(kind)
    unknown = sorted(set(texts) - {field.name for field in columns})
    if unknown:
        raise ValueError(f"unknown fields {unknown}; known: {', '.join(f.name for f in columns)}")
    stored = texts_of(before, kind) if before is not None else {}
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for field in columns:
        text = clean_text(texts.get(field.name, stored.get(field.name, "")))
        if before is not None and text == stored[field.name]:
            values[field.name] = getattr(before, field.name)
            continue
        value, said = _read(field, text, today)
        values[field.name] = value
        if said:
            problems.append(Problem(field.name, f"「{field.label}」{said}"))
    values = {name: value for name, value in values.items() if value is not None or before is not None}
    named = {problem.field for problem in problems}
    problems += [p for p in _together(kind, values) if p.field not in named]
    return values, tuple(problems)


def _read(field: Field, text: str, today: date) -> tuple[Any, str]:
    """The value of a changed text, and what is wrong with it."""
    limit = limit_of(field)
    if holds_id_card(text, today):
        return "", "里有身份证号；平台不收集身份证号，请删去。"
    if len(text) > limit:
        return text, f"最多 {limit} 个字，现在有 {len(text)} 个字，请精简。"
    if field.type is CellType.LIST:
        items = tuple(item for item in split_list(text, commas=field.commas) if not is_blank(item))
        return items, f"最多 {MOST_ITEMS} 条，现在有 {len(items)} 条。" if len(items) > MOST_ITEMS else ""
    if field.type is CellType.TEXT:
        text = text if field.merges else " ".join(text.split())
        return text, "还没有填，请补上。" if field.required and not has_content(text) else ""
    if is_blank(text):
        empty = {CellType.CHOICE: "", CellType.BOOL: False}
        return empty.get(field.type), "" if not field.required else "还没有填，请补上。"
    reading = parse_cell(text, field)
    refused = reading.value in (None, "") and not reading.complaint.endswith(_READ_AS_BLANK)
    return reading.value, f"填的是“{text}”，{reading.complaint}。" if refused else ""


def _together(kind: str, values: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with fields beside each other."""
    found = []
    for first, last in _DAYS:
        start, end = values.get(first), values.get(last)
        if start and end and end < start:
            found.append(Problem(last, f"「需求时限止」早于需求时限起（{start:%Y-%m-%d}），请改正其中一个。"))
    if kind == RecordKind.EXPERTS and not any(values.get(name) for name in EXPERT_TOPICS):
        found.append(
            Problem("research_directions", "没有学科、研究方向或研究成果，请至少填一项，否则无法匹配。")
        )
    return found


def record_of(kind: str, texts: Mapping[str, str], before: Record | None, today: date) -> Record:
    """The record the texts come to; a new one has no id yet, and is 本地 unless the texts say otherwise.

    A changed profile is of today. What is no longer as a public source said becomes the bureau's own.

    Raises:
        ValueError: a text for something that is no field of the form.
        InputError: something is missing or cannot be read; names every such field.
    """
    values, problems = read_texts(kind, texts, before, today)
    if problems:
        raise InputError(
            "".join(problem.message for problem in problems), "改好这几栏后再保存，已填的内容都还在。"
        )
    made: Record
    if before is None:
        columns = {field.name for field in fields_of(kind)}
        if "data_kind" in columns and not values.get("data_kind"):
            values["data_kind"] = DataKind.OWN.value
        if "source" in columns and not values.get("source"):
            values["source"] = SOURCE
        made = TYPES[RecordKind(kind)](**{fields_of(kind)[0].name: "", **values})
    else:
        made = replace(before, **values)
        if made == before:
            return before
        if _turns_own(made, before):
            own: dict[str, Any] = {"data_kind": DataKind.OWN.value}
            made = replace(made, **own)
    return replace(made, updated_on=today) if isinstance(made, Expert) else made


def _turns_own(made: Record, before: Record) -> bool:
    """Whether a record of a public source has other content now, and nobody said where it is from."""
    kind = getattr(made, "data_kind", "")
    return kind == DataKind.PUBLIC and kind == getattr(before, "data_kind", "")


def kept_from(present: Record, earlier: Record, kind: str, *, bureau: bool) -> Record:
    """``earlier`` as it may be put back: what no form changes, or not this person's, stays as it is now."""
    given = RecordKind(kind)
    names = [n for n in KEPT.get(given, ()) if n != "updated_on"]
    names += (
        []
        if bureau
        else [*LOCKED.get(given, ()), *(("institution_id",) if given is RecordKind.EXPERTS else ())]
    )
    return replace(earlier, **{name: getattr(present, name) for name in names})


def changed_fields(before: Record, after: Record) -> list[str]:
    """Names of the columns that differ, but for the day of the change; owners follow names and are no columns."""
    passed_over = {"updated_on"}
    passed_over |= {"firm_id"} if isinstance(before, Need) else set()
    passed_over |= {"institution_id"} if isinstance(before, Expert) else set()
    names = [item.name for item in fields(before) if item.name not in passed_over]
    return [name for name in names if getattr(before, name) != getattr(after, name)]


def profile_gaps(expert: Expert, n_works: int) -> tuple[tuple[str, ...], int]:
    """What a profile lacks for good matching, in sentences with the weightiest first, and how many points there are."""
    asked: Collection[tuple[bool, str]] = (
        (len(expert.research_directions) >= 3, "研究方向：写 3 条以上，一条一个具体方向。"),
        (len(expert.achievements) >= 2, "研究成果：写 2 条以上，说清解决了什么问题、达到什么指标。"),
        (bool(expert.industry_experience), "产业经历：与哪些企业合作过、做成了什么。"),
        (n_works >= 2, "成果：列出 2 项以上论文、专利或项目。"),
        (bool(expert.disciplines), "学科：至少一个。"),
        (len(expert.keywords) >= 3, "关键词：写 3 个以上，企业常用的叫法也写上。"),
        (expert.capacity is not None, "承接上限：今年还能接几项合作。"),
        (bool(expert.contact), "联系方式：只有科技局能看到。"),
    )
    return tuple(said for done, said in asked if not done), len(asked)
