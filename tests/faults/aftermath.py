"""What must be found after a crash, whatever was killed: the promises, one assertion each."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict

import grpc
from grpc import aio

from exchange.client.caller import refusal_of
from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from tests.faults.partners import PAUSE_SECONDS, UNKNOWN, Asked, Partners, in_company
from tests.integration.ledger.ledgers import differences, owner_of


async def assert_nothing_is_lost_or_doubled(partners: Partners, url: str) -> None:
    """Look before anybody repeats anything, then repeat everything, then count.

    Args:
        partners: who asked, connected to a server that serves again.
        url: the database behind it.
    """
    assert partners.unknown, "nothing was under way when it was killed: the test would prove nothing"
    await _assert_acknowledged_are_there(partners)
    await _assert_each_at_most_once(url)
    await _assert_groups_are_whole(partners, url)

    before = {key: one.told for key, one in partners.asked.items()}
    answers = await in_company(_known_answer(one) for one in partners.asked.values())

    for one, answer in zip(partners.asked.values(), answers, strict=True):
        first = before[one.movement.request_id]
        if isinstance(first, types.Transfer):
            assert answer.replayed
            assert answer.transfer == first
        elif isinstance(first, str):
            assert answer == first
        one.told = answer if isinstance(answer, str) else answer.transfer
    await _assert_each_at_most_once(url)
    async with owner_of(url) as connection:
        done = await connection.fetch("SELECT request_id FROM exchange.transfers")
        held = await connection.fetch(
            "SELECT member_id, code, available_units"
            " FROM exchange.accounts JOIN exchange.currencies USING (currency_no) WHERE available_units <> 0"
        )
    assert {row[0] for row in done} == {one.movement.request_id for one in partners.acknowledged}
    assert {(f"members/{row[0]}", row[1]): row[2] for row in held} == {
        account: units for account, units in partners.balances().items() if units
    }
    assert await differences(url) == {}


async def _assert_acknowledged_are_there(partners: Partners) -> None:
    """With the very figures that were told."""

    async def kept(one: Asked) -> types.Transfer:
        stub = one.merchant.stubs.transfers.LookupTransfer
        answer = await one.merchant.ask(stub, pb.LookupTransferRequest(request_id=one.movement.request_id))
        (transfer,) = answer.transfers
        return transfer

    acknowledged = partners.acknowledged
    found = await in_company(kept(one) for one in acknowledged)
    assert found == [one.told for one in acknowledged]


async def _assert_each_at_most_once(url: str) -> None:
    async with owner_of(url) as connection:
        doubled = await connection.fetch(
            "SELECT merchant_no, request_id FROM exchange.transfers GROUP BY 1, 2 HAVING count(*) > 1"
        )
    assert doubled == []


async def _assert_groups_are_whole(partners: Partners, url: str) -> None:
    """Of an atomic batch all items are there or none."""
    async with owner_of(url) as connection:
        done = {row[0] for row in await connection.fetch("SELECT request_id FROM exchange.transfers")}
    groups: defaultdict[int, Counter[bool]] = defaultdict(Counter)
    for key, one in partners.asked.items():
        if one.group is not None:
            groups[one.group][key in done] += 1
    assert all(len(there) == 1 for there in groups.values() if there.total() > 1)


async def _known_answer(one: Asked) -> object:
    """The answer to a repeat: a response, or the reason of a refusal; asked again while nobody knows."""
    while True:
        try:
            return await one.merchant.post(one.movement)
        except aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.INTERNAL:
                raise
            if error.code() not in UNKNOWN:
                return refusal_of(error).reason
        await asyncio.sleep(PAUSE_SECONDS)
