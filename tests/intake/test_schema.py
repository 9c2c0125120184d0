"""Headers of real forms find their column, and doubtful ones are reported."""

import pytest

from matcher.columns import RecordKind, fields_of
from matcher.intake.schema import columns_meant, combine_mapping, normalise_header, propose_mapping


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("机构全称", "company"),
        ("1. 需求单位*", "company"),
        ("（一）技术需求名称：", "title"),
        ("技 术\n难 题", "title"),
        ("技术关键（含主要指标）", "key_tech"),
        ("拟投入资金（万元）", "budget_wan"),
        ("预算(元)", "budget_wan"),
        ("关键字１", "keywords"),
        ("关键字5", "keywords"),
        ("需求时限止", "end_on"),
        ("手机", "phone"),
        ("NEED_ID", "need_id"),
        ("单位（盖章）", "company"),
        ("技术难题名称", "title"),
        ("难题描述", "problem"),
        ("期望指标", "key_tech"),
        ("达到的指标", "key_tech"),
        ("期望达到的指标", "key_tech"),
        ("征集时间", "posted_on"),
    ],
)
def test_need_headers(header: str, name: str) -> None:
    assert columns_meant("needs", header) == (name,)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("专家名称", "name"),
        ("所在高校", "institution"),
        ("现所在部门", "department"),
        ("专业技术职称", "position"),
        ("专业特长", "research_directions"),
        ("相关研究成果", "achievements"),
        ("工作业绩及专业资质", "achievements"),
        ("所属地域", "ring"),
        ("联系方式", "contact"),
    ],
)
def test_expert_headers(header: str, name: str) -> None:
    assert columns_meant("experts", header) == (name,)


@pytest.mark.parametrize("kind", list(RecordKind))
def test_every_label_and_name_means_its_own_column(kind: RecordKind) -> None:
    for field in fields_of(kind):
        assert columns_meant(kind, field.label) == (field.name,)
        assert columns_meant(kind, field.name) == (field.name,)


def test_several_sources_feed_a_list_but_not_a_single_value() -> None:
    headers = ("专家姓名", "单位", "研究方向", "专业特长", "承接上限", "承接能力", "未知列")
    proposal = propose_mapping("experts", headers)
    assert proposal.mapping["研究方向"] == proposal.mapping["专业特长"] == "research_directions"
    assert proposal.unmapped == ("承接能力", "未知列")


def test_danwei_is_the_firm_of_a_need_and_yields_to_a_fuller_header() -> None:
    assert propose_mapping("needs", ("单位", "需求名称")).mapping == {"单位": "company", "需求名称": "title"}
    both = propose_mapping("needs", ("单位", "企业名称", "需求名称"))
    assert both.mapping == {"企业名称": "company", "需求名称": "title"}
    assert both.unmapped == ("单位",)
    assert propose_mapping("experts", ("单位",)).mapping == {"单位": "institution"}


def test_choices_of_the_person_go_before_earlier_ones_and_aliases() -> None:
    headers = ("企业名称", "厂子", "题", "问题", "预算")
    earlier = {"厂子": "company", "题": "title", "没有": "goal"}
    assert combine_mapping("needs", headers, earlier, {}) == {
        "厂子": "company",
        "题": "title",
        "问题": "problem",
        "预算": "budget_wan",
    }
    by_hand = {"企业名称": "company", "题": "", "预算": "goal"}
    assert combine_mapping("needs", headers, earlier, by_hand) == {
        "企业名称": "company",
        "题": "",
        "问题": "problem",
        "预算": "goal",
    }


def test_ambiguous_header_is_reported_not_guessed() -> None:
    proposal = propose_mapping("needs", ("名称", "主要问题", "序号", "身份证号"))
    assert proposal.ambiguous == {"名称": ("company", "title")}
    assert proposal.mapping == {"主要问题": "problem"}
    assert proposal.unmapped == ()


def test_unknown_kind_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="needs, experts"):
        propose_mapping("need", ("企业",))


def test_header_wholly_in_brackets_keeps_its_inside() -> None:
    assert normalise_header("【企业名称】") == "企业名称"
