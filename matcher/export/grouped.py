"""The 候选合作清单 cut into groups: by 领域, 镇街, 高校 or 企业.

Owns its columns, its counts and what every format of it says about what is left out. Deliberately
decides neither who may see a pairing nor which group it is in: it takes rows the services built.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from matcher.columns import SAMPLE_BADGE, clean_text
from matcher.export.document import (
    Cell,
    Column,
    Document,
    Grouping,
    PairGroup,
    PairRow,
    RunInfo,
    Sheet,
    shown_contributions,
    shown_score,
)
from matcher.export.layouts import (
    BEST_EVIDENCE,
    SCORE_MEANING,
    badged,
    beijing_time,
    data_nature,
    evidence_line,
    explanation_sheet,
    in_beijing,
)
from matcher.vocab import Channel, DecisionKind

NO_NAME = "未填"
NO_PAIRS = "没有可列出的配对。"
CONTACTS_INSIDE = "含个人联系方式，请勿转发。"
MOST_RUNS_NAMED = 3
_COUNTS = ("配对数", "技术需求数", "企业数", "团队数", "其中接受", "其中含示例")
# What is printed stands first and fits the width of one A4 page in legible letters; the rest lies to its right.
_PRINTED = (
    Column("序号", 5, "int"),
    Column("技术需求", 18),
    Column("企业", 14),
    Column("镇街", 8),
    Column("专家（团队）", 14),
    Column("单位", 13),
    Column("圈层", 8),
    Column("匹配度", 7, "number", 1),
    Column("主要依据", 36),
    Column("未覆盖要求", 16),
    Column("审核意见", 8),
    Column("对接状态", 8),
    Column("备注", 12),
)
_CONTACT_COLUMNS = (Column("企业联系人", 10), Column("联系电话", 13), Column("团队联系方式", 15))
_BESIDE = (
    Column("需求编号", 9),
    Column("领域", 10),
    *(Column(f"其中：{channel.label}", 8, "number", 1) for channel in Channel),
    Column("意见理由", 12),
    Column("经办人", 9),
    Column("公开范围", 8),
    Column("数据性质", 8),
    Column("运行编号", 13),
    Column("运行日期", 11, "date"),
)


def grouped_document(
    title: str,
    groups: Sequence[tuple[str, Sequence[PairRow]]],
    info: RunInfo,
    *,
    by: str,
    note: str = "",
    with_contacts: bool = False,
    omitted: Sequence[str] = (),
    bureau: str = "科技局",
) -> Document:
    """A 候选合作清单 with one sheet for each group.

    The pairings are numbered through the whole file, so that “第 7 对” is the same one on every
    sheet and in every format. A pairing without a run of its own gets ``info``'s id and date.

    Args:
        title: what the file is called, in words.
        groups: name and pairings of each group, in the order wanted; a blank name becomes 未填.
        info: the run, or the runs together; ``created_at`` is the time the file is made.
        by: what a group is: 领域, 镇街, 高校 or 企业.
        note: a sentence of the person who exports.
        with_contacts: keep the contact fields of the rows; otherwise they are dropped here, so that
            no format can hold them.
        omitted: sentences on what is left out, such as “2 条保密需求未列入”.
        bureau: the office whose document this is.

    Raises:
        ValueError: ``by`` is blank.
    """
    if not by.strip():
        raise ValueError("by must say what a group is")
    made: list[PairGroup] = []
    number = 0
    for name, rows in groups:
        pairs = []
        for row in rows:
            number += 1
            pairs.append(_ready(row, number, info, with_contacts))
        made.append(PairGroup(_group_name(name, pairs), tuple(pairs)))
    left_out = tuple(text for sentence in omitted if (text := clean_text(sentence)))
    grouping = Grouping(by, tuple(made), bureau, note, left_out, with_contacts)
    every = tuple(pair for group in made for pair in group.pairs)
    printed = (*_PRINTED, *(_CONTACT_COLUMNS if with_contacts else ()))
    columns = (*printed, *_BESIDE)
    sheets = (
        _summary(grouping, every),
        *(_group_sheet(group, columns, len(printed), grouping, title) for group in made),
        explanation_sheet(every, [c for c in Channel if any(c in p.contributions for p in every)], info),
    )
    lines = _subtitle(grouping, every, info)
    flat = _flat(grouping, columns, every)
    return Document(title, lines, sheets, every, info, grouping, flat)


def _ready(row: PairRow, number: int, info: RunInfo, with_contacts: bool) -> PairRow:
    run_at = row.run_at if row.run_id or row.run_at else in_beijing(info.created_at).date()
    row = replace(row, rank=number, run_id=row.run_id or info.run_id, run_at=run_at)
    return row if with_contacts else replace(row, contact="", phone="", expert_contact="")


def _group_name(name: str, pairs: Sequence[PairRow]) -> str:
    """The name as it is shown: a firm that is illustrative keeps its badge in its own heading."""
    is_sample = any(pair.is_sample_need and pair.company == name for pair in pairs)
    shown = " ".join(clean_text(name).split("\n")) or NO_NAME
    return shown if shown.endswith(SAMPLE_BADGE) else badged(shown, is_sample)


def run_words(pairs: Sequence[PairRow], info: RunInfo) -> str:
    """The run ids in a line of a heading; many are only counted, since every row names its own."""
    run_ids = list(dict.fromkeys(pair.run_id for pair in pairs)) or [info.run_id]
    if len(run_ids) > MOST_RUNS_NAMED:
        return f"共 {len(run_ids)} 次，见每一对的运行编号"
    return "、".join(run_ids)


def _subtitle(grouping: Grouping, every: Sequence[PairRow], info: RunInfo) -> tuple[str, ...]:
    filled = [
        grouping.bureau,
        f"分组：按{grouping.by}；{_totals(grouping, every)}",
        f"清单说明：{grouping.note}" if grouping.note else "",
        *grouping.omitted,
        CONTACTS_INSIDE if grouping.with_contacts else "",
        f"运行编号：{run_words(every, info)}",
        f"生成时间：{beijing_time(info.created_at)}",
    ]
    return tuple(line for line in filled if line)


def _totals(grouping: Grouping, every: Sequence[PairRow]) -> str:
    if not every:
        return NO_PAIRS
    _, needs, firms, experts, *_ = _counts(every)
    words = f"{needs} 条技术需求、{firms} 家企业、{experts} 个团队（跨组的只计一次）"
    return f"共 {len(grouping.groups)} 组、{len(every)} 对，涉及 {words}。"


def _counts(pairs: Sequence[PairRow]) -> tuple[int, int, int, int, int, int]:
    """The numbers of ``_COUNTS``; what occurs in several pairings counts once."""
    return (
        len(pairs),
        len({pair.need_id for pair in pairs}),
        len({pair.company for pair in pairs if pair.company}),
        len({pair.expert_id for pair in pairs}),
        sum(pair.decision == DecisionKind.ACCEPT for pair in pairs),
        sum(pair.is_sample_need or pair.is_sample_expert for pair in pairs),
    )


def _summary(grouping: Grouping, every: Sequence[PairRow]) -> Sheet:
    columns = (
        Column("序号", 6, "int"),
        Column(grouping.by, 44),
        *(Column(label, 12, "int") for label in _COUNTS),
    )
    rows = tuple(
        (number, group.name, *_counts(group.pairs)) for number, group in enumerate(grouping.groups, start=1)
    )
    return Sheet("汇总", columns, rows, (SCORE_MEANING,) if every else ())


def _group_sheet(
    group: PairGroup, columns: tuple[Column, ...], n_printed: int, grouping: Grouping, title: str
) -> Sheet:
    rows = tuple(_cells(pair, grouping.with_contacts) for pair in group.pairs)
    content = f"共 {len(rows)} 对。" if rows else NO_PAIRS
    note = f"{title}　{grouping.by}：{group.name}　{content}"
    return Sheet(group.name, columns, rows, (note,), n_printed)


def _flat(grouping: Grouping, columns: tuple[Column, ...], every: Sequence[PairRow]) -> Sheet:
    """One table of all groups; what it must say beside its rows stands in its last lines."""
    rows: list[tuple[Cell, ...]] = [
        (group.name, *_cells(pair, grouping.with_contacts))
        for group in grouping.groups
        for pair in group.pairs
    ]
    said = [*([] if every else [NO_PAIRS]), *grouping.omitted]
    rows += [(f"说明：{sentence}", *(None for _ in columns)) for sentence in said]
    return Sheet("候选合作清单", (Column("分组", 16), *columns), tuple(rows))


def _cells(pair: PairRow, with_contacts: bool) -> tuple[Cell, ...]:
    shown = shown_contributions(pair)
    contacts = (pair.contact, pair.phone, pair.expert_contact) if with_contacts else ()
    return (
        pair.rank,
        badged(pair.need_title, pair.is_sample_need),
        badged(pair.company, pair.is_sample_need),
        pair.town,
        badged(pair.expert_name, pair.is_sample_expert),
        pair.institution,
        pair.ring,
        shown_score(pair.score),
        "\n".join(evidence_line(item) for item in pair.evidence[:BEST_EVIDENCE]),
        "\n".join(pair.gaps),
        pair.decision,
        pair.status,
        pair.note,
        *contacts,
        pair.need_id,
        pair.sector,
        *(shown.get(channel) for channel in Channel),
        pair.decision_reason,
        pair.owner,
        pair.confidentiality,
        data_nature(pair),
        pair.run_id,
        pair.run_at,
    )
