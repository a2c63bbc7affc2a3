"""How many quotes of a merchant may be open."""

from __future__ import annotations

from datetime import UTC

import grpc
import pytest

from exchange.v1 import rate_service_pb2 as pb
from tests.contract.cast import a_cast
from tests.contract.pairs import a_pair
from tests.contract.refusals import refusal
from tests.contract.stillness import connected, nothing_changes, stop_watching
from tests.database import Databases
from tests.movements import a_quoted_conversion
from tests.servers import a_server
from tests.worlds import EVERY_ROLE, Merchant, a_world


@pytest.mark.provokes("TOO_MANY_QUOTES")
async def test_a_merchants_open_quotes_are_limited(databases: Databases) -> None:
    """One more is told when to come again; others have room, and so has this one when one is used or expires."""
    name = await databases.clone()
    async with (
        a_server(databases.url_of(name), open_quotes_max=2) as server,
        a_world(server.address, server.operator_secret) as world,
        connected(server.url) as database,
    ):
        pair = await a_pair(world, (await world.merchant("ONE", *EVERY_ROLE), await world.merchant("TWO", *EVERY_ROLE)))
        one, two = pair.issuers
        ada = await world.member("ada", [one, two])
        await one.earn(ada, f"10 {pair.source}")

        async def ask(merchant: Merchant, seconds: int = 600) -> pb.Quote:
            return await merchant.quote(ada, pair.source, pair.target, source_units=5, seconds=seconds)

        short, long = await ask(one, 60), await ask(one)
        async with nothing_changes(server):
            refused = await refusal(ask(one))
        await ask(two)
        await one.post(a_quoted_conversion(ada, long))
        await ask(one)
        full = await refusal(ask(one))
        await world.set_clock(short.expire_time.ToDatetime(UTC))
        await ask(one)
        full_again = await refusal(ask(one))
        counted = await database.fetchval("SELECT count(*) FROM exchange.open_quotes")
        await stop_watching(server.url)
    await databases.drop(name)

    assert (refused.code, refused.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_QUOTES")
    assert refused.metadata == {"merchant": "merchants/ONE", "open_quotes": "2"}
    assert refused.retry_seconds is not None
    assert 0 < refused.retry_seconds <= 60, "until the first of them expires"
    assert full.reason == full_again.reason == "TOO_MANY_QUOTES"
    assert counted == 3, "two of ONE's and one of TWO's; the used one and the expired one are not among them"


async def test_a_trial_leaves_a_quote_open(databases: Databases) -> None:
    """And so does a conversion that was refused: neither makes room."""
    name = await databases.clone()
    async with (
        a_server(databases.url_of(name), open_quotes_max=1) as server,
        a_world(server.address, server.operator_secret) as world,
    ):
        cast = await a_cast(world)
        ada = await cast.member()
        quote = await cast.bnk.quote(ada, "BNK", "AIR", source_units=3_000)

        short = await refusal(cast.bnk.post(a_quoted_conversion(ada, quote)))
        await cast.bnk.earn(ada, "3 000 BNK")
        await cast.bnk.post(a_quoted_conversion(ada, quote, validate_only=True))
        refused = await refusal(cast.bnk.quote(ada, "BNK", "AIR", source_units=3_000))
    await databases.drop(name)

    assert (short.reason, refused.reason) == ("INSUFFICIENT_POINTS", "TOO_MANY_QUOTES")
