"""对接跟踪: steps, changes, contacts, files, reminders and handing over, with the event of each."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import openpyxl
import pytest

from matcher.config import WorkflowSettings
from matcher.errors import ConflictError, HiddenError, InputError, NotFoundError, PermissionDenied
from matcher.models import Cooperation, Engagement, Need, Person
from matcher.services.bootstrap import Application
from matcher.services.engaging import begin_engagement
from matcher.services.following_views import HIDDEN_NEED, EngagementFilter
from matcher.services.progress import signed_projects
from matcher.services.reminders import lateness_of
from matcher.store.entries import AuditEvent
from matcher.store.repositories import Repositories
from matcher.vocab import EndReason, Role, Stage
from matcher.workflow.permissions import HIDDEN_FIRM
from matcher.workflow.states import STAGE_STEPS, next_stages

TODAY = date(2026, 11, 25)
NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
WANG = Person("wang", "王科长", Role.OFFICIAL)
LI = Person("li", "李科员", Role.OFFICIAL)
SIGNING = {
    "on": date(2026, 11, 20),
    "contract_kind": "技术开发",
    "contract_no": "合-2026-1",
    "signed_wan": 30.0,
}
PDF = b"%PDF-1.7 contract"
Begin = Callable[..., Engagement]


@pytest.fixture
def wang(small_app: Application) -> Application:
    """The application as 王科长, who has an account, as 李科员 has."""
    with small_app.database.session() as session:
        for person in (WANG, LI):
            Repositories(session, small_app.clock).accounts.add(person, "hash", must_change=False)
    return small_app.as_person(WANG)


@pytest.fixture
def begin(wang: Application) -> Begin:
    """``begin(need_id, expert_id, to, **of_the_need)`` → a 对接 that has gone every step up to ``to``."""

    def begun(
        need_id: str = "N301", expert_id: str = "E101", to: str = Stage.PROPOSED, **changes: object
    ) -> Engagement:
        with wang.database.session() as session:
            stored = Repositories(session, wang.clock)
            need, expert = stored.needs.get(need_id), stored.experts.get(expert_id)
            assert need is not None
            assert expert is not None
            need = replace(need, status="已发布", **changes)  # type: ignore[arg-type]
            stored.needs.upsert([need])
            made = begin_engagement(stored, wang.review._access, wang.clock, need, expert)
        way = (Stage.PROPOSED, Stage.CONTACT, Stage.TALKS, Stage.SIGNED, Stage.LANDED)
        for stage in way[1 : way.index(Stage(to)) + 1]:
            made = wang.following.move(made.engagement_id, stage, made.version, **fields_of(stage))
        return made

    return begun


def fields_of(stage: str) -> dict[str, object]:
    if stage == Stage.SIGNED:
        return dict(SIGNING)
    return {"on": TODAY} if stage == Stage.LANDED else {}


def events(app: Application, engagement_id: str) -> list[AuditEvent]:
    with app.database.reading() as session:
        return list(Repositories(session).audit.of("engagement", engagement_id))


def later(app: Application, days: float, person: Person = WANG) -> Application:
    """The same application, some days from now."""
    moment: datetime = NOW + timedelta(days=days)
    return replace(app, clock=lambda: moment).as_person(person)


# ------------------------------------------------------------ steps


def test_the_whole_way_to_landing_leaves_one_event_a_step(wang: Application, begin: Begin) -> None:
    done = begin(to=Stage.LANDED)
    assert (done.stage, done.signed_on, done.landed_on) == ("落地", date(2026, 11, 20), TODAY)
    assert [
        (e.action, e.detail.get("from"), e.detail.get("to")) for e in events(wang, done.engagement_id)
    ] == [
        ("engagement.begin", None, "已推荐"),
        ("engagement.step", "已推荐", "对接中"),
        ("engagement.step", "对接中", "洽谈"),
        ("engagement.step", "洽谈", "签约"),
        ("engagement.step", "签约", "落地"),
    ]
    signing, landing = events(wang, done.engagement_id)[-2:]
    assert signing.detail == {
        "from": "洽谈",
        "to": "签约",
        "why": "",
        "signed_on": "2026-11-20",
        "contract_no": "合-2026-1",
        "contract_kind": "技术开发",
        "signed_wan": 30.0,
    }
    assert landing.detail["landed_on"] == "2026-11-25"
    assert wang.following.open(done.engagement_id).engagement == done


def test_every_step_of_the_table_can_be_taken_and_no_other(wang: Application, begin: Begin) -> None:
    experts = iter(f"E{n}" for n in (101, 102, 103, 104, 105, *range(330, 345)))
    for number, (before, after) in enumerate(STAGE_STEPS):
        if before == Stage.ENDED:
            continue
        signing = {"contract_no": ""}
        one = begin(expert_id=next(experts), to=before) if before not in ("签约", "落地") else None
        if one is None:
            one = begin(expert_id=next(experts), to=Stage.TALKS)
            one = wang.following.move(one.engagement_id, Stage.SIGNED, one.version, **{**SIGNING, **signing})
            if before == Stage.LANDED:
                one = wang.following.move(one.engagement_id, Stage.LANDED, one.version, on=TODAY)
        for wrong in set(Stage) - {stage for stage, _ in next_stages(before)}:
            with pytest.raises(InputError, match=f"现在是“{before}”"):
                wang.following.move(one.engagement_id, wrong, one.version, reason="试一试")
        fields = {**fields_of(after), "reason": EndReason.PRICE if after == Stage.ENDED else "录错了"}
        if after == Stage.SIGNED:
            fields = {**fields, **signing} if before == Stage.TALKS else {"reason": "录错了"}
        assert wang.following.move(one.engagement_id, Stage(after), one.version, **fields).stage == after, (
            number
        )


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"on": None}, "请填写签约日期"),
        ({"on": TODAY + timedelta(1)}, "还没有到"),
        ({"on": date(1999, 12, 31)}, "太早"),
        ({"contract_kind": ""}, "请选合同类别"),
        ({"contract_kind": "口头约定"}, "没有“口头约定”这种合同类别"),
        ({"signed_wan": -1.0}, "合同金额“-1”不对"),
        ({"signed_wan": float("nan")}, "合同金额“nan”不对"),
        ({"paid_wan": float("inf")}, "到账金额“inf”不对"),
        ({"contract_no": "甲" * 61}, "太长"),
        ({"contract_no": "身份证 11010519491231002X"}, "身份证"),
    ],
)
def test_a_signing_lacking_something_is_refused_and_changes_nothing(
    wang: Application, begin: Begin, changed: dict[str, object], said: str
) -> None:
    talks = begin(to=Stage.TALKS)
    with pytest.raises(InputError, match=said):
        wang.following.move(talks.engagement_id, Stage.SIGNED, talks.version, **{**SIGNING, **changed})
    assert wang.following.open(talks.engagement_id).engagement == talks
    assert len(events(wang, talks.engagement_id)) == talks.version


def test_landing_and_ending_never_lie_before_signing(wang: Application, begin: Begin) -> None:
    signed = begin(to=Stage.SIGNED)
    for to, reason in ((Stage.LANDED, ""), (Stage.ENDED, EndReason.PRICE)):
        with pytest.raises(InputError, match="早于签约日期"):
            wang.following.move(
                signed.engagement_id, to, signed.version, on=date(2026, 11, 19), reason=str(reason)
            )


def test_a_later_ending_keeps_the_signature_and_is_still_counted(wang: Application, begin: Begin) -> None:
    signed = begin(to=Stage.SIGNED)
    ended = wang.following.move(signed.engagement_id, Stage.ENDED, signed.version, reason=EndReason.PRICE)
    assert (ended.signed_on, ended.ended_on, ended.end_reason) == (signed.signed_on, TODAY, "费用谈不拢")
    assert events(wang, ended.engagement_id)[-1].detail["ended_on"] == "2026-11-25"
    assert ended.engagement_id in {row.cooperation_id for row in wang.overview.signed(2026)}


def test_ending_takes_a_reason_of_the_list_only(wang: Application, begin: Begin) -> None:
    one = begin()
    for reason in ("", "没有缘分"):
        with pytest.raises(InputError):
            wang.following.move(one.engagement_id, Stage.ENDED, one.version, reason=reason)


def test_taking_a_signature_back_clears_it_and_needs_a_reason(wang: Application, begin: Begin) -> None:
    signed = begin(to=Stage.SIGNED)
    signed = wang.following.edit(signed.engagement_id, signed.version, paid_wan=5)
    with pytest.raises(InputError, match="需要写明原因"):
        wang.following.move(signed.engagement_id, Stage.TALKS, signed.version)
    back = wang.following.move(signed.engagement_id, Stage.TALKS, signed.version, reason="登记错了企业")
    assert (back.signed_on, back.contract_no, back.contract_kind) == (None, "", "")
    assert (back.signed_wan, back.paid_wan) == (None, None)
    assert back.engagement_id not in {row.cooperation_id for row in wang.overview.signed(2026)}
    assert "登记错了企业" in wang.following.open(back.engagement_id).timeline[0].text


def test_contract_fields_go_with_signing_only(wang: Application, begin: Begin) -> None:
    one = begin()
    with pytest.raises(InputError, match="不填合同信息"):
        wang.following.move(one.engagement_id, Stage.CONTACT, one.version, contract_no="合-1")
    with pytest.raises(InputError, match="还没有登记签约"):
        wang.following.edit(one.engagement_id, one.version, signed_wan=3.0)


def test_a_wrong_day_or_amount_is_put_right_afterwards(wang: Application, begin: Begin) -> None:
    done = begin(to=Stage.LANDED)
    right = wang.following.edit(done.engagement_id, done.version, signed_on=date(2026, 10, 9), paid_wan=12.0)
    assert (right.signed_on, right.paid_wan) == (date(2026, 10, 9), 12.0)
    assert (
        "签约日期由“2026-11-20”改为“2026-10-09”" in wang.following.open(done.engagement_id).timeline[0].text
    )
    right = wang.following.edit(done.engagement_id, right.version, landed_on=date(2026, 11, 1))
    assert right.landed_on == date(2026, 11, 1)
    for fields, said in (
        ({"signed_on": date(2026, 11, 2)}, "落地日期 2026-11-01 早于签约日期 2026-11-02"),
        ({"landed_on": date(2026, 10, 8)}, "早于签约日期"),
        ({"signed_on": TODAY + timedelta(days=1)}, "还没有到"),
        ({"signed_on": None}, "请填写签约日期"),
        ({"paid_wan": 30.5}, "到账金额 30.5 万元大于合同金额 30 万元"),
        ({"signed_wan": 11.0}, "大于合同金额 11 万元"),
    ):
        with pytest.raises(InputError) as refused:
            wang.following.edit(done.engagement_id, right.version, **fields)
        assert said in str(refused.value)
    early = begin("N302", "E102")
    with pytest.raises(InputError, match="还没有登记落地"):
        wang.following.edit(early.engagement_id, early.version, landed_on=TODAY)
    with pytest.raises(InputError, match="还没有登记签约"):
        wang.following.edit(early.engagement_id, early.version, signed_on=TODAY)


# ------------------------------------------------------------ contract numbers


def test_a_number_of_another_firm_is_refused(wang: Application, begin: Begin) -> None:
    begin("N301", "E101", Stage.SIGNED)
    other = begin("N302", "E102", Stage.TALKS, company="别的企业有限公司")
    with pytest.raises(InputError, match="在对接里已登记给"):
        wang.following.move(
            other.engagement_id, Stage.SIGNED, other.version, **{**SIGNING, "contract_no": "合－2026－1"}
        )
    with wang.database.session() as session:
        row = Cooperation("C-X", "第三家", "某校", contract_no="HT 9", signed_on=TODAY, kind="合作")
        Repositories(session).cooperation.upsert([row])
    with pytest.raises(InputError, match="在台账里已登记给“第三家”"):
        wang.following.contract_notice(other.engagement_id, "ht 9")
    free = {**SIGNING, "contract_no": ""}
    assert wang.following.move(other.engagement_id, Stage.SIGNED, other.version, **free).contract_no == ""


def test_an_imported_signing_with_the_same_number_counts_once(wang: Application, begin: Begin) -> None:
    before = len(wang.overview.signed(2026))
    signed = begin(to=Stage.SIGNED)
    assert len(wang.overview.signed(2026)) == before + 1
    sheet = io.StringIO()
    csv.writer(sheet).writerows(
        [
            ["企业名称", "合作单位", "项目名称", "合作阶段", "签约日期", "合同编号", "关系类型"],
            [signed.firm, signed.institution, signed.need_title, "签约", "2026-11-20", "合-2026-1", "合作"],
        ]
    )
    wang.imports.confirm(wang.imports.preview("cooperation", sheet.getvalue().encode(), "台账.csv"))
    assert len(wang.overview.signed(2026)) == before + 1
    notice = wang.following.contract_notice(signed.engagement_id, "合-2026-1")
    assert notice == "台账里已有同一编号的合同，统计时只算一项。"
    rows = [r for r in wang.records.cooperation() if r.contract_no == "合-2026-1"]
    assert len(rows) == 2
    assert len(signed_projects(rows, 2026)) == 1


# ------------------------------------------------------------ changes


def test_an_edit_keeps_old_and_new_and_touches(wang: Application, begin: Begin) -> None:
    one = begin()
    ahead = later(wang, 3)
    done = ahead.following.edit(
        one.engagement_id, one.version, next_action="约企业面谈", due_on=date(2026, 12, 1), owner="li"
    )
    assert (done.next_action, done.due_on, done.owner) == ("约企业面谈", date(2026, 12, 1), "li")
    assert done.touched_at == NOW + timedelta(days=3)
    assert events(wang, one.engagement_id)[-1].detail == {
        "changes": {
            "next_action": ["", "约企业面谈"],
            "due_on": [None, "2026-12-01"],
            "owner": ["wang", "li"],
        }
    }
    text = wang.following.open(one.engagement_id).timeline[0].text
    assert (
        text
        == "下一步由“（空）”改为“约企业面谈”，期限由“（空）”改为“2026-12-01”，经办人由“王科长”改为“李科员”"
    )


def test_an_edit_without_a_difference_is_no_event(wang: Application, begin: Begin) -> None:
    one = begin()
    assert wang.following.edit(one.engagement_id, one.version, next_action=" ", note="") == one
    assert len(events(wang, one.engagement_id)) == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"owner": "nobody"}, "不能当经办人"),
        ({"owner": ""}, "不能当经办人"),
        ({"next_action": "长" * 201}, "200 字以内"),
        ({"note": "11010519491231002X"}, "身份证"),
        ({"due_on": date(1026, 1, 1)}, "检查年份"),
    ],
)
def test_a_bad_edit_is_refused(wang: Application, begin: Begin, fields: dict[str, object], said: str) -> None:
    one = begin()
    with pytest.raises(InputError) as refused:
        wang.following.edit(one.engagement_id, one.version, **fields)
    assert said in str(refused.value)


def test_an_unknown_field_names_the_known_ones(wang: Application, begin: Begin) -> None:
    one = begin()
    with pytest.raises(ValueError, match="known: next_action"):
        wang.following.edit(one.engagement_id, one.version, stage="签约")


def test_the_second_writer_is_told_who_did_what(wang: Application, begin: Begin) -> None:
    one = begin()
    li = wang.as_person(LI)
    wang.following.edit(one.engagement_id, one.version, next_action="王的安排")
    for second in (
        lambda: li.following.edit(one.engagement_id, one.version, next_action="李的安排"),
        lambda: li.following.move(one.engagement_id, Stage.CONTACT, one.version),
    ):
        with pytest.raises(ConflictError) as told:
            second()
        assert "王科长 11 月 25 日 10:00 下一步由“（空）”改为“王的安排”" in str(told.value)
    assert wang.following.open(one.engagement_id).engagement.next_action == "王的安排"


def test_a_contact_meanwhile_does_not_stop_an_edit(wang: Application, begin: Begin) -> None:
    one = begin()
    wang.as_person(LI).following.contact(one.engagement_id, TODAY, "电话", "企业说下周有空")
    done = wang.following.edit(one.engagement_id, one.version, next_action="约下周")
    assert (done.next_action, done.version) == ("约下周", 3)


def test_many_writers_lose_nothing(wang: Application, begin: Begin) -> None:
    one = begin()

    def work(number: int) -> None:
        person = wang.as_person((WANG, LI)[number % 2])
        for step in range(5):
            while True:
                seen = person.following.open(one.engagement_id).engagement
                try:
                    person.following.edit(
                        one.engagement_id, seen.version, note=f"{seen.note}|{number}.{step}"
                    )
                    break
                except ConflictError:
                    continue

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    kept = wang.following.open(one.engagement_id).engagement
    assert sorted(kept.note.split("|")[1:]) == sorted(f"{n}.{s}" for n in range(4) for s in range(5))
    chain = [e.detail["changes"]["note"] for e in events(wang, one.engagement_id)[1:]]  # type: ignore[index]
    assert all(before[1] == after[0] for before, after in pairwise(chain))
    assert kept.version == len(chain) + 1


# ------------------------------------------------------------ contacts and history


def test_contacts_are_listed_and_touch(wang: Application, begin: Begin) -> None:
    one = begin()
    ahead = later(wang, 12)
    assert ahead.following.open(one.engagement_id).row.idle_days == 12
    ahead.following.contact(one.engagement_id, TODAY, "走访", "看了生产线")
    view = ahead.following.open(one.engagement_id)
    assert [(c.on, c.way, c.text, c.by) for c in view.contacts] == [(TODAY, "走访", "看了生产线", "王科长")]
    assert view.row.idle_days == 0
    assert events(wang, one.engagement_id)[-1].detail == {
        "on": "2026-11-25",
        "way": "走访",
        "text": "看了生产线",
    }


@pytest.mark.parametrize(
    ("on", "way", "text"),
    [
        (TODAY + timedelta(1), "电话", "说好了"),
        (TODAY, "托梦", "说好了"),
        (TODAY, "电话", " "),
        (TODAY, "电话", "长" * 501),
    ],
)
def test_a_bad_contact_is_refused(wang: Application, begin: Begin, on: date, way: str, text: str) -> None:
    one = begin()
    with pytest.raises(InputError):
        wang.following.contact(one.engagement_id, on, way, text)


def test_the_team_s_history_with_other_firms_is_told_to_the_bureau(wang: Application, begin: Begin) -> None:
    earlier = later(wang, -30)
    first = begin("N301", "E101", company="第一家")
    earlier.following.contact(first.engagement_id, date(2026, 10, 20), "电话", "聊过")
    second = begin("N302", "E101", company="第二家")
    told = [e for e in wang.following.open(second.engagement_id).elsewhere if e.engagement_id]
    assert [(e.engagement_id, e.firm, e.recent) for e in told] == [(first.engagement_id, "第一家", True)]
    assert told[0].text.startswith("本月为“第一家”联系过：")
    month_on = later(wang, 10).following.open(second.engagement_id).elsewhere
    assert month_on[0].text.startswith("上月为“第一家”联系过：")
    again = begin("N303", "E101", company="第一家")
    assert "第一家" not in {e.firm for e in wang.following.open(again.engagement_id).elsewhere}


# ------------------------------------------------------------ files


def test_a_file_is_kept_as_it_came_and_can_be_taken_away(wang: Application, begin: Begin) -> None:
    one = begin()
    made = wang.following.attach(one.engagement_id, "C:\\资料\\..\\合 同\u202efdp.PDF", PDF)
    assert made.name == "合 同fdp.pdf"
    assert wang.following.download(made.attachment_id) == (made, PDF)
    assert wang.following.open(one.engagement_id).attachments == (made,)
    wang.following.detach(made.attachment_id)
    with pytest.raises(NotFoundError):
        wang.following.download(made.attachment_id)
    assert [e.action for e in events(wang, one.engagement_id)] == [
        "engagement.begin",
        "engagement.attach",
        "engagement.detach",
    ]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("木马.exe", b"MZ", "不是可以上传的种类"),
        ("页面.html", b"<script>", "不是可以上传的种类"),
        ("合同.pdf.exe", PDF, "不是可以上传的种类"),
        (".pdf", PDF, "不是可以上传的种类"),
        ("合同.pdf", b"MZ\x90", "和它的后缀对不上"),
        ("合同.docx", PDF, "和它的后缀对不上"),
        ("照片.png", b"\xff\xd8\xff\xe0", "和它的后缀对不上"),
        ("合同.pdf", b"", "是空的"),
        ("合同.pdf", b"%PDF-" + b"0" * 10 * 1024 * 1024, "超过了 10 MB"),
        ("11010519491231002X.pdf", PDF, "身份证"),
    ],
)
def test_a_file_of_another_kind_or_size_is_refused(
    wang: Application, begin: Begin, name: str, data: bytes, said: str
) -> None:
    one = begin()
    with pytest.raises(InputError, match=said):
        wang.following.attach(one.engagement_id, name, data)
    assert len(events(wang, one.engagement_id)) == 1


def test_at_most_twenty_files_and_none_twice(wang: Application, begin: Begin) -> None:
    one = begin()
    for number in range(20):
        wang.following.attach(one.engagement_id, f"{'长' * 200}.jpg", b"\xff\xd8\xff" + bytes([number]))
    names = {a.name for a in wang.following.open(one.engagement_id).attachments}
    assert {len(name) for name in names} == {120}
    with pytest.raises(InputError, match="最多放 20 个"):
        wang.following.attach(one.engagement_id, "再来.pdf", PDF)
    with pytest.raises(InputError, match="已经传过"):
        wang.following.attach(one.engagement_id, "另一个名字.jpg", b"\xff\xd8\xff\x00")


# ------------------------------------------------------------ lists and reminders


def test_lateness_by_days_and_by_due_date(begin: Begin) -> None:
    one, limits = begin(), WorkflowSettings().remind_days
    degrees = {
        days: lateness_of(one, TODAY + timedelta(days), limits).degree
        for days in (0, 8, 9, 20, 21, 44, 45, 99)
    }
    assert degrees == {0: 0, 8: 0, 9: 1, 20: 1, 21: 2, 44: 2, 45: 3, 99: 3}
    due = replace(one, due_on=TODAY)
    after = {days: lateness_of(due, TODAY + timedelta(days), limits) for days in (0, 1, 9, 21)}
    assert [late.degree for late in after.values()] == [0, 1, 2, 3]
    assert after[1].reason == "期限 2026-11-25 已过 1 天"
    assert (after[21].n_days, after[21].reason) == (21, "已 21 天没有跟进；期限 2026-11-25 已过 21 天")
    signed = replace(due, stage=Stage.SIGNED)
    assert lateness_of(signed, TODAY + timedelta(99), limits).reason == "期限 2026-11-25 已过 99 天"
    assert lateness_of(replace(due, stage=Stage.LANDED), TODAY + timedelta(99), limits).degree == 0


def test_the_digest_lists_each_once_by_owner_and_degree(wang: Application, begin: Begin) -> None:
    first, second = begin("N301", "E101"), begin("N302", "E102")
    third = begin("N303", "E103")
    wang.following.edit(second.engagement_id, second.version, due_on=TODAY, next_action="催合同")
    wang.following.edit(third.engagement_id, third.version, owner="li")
    ahead = later(wang, 10)
    everybody = ahead.following.digest()
    assert [(o.name, [i.engagement.engagement_id for i in o.items]) for o in everybody.owners] == [
        ("李科员", [third.engagement_id]),
        ("王科长", [second.engagement_id, first.engagement_id]),
    ]
    mine = ahead.following.digest("wang")
    assert [item.lateness.degree for item in mine.items] == [2, 1]
    assert wang.following.digest().items == ()
    table = openpyxl.load_workbook(io.BytesIO(ahead.following.digest_file("wang", ".xlsx")))
    text = "\n".join(str(c.value) for sheet in table for row in sheet.iter_rows() for c in row if c.value)
    assert "催合同" in text
    assert "拖得久了：已 10 天没有跟进；期限 2026-11-25 已过 10 天" in text
    assert "李科员" not in text
    with wang.database.reading() as session:
        written = Repositories(session).audit.latest(1)[0]
    assert (written.action, written.object_kind, written.detail["rows"]) == ("export", "digest", 2)


def test_filters_and_board_agree(wang: Application, begin: Begin) -> None:
    talks, proposed = begin("N301", "E101", Stage.TALKS, town="张家产镇"), begin("N302", "E102")
    wang.following.edit(proposed.engagement_id, proposed.version, owner="li", next_action="等企业回电")

    def ids(app: Application = wang, **wanted: object) -> list[str]:
        return [row.engagement.engagement_id for row in app.following.list(EngagementFilter(**wanted))]  # type: ignore[arg-type]

    assert set(ids()) == {talks.engagement_id, proposed.engagement_id}
    assert (
        ids(owner="li") == ids(text="回电") == ids(stages=frozenset({"已推荐"})) == [proposed.engagement_id]
    )
    assert ids(town="张家产镇") == ids(firm=talks.firm_id) == ids(need_id="N301") == [talks.engagement_id]
    assert ids(institution="没有这个单位") == ids(overdue=True) == []
    assert len(ids(later(wang, 9), overdue=True)) == 2
    board = {column.stage: len(column.rows) for column in wang.following.board()}
    assert board == {"已推荐": 1, "对接中": 0, "洽谈": 1, "签约": 0, "落地": 0, "终止": 0}
    data = json.loads(wang.following.list_file(EngagementFilter(owner="li"), ".json"))
    assert proposed.engagement_id in json.dumps(data)
    assert talks.engagement_id not in json.dumps(data)


# ------------------------------------------------------------ handing over


def test_a_colleague_s_files_go_over_in_one_step(wang: Application, begin: Begin) -> None:
    one, two, over = begin("N301", "E101"), begin("N302", "E102"), begin("N303", "E103")
    wang.following.move(over.engagement_id, Stage.ENDED, over.version, reason=EndReason.OTHER)
    ahead = later(wang, 20)
    assert ahead.following.hand_over("wang", "li") == 2
    owners = {r.engagement.engagement_id: r.engagement.owner for r in wang.following.list()}
    assert owners == {one.engagement_id: "li", two.engagement_id: "li", over.engagement_id: "wang"}
    assert events(wang, one.engagement_id)[-1].detail == {"from": "wang", "to": "li"}
    assert ahead.following.open(one.engagement_id).row.idle_days == 20
    assert ahead.following.open(one.engagement_id).timeline[0].text == "由 王科长 移交给 李科员"
    assert wang.following.hand_over("li", "wang", [one.engagement_id]) == 1


def test_handing_over_is_all_or_nothing(wang: Application, begin: Begin) -> None:
    one, two = begin("N301", "E101"), begin("N302", "E102")
    wang.following.edit(two.engagement_id, two.version, owner="li")
    with pytest.raises(ConflictError, match="一项都没有移交"):
        wang.following.hand_over("wang", "li", [one.engagement_id, two.engagement_id])
    assert wang.following.open(one.engagement_id).engagement.owner == "wang"
    for to in ("wang", "nobody"):
        with pytest.raises(InputError):
            wang.following.hand_over("wang", to)


# ------------------------------------------------------------ who sees what


@pytest.fixture
def outsiders(wang: Application, begin: Begin) -> tuple[Engagement, Application, Application]:
    """A 对接 with much in it, and the application as its firm and as its team."""
    one = begin("N301", "E101", Stage.CONTACT, confidentiality="仅平台")
    one = wang.following.edit(one.engagement_id, one.version, next_action="内部打算", note="内部备注")
    wang.following.contact(one.engagement_id, TODAY, "电话", "内部联系")
    wang.following.attach(one.engagement_id, "内部.pdf", PDF)
    firm = Person("qiye", "企业", Role.FIRM, firm_id=one.firm_id)
    team = Person("tuandui", "团队", Role.TEAM, institution_id=one.institution_id, expert_id="E101")
    return one, wang.as_person(firm), wang.as_person(team)


def test_a_firm_and_a_team_see_progress_only(
    outsiders: tuple[Engagement, Application, Application], wang: Application
) -> None:
    one, *others = outsiders
    for app in others:
        assert [row.engagement.engagement_id for row in app.following.list()] == [one.engagement_id]
        view = app.following.open(one.engagement_id)
        assert "内部" not in repr(view)
        assert "wang" not in repr(view)
        assert view.engagement.owner == "王科长"
        assert (view.contacts, view.attachments, view.elsewhere, view.steps) == ((), (), (), ())
        assert [m.text for m in view.timeline] == ["进展到“对接中”", "开始对接"]
        assert {m.who for m in view.timeline} == {"科技局"}
    firm_view, team_view = (app.following.open(one.engagement_id) for app in others)
    assert firm_view.need is not None
    assert firm_view.expert is not None
    assert firm_view.expert.contact == ""
    assert team_view.need is not None
    assert (team_view.need.contact, team_view.need.phone) == ("", "")


def test_outsiders_can_do_nothing_and_leave_only_the_refusal(
    outsiders: tuple[Engagement, Application, Application], wang: Application
) -> None:
    one, *others = outsiders
    (kept,) = wang.following.open(one.engagement_id).attachments
    before = len(events(wang, one.engagement_id))
    for app in others:
        calls = (
            lambda f: f.move(one.engagement_id, Stage.TALKS, 2),
            lambda f: f.edit(one.engagement_id, 2, note="改"),
            lambda f: f.contact(one.engagement_id, TODAY, "电话", "改"),
            lambda f: f.attach(one.engagement_id, "a.pdf", PDF),
            lambda f: f.download(kept.attachment_id),
            lambda f: f.detach(kept.attachment_id),
            lambda f: f.hand_over("wang", "li"),
            lambda f: f.digest(),
            lambda f: f.digest_file("", ".csv"),
            lambda f: f.list_file(None, ".csv"),
            lambda f: f.contract_notice(one.engagement_id, "合-1"),
        )
        for call in calls:
            with pytest.raises(PermissionDenied):
                call(app.following)
    assert len(events(wang, one.engagement_id)) == before
    with wang.database.reading() as session:
        assert {e.action for e in Repositories(session).audit.latest(22)} == {"refuse"}


def test_another_firm_s_engagement_is_not_there(wang: Application, begin: Begin) -> None:
    one = begin()
    stranger = wang.as_person(Person("bie", "别家", Role.FIRM, firm_id="F-别家"))
    assert stranger.following.list() == ()
    with pytest.raises(HiddenError) as hidden:
        stranger.following.open(one.engagement_id)
    with pytest.raises(NotFoundError) as missing:
        stranger.following.open("G-000000000000")
    assert str(hidden.value).replace(one.engagement_id, "") == str(missing.value).replace(
        "G-000000000000", ""
    )


@pytest.mark.parametrize(
    ("confidentiality", "stage", "firm_shown", "title_shown"),
    [
        ("公开", Stage.PROPOSED, True, True),
        ("仅平台", Stage.PROPOSED, False, True),
        ("", Stage.PROPOSED, False, True),
        ("仅平台", Stage.CONTACT, True, True),
        ("保密", Stage.CONTACT, False, False),
    ],
)
def test_a_team_learns_the_firm_as_confidentiality_allows(
    wang: Application, begin: Begin, confidentiality: str, stage: Stage, firm_shown: bool, title_shown: bool
) -> None:
    one = begin("N301", "E101", stage, confidentiality=confidentiality)
    need: Need = wang.records.need("N301")
    team = wang.as_person(Person("t", "团队", Role.TEAM, institution_id=one.institution_id))
    view = team.following.open(one.engagement_id)
    assert view.engagement.firm == (one.firm if firm_shown else HIDDEN_FIRM)
    assert view.engagement.need_title == (one.need_title if title_shown else HIDDEN_NEED)
    told = repr(view) + repr(team.following.list())
    assert (one.firm in told) is firm_shown
    assert (need.problem in told) is title_shown
    assert one.firm_id not in told
    if not firm_shown:
        assert team.following.list(EngagementFilter(text=one.firm)) == ()


def test_every_public_method_says_its_action(wang: Application) -> None:
    service = type(wang.following)
    public = [name for name in vars(service) if not name.startswith("_")]
    assert {"list", "board", "open", "move", "edit", "contact", "hand_over", "attach", "digest"} <= set(
        public
    )
    assert all(hasattr(getattr(service, name), "action") for name in public)


def test_an_old_row_that_breaks_a_newer_rule_can_still_be_worked_on(wang: Application, begin: Begin) -> None:
    done = begin(to=Stage.SIGNED)
    with wang.database.session() as session:
        stored = Repositories(session, wang.clock)
        done = stored.engagements.update(replace(done, paid_wan=99.0), done.version)
    kept = wang.following.edit(done.engagement_id, done.version, next_action="催到账")
    assert kept.next_action == "催到账"
    with pytest.raises(InputError, match="大于合同金额"):
        wang.following.edit(done.engagement_id, kept.version, signed_wan=20.0)
