"""Net debit caps as the operator's people set them: one person lowers, two raise."""

from __future__ import annotations

from typing import Any

from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import limit_service_pb2 as pb
from tests.movements import a_key
from tests.worlds import Merchant, Party, World

STATE = pb.NetDebitCapChange.State


def lowering(merchant: Merchant, micros: int, code: str = "CNY") -> pb.SetNetDebitCapRequest:
    """That a merchant may owe no more than so much."""
    return pb.SetNetDebitCapRequest(merchant=merchant.name, currency_code=code, cap_micros=micros, reason="test")


async def lowered(by: Party, merchant: Merchant, micros: int) -> pb.Exposure:
    """One person's doing; what it comes to."""
    return (await by.ask(by.stubs.limits.SetNetDebitCap, lowering(merchant, micros))).exposure


async def proposed(by: Party, merchant: Merchant, key: str = "", **wanted: Any) -> pb.NetDebitCapChange:
    """A change in yuan that waits: cap_micros, or no_cap."""
    terms = {"merchant": merchant.name, "currency_code": "CNY", "reason": "paid a deposit", **wanted}
    request = pb.ProposeNetDebitCapRequest(request_id=key or a_key(), **terms)
    return (await by.ask(by.stubs.limits.ProposeNetDebitCap, request)).change


async def approved(by: Party, change: pb.NetDebitCapChange, note: str = "") -> pb.ApproveNetDebitCapResponse:
    """Somebody's yes to what was shown."""
    request = pb.ApproveNetDebitCapRequest(name=change.name, digest=change.digest, note=note)
    answer: pb.ApproveNetDebitCapResponse = await by.ask(by.stubs.limits.ApproveNetDebitCap, request)
    return answer


async def withdrawn(by: Party, change: pb.NetDebitCapChange) -> pb.WithdrawNetDebitCapResponse:
    """Taken back."""
    request = pb.WithdrawNetDebitCapRequest(name=change.name, note="no more")
    answer: pb.WithdrawNetDebitCapResponse = await by.ask(by.stubs.limits.WithdrawNetDebitCap, request)
    return answer


async def agreed(world: World, merchant: Merchant, **wanted: Any) -> pb.Exposure:
    """A change that two new persons agree on; what it comes to."""
    ann, zoe = [await world.party(directory.CALLER_ROLE_OPERATOR) for _ in range(2)]
    return (await approved(zoe, await proposed(ann, merchant, **wanted))).exposure
