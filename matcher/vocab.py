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
    """审核意见 on one need × expert pairing."""

    ACCEPT = "接受"
    SHELVE = "搁置"
    REJECT = "不合适"


class Stage(StrEnum):
    """Stages of one cooperation (合作对接)."""

    PROPOSED = "已推荐"
    CONTACT = "对接中"
    TALKS = "洽谈"
    SIGNED = "签约"
    LANDED = "落地"
    ENDED = "终止"


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
