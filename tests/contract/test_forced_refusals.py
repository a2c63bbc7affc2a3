"""Refusals on demand: each as its reason is documented, kept as it would be, and only where they were asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import pytest

from exchange.rehearsal.amounts import AMOUNTS, REFUSED, amount_forcing
from exchange.rehearsal.rules import LOSING_THE_ANSWER
from exchange.serving.errors import CODE_OF_NUMBER
from tests.contract.cast import Cast, a_cast
from tests.contract.refusals import refusal, refusal_in
from tests.contract.stillness import keys_used, nothing_changes
from tests.database import Databases
from tests.movements import a_key, an_earn
from tests.servers import Server, a_server
from tests.worlds import a_channel, a_world

KEPT = {grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION}


@pytest.fixture(scope="module")
async def rehearsing(databases: Databases) -> AsyncIterator[Server]:
    """A sandbox in which amounts force refusals."""
    name = await databases.clone()
    async with a_server(databases.url_of(name), forced_refusals=True) as server:
        yield server
    await databases.drop(name)


@pytest.fixture(scope="module")
async def rehearsal(rehearsing: Server) -> AsyncIterator[Cast]:
    """Its merchants."""
    async with a_world(rehearsing.address, rehearsing.operator_secret) as world:
        yield await a_cast(world)


@pytest.mark.parametrize("reason", REFUSED)
async def test_an_amount_is_refused_for_its_reason(rehearsing: Server, rehearsal: Cast, reason: str) -> None:
    """With the status and data of the catalogue; nothing moves, and the key keeps it as it would the real one."""
    ada, key = await rehearsal.member(), a_key()
    amount = f"{amount_forcing(reason)} TEL"

    async with nothing_changes(rehearsing):
        first = await refusal(rehearsal.gro.earn(ada, amount, key))
        again = await refusal(rehearsal.gro.earn(ada, amount, key))

    assert first.reason == again.reason == reason
    if reason != "INTERNAL_FAULT":
        assert first == again
    assert await keys_used(rehearsing, key) == int(first.code in KEPT)


@pytest.mark.parametrize("reason", sorted(LOSING_THE_ANSWER))
async def test_an_answer_is_lost_and_the_repeat_tells_it(rehearsal: Cast, reason: str) -> None:
    """The movement is made once, also in a batch."""
    ada = await rehearsal.member()
    amount = f"{(units := amount_forcing(reason, done=True))} TEL"
    single, item = an_earn(ada, amount), an_earn(ada, amount)

    lost = await refusal(rehearsal.gro.post(single))
    lost_too = (await rehearsal.gro.batch(item, an_earn(ada, "7 TEL")))[0]
    told = await rehearsal.gro.post(single)
    told_too = (await rehearsal.gro.batch(item))[0]

    assert lost.reason == refusal_in(lost_too.status).reason == reason
    assert told.replayed
    assert told_too.replayed
    assert await rehearsal.gro.balances(ada) == {"TEL": 2 * units + 7}


async def test_a_forced_refusal_undoes_its_atomic_batch(rehearsal: Cast) -> None:
    """As a real one would."""
    ada = await rehearsal.member()
    forced = an_earn(ada, f"{amount_forcing('NO_PRICE')} TEL")

    results = await rehearsal.gro.batch(an_earn(ada, "5 TEL"), forced, atomic=True)

    assert [refusal_in(result.status).reason for result in results] == ["BATCH_NOT_APPLIED", "NO_PRICE"]
    assert CODE_OF_NUMBER[results[0].status.code] is grpc.StatusCode.ABORTED
    assert await rehearsal.gro.balances(ada) == {}


@pytest.mark.parametrize("units", [amount_forcing("NO_PRICE"), amount_forcing("INTERNAL_FAULT", done=True)])
async def test_elsewhere_the_same_amounts_are_amounts(rehearsing: Server, rehearsal: Cast, units: int) -> None:
    """Another server on the very database, a sandbox too, that was not asked to."""
    ada = await rehearsal.member()
    async with (
        a_server(rehearsing.url, operator_secret=rehearsing.operator_secret) as plain,
        a_channel(plain.address) as channel,
    ):
        answer = await rehearsal.gro.at(channel).earn(ada, f"{units} TEL")

    assert not answer.replayed
    assert await rehearsal.gro.balances(ada) == {"TEL": units}


async def test_trying_a_movement_loses_no_answer(rehearsal: Cast) -> None:
    """Nothing was made that could be lost."""
    ada = await rehearsal.member()
    units = amount_forcing("DEADLINE_PASSED", done=True)

    answer = await rehearsal.gro.earn(ada, f"{units} TEL", validate_only=True)

    assert answer.transfer.name == ""


def test_no_two_reasons_share_an_amount() -> None:
    """And none is an amount of somebody's everyday."""
    assert len(AMOUNTS) == len(REFUSED) + len(LOSING_THE_ANSWER)
    assert min(AMOUNTS) > 900_000_000
    with pytest.raises(ValueError, match="NO_PRICE after"):
        amount_forcing("NO_PRICE", done=True)
