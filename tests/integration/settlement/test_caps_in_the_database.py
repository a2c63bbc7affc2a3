"""The database holds a second time who may let a merchant owe more: two persons, or the funds it left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from exchange.money.currencies import MINOR_EXPONENT, micros_per_minor
from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import funds_pb2 as funds
from tests.contract.capped import approved, lowered, proposed
from tests.contract.money import demanding, deposit
from tests.contract.settled import Finance, finance_of
from tests.contract.stillness import connected
from tests.integration.settlement.stopping import stopped_together
from tests.servers import Server
from tests.worlds import a_world

GRO = "SELECT merchant_no FROM exchange.merchants WHERE merchant_id = 'GRO'"
UPDATE = f"UPDATE exchange.exposures SET cap_micros = $1 WHERE merchant_no = ({GRO})"
DELETE = f"DELETE FROM exchange.exposures WHERE merchant_no = ({GRO})"
APPROVE = """
UPDATE exchange.cap_changes SET state = 2, decided_by = 'x', decided_person = $2, decided_at = now()
WHERE change_id = $1
"""
INVENT = f"""
INSERT INTO exchange.cap_changes (change_id, request_id, merchant_no, currency_code, before_micros, cap_micros, reason,
    digest, proposed_by, proposed_person, proposed_at, expires_at, state, decided_by, decided_person, decided_at,
    approved_in)
SELECT $1, 'x', ({GRO}), 'CNY', 10000000, 20000000, 'x', 'x', 'x', 'ann', now(), now() + interval '1 day', 2, 'x',
    'zoe', now(), pg_current_xact_id()
"""
BIND = (
    f"INSERT INTO exchange.cap_bindings (merchant_no, currency_code, cap_micros) SELECT ({GRO}), $1::text, $2::bigint"
)
EARLIER = BIND.replace("cap_micros)", "cap_micros, bound_in)") + ", '1'::xid8"
Statement = tuple[object, ...]


@pytest.fixture
async def finance(server: Server) -> AsyncIterator[Finance]:
    """GRO may owe ¥10; nothing has moved."""
    async with a_world(server.address, server.operator_secret) as world:
        finance = await finance_of(world)
        await lowered(world.operator, finance.cast.gro, 10_000_000)
        yield finance


async def test_nobody_lets_a_merchant_owe_more_alone(server: Server, finance: Finance) -> None:
    """Neither by raising its cap nor by taking it away, even to set a higher one at once; lower is no harm."""
    del finance
    anew = f"INSERT INTO exchange.exposures SELECT ({GRO}), 'CNY', 20000000, 0, 0, 0"

    assert await stopped_together(server, (UPDATE, 10_000_001))
    assert await stopped_together(server, (DELETE,))
    assert await stopped_together(server, (DELETE,), (anew,))
    assert await stopped_together(server, (UPDATE, 5_000_000), (UPDATE, 10_000_000))
    assert not await stopped_together(server, (UPDATE, 10_000_000))
    assert not await stopped_together(server, (UPDATE, 1))


async def test_a_yes_covers_what_was_proposed_and_once(server: Server, finance: Finance) -> None:
    """Not another figure, not a second person who is the first, not what nobody proposed, and not again later."""
    world, gro = finance.cast.world, finance.cast.gro
    ann = await world.party(directory.CALLER_ROLE_OPERATOR, "ann")
    zoe = await world.party(directory.CALLER_ROLE_OPERATOR, "zoe")
    change = await proposed(ann, gro, cap_micros=20_000_000)
    change_id = UUID(change.name.removeprefix("netDebitCapChanges/"))
    yes, higher = (APPROVE, change_id, "zoe"), (UPDATE, 20_000_000)

    assert not await stopped_together(server, yes, higher)
    assert await stopped_together(server, yes, (UPDATE, 20_000_001))
    assert await stopped_together(server, yes, (DELETE,))
    assert await stopped_together(server, (APPROVE, change_id, "ann"), higher)
    assert await stopped_together(server, (INVENT, uuid4()), higher)
    await approved(zoe, change)
    await lowered(world.operator, gro, 10_000_000)
    assert await stopped_together(server, higher)


async def test_a_cap_follows_funds_by_the_terms_that_hold_and_not_otherwise(server: Server, finance: Finance) -> None:
    """Half of ¥720.00 and nothing else; nothing at all before two persons agreed that caps bind."""
    gro, by_funds = finance.cast.gro, 360_000_000
    await finance.agree(deposit("GRO", funds.FUNDS_PURPOSE_COLLATERAL, 72_001))
    await finance.agree(deposit("GRO", funds.FUNDS_PURPOSE_GUARANTEE, 500))
    assert await stopped_together(server, (BIND, "CNY", by_funds))

    await finance.agree(demanding(funds.LIQUIDITY_DEMAND_SHOW, cap_bps=5_000, cap_binds=True))
    bound = await lowered(finance.cast.world.operator, gro, by_funds)
    await lowered(finance.cast.world.operator, gro, 1)

    assert bound.cap_micros == by_funds
    assert await stopped_together(server, (UPDATE, by_funds))
    assert not await stopped_together(server, (BIND, "CNY", by_funds), (UPDATE, by_funds))
    assert await stopped_together(server, (BIND, "CNY", by_funds), (UPDATE, by_funds - 1))
    assert await stopped_together(server, (BIND, "CNY", by_funds + 5_000))
    assert await stopped_together(server, (BIND, "USD", by_funds))
    assert await stopped_together(server, (EARLIER, "CNY", by_funds))


async def test_the_database_knows_every_minor_unit(server: Server) -> None:
    """As the code does; else caps in some currency would never follow."""
    async with connected(server.url) as connection:
        query = "SELECT code, settlement.micros_per_minor(code) FROM unnest($1::text[]) AS code"
        found = dict(map(tuple, await connection.fetch(query, [*MINOR_EXPONENT])))

    assert found == {code: micros_per_minor(code) for code in MINOR_EXPONENT}
