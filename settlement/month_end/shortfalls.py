"""What a walk says about the money of those who pay, before anybody approves. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from settlement.funds.model import Liquidity, LiquidityCheck, Purpose
from settlement.month_end.model import State, Told
from settlement.payments.formats.amounts import decimal_of

NAMED_MAX = 5
"""So many payers are named."""
DEMANDS = {
    Liquidity.SHOW: "shown only",
    Liquidity.ACKNOWLEDGE: "who approves must acknowledge it",
    Liquidity.REFUSE: "nobody can approve it so",
}


def told_of(checks: Sequence[LiquidityCheck], window_no: int) -> Told:
    """The step of the walk: who lacks how much of what it is to pay, and what is typed when the money has come."""
    short = [one for one in checks if one.missing]
    if not short:
        return Told("funds", State.DONE, "whoever pays has the money for it", checks=tuple(checks))
    first = short[0].shortfalls[0]
    command = (
        f"deposit {first.participant} {short[0].currency} {first.missing} --for {Purpose.PREFUNDING.lower()}"
        " --reference REFERENCE --value-date DAY"
    )
    who = "finance maker, for each of them, when its money has come"
    text = "; ".join(_said(one, window_no) for one in short)
    return Told("funds", State.DONE, text, who, command, checks=tuple(checks))


def demanded(checks: Sequence[LiquidityCheck]) -> tuple[str, str]:
    """What a yes takes where money is missing: in words, and what is added to the command; empty: nothing."""
    demands = {one.demands for one in checks if one.missing}
    if Liquidity.REFUSE in demands:
        return "nobody can say yes before the money has come", ""
    if Liquidity.ACKNOWLEDGE in demands:
        return "whoever says yes acknowledges whose funds do not reach", " --acknowledge-shortfall"
    return "", ""


def _said(one: LiquidityCheck, window_no: int) -> str:
    def text(amount: int) -> str:
        return f"{decimal_of(amount, one.currency):,}"

    names = [f"{s.participant} lacks {text(s.missing)} of {text(s.to_pay)}" for s in one.shortfalls[:NAMED_MAX]]
    if len(one.shortfalls) > NAMED_MAX:
        names.append(f"and {len(one.shortfalls) - NAMED_MAX} more, which show {window_no} names")
    settles = f"{text(one.settles_now)} of {text(one.payments)} could settle now"
    return f"{one.currency}: {text(one.missing)} is missing ({DEMANDS[one.demands]}): {', '.join(names)}; {settles}"
