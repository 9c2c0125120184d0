"""What a row of the 台账 may say of its contract, whether typed or imported.

Owns these rules alone. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from matcher.intake.identity import bare
from matcher.models import Cooperation
from matcher.text.normalise import normalise
from matcher.vocab import CooperationKind, Stage

_BEFORE = (Stage.PROPOSED, Stage.CONTACT, Stage.TALKS)


def unsound(row: Cooperation, today: date) -> str:
    """Why the row would be counted wrongly; empty when it would not: a signing to come, or none by its stage."""
    if row.signed_on is None or row.kind != CooperationKind.COOPERATION:
        return ""
    if row.signed_on > today:
        return f"签约日期 {row.signed_on:%Y-%m-%d} 还没有到（今天是 {today:%Y-%m-%d}）。"
    if row.stage in _BEFORE:
        return f"合作阶段是“{row.stage}”，却有签约日期 {row.signed_on:%Y-%m-%d}。"
    return ""


def shared_number(row: Cooperation, holders: Mapping[str, str]) -> str:
    """What to say when another firm has the row's contract number; empty when none has.

    Args:
        holders: normalised number → the firm that has it.
    """
    firm = holders.get(normalise(row.contract_no), "") if row.contract_no else ""
    if not firm or bare(firm) == bare(row.firm) or row.kind != CooperationKind.COOPERATION:
        return ""
    return f"合同编号“{row.contract_no}”已登记给“{firm}”，同一编号统计时只算一项；不是同一份合同的请改编号"
