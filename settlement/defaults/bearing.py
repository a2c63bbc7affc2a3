"""Who may come to bear what no layer of a default holds, and how much of it at most. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from settlement.defaults.model import Bearer
from settlement.payments.model import DONE, AttemptState, LegView

THROUGH_THE_MIDDLE = "multilateral"
"""The netting mode in which everybody pays the clearing account and is paid out of it."""
ENDED = DONE | {AttemptState.UNCOVERED}
"""Paid, or nobody's to pay any more: what was booked is final, and is not taken back."""


def bearers(defaulter: str, operator: str, mode: str, legs: Sequence[LegView], operator_bore: int) -> list[Bearer]:
    """Those who are still to receive something of a currency because of the run the defaulter does not pay.

    Where all pay into the middle and are paid out of it, that is everybody the clearing account has not paid yet, and
    the operator with what it keeps of what comes in. Where payers pay their creditors themselves, it is those whom the
    defaulter was to pay: nobody else's payment hangs on it.

    Args:
        defaulter: who does not pay.
        operator: whose clearing account stands in the middle.
        mode: how the run was netted.
        legs: its payments in one currency.
        operator_bore: what the operator bears of it already, because of others' defaults.
    """
    if mode != THROUGH_THE_MIDDLE or defaulter == operator:
        return [_bearer(one) for one in legs if one.leg.payer == defaulter and one.state not in ENDED]
    found = [
        _bearer(one)
        for one in legs
        if one.leg.payer == operator and one.leg.payee != defaulter and one.state not in ENDED
    ]
    comes_in = sum(one.leg.minor_units for one in legs if one.leg.payee == operator)
    goes_out = sum(one.leg.minor_units for one in legs if one.leg.payer == operator)
    kept = comes_in - goes_out - operator_bore
    return found + ([Bearer(operator, kept)] if kept > 0 else [])


def _bearer(one: LegView) -> Bearer:
    return Bearer(one.leg.payee, one.due.minor_units, one.leg.leg_no, one.attempt + 1)
