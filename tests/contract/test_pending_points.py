"""Pending points: what conversions under way will give, out of currencies that their issuers keep."""

from __future__ import annotations

import pytest

from exchange.v1 import member_service_pb2 as members
from tests.contract.cast import Cast
from tests.contract.outside import REJECTED, Outside, outside


@pytest.fixture
async def out(cast: Cast) -> Outside:
    """AIR keeps the source: conversions take points from AIR's own books and give points here."""
    return await outside(cast.world, cast.air, cast.bnk, is_source=True)


async def test_what_is_on_its_way_is_pending_until_it_has_arrived(cast: Cast, out: Outside) -> None:
    """Of a currency the member never had, too; once completed it is available, once rejected it is gone."""
    ada, bob = await cast.member(), await cast.member()

    first, second = [await out.begun(ada, units) for units in (100, 60)]
    begun = await out.balance(ada)
    seen = await out.balance(ada, cast.world.operator)
    await out.answer(first.instruction)
    arrived = await out.balance(ada)
    await out.answer(second.instruction, REJECTED)
    ended = await out.balance(ada)

    assert (begun.pending_units, begun.available_units, begun.account_sequence) == (80, 0, 0)
    assert seen == begun
    assert (arrived.pending_units, arrived.available_units, arrived.account_sequence) == (30, 50, 1)
    assert (ended.pending_units, ended.available_units, ended.account_sequence) == (0, 50, 1)
    assert (await out.balance(bob)).pending_units == 0


async def test_what_is_given_elsewhere_is_pending_there(cast: Cast) -> None:
    """Here the source is held; of the target, which its issuer keeps, there is no balance."""
    into = await outside(cast.world, cast.air, cast.bnk, is_source=False)
    ada = await into.pair.member(100)

    await into.begun(ada, 80)
    request = members.ListBalancesRequest(member=ada.name)
    (listed,) = (await into.asker.ask(into.world.stubs.members.ListBalances, request)).balances

    assert listed.currency == f"currencies/{into.pair.source}"
    assert (listed.available_units, listed.held_units, listed.pending_units) == (20, 80, 0)


async def test_more_pending_than_a_balance_holds_is_told_as_that(cast: Cast) -> None:
    """Each conversion finds room when it begins; the reader gets the most that the figure can say, not a fault."""
    where = await outside(cast.world, cast.air, cast.bnk, is_source=True)
    await cast.world.price(where.pair.target, conversion_in=0)
    await cast.world.price(where.pair.source, conversion_out=0)
    ada = await cast.member()

    begun = [await where.begun(ada, 2**63 - 2) for _ in range(3)]
    told = await where.balance(ada)
    for one in begun:
        await where.answer(one.instruction, REJECTED)

    assert told.pending_units == 2**63 - 1
    assert (await where.balance(ada)).pending_units == 0
