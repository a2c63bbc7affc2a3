"""Holds and reversals as items: in a batch, atomic or not, and in a stream they are decided as alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import pytest

from exchange.v1 import transfer_service_pb2 as pb
from tests.contract.cast import Cast
from tests.contract.refusals import refusal_in
from tests.movements import Member, Movement, a_capture, a_hold, a_redemption, a_release, a_reversal, item
from tests.worlds import Merchant

Way = Callable[[Merchant, Sequence[Movement]], Awaitable[Sequence[pb.TransferResult]]]


async def batched(merchant: Merchant, movements: Sequence[Movement]) -> Sequence[pb.TransferResult]:
    """All at once, each for itself."""
    return await merchant.batch(*movements)


async def streamed(merchant: Merchant, movements: Sequence[Movement]) -> Sequence[pb.TransferResult]:
    """One after the other."""
    requests = [pb.StreamTransfersRequest(item=item(movement)) for movement in movements]
    call = merchant.stubs.transfers.StreamTransfers(iter(requests), metadata=merchant.metadata, timeout=30.0)
    return [answer.result async for answer in call]


def told(results: Sequence[pb.TransferResult]) -> list[str]:
    """Each answer in a word."""
    return [refusal_in(result.status).reason if result.status.code else "moved" for result in results]


async def a_member_with_holds(cast: Cast) -> tuple[Member, list[pb.HoldPointsResponse]]:
    """500 TEL, of which 300 are reserved by two holds."""
    ada = await cast.member("500 TEL")
    return ada, [await cast.caf.post(a_hold(ada, amount)) for amount in ("200 TEL", "100 TEL")]


@pytest.mark.parametrize("way", [batched, streamed])
async def test_a_hold_ends_once_and_held_points_are_not_spent(cast: Cast, way: Way) -> None:
    """Captured in part it gives the rest back at once; what is reserved cannot be used by an item beside it."""
    ada, (first, second) = await a_member_with_holds(cast)

    results = await way(
        cast.caf,
        [
            a_redemption(ada, "201 TEL"),
            a_capture(first.transfer, units=150),
            a_capture(first.transfer, units=50),
            a_release(first.transfer),
            a_redemption(ada, "250 TEL"),
            a_capture(second.transfer, units=101),
            a_release(second.transfer),
            a_capture(second.transfer),
        ],
    )

    assert told(results) == [
        "INSUFFICIENT_POINTS", "moved", "HOLD_ENDED", "HOLD_ENDED", "moved", "CAPTURE_EXCEEDS_HOLD", "moved",
        "HOLD_ENDED",
    ]  # fmt: skip
    assert await cast.caf.balances(ada) == {"TEL": 500 - 150 - 250}


@pytest.mark.parametrize("way", [batched, streamed])
async def test_parts_add_up_to_one_return_and_no_reversal_is_reversed(cast: Cast, way: Way) -> None:
    """Three shares are exactly the whole, with what was owed; then nothing is left, and the mirror has no mirror."""
    ada = await cast.member("500 TEL")
    used = (await cast.caf.redeem(ada, "100 TEL")).transfer
    shares = [pb.Retained(kept=kept, total=3) for kept in (2, 1, 0)]

    parts = await way(cast.caf, [a_reversal(used, retained=share) for share in shares])
    again = await way(cast.caf, [a_reversal(used), a_reversal(parts[0].transfer), a_reversal(used, units=1)])

    assert told(parts) == ["moved"] * 3
    assert told(again) == ["ALREADY_REVERSED", "NOT_REVERSIBLE", "ALREADY_REVERSED"]
    assert sum(part.transfer.obligations[0].amount.micros for part in parts) == used.obligations[0].amount.micros
    assert await cast.caf.balances(ada) == {"TEL": 500}


async def test_an_atomic_batch_that_captures_twice_captures_nothing(cast: Cast) -> None:
    """The hold is there as before, and can be captured."""
    ada, (first, _) = await a_member_with_holds(cast)

    results = await cast.caf.batch(a_capture(first.transfer), a_capture(first.transfer), atomic=True)

    assert told(results) == ["BATCH_NOT_APPLIED", "HOLD_ENDED"]
    await cast.caf.post(a_capture(first.transfer))
    assert await cast.caf.balances(ada) == {"TEL": 200}
