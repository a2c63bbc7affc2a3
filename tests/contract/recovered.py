"""What comes back from a defaulter, as finance books it, and a bank that books everything but what it was to pay."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from grpc import aio

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import funds_pb2 as funds
from settlement.v1 import settlement_service_pb2 as pb
from tests.banks import Order, debit, statement, status_report
from tests.contract.paid import Treasury
from tests.contract.settled import Finance

GRO = ("GRO", "OPR")
"""The payment that is not made."""


def recovery(amount: int, reference: str, window: str = "windows/1", name: str = "GRO") -> pb.Proposal:
    """Fen that came back."""
    back = funds.DefaultRecovery(
        participant=f"merchants/{name}",
        window=window,
        currency_code="CNY",
        minor_units=amount,
        reference=reference,
        value_date="2026-03-09",
    )
    return pb.Proposal(default_recovery=back)


def write_off(amount: int, window: str = "windows/1", name: str = "GRO") -> pb.Proposal:
    """Fen that are claimed no more."""
    given_up = funds.DefaultWriteOff(
        participant=f"merchants/{name}", window=window, currency_code="CNY", minor_units=amount
    )
    return pb.Proposal(default_write_off=given_up)


def rejected(order: Order) -> bytes:
    """The bank said no to a payment."""
    return status_report(order.message_id, payments=[(order.end_to_end_id, "RJCT", "AM04")])


async def claim(treasury: Treasury) -> funds.DefaultClaim:
    """What is claimed of GRO."""
    told = await treasury.finance.maker.ask(treasury.stub.ListFunds, funds.ListFundsRequest())
    (found,) = told.claims
    assert isinstance(found, funds.DefaultClaim)
    return found


async def pay_the_others(treasury: Treasury, ordered: Mapping[tuple[str, str], Order]) -> None:
    """The bank books everything but what GRO was to pay."""
    orders = [order for pair, order in ordered.items() if pair != GRO]
    await treasury.record(statement(*(debit(order) for order in orders)))


async def approved_at_once(finance: Finance, proposal: pb.Proposal) -> int:
    """Four makers propose the same, four checkers approve at the same moment; how many of them could."""
    world = finance.cast.world
    request = pb.ProposeChangeRequest(proposal=proposal)
    makers = [await world.party(directory.CALLER_ROLE_FINANCE_MAKER) for _ in range(4)]
    proposals = [(await maker.ask(finance.stub.ProposeChange, request)).proposal for maker in makers]
    checkers = [await world.party(directory.CALLER_ROLE_FINANCE_CHECKER) for _ in proposals]
    answers: list[Any] = await asyncio.gather(
        *(
            checker.ask(finance.stub.ApproveProposal, pb.ApproveProposalRequest(name=one.name, digest=one.digest))
            for checker, one in zip(checkers, proposals, strict=True)
        ),
        return_exceptions=True,
    )
    return sum(not isinstance(answer, aio.AioRpcError) for answer in answers)
