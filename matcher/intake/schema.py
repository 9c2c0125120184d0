"""Which source header means which canonical column.

Owns the aliases of real forms and the comparison of headers. Deliberately knows nothing of files
and of cell values. A header that could mean two columns is reported, never guessed.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matcher.columns import RecordKind, fields_of

# Per kind: canonical column → aliases, separated by blanks. Labels and canonical names are added.
_ALIASES: Mapping[str, Mapping[str, str]] = {
    "needs": {
        "need_id": "需求编号 编号 需求编码 需求ID 需求代码 难题编号 项目编号",
        "company": "企业名称 需求单位 单位名称 机构全称 企业全称 公司名称 申报单位 需求企业 企业 "
        "单位 公司 需求方 填报单位 发榜单位 出题单位 需求单位名称 企业单位名称 单位全称 技术需求单位",
        "town": "镇街 所属镇街 所在镇街 镇办 所属镇办 乡镇 所在镇 街道 所属街道 镇(街道) 所属区域 所在区域",
        "sector": "领域 产业领域 所属领域 需求技术所属领域 技术领域 所属产业 行业领域 所属行业 "
        "重点产业 产业 行业 技术所属领域",
        "title": "技术需求名称 需求名称 项目名称 难题名称 技术难题 技术难题名称 需求标题 "
        "需求题目 技术需求 榜单名称 题目 课题名称 需求项目名称 技术难题题目 需求技术名称",
        "problem": "主要问题 问题描述 需求描述 技术难题描述 存在问题 存在的问题 难题描述 "
        "需求内容 技术需求内容 需求背景 背景 主要技术问题 需解决的主要问题 需要解决的主要技术问题 "
        "拟解决的问题 需解决的问题 技术需求描述 需求简介 需求概述 需求说明 难题简介 主要需求 "
        "技术需求简述 需求详情 具体需求 现状及问题 问题 技术难题简述 难题内容 问题及需求 主要技术难题",
        "key_tech": "技术关键 技术关键含主要指标 关键技术 主要指标 技术指标 主要技术指标 "
        "核心指标 考核指标 关键技术指标 技术要求 主要技术要求 技术参数 期望指标 达到的指标 "
        "期望达到的指标 拟达到的指标 预期指标 期望技术指标 期望达到的技术指标 达到指标 指标要求",
        "goal": "预期目标 目标 预期成果 预期效果 拟达到的目标 期望目标 期望达到的目标 达到的目标 "
        "预期效益 拟实现的目标 需求目标",
        "keywords": "关键字 关键词 技术关键词 需求关键词 学科分类 需求技术应用行业 应用行业",
        "solution_mode": "技术需求解决方式 解决方式 合作方式 拟合作方式 需求解决方式 合作模式 "
        "拟采取的合作方式 意向合作方式",
        "call_type": "需求类型 需求类别 需求性质 榜单类型 发布类型",
        "intended_partner": "合作意向单位 意向合作单位 意向单位 拟合作单位 意向合作高校 意向高校 "
        "合作意向高校 拟合作高校院所 意向专家 意向合作院所",
        "budget_wan": "拟投入资金 预算 投入经费 拟投入经费 预算经费 经费预算 资金预算 投入资金 "
        "拟投资 拟投资金额 计划投入 预计投入 研发预算 项目预算 榜单金额 拟投入 预算金额 budget",
        "start_on": "需求时限起 需求起始日期 开始日期 开始时间 起始时间 起始日期 需求时限开始 需求开始时间",
        "end_on": "需求时限止 需求截止日期 截止日期 截止时间 结束时间 结束日期 完成时限 "
        "需求时限结束 期望完成时间 完成时间 需求截止时间",
        "confidentiality": "公开范围 保密要求 是否公开 保密级别 公开程度 公开方式 密级",
        "contact": "联系人 联系人姓名 企业联系人 需求联系人 姓名",
        "phone": "联系电话 手机 电话 手机号 手机号码 联系方式 联系人电话 联系人手机 移动电话 固定电话 座机",
        "status": "需求状态 状态 审核状态 受理状态",
        "posted_on": "发布日期 发布时间 提交日期 提交时间 填报日期 填表日期 征集日期 填报时间 征集时间",
    },
    "experts": {
        "expert_id": "专家编号 专家编码 专家ID 团队编号 人员编号",
        "name": "专家姓名 团队名称 姓名 专家名称 专家 专家团队名称 团队 教师姓名 专家团队 "
        "课题组名称 课题组 团队负责人 负责人姓名 团队带头人",
        "institution": "工作单位 所属单位 所在高校 依托单位 单位 单位名称 高校 高校名称 所在单位 "
        "学校 院校 所属高校 所属院校 学校名称 工作单位名称 高校院所 所在院校 机构",
        "department": "所在部门 现所在部门 部门 院系 学院 所在院系 所在学院 所属院系 所属学院 "
        "二级单位 系所 实验室",
        "ring": "圈层 所属圈层 所属地域 地域 区域",
        "position": "职称职务 职称 职务 专业技术职称 专业技术职务 技术职称 职务职称 职称/职务",
        "disciplines": "学科 学科领域 所属学科 学科专业 专业 所学专业 学科分类 从事专业 专业领域 "
        "一级学科 二级学科 研究学科",
        "research_directions": "研究方向 研究领域 主要研究方向 专业特长 专长 特长 研究方向及领域 "
        "主要研究领域 研究内容 技术领域 擅长领域 主要研究内容 技术专长 技术方向 从事研究方向 "
        "研究方向及专长",
        "achievements": "研究成果 相关研究成果 科研成果 主要成果 代表性成果 成果 "
        "工作业绩及专业资质 工作业绩 主要业绩 代表成果 科技成果 可转化成果 主要科研成果 个人简介 "
        "专家简介 团队简介 简介 主要成果及荣誉",
        "keywords": "关键词 关键字 技术关键词 标签 技术标签",
        "industry_experience": "产业经历 产学研合作经历 企业合作经历 服务企业情况 合作经历 "
        "产业化经历 横向项目 企业合作情况 产学研合作情况 服务企业经历",
        "capacity": "承接上限 可承接数量 可承接项目数 承接能力 年度承接上限 可对接数量 可承接需求数",
        "contact": "联系方式 联系电话 手机 电话 手机号 手机号码 邮箱 电子邮箱 联系人 email 移动电话 办公电话",
        "homepage": "个人主页 主页 网址 主页地址 个人主页地址 链接 homepage",
        "updated_on": "更新日期 更新时间 填表日期 填报日期 最近更新",
    },
    "works": {
        "work_id": "成果编号 成果编码 成果ID 专利号 论文编号",
        "expert_id": "专家编号 专家ID 团队编号 完成人编号",
        "kind": "成果类型 类型 类别 成果类别 成果形式",
        "title": "成果名称 题目 标题 论文题目 专利名称 项目名称 论文名称 名称 成果题目",
        "year": "年份 年度 发表年份 授权年份 完成年份 发表年度 立项年度",
        "abstract": "摘要 简介 成果简介 内容摘要 成果介绍 成果描述 内容简介",
    },
    "firms": {
        "firm_id": "企业编号 企业编码 企业ID 单位编号",
        "name": "企业名称 单位名称 公司名称 企业全称 机构全称 名称 企业 单位全称",
        "aliases": "别名 简称 企业简称 曾用名 企业别名",
        "credit_code": "统一社会信用代码 信用代码 社会信用代码 组织机构代码 统一信用代码",
        "town": "镇街 所属镇街 所在镇街 镇办 所属镇办 乡镇 所在镇 街道 所属街道 所属区域",
        "sector": "领域 产业领域 所属领域 所属产业 所属行业 行业 产业 行业领域 重点产业",
        "size": "企业规模 规模 规模类型 企业类型",
        "chain_leader": "是否链主企业 链主企业 链主 是否链主",
    },
    "institutions": {
        "institution_id": "单位编号 高校编号 机构编号 院校编号 单位ID",
        "name": "单位名称 高校名称 机构名称 院校名称 学校名称 名称 高校院所名称 高校 学校",
        "aliases": "别名 简称 曾用名",
        "city": "所在城市 城市 所在地 所在市",
        "ring": "圈层 所属圈层 区域 地域 所属地域",
        "travel_days": "往返天数 路程天数 出差天数 往返时间",
    },
    "cooperation": {
        "cooperation_id": "台账编号 编号 合作编号 项目编号 台账ID",
        "firm": "企业名称 企业 合作企业 甲方 企业全称 需求单位 公司名称",
        "institution": "合作单位 合作高校 高校院所 高校 乙方 合作院校 高校名称 合作高校院所 "
        "高校院所名称 依托单位 所在高校",
        "expert_id": "专家编号 专家ID 团队编号",
        "title": "项目名称 合作项目 合作项目名称 合作内容 课题名称",
        "stage": "合作阶段 阶段 进展 合作进展 项目阶段 进展情况 当前阶段 合作状态",
        "signed_on": "签约日期 日期 签约时间 合同签订日期 签订日期 签订时间 合同签订时间",
        "contract_no": "合同编号 合同号 协议编号",
        "amount_wan": "合同金额 合同额 合作金额 项目金额 金额 技术合同额",
        "kind": "关系类型 关系 类型 合作类型 关系类别",
    },
}
_COMMON = {
    "data_kind": "数据性质 数据类别 数据来源性质",
    "source": "来源 数据来源 资料来源 信息来源 出处",
}

# Headers with two readings: reported with both, so that the person chooses.
_AMBIGUOUS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "needs": {
        "名称": ("company", "title"),
        "时间": ("posted_on", "start_on", "end_on"),
        "日期": ("posted_on", "start_on", "end_on"),
        "需求时限": ("start_on", "end_on"),
        "起止时间": ("start_on", "end_on"),
        "起止日期": ("start_on", "end_on"),
        "类型": ("call_type", "solution_mode"),
        "合作单位": ("company", "intended_partner"),
    },
    "experts": {"名称": ("name", "institution"), "方向": ("disciplines", "research_directions")},
    "works": {"编号": ("work_id", "expert_id")},
    "firms": {"编号": ("firm_id", "credit_code"), "代码": ("firm_id", "credit_code")},
    "institutions": {},
    "cooperation": {
        "名称": ("firm", "institution", "title"),
        "单位名称": ("firm", "institution"),
        "单位": ("firm", "institution"),
    },
}

# Short headers that yield their column to a fuller one of the same table.
_WEAK = frozenset({"单位"})

ROW_NUMBER_HEADERS = frozenset({"序号", "行号", "no", "no."})
ID_CARD_HEADERS = frozenset({"身份证", "身份证号", "身份证号码", "公民身份号码", "证件号码", "证件号"})
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|〔[^〔〕]*〕|\{[^{}]*\}|<[^<>]*>|《[^《》]*》")
_NUMBERING = re.compile(
    r"^(?:\d{1,2}(?:[.、)．]\d{0,2})+|[(]?[一二三四五六七八九十]{1,3}[)、.]|\(\d{1,2}\)|[①-⑳])+"
)
_TRAILING_NUMBER = re.compile(r"(?:\d{1,2}|[一二三四五])$")


@dataclass(frozen=True, slots=True)
class MappingProposal:
    """``mapping`` is header → canonical column. ``ambiguous`` is header → its possible columns."""

    mapping: Mapping[str, str]
    unmapped: tuple[str, ...]
    ambiguous: Mapping[str, tuple[str, ...]]


@functools.lru_cache(maxsize=4096)
def normalise_header(header: str) -> str:
    """The comparable form of a header: no width, space, numbering, note, unit, colon, asterisk."""
    text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", header)).casefold().strip("*:;★※")
    without_notes = _BRACKETS.sub("", _NUMBERING.sub("", text)).strip("*:;★※")
    # A header wholly inside brackets would vanish; its inside is the header then.
    return without_notes or text.strip("()[]【】")


def columns_meant(kind: str, header: str) -> tuple[str, ...]:
    """Canonical columns that ``header`` may mean: none, one, or several when it is ambiguous."""
    name = normalise_header(header)
    known, merging = _lookup(kind)
    if name in known:
        return known[name]
    base = _TRAILING_NUMBER.sub("", name)
    meant = known.get(base, ()) if base != name else ()
    return meant if len(meant) == 1 and meant[0] in merging else ()


def propose_mapping(kind: str, headers: Sequence[str]) -> MappingProposal:
    """Which header feeds which column, for the headers in file order.

    A second header of a column that takes one source only is left unmapped, as are unknown ones
    (单位 yields to 企业名称 wherever it stands);
    row numbers (序号) and ID-card columns are in neither list.
    """
    mapping: dict[str, str] = {}
    unmapped: list[str] = []
    ambiguous: dict[str, tuple[str, ...]] = {}
    merging = _lookup(kind)[1]
    taken: set[str] = set()
    for header in sorted(headers, key=lambda header: normalise_header(header) in _WEAK):
        name = normalise_header(header)
        if name in ROW_NUMBER_HEADERS or name in ID_CARD_HEADERS:
            continue
        meant = columns_meant(kind, header)
        if len(meant) > 1:
            ambiguous[header] = meant
        elif meant and (meant[0] in merging or meant[0] not in taken):
            mapping[header] = meant[0]
            taken.add(meant[0])
        else:
            unmapped.append(header)
    in_order = {header: mapping[header] for header in headers if header in mapping}
    return MappingProposal(in_order, tuple(h for h in headers if h in unmapped), ambiguous)


def combine_mapping(
    kind: str, headers: Sequence[str], remembered: Mapping[str, str], by_hand: Mapping[str, str]
) -> dict[str, str]:
    """Header → canonical column, "" for one left out on purpose; undecided headers are missing.

    What the person chooses now goes before what was chosen earlier, and that before the aliases;
    a column that takes one source only goes to the strongest.
    """
    merging = _lookup(kind)[1]
    decided: dict[str, str] = {}
    for source in (by_hand, remembered, propose_mapping(kind, headers).mapping):
        taken = set(decided.values()) - merging - {""}
        for header in headers:
            column = source.get(header)
            if column is None or header in decided or column in taken:
                continue
            decided[header] = column
            taken |= {column} - merging - {""}
    return {header: decided[header] for header in headers if header in decided}


@functools.cache
def _lookup(kind: str) -> tuple[Mapping[str, tuple[str, ...]], frozenset[str]]:
    """Normalised header → columns meant, and the columns that merge several sources."""
    fields = fields_of(kind)
    aliases = {**_ALIASES[kind], **_COMMON}
    known: dict[str, tuple[str, ...]] = {}
    for field in fields:
        for alias in (field.name, field.label, *aliases.get(field.name, "").split()):
            known[normalise_header(alias)] = (field.name,)
    for header, meant in _AMBIGUOUS[RecordKind(kind)].items():
        known[normalise_header(header)] = meant
    return known, frozenset(field.name for field in fields if field.merges)
