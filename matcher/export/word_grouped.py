"""The grouped 候选合作清单 as a bureau's Word document, in A4 portrait.

Owns its order: cover, the tables of all groups, one page for each pairing with its evidence annex
and the place to sign, then the 说明. The look of the parts is in ``word_parts``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import docx
from docx.document import Document as WordFile
from docx.enum.table import WD_ROW_HEIGHT_RULE, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Cm, Length, Pt
from docx.table import _Cell
from docx.text.paragraph import Paragraph

from matcher.columns import clean_text
from matcher.export.document import (
    Cell,
    Column,
    Document,
    Grouping,
    PairRow,
    RunInfo,
    shown_contributions,
    shown_score,
)
from matcher.export.grouped import CONTACTS_INSIDE, NO_PAIRS, run_words
from matcher.export.layouts import SCORE_MEANING, badged, data_nature, in_beijing
from matcher.export.word_parts import (
    A4_LONG,
    A4_SHORT,
    add_page_field,
    add_table,
    mark_row,
    saved,
    set_fonts,
    set_properties,
    shade,
)

SIGNERS = ("企业代表", "团队代表", "科技局经办人", "日期")
_SIDE, _TOP = Cm(2.5), Cm(2.5)
_TEXT_WIDTH = Cm(16.0)
_LABEL_WIDTH = Cm(2.4)
_SIGN_HEIGHT = Cm(1.8)
_PALE = "EAF0F7"
_LIST = (
    Column("序号", 6, "int"),
    Column("技术需求", 24),
    Column("企业", 20),
    Column("专家（团队）", 20),
    Column("单位", 18),
    Column("匹配度", 9, "number", 1),
    Column("审核意见", 10),
    Column("对接状态", 10),
)
_EVIDENCE = (
    Column("需求原文", 36),
    Column("专家资料原文", 36),
    Column("共有词与术语对应", 20),
    Column("依据编号", 14),
)


class _Fact(NamedTuple):
    label: str
    text: str


def write_grouped_word(document: Document) -> bytes:
    """A portrait A4 document.

    Raises:
        ValueError: the document has no groups or no run.
    """
    grouping, run = document.grouping, document.run
    if grouping is None or run is None:
        raise ValueError("the document is not a grouped one")
    word = docx.Document()
    _set_page(word, clean_text(document.title))
    set_fonts(word)
    set_properties(word, document)
    _add_cover(word, document, grouping, run)
    _add_lists(word, document, grouping)
    for group in grouping.groups:
        for pair in group.pairs:
            _add_pairing(word, pair, f"{grouping.by}：{group.name}", grouping.with_contacts)
    explanation = document.sheets[-1]
    word.add_heading(explanation.title, level=1).paragraph_format.page_break_before = True
    add_table(word, explanation.columns, explanation.rows, _TEXT_WIDTH)
    return saved(word)


def _set_page(word: WordFile, title: str) -> None:
    section = word.sections[0]
    section.page_width, section.page_height = A4_SHORT, A4_LONG
    section.left_margin = section.right_margin = _SIDE
    section.top_margin = section.bottom_margin = _TOP
    # The cover carries neither.
    section.different_first_page_header_footer = True
    header, footer = section.header.paragraphs[0], section.footer.paragraphs[0]
    header.alignment = footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    header.add_run(title).font.size = Pt(9)
    footer.add_run("第 ")
    add_page_field(footer, "PAGE")
    footer.add_run(" 页 共 ")
    add_page_field(footer, "NUMPAGES")
    footer.add_run(" 页")


def _add_cover(word: WordFile, document: Document, grouping: Grouping, run: RunInfo) -> None:
    title = word.add_heading(clean_text(document.title), level=0)
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    title.paragraph_format.space_before = Pt(150)
    title.paragraph_format.space_after = Pt(60)
    for run_of_title in title.runs:
        run_of_title.font.size = Pt(26)
    day = in_beijing(run.created_at)
    lines = [
        f"分组方式：按{grouping.by}",
        f"配对数量：{len(document.pairs)} 对，{len(grouping.groups)} 组" if document.pairs else NO_PAIRS,
        f"运行编号：{run_words(document.pairs, run)}",
    ]
    lines += [f"清单说明：{grouping.note}"] if grouping.note else []
    lines += grouping.omitted
    lines += [CONTACTS_INSIDE] if grouping.with_contacts else []
    for line in lines:
        _add_centred(word, line, 14)
    last = _add_centred(word, grouping.bureau, 16)
    last.paragraph_format.space_before = Pt(150)
    _add_centred(word, f"{day.year}年{day.month}月{day.day}日", 16)


def _add_centred(word: WordFile, text: str, size: float) -> Paragraph:
    paragraph = word.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.add_run(clean_text(text)).font.size = Pt(size)
    return paragraph


def _add_lists(word: WordFile, document: Document, grouping: Grouping) -> None:
    word.add_heading("合作清单", level=1).paragraph_format.page_break_before = True
    if not document.pairs:
        word.add_paragraph(NO_PAIRS)
        return
    word.add_paragraph(SCORE_MEANING)
    for group in grouping.groups:
        word.add_heading(clean_text(f"{grouping.by}：{group.name}（{len(group.pairs)} 对）"), level=2)
        if not group.pairs:
            word.add_paragraph(NO_PAIRS)
            continue
        table = add_table(word, _LIST, [_list_cells(pair) for pair in group.pairs], _TEXT_WIDTH)
        for row in table.rows:
            mark_row(row, "w:cantSplit")


def _list_cells(pair: PairRow) -> tuple[Cell, ...]:
    return (
        pair.rank,
        badged(pair.need_title, pair.is_sample_need),
        badged(pair.company, pair.is_sample_need),
        badged(pair.expert_name, pair.is_sample_expert),
        pair.institution,
        shown_score(pair.score),
        pair.decision,
        pair.status,
    )


def _add_pairing(word: WordFile, pair: PairRow, group: str, with_contacts: bool) -> None:
    need = badged(pair.need_title, pair.is_sample_need)
    expert = badged(pair.expert_name, pair.is_sample_expert)
    heading = word.add_heading(clean_text(f"{pair.rank}．{need} — {expert}"), level=1)
    heading.paragraph_format.page_break_before = True
    word.add_paragraph(clean_text(group))
    _add_facts(word, _facts(pair, with_contacts))
    word.add_heading("附：匹配依据", level=2)
    if pair.evidence:
        add_table(
            word,
            _EVIDENCE,
            [_evidence_cells(pair, index) for index in range(len(pair.evidence))],
            _TEXT_WIDTH,
        )
    else:
        word.add_paragraph("没有可列出的匹配依据。")
    word.add_heading("未覆盖要求", level=2)
    # Without evidence nobody knows what is covered, so “none” would be wrong.
    for gap in pair.gaps or ("无" if pair.evidence else "没有记录",):
        word.add_paragraph(clean_text(gap))
    _add_signatures(word)


def _facts(pair: PairRow, with_contacts: bool) -> list[tuple[_Fact, ...]]:
    """Lines of the table at the head of a page: two facts a line, or one on the whole width."""
    shown = shown_contributions(pair).items()
    parts = " + ".join(f"{channel.label} {part:.1f}" for channel, part in shown)
    score = f"{shown_score(pair.score):.1f}" + (f" = {parts}" if parts else "")
    day = pair.run_at.isoformat() if pair.run_at else ""
    lines: list[tuple[_Fact, ...]] = [
        (_Fact("技术需求", badged(pair.need_title, pair.is_sample_need)),),
        (_Fact("需求编号", pair.need_id), _Fact("公开范围", pair.confidentiality)),
        (_Fact("企业", badged(pair.company, pair.is_sample_need)), _Fact("镇街", pair.town)),
        (_Fact("领域", pair.sector), _Fact("圈层", pair.ring)),
        (
            _Fact("专家（团队）", badged(pair.expert_name, pair.is_sample_expert)),
            _Fact("单位", pair.institution),
        ),
        (_Fact("匹配度", score),),
        (_Fact("审核意见", pair.decision), _Fact("意见理由", pair.decision_reason)),
        (_Fact("对接状态", pair.status), _Fact("经办人", pair.owner)),
        (_Fact("运行编号", pair.run_id), _Fact("运行日期", day)),
        (_Fact("数据性质", data_nature(pair)), _Fact("备注", pair.note)),
    ]
    lines[1:1] = [(_Fact("主要问题", pair.problem),)] if pair.problem else []
    lines += [(_Fact("实际因素", "；".join(pair.practical)),)] if pair.practical else []
    if with_contacts:
        lines.append((_Fact("企业联系人", pair.contact), _Fact("联系电话", pair.phone)))
        lines.append((_Fact("团队联系方式", pair.expert_contact),))
    return lines


def _add_facts(word: WordFile, lines: Sequence[tuple[_Fact, ...]]) -> None:
    table = word.add_table(rows=len(lines), cols=4)
    table.style = "Table Grid"
    table.autofit = False
    text_width = Length((_TEXT_WIDTH - 2 * _LABEL_WIDTH) // 2)
    widths = (_LABEL_WIDTH, text_width, _LABEL_WIDTH, text_width)
    for grid, width in zip(table.columns, widths, strict=True):
        grid.width = width
    for row, facts in zip(table.rows, lines, strict=True):
        mark_row(row, "w:cantSplit")
        cells = row.cells
        for cell, width in zip(cells, widths, strict=True):
            cell.width = width
        if len(facts) == 1:
            cells[1].merge(cells[3])
        for index, fact in enumerate(facts):
            shade(cells[2 * index]._tc, _PALE)
            _fill(cells[2 * index], fact.label, bold=True)
            _fill(cells[2 * index + 1], fact.text or "—")
    word.add_paragraph()


def _fill(cell: _Cell, text: str, *, bold: bool = False) -> None:
    run = cell.paragraphs[0].add_run(clean_text(text))
    run.font.size = Pt(9)
    run.font.bold = bold or None


def _evidence_cells(pair: PairRow, index: int) -> tuple[Cell, ...]:
    item = pair.evidence[index]
    origin = "，".join(word for word in (item.source, str(item.year or "")) if word)
    return (
        f"{item.line_label}：{item.line_text}",
        f"{item.facet_kind}：{item.facet_text}" + (f"（{origin}）" if origin else ""),
        "；".join(word for word in ("、".join(item.shared), *item.bridges) if word),
        item.source_id,
    )


def _add_signatures(word: WordFile) -> None:
    heading = word.add_heading("签字栏", level=2)
    heading.paragraph_format.keep_with_next = True
    table = word.add_table(rows=2, cols=len(SIGNERS))
    table.style = "Table Grid"
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    for row in table.rows:
        mark_row(row, "w:cantSplit")
    for cell, label in zip(table.rows[0].cells, SIGNERS, strict=True):
        shade(cell._tc, _PALE)
        _fill(cell, label, bold=True)
        cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.CENTER
        # Otherwise the names could stand on one page and the place to sign on the next.
        cell.paragraphs[0].paragraph_format.keep_with_next = True
    table.rows[1].height = _SIGN_HEIGHT
    table.rows[1].height_rule = WD_ROW_HEIGHT_RULE.AT_LEAST
