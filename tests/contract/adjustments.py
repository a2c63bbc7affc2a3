"""Adjustments as their proposers and approvers ask for them."""

from __future__ import annotations

from typing import Any

from exchange.v1 import transfer_service_pb2 as pb
from tests.movements import Member, a_key, points
from tests.worlds import Party

CREDIT, DEBIT = pb.Adjustment.DIRECTION_CREDIT, pb.Adjustment.DIRECTION_DEBIT
Reason, State = pb.Adjustment.Reason, pb.Adjustment.State


def an_adjustment(member: Member, amount: str, key: str | None = None, **fields: Any) -> pb.ProposeAdjustmentRequest:
    """The request to propose an adjustment; left out: a credit out of goodwill."""
    said: dict[str, Any] = {"direction": CREDIT, "reason": Reason.REASON_GOODWILL, "note": "cold coffee"} | fields
    return pb.ProposeAdjustmentRequest(request_id=key or a_key(), member=member.name, points=points(amount), **said)


async def proposed(by: Party, member: Member, amount: str, **fields: Any) -> pb.Adjustment:
    """An adjustment that somebody proposes."""
    stub = by.stubs.transfers.ProposeAdjustment
    return (await by.ask(stub, an_adjustment(member, amount, **fields))).adjustment


async def approved(by: Party, adjustment: pb.Adjustment, note: str = "") -> pb.ApproveAdjustmentResponse:
    """What comes of approving what the adjustment says."""
    request = pb.ApproveAdjustmentRequest(name=adjustment.name, digest=adjustment.digest, note=note)
    return await by.ask(by.stubs.transfers.ApproveAdjustment, request)


async def withdrawn(by: Party, adjustment: pb.Adjustment) -> pb.WithdrawAdjustmentResponse:
    """What comes of withdrawing it."""
    return await by.ask(by.stubs.transfers.WithdrawAdjustment, pb.WithdrawAdjustmentRequest(name=adjustment.name))


async def read(by: Party, adjustment: pb.Adjustment) -> pb.Adjustment:
    """The adjustment as it stands."""
    request = pb.GetAdjustmentRequest(name=adjustment.name)
    return (await by.ask(by.stubs.transfers.GetAdjustment, request)).adjustment
