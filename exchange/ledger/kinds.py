"""Kinds of movement and of debt: the closed lists every room adds its own to."""

from __future__ import annotations

import enum


class TransferKind(enum.IntEnum):
    """Kinds of movement; numbered as `exchange.v1.Transfer.Kind`."""

    EARN = 1
    REDEEM = 2
    DISCOUNT = 3
    CONVERT = 4
    CAMPAIGN = 5
    CASH_OUT = 6
    HOLD = 7
    CAPTURE = 8
    RELEASE = 9
    REVERSAL = 10
    EXPIRE = 11
    CREDIT_ADJUSTMENT = 122
    DEBIT_ADJUSTMENT = 123
    CONVERSION_BEGUN = 150
    CONVERSION_COMPLETED = 151
    VOID = 127


class ObligationKind(enum.IntEnum):
    """Why money is owed; numbered as `exchange.v1.Obligation.Kind`."""

    EARN = 1
    REDEEM = 2
    DISCOUNT = 3
    CONVERSION = 4
    SPREAD = 5
    FEE = 6
    CAMPAIGN = 7
    CASH_OUT = 8
    CASH_OUT_FEE = 9
    BREAKAGE = 10
    REVERSAL = 11
    PROMOTION = 100
    ADJUSTMENT = 122
