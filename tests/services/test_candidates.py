"""候选合作清单 over all accepted pairings: what is in it, what is not, and who is told."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace
from datetime import date

import pytest

from matcher.errors import InputError, PermissionDenied
from matcher.models import Expert, Firm, Need, Person
from matcher.services.bootstrap import Application
from matcher.services.candidates import GROUPINGS
from matcher.store.repositories import Repositories
from matcher.vocab import DecisionKind, DecisionReason, Role, Stage
from matcher.workflow.permissions import HIDDEN_FIRM

OFFICIAL = Person("zhao", "赵科员", Role.OFFICIAL)
FIRM = Person("firm", "星海", Role.FIRM, firm_id="F-XH")
LIMITS = {"XQ-1": "公开", "XQ-2": "仅平台", "XQ-3": "保密"}
CONTACTS = ("王厂长", "13900001111", "孙教授 0631-7654321")


@pytest.fixture
def bureau(small_app: Application) -> Application:
    """Three needs of one firm, one for each confidentiality, each accepted with a team of its own."""
    app = small_app
    with app.database.session() as session:
        stored = Repositories(session, app.clock)
        stored.needs.delete(stored.needs.ids())
        stored.firms.upsert([Firm("F-XH", "星海精密轴承有限公司", ("星海轴承",), town="界石镇")])
        stored.needs.upsert(
            Need(need_id, "星海精密轴承有限公司", f"{need_id} 星海轴承磨得快", "星海轴承的密封件磨得快，要耐磨涂层",
                 sector="汽车机电", town="界石镇", status="已发布", confidentiality=limit, posted_on=date(2026, 3, 1),
                 contact=CONTACTS[0], phone=CONTACTS[1], firm_id="F-XH")
            for need_id, limit in LIMITS.items()
        )  # fmt: skip
        teams: list[Expert] = [replace(e, contact=CONTACTS[2]) for e in stored.experts.all()]
        stored.experts.upsert(teams)
    desk = app.as_person(OFFICIAL)
    for need_id, expert in zip(LIMITS, desk.records.experts(), strict=False):
        desk.review.pair(need_id, expert.expert_id, "星海轴承走访时提出")
    return desk


def rows_of(data: bytes) -> list[dict[str, str]]:
    rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig")))
    return [row for row in rows if row["需求编号"]]


def whole(data: bytes) -> str:
    """All text of a file, unzipped where it is a zip."""
    if not data.startswith(b"PK"):
        return data.decode("utf-8-sig")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "ignore") for name in archive.namelist())


@pytest.mark.parametrize("by", GROUPINGS)
def test_confidential_pairings_are_only_counted_unless_ticked(bureau: Application, by: str) -> None:
    found = bureau.candidates.groups(by)
    assert (found.n_pairs, found.omitted) == (2, 1)
    every = bureau.candidates.groups(by, with_confidential=True)
    assert (every.n_pairs, every.omitted) == (3, 0)
    size = bureau.candidates.count(by)
    assert size.confidential == 1
    assert size.groups == tuple((name, len(rows)) for name, rows in every.groups)
    for suffix in (".csv", ".json", ".xlsx", ".docx"):
        text = whole(bureau.candidates.export(by, suffix))
        assert "XQ-3" not in text
        assert "1 对保密需求的配对未列入" in text
        assert "XQ-3" in whole(bureau.candidates.export(by, suffix, with_confidential=True))


def test_a_list_for_universities_does_not_name_a_firm_that_is_not_public(bureau: Application) -> None:
    for suffix in (".csv", ".json", ".xlsx", ".docx"):
        data = bureau.candidates.export("institution", suffix, with_contacts=True, with_confidential=True)
        text = whole(data)
        assert HIDDEN_FIRM in text
        # The need that is 公开 is the only place that names the firm.
        if suffix == ".csv":
            hidden = [row for row in rows_of(data) if row["需求编号"] != "XQ-1"]
            assert len(hidden) == 2
            said = json.dumps(hidden, ensure_ascii=False)
            assert not any(word in said for word in ("星海", "界石镇", *CONTACTS[:2]))
            (shown,) = (row for row in rows_of(data) if row["需求编号"] == "XQ-1")
            assert shown["企业"] == "星海精密轴承有限公司"
            assert (shown["企业联系人"], shown["联系电话"]) == CONTACTS[:2]
    pairs = [row for _, group in bureau.candidates.groups("institution").groups for row in group]
    (hidden_row,) = (row for row in pairs if row.need_id == "XQ-2")
    assert "星海" not in repr(hidden_row)
    assert "本企业磨得快" in hidden_row.need_title
    assert hidden_row.evidence or hidden_row.gaps
    assert all(
        row.company.startswith("星海")
        for _, group in bureau.candidates.groups("firm").groups
        for row in group
    )


def test_rows_tell_decision_status_owner_and_run(bureau: Application) -> None:
    (name, rows) = bureau.candidates.groups("sector", with_confidential=True).groups[0]
    assert name == "汽车机电"
    with bureau.database.reading() as session:
        stored = Repositories(session)
        latest = stored.decisions.latest_by_pair()
        runs = stored.runs.get_many({d.run_id for d in latest.values()})
    for row in rows:
        decision = latest[row.need_id, row.expert_id]
        (match,) = (m for m in runs[decision.run_id].matches if m.expert_id == row.expert_id)
        assert (row.decision, row.status, row.run_id) == (
            DecisionKind.ACCEPT,
            Stage.PROPOSED,
            decision.run_id,
        )
        assert (row.score, dict(row.contributions)) == (match.score, dict(match.contributions))
        assert len(row.evidence) == len(match.evidence)
        assert row.run_at == date(2026, 11, 25)
        assert row.owner in ("zhao", "赵科员")
        assert (row.contact, row.phone, row.expert_contact) == ("", "", "")
        assert row.problem.startswith("星海轴承的密封件")


def test_contacts_only_by_tick_and_audited(bureau: Application) -> None:
    for suffix in (".csv", ".json", ".xlsx", ".docx"):
        plain = whole(bureau.candidates.export("firm", suffix))
        assert not any(contact in plain for contact in CONTACTS)
        with bureau.database.reading() as session:
            (event,) = Repositories(session).audit.latest(1)
        assert (event.action, event.object_id, event.actor) == ("export", "firm", "zhao")
        assert event.detail == {"suffix": suffix, "pairs": 2, "contacts": False, "confidential": False}
        ticked = whole(bureau.candidates.export("firm", suffix, with_contacts=True))
        assert all(contact in ticked for contact in CONTACTS)
        with bureau.database.reading() as session:
            told, export = Repositories(session).audit.latest(2)
        assert (told.action, dict(told.detail)) == ("export_contacts", {"people": 3})  # one firm, two teams
        assert (export.action, export.detail["contacts"]) == ("export", True)


def test_only_what_counts_now_is_listed(bureau: Application) -> None:
    taken = bureau.records.experts()
    with bureau.database.reading() as session:
        latest = Repositories(session).decisions.latest_by_pair()
    bureau.review.undo(latest["XQ-1", taken[0].expert_id].decision_id)
    bureau.review.decide("XQ-1", taken[5].expert_id, DecisionKind.REJECT, reason=DecisionReason.TOPIC)
    ids = [row.need_id for _, rows in bureau.candidates.groups("sector").groups for row in rows]
    assert ids == ["XQ-2"]
    unfit = bureau.candidates.groups("sector", kinds=(DecisionKind.REJECT,))
    ((_, (row,)),) = unfit.groups
    assert (row.decision, row.decision_reason, row.status, row.owner) == ("不合适", "方向不符", "", "")
    assert bureau.candidates.groups("sector", year=2025).n_pairs == 0
    assert bureau.candidates.groups("sector", year=2026, statuses=[Stage.PROPOSED]).n_pairs == 1
    assert bureau.candidates.groups("sector", statuses=[Stage.SIGNED]).n_pairs == 0


def test_it_survives_its_records(bureau: Application) -> None:
    """A need that is gone has no confidentiality any more: universities do not learn its firm."""
    with bureau.database.session() as session:
        Repositories(session, bureau.clock).needs.delete(["XQ-1"])
    rows = [row for _, group in bureau.candidates.groups("firm").groups for row in group]
    assert next(row for row in rows if row.need_id == "XQ-1").company == "星海精密轴承有限公司"
    rows = [row for _, group in bureau.candidates.groups("institution").groups for row in group]
    assert next(row for row in rows if row.need_id == "XQ-1").company == HIDDEN_FIRM


def test_who_may_not_export_gets_nothing(bureau: Application) -> None:
    for call in ("count", "groups"):
        with pytest.raises(PermissionDenied):
            getattr(bureau.as_person(FIRM).candidates, call)("firm")
    with pytest.raises(PermissionDenied):
        bureau.as_person(FIRM).candidates.export("firm", ".csv")
    with pytest.raises(InputError, match="分组"):
        bureau.candidates.export("colour", ".csv")
    with pytest.raises(InputError, match="格式"):
        bureau.candidates.export("firm", ".pdf")


def test_an_empty_list_is_a_file_that_says_so(empty_app: Application) -> None:
    for suffix in (".csv", ".json", ".xlsx", ".docx"):
        assert "没有可列出的配对" in whole(empty_app.candidates.export("town", suffix))
