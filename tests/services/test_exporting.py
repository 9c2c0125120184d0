from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import openpyxl
import pytest

from matcher.errors import ConflictError, InputError, NotFoundError
from matcher.export.document import shown_score
from matcher.ranking.eligibility import ExpertFilter
from matcher.services.bootstrap import Application
from matcher.store.repositories import Repositories
from matcher.vocab import Channel

NEED = "N302"


def read_xlsx(data: bytes) -> list[dict[str, object]]:
    """Rows of the first sheet below the header that holds 匹配度 or 备注."""
    sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    top = next(i for i, row in enumerate(rows) if "序号" in row)
    header = [str(cell) for cell in rows[top] if cell]
    return [dict(zip(header, row, strict=False)) for row in rows[top + 1 :] if isinstance(row[0], int)]


def read_csv(data: bytes) -> list[dict[str, str]]:
    assert data.startswith(b"\xef\xbb\xbf"), "Excel needs the byte order mark"
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    top = next(i for i, row in enumerate(rows) if "序号" in row)
    return [dict(zip(rows[top], row, strict=False)) for row in rows[top + 1 :] if row and row[0].isdigit()]


def test_every_format_shows_the_numbers_of_the_ranking(app: Application) -> None:
    ranking = app.matching.for_need(NEED, filter=ExpertFilter(rings=frozenset({"周边区域"})), top=8)
    expected = [(p.match.rank, p.match.expert_id, shown_score(p.match.score)) for p in ranking.pairs]
    xlsx = read_xlsx(app.exports.ranking(ranking, ".xlsx"))
    table = read_csv(app.exports.ranking(ranking, ".csv"))
    body = json.loads(app.exports.ranking(ranking, ".json"))
    names = {p.match.expert_id: p.expert.name for p in ranking.pairs if p.expert}
    for rows in (xlsx, table):
        found = [(int(str(r["序号"])), str(r["专家（团队）"]), float(str(r["匹配度"]))) for r in rows]
        assert found == [(rank, f"{names[expert]}【示例】", score) for rank, expert, score in expected]
        assert {r["运行编号"] for r in rows} == {ranking.run.run_id}
        for row in rows:
            parts = [row.get(f"其中：{channel.label}") for channel in Channel]
            tenths = [round(float(str(part)) * 10) for part in parts if part not in (None, "")]
            assert sum(tenths) == round(float(str(row["匹配度"])) * 10)
    for pair, stored in zip(ranking.pairs, body["pairs"], strict=True):
        assert stored["score"] == pair.match.score
        assert stored["contributions"] == {c.value: v for c, v in pair.match.contributions.items()}
        assert len(stored["evidence"]) == len(pair.match.evidence)
    assert body["run"]["run_id"] == ranking.run.run_id


def test_an_exported_run_can_be_looked_up(app: Application) -> None:
    ranking = app.matching.for_need(NEED, top=5)
    app.exports.ranking(ranking, ".csv")
    app.exports.ranking(ranking, ".csv")
    with app.database.reading() as session:
        saved = Repositories(session).runs.get(ranking.run.run_id)
    assert saved is not None
    assert saved.matches == ranking.run.matches


