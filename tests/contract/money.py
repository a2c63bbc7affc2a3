"""Proposals about funds, as finance makes them."""

from __future__ import annotations

import itertools

from settlement.v1 import funds_pb2 as funds
from settlement.v1 import settlement_service_pb2 as pb

_NUMBERS = itertools.count(1)


def deposit(
    participant: str, purpose: funds.FundsPurpose.ValueType, amount: int, reference: str = "", currency: str = "CNY"
) -> pb.Proposal:
    """Fen that came; each by a bank's reference of its own unless said."""
    return _movement(funds.FundsMovement.WAY_DEPOSIT, participant, purpose, amount, reference, currency)


def withdrawal(
    participant: str, purpose: funds.FundsPurpose.ValueType, amount: int, reference: str = ""
) -> pb.Proposal:
    """Fen that are to leave."""
    return _movement(funds.FundsMovement.WAY_WITHDRAWAL, participant, purpose, amount, reference, "CNY")


def demanding(
    liquidity: funds.LiquidityDemand.ValueType,
    *,
    collateral_pays: bool = False,
    cap_bps: int = 10_000,
    contribution_cap_bps: int = 10_000,
    residual: funds.ResidualLoss.ValueType = funds.RESIDUAL_LOSS_OPEN,
    cap_binds: bool = False,
) -> pb.Proposal:
    """Terms of funds in yuan."""
    one = funds.CurrencyFundsTerms(
        currency_code="CNY",
        liquidity=liquidity,
        collateral_pays=collateral_pays,
        cap_bps=cap_bps,
        contribution_cap_bps=contribution_cap_bps,
        residual=residual,
        cap_binds=cap_binds,
    )
    return pb.Proposal(funds_terms=funds.FundsTerms(currencies=[one]))


def _movement(
    way: funds.FundsMovement.Way.ValueType,
    participant: str,
    purpose: funds.FundsPurpose.ValueType,
    amount: int,
    reference: str,
    currency: str,
) -> pb.Proposal:
    movement = funds.FundsMovement(
        way=way,
        participant=f"merchants/{participant}",
        purpose=purpose,
        currency_code=currency,
        minor_units=amount,
        reference=reference or f"BANK-{next(_NUMBERS)}",
        value_date="2026-03-02",
    )
    return pb.Proposal(funds_movement=movement)
