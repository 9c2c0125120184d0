"""Word documents of a ranking or of records: title, lines, table, evidence of each pairing.

Owns the order of the blocks. The look of their parts is in ``word_parts``.
"""

from __future__ import annotations

import docx
from docx.document import Document as WordFile
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Cm

from matcher.columns import clean_text
from matcher.export.document import Cell, Column, Document, PairRow, Sheet, shown_contributions, shown_score
from matcher.export.layouts import badged
from matcher.export.word_parts import (
    A4_LONG,
    A4_SHORT,
    add_page_field,
    add_table,
    cell_text,
    saved,
    set_fonts,
    set_properties,
)

MAX_TABLE_COLUMNS = 10
_TEXT_WIDTH = Cm(25.0)
_SUMMARY = (
    "序号",
    "技术需求",
    "企业",
    "专家（团队）",
    "单位",
    "圈层",
    "匹配度",
    "审核意见",
    "数据性质",
)


def write_word(document: Document) -> bytes:
    """A landscape A4 document.

    With pairings: a summary table, the evidence block of every pairing, then the 说明. Otherwise
    each sheet as a table, or as one block for each row when it has more than ten columns.
    """
    word = docx.Document()
    _set_page(word)
    set_fonts(word)
    set_properties(word, document)
    title = word.add_heading(clean_text(document.title), level=0)
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for line in document.subtitle_lines:
        word.add_paragraph(clean_text(line))
    if document.run is None:
        for sheet in document.sheets:
            _add_sheet(word, sheet)
    else:
        _add_pairings(word, document)
    return saved(word)


def _add_pairings(word: WordFile, document: Document) -> None:
    first, *_, explanation = document.sheets
    word.add_heading(clean_text(first.title), level=1)
    chosen = [index for index, column in enumerate(first.columns) if column.label in _SUMMARY]
    columns = [first.columns[index] for index in chosen]
    add_table(word, columns, [[row[index] for index in chosen] for row in first.rows], _TEXT_WIDTH)
    word.add_heading("匹配依据", level=1)
    for pair in document.pairs:
        _add_block(word, pair)
    _add_sheet(word, explanation)


def _add_block(word: WordFile, pair: PairRow) -> None:
    need = badged(pair.need_title, pair.is_sample_need)
    expert = badged(pair.expert_name, pair.is_sample_expert)
    word.add_heading(clean_text(f"{pair.rank}．{need} — {expert}"), level=2)
    shown = shown_contributions(pair).items()
    parts = " + ".join(f"{channel.label} {part:.1f}" for channel, part in shown)
    company = badged(pair.company, pair.is_sample_need)
    lines = [
        f"企业：{company}　需求编号：{pair.need_id}",
        f"单位：{pair.institution}　圈层：{pair.ring or '—'}",
        f"匹配度：{shown_score(pair.score):.1f}" + (f" = {parts}" if parts else ""),
    ]
    lines += [f"未覆盖要求：{'；'.join(pair.gaps)}"] if pair.gaps else []
    lines += [f"实际因素：{'；'.join(pair.practical)}"] if pair.practical else []
    lines += [f"审核意见：{pair.decision}"] if pair.decision else []
    lines += [f"备注：{pair.note}"] if pair.note else []
    for line in lines:
        word.add_paragraph(clean_text(line))
    if not pair.evidence:
        word.add_paragraph("没有可列出的匹配依据。")
        return
    columns = [
        Column("需求原文", 40),
        Column("专家资料原文", 40),
        Column("共有词", 14),
        Column("术语对应", 16),
        Column("依据编号", 12),
    ]
    rows: list[list[Cell]] = [
        [
            f"{item.line_label}：{item.line_text}",
            f"{item.facet_kind}：{item.facet_text}" + (f"（{item.year}）" if item.year else ""),
            "、".join(item.shared),
            "；".join(item.bridges),
            item.source_id,
        ]
        for item in pair.evidence
    ]
    add_table(word, columns, rows, _TEXT_WIDTH)


def _add_sheet(word: WordFile, sheet: Sheet) -> None:
    word.add_heading(clean_text(sheet.title), level=1)
    for note in sheet.notes:
        word.add_paragraph(clean_text(note))
    if len(sheet.columns) <= MAX_TABLE_COLUMNS:
        add_table(word, sheet.columns, sheet.rows, _TEXT_WIDTH)
        return
    for number, row in enumerate(sheet.rows, start=1):
        word.add_heading(f"第 {number} 条", level=2)
        for column, cell in zip(sheet.columns, row, strict=True):
            if cell not in (None, ""):
                word.add_paragraph(f"{column.label}：{cell_text(cell, column)}")


def _set_page(word: WordFile) -> None:
    section = word.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = A4_LONG, A4_SHORT
    section.left_margin = section.right_margin = Cm(2.3)
    section.top_margin = section.bottom_margin = Cm(2.0)
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    add_page_field(footer, "PAGE")
