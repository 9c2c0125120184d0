"""Closed vocabularies.

Owns every word a record may hold in a closed field. The value of a member *is* the Chinese label, as it stands in
the CSV files, in the database and on the page: one word a thing. Free text is not here.
"""

from __future__ import annotations

from enum import StrEnum


class Sector(StrEnum):
    """The six key sectors of the plan (威文政发〔2024〕6号) and a rest class."""

    AUTO = "汽车机电"
    MATERIALS = "新能源新材料"
    HEALTH = "医药及健康食品"
    ELECTRONICS = "电子信息"
    MARINE = "海洋生物"
    AGRICULTURE = "现代农业"
    OTHER = "其他"


class Ring(StrEnum):
    """How near an institution is: in the district, around it, elsewhere."""

    LOCAL = "区内"
    AROUND = "周边区域"
    NATIONAL = "全国"


class DataKind(StrEnum):
    """Where a record comes from. 示例 is shown beside the name everywhere."""

    PUBLIC = "公开"
    SAMPLE = "示例"
    OWN = "本地"


class CallType(StrEnum):
    GENERAL = "一般"
    OPEN_CALL = "揭榜挂帅"
    BOTTLENECK = "卡脖子"


class Confidentiality(StrEnum):
    PUBLIC = "公开"
    PLATFORM = "仅平台"
    CONFIDENTIAL = "保密"


class SolutionMode(StrEnum):
    JOINT = "合作开发"
    COMMISSION = "委托开发"
    TRANSFER = "技术转让"
    EQUITY = "技术入股"
    CONSULT = "技术咨询"
    OTHER = "其他"


class NeedStatus(StrEnum):
    DRAFT = "草稿"
    WAITING = "待受理"
    RETURNED = "退回补充"
    PUBLISHED = "已发布"
    SOLVED = "已解决"
    WITHDRAWN = "撤回"


class DecisionKind(StrEnum):
    """审核意见 on one need × expert pairing; 撤销 puts the pairing back into the queue."""

    ACCEPT = "接受"
    SHELVE = "搁置"
    REJECT = "不合适"
    UNDONE = "撤销"


class DecisionReason(StrEnum):
    """Why a pairing was shelved or found unfit; a note may say more."""

    TOPIC = "方向不符"
    EVIDENCE = "依据不足"
    LEVEL = "成熟度不够"
    CAPACITY = "团队没有名额"
    DISTANCE = "距离或费用不合适"
    CONFLICT = "存在利益冲突"
    KNOWN = "双方已有合作"
    FIRM = "企业不同意"
    WAIT = "等企业补充材料"
    OTHER = "其他"


class Stage(StrEnum):
    """Stages of one cooperation (合作对接)."""

    PROPOSED = "已推荐"
    CONTACT = "对接中"
    TALKS = "洽谈"
    SIGNED = "签约"
    LANDED = "落地"
    ENDED = "终止"


class EndReason(StrEnum):
    """Why a 对接 ended without (further) success."""

    FIRM_GONE = "企业不再需要"
    FIRM_SILENT = "企业没有回应"
    TEAM_TOPIC = "团队认为方向不符"
    TEAM_BUSY = "团队没有精力"
    TEAM_SILENT = "团队没有回应"
    PRICE = "费用谈不拢"
    RIGHTS = "知识产权谈不拢"
    TIME = "进度要求谈不拢"
    SOLVED = "已由别的途径解决"
    OTHER = "其他"


class ContractKind(StrEnum):
    """Kinds of a registered technology contract (技术合同), as the register has them."""

    DEVELOPMENT = "技术开发"
    TRANSFER = "技术转让"
    LICENCE = "技术许可"
    CONSULTING = "技术咨询"
    SERVICE = "技术服务"


class InterestState(StrEnum):
    """States of a team's answer to a published need (揭榜)."""

    SENT = "已提交"
    TAKEN = "已采纳"
    DECLINED = "未采纳"
    WITHDRAWN = "已撤回"


class Role(StrEnum):
    """Who somebody is to the platform."""

    ADMIN = "管理员"
    OFFICIAL = "科技局"
    FIRM = "企业"
    TEAM = "专家团队"


class CooperationKind(StrEnum):
    """What a row of the 台账 says about a firm and an institution."""

    COOPERATION = "合作"
    CONFLICT = "回避"
    DO_NOT_CONTACT = "勿联系"


class FacetKind(StrEnum):
    """What an indexed line of an expert was taken from."""

    NAME = "团队名称"
    DISCIPLINE = "学科"
    DIRECTION = "研究方向"
    ACHIEVEMENT = "研究成果"
    KEYWORDS = "关键词"
    INDUSTRY = "产业经历"
    WORK = "成果"


class LineKind(StrEnum):
    """What a requirement line of a need was taken from."""

    TITLE = "需求名称"
    PROBLEM = "主要问题"
    KEY_TECH = "技术关键"
    GOAL = "预期目标"
    KEYWORDS = "关键字"
    TEXT = "检索文本"


class Channel(StrEnum):
    """Retrieval channels; each gives every expert of the pool a signal in 0–1."""

    LEXICAL = "lexical"
    DENSE = "dense"
    THESAURUS = "thesaurus"

    @property
    def label(self) -> str:
        """The channel's Chinese name, as pages and files show it."""
        return {"lexical": "用词相同", "dense": "语义相近", "thesaurus": "术语对应"}[self.value]


class Direction(StrEnum):
    """Which side asks."""

    NEED_TO_EXPERTS = "按需求找专家"
    EXPERT_TO_NEEDS = "按专家找需求"
    TEXT_TO_EXPERTS = "文本找专家"
    TEXT_TO_NEEDS = "文本找需求"