def test_a_shortlist_keeps_what_was_ticked_and_exports_it(app: Application) -> None:
    one = app.matching.for_need(NEED, top=5)
    two = app.matching.for_need("N405", top=5)
    made = app.shortlists.create("十一月对接会")
    assert app.shortlists.add(made.shortlist_id, one, one.pairs[:2]) == 2
    assert app.shortlists.add(made.shortlist_id, one, one.pairs[:3]) == 1, "a pair is ticked once"
    app.shortlists.add(made.shortlist_id, two, two.pairs[:1])
    note = '=HYPERLINK("http://x")'
    app.shortlists.set_note(made.shortlist_id, NEED, one.pairs[0].match.expert_id, note)
    (summary,) = app.shortlists.list()
    assert (summary.n_items, summary.n_needs) == (4, 2)
    data = app.exports.shortlist(made.shortlist_id, ".xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    rows = read_xlsx(data)
    assert [r["匹配度"] for r in rows] == [
        shown_score(p.match.score)
        for p in (*sorted(one.pairs[:3], key=lambda p: -p.match.score), two.pairs[0])
    ]
    assert {r["运行编号"] for r in rows} == {one.run.run_id, two.run.run_id}
    assert rows[0]["备注"] == note
    assert all(r["匹配依据"] for r in rows)
    (first, *_) = read_csv(app.exports.shortlist(made.shortlist_id, ".csv"))
    assert first["备注"] == "'" + note, "a spreadsheet must not run it"


def test_a_ticked_record_that_is_gone_leaves_a_readable_row(app: Application) -> None:
    ranking = app.matching.for_need(NEED, top=1)
    made = app.shortlists.create("清单")
    app.shortlists.add(made.shortlist_id, ranking, ranking.pairs)
    app.records.drop_samples()
    (row,) = read_xlsx(app.exports.shortlist(made.shortlist_id, ".xlsx"))
    assert row["专家（团队）"] == "（团队已删除）"
    assert row["匹配度"] == shown_score(ranking.pairs[0].match.score)


def test_lists_have_one_name_each_and_edits_do_not_overwrite_each_other(app: Application) -> None:
    made = app.shortlists.create(" 走访山大 ")
    assert made.name == "走访山大"
    with pytest.raises(ConflictError):
        app.shortlists.create("走访山大")
    with pytest.raises(InputError):
        app.shortlists.create("  ")
    app.shortlists.rename(made.shortlist_id, "走访山大（威海）", "周三", made.version)
    with pytest.raises(ConflictError) as caught:
        app.shortlists.rename(made.shortlist_id, "别的名字", "", made.version)
    assert "走访山大（威海）" in caught.value.user_message
    app.shortlists.delete(made.shortlist_id)
    with pytest.raises(NotFoundError):
        app.shortlists.open(made.shortlist_id)


def test_free_text_results_cannot_be_ticked(app: Application) -> None:
    ranking = app.matching.experts_for_text("导管不滑", top=1)
    made = app.shortlists.create("清单")
    with pytest.raises(InputError):
        app.shortlists.add(made.shortlist_id, ranking, ranking.pairs)


def test_records_export_and_import_again_without_a_change(app: Application) -> None:
    for kind in ("needs", "experts", "works", "firms", "institutions", "cooperation"):
        for suffix in (".csv", ".xlsx"):
            preview = app.imports.preview(kind, app.exports.records(kind, suffix), f"导出{suffix}")
            assert (preview.n_new, preview.n_changed, preview.n_blocked) == (0, 0, 0), (kind, suffix)


def test_contacts_stay_in_the_system(app: Application) -> None:
    with app.database.session() as session:
        stored = Repositories(session)
        need = stored.needs.get(NEED)
        expert = stored.experts.get("E337")
        assert need is not None
        assert expert is not None
        stored.needs.upsert([replace(need, contact="张三丰", phone="13900000000")])
        stored.experts.upsert([replace(expert, contact="李四海 15800000000")])
    ranking = app.matching.for_need(NEED, top=3)
    for suffix in app.exports.suffixes:
        for data in (app.exports.records("needs", suffix), app.exports.ranking(ranking, suffix)):
            text = data if suffix in {".csv", ".json"} else _unzipped(data)
            assert "张三丰".encode() not in text
            assert b"13900000000" not in text


def _unzipped(data: bytes) -> bytes:
    import zipfile

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return b"".join(archive.read(name) for name in archive.namelist())


def test_file_names_are_safe_and_dated(app: Application) -> None:
    assert app.exports.file_name("导管/外面:那层", ".xlsx") == "导管_外面_那层_20261125.xlsx"


def test_an_empty_form_can_be_filled_and_imported(app: Application) -> None:
    form = openpyxl.load_workbook(io.BytesIO(app.exports.template("needs")))
    sheet = form.worksheets[0]
    top = next(i for i, row in enumerate(sheet.iter_rows(values_only=True), 1) if "企业名称" in row)
    header = [cell.value for cell in sheet[top]]
    for label, value in (
        ("企业名称", "甲厂"),
        ("技术需求名称", "漏油"),
        ("主要问题", "油封一个月就漏油，换了几家都一样。"),
    ):
        column = next(i for i, name in enumerate(header, 1) if name == label)
        sheet.cell(top + 1, column, value)
    stream = io.BytesIO()
    form.save(stream)
    preview = app.imports.preview("needs", stream.getvalue(), "模板.xlsx")
    assert (preview.n_new, preview.n_blocked) == (1, 0)


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_a_need_nobody_else_may_read_is_marked_in_every_list(app: Application, suffix: str) -> None:
    with app.database.session() as session:
        stored = Repositories(session)
        need = stored.needs.get("N301")
        assert need is not None
        stored.needs.upsert([replace(need, confidentiality="保密")])
    ranking = app.matching.for_need("N301", top=2)
    assert f"【保密】{need.title}" in app.exports.ranking(ranking, suffix).decode("utf-8-sig")
    lists = app.shortlists
    shortlist = lists.create("碰头会")
    lists.add(shortlist.shortlist_id, ranking, ranking.pairs[:1])
    assert f"【保密】{need.title}" in app.exports.shortlist(shortlist.shortlist_id, suffix).decode(
        "utf-8-sig"
    )
