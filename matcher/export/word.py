"""Word documents in a bureau's layout: title, cover lines, table, evidence of each pairing.

Owns fonts, page and blocks. East Asian fonts are set beside the Latin ones, because Word ignores a
font name for Chinese text otherwise.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import docx
from docx.document import Document as WordFile
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.table import Table

from matcher.columns import clean_text
from matcher.export.document import (
    Cell,
    Column,
    Document,
    PairRow,
    Sheet,
    plain_number,
    shown_contributions,
    shown_score,
)
from matcher.export.layouts import badged

MAX_TABLE_COLUMNS = 10
_TEXT_WIDTH_CM = 25.0
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
    _set_fonts(word)
    made_at = document.run.created_at if document.run else datetime(2026, 1, 1, tzinfo=UTC)
    word.core_properties.title = clean_text(document.title)
    word.core_properties.author = ""
    word.core_properties.created = word.core_properties.modified = made_at.replace(tzinfo=None)
    title = word.add_heading(clean_text(document.title), level=0)
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for line in document.subtitle_lines:
        word.add_paragraph(clean_text(line))
    if document.run is None:
        for sheet in document.sheets:
            _add_sheet(word, sheet)
    else:
        _add_pairings(word, document)
    buffer = io.BytesIO()
    word.save(buffer)
    return buffer.getvalue()


def _add_pairings(word: WordFile, document: Document) -> None:
    first, *_, explanation = document.sheets
    word.add_heading(clean_text(first.title), level=1)
    chosen = [index for index, column in enumerate(first.columns) if column.label in _SUMMARY]
    columns = [first.columns[index] for index in chosen]
    _add_table(word, columns, [[row[index] for index in chosen] for row in first.rows])
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
    _add_table(word, columns, rows)


def _add_sheet(word: WordFile, sheet: Sheet) -> None:
    word.add_heading(clean_text(sheet.title), level=1)
    for note in sheet.notes:
        word.add_paragraph(clean_text(note))
    if len(sheet.columns) <= MAX_TABLE_COLUMNS:
        _add_table(word, sheet.columns, sheet.rows)
        return
    for number, row in enumerate(sheet.rows, start=1):
        word.add_heading(f"第 {number} 条", level=2)
        for column, cell in zip(sheet.columns, row, strict=True):
            if cell not in (None, ""):
                word.add_paragraph(f"{column.label}：{_text(cell, column)}")


def _add_table(word: WordFile, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    table: Table = word.add_table(rows=1 + len(rows), cols=len(columns))
    table.style = "Table Grid"
    table.autofit = False
    total = sum(column.width for column in columns)
    widths = [Cm(_TEXT_WIDTH_CM * column.width / total) for column in columns]
    labels = [column.label for column in columns]
    texts = [[_text(c, column) for c, column in zip(r, columns, strict=True)] for r in rows]
    for index, (row, cells) in enumerate(zip(table.rows, [labels, *texts], strict=True)):
        for cell, text, width in zip(row.cells, cells, widths, strict=True):
            cell.width = width
            run = cell.paragraphs[0].add_run(text)
            run.font.size = Pt(9)
            run.font.bold = True if index == 0 else None
    repeat = OxmlElement("w:tblHeader")
    repeat.set(qn("w:val"), "true")
    table.rows[0]._tr.get_or_add_trPr().append(repeat)
    word.add_paragraph()


def _text(cell: Cell, column: Column) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return clean_text(cell)
    if isinstance(cell, date):
        return cell.isoformat()
    if column.kind == "percent":
        return f"{cell:.1%}"
    return f"{cell:.{column.decimals}f}" if column.decimals is not None else plain_number(cell)


def _set_page(word: WordFile) -> None:
    section = word.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Cm(29.7), Cm(21.0)
    section.left_margin = section.right_margin = Cm(2.3)
    section.top_margin = section.bottom_margin = Cm(2.0)
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = footer.add_run()
    for kind, instruction in (("begin", ""), ("", "PAGE"), ("end", "")):
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = instruction
        run._r.append(element)


def _set_fonts(word: WordFile) -> None:
    sizes = {"Normal": 10.5, "Title": 20.0, "Heading 1": 14.0, "Heading 2": 12.0}
    for name, size in sizes.items():
        style: Any = word.styles[name]
        style.font.name = "Times New Roman"
        style.font.size = Pt(size)
        style.font.color.rgb = RGBColor(0, 0, 0)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        # Theme fonts of the template would win over the names.
        for attribute in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{attribute}"), None)
        fonts.set(qn("w:eastAsia"), "宋体" if name == "Normal" else "黑体")
