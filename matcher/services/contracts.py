"""What may be said of a contract: its days, its kind, its amounts, and whose its number is.

Owns these rules alone; when a contract may be registered at all is ``following_rules``'.
"""

from __future__ import annotations

from datetime import date

from matcher.errors import InputError
from matcher.intake.ledger import unsound
from matcher.models import Cooperation, Engagement
from matcher.ranking.eligibility import Names
from matcher.store.repositories import Repositories
from matcher.text.normalise import normalise
from matcher.vocab import ContractKind, CooperationKind

EARLIEST = date(2000, 1, 1)
DAYS = {"signed_on": "签约日期", "landed_on": "落地日期"}
"""Days of a contract that can be put right, with their names."""


def checked_day(label: str, day: date | None, today: date) -> date:
    """A day that has come. Raises InputError when missing, in the future, or before 2000."""
    if day is None:
        raise InputError(
            f"请填写{label}，不能晚于今天。", f"今天是 {today:%Y-%m-%d}；日期写法如 2026-03-15。"
        )
    if day > today:
        raise InputError(
            f"{label} {day:%Y-%m-%d} 还没有到。", f"今天是 {today:%Y-%m-%d}，请填已经发生的日期。"
        )
    if day < EARLIEST:
        raise InputError(f"{label} {day:%Y-%m-%d} 太早了。", "请检查年份。")
    return day


def checked_kind(kind: str) -> str:
    if kind not in tuple(ContractKind):
        said = f"没有“{kind}”这种合同类别。" if kind else "请选合同类别。"
        raise InputError(said, f"可以选：{'、'.join(ContractKind)}。")
    return str(kind)


def checked_contract(after: Engagement) -> Engagement:
    """The 对接. Raises InputError when more was paid than the contract is worth, or its days are in the wrong order."""
    signed, paid = after.signed_wan, after.paid_wan
    if signed is not None and paid is not None and paid > signed:
        raise InputError(f"到账金额 {paid:g} 万元大于合同金额 {signed:g} 万元。", "请检查这两个数。")
    for label, day in (("落地日期", after.landed_on), ("终止日期", after.ended_on)):
        if day is not None and after.signed_on is not None and day < after.signed_on:
            raise InputError(
                f"{label} {day:%Y-%m-%d} 早于签约日期 {after.signed_on:%Y-%m-%d}。", "请检查这两个日期。"
            )
    return after


def holders(stored: Repositories, contract_no: str, but: str) -> list[tuple[str, str, str]]:
    """(firm, institution, where) of everything else registered under a number, whatever its width, case and spaces.

    ``but`` is the id of the 对接 or row of the 台账 that asks; a 对接 exported and imported again is no other.
    """
    wanted = normalise(contract_no)
    if not wanted:
        return []
    found = [
        (one.firm, one.institution, "对接")
        for one in stored.engagements.all()
        if one.engagement_id != but and normalise(one.contract_no) == wanted
    ]
    return found + [
        (row.firm, row.institution, "台账")
        for row in stored.cooperation.all()
        if row.cooperation_id != but
        and row.kind == CooperationKind.COOPERATION
        and normalise(row.contract_no) == wanted
    ]


def same_contract(stored: Repositories, engagement: Engagement, contract_no: str) -> str:
    """What to say when the same contract is registered already; empty when it is not.

    A number stands for one contract of one firm and one institution; what is registered twice is counted once.

    Raises:
        InputError: another firm or institution is registered under it.
    """
    found = holders(stored, contract_no, engagement.engagement_id)
    names = Names.build(stored.firms.all(), stored.institutions.all())
    own = names.firm(engagement.firm), names.institution(engagement.institution)
    for firm, institution, where in found:
        if (names.firm(firm), names.institution(institution)) != own:
            raise _taken(contract_no, where, f"“{firm}”和“{institution}”")
    return f"{found[0][2]}里已有同一编号的合同，统计时只算一项。" if found else ""


def check_row(stored: Repositories, row: Cooperation, today: date) -> None:
    """Check what a row of the 台账 says of its contract; several institutions may share one.

    Raises:
        InputError: it was signed before its stage says so or after today, or another firm has the number.
    """
    wrong = unsound(row, today)
    if wrong:
        raise InputError(wrong, "请检查签约日期和合作阶段。")
    if row.kind != CooperationKind.COOPERATION:
        return
    names = Names.build(stored.firms.all(), ())
    for firm, _, where in holders(stored, row.contract_no, row.cooperation_id):
        if names.firm(firm) != names.firm(row.firm):
            raise _taken(row.contract_no, where, f"“{firm}”")


def _taken(contract_no: str, where: str, whose: str) -> InputError:
    return InputError(
        f"编号“{contract_no}”在{where}里已登记给{whose}。", "请核对编号；编号还没有下来的可以先空着。"
    )
