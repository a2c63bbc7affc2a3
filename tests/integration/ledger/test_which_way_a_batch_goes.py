"""With locks or without: by what its movements look at, by what its connection keeps, by who was in the way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from uuid import UUID

import asyncpg
import pytest

from exchange.ledger import batch as batch_module
from exchange.ledger.model import Command
from exchange.ledger.sql import BLOCK_UNITS
from tests.integration.ledger.ledgers import Ledger, a_server_on, at_once, going_on
from tests.unit.rules.rulebook import campaign, convert, discount, earn, redeem

Ask = Callable[..., Awaitable[object]]
PLAIN = pytest.mark.parametrize(
    "ask",
    [
        partial(earn, "5 TEL", "GRO"),
        partial(redeem, "1 TEL", "GRO"),
        partial(discount, "1 TEL", "GRO"),
        partial(campaign, "1 TEL", "GRO"),
        partial(convert, "30 BNK", "AIR", by="BNK"),
    ],
    ids=["earn", "redeem", "discount", "campaign", "convert"],
)


def statements_asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """From now on: the first word of every statement of a poster, in order."""
    asked: list[str] = []

    def noted(ask: Ask) -> Ask:
        async def asking(connection: object, statement: str, *arguments: object, **how: object) -> object:
            asked.append(statement.split(maxsplit=1)[0].rstrip(";"))
            return await ask(connection, statement, *arguments, **how)

        return asking

    for name in ("fetch", "fetchval", "execute"):
        monkeypatch.setattr(asyncpg.Connection, name, noted(getattr(asyncpg.Connection, name)))
    return asked


def of_batches(asked: list[str]) -> list[str]:
    """Those of batches: a lane may still be opening."""
    return [word for word in asked if word not in {"SET", "RESET"}]


async def with_points(ledger: Ledger) -> UUID:
    """A member with points of two currencies."""
    ada = await ledger.member()
    await ledger.post(earn("10 TEL", "GRO", member_id=ada))
    await ledger.post(earn("90 BNK", "BNK", member_id=ada))
    return ada


@PLAIN
async def test_a_plain_movement_asks_twice_and_begins_no_transaction(
    coalition_url: str, monkeypatch: pytest.MonkeyPatch, ask: Callable[..., Command]
) -> None:
    """One question, one call that writes and commits: the member is known, and nobody else moves the account."""
    async with a_server_on(coalition_url, remembered_accounts=0) as ledger:
        ada = await with_points(ledger)

        asked = statements_asked(monkeypatch)
        await ledger.post(ask(member_id=ada))

    assert of_batches(asked) == ["WITH", "SELECT"]


@PLAIN
async def test_what_its_server_has_moved_before_is_not_asked_for(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, ask: Callable[..., Command]
) -> None:
    """The call that writes is all there is."""
    ada = await with_points(ledger)
    await ledger.post(ask(member_id=ada, key="before"))

    asked = statements_asked(monkeypatch)
    await ledger.post(ask(member_id=ada))

    assert of_batches(asked) == ["SELECT"]


async def test_a_conversion_with_a_tier_is_read_with_locks_at_once(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tier is noted beside the movement, so it takes a transaction of several statements."""
    ada = await ledger.member()
    await ledger.post(earn("60 BNK", "BNK", member_id=ada))

    asked = statements_asked(monkeypatch)
    await ledger.post(replace(convert("30 BNK", "AIR", by="BNK", member_id=ada), tier="GOLD"))

    assert of_batches(asked) == ["BEGIN", "INSERT", "SELECT", "WITH", "SELECT", "INSERT", "COMMIT"]


async def test_a_daily_cap_is_no_matter_to_what_is_no_conversion(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a member converted today is read under locks, and only for who converts."""
    ada = await ledger.member()
    await ledger.post(earn("60 BNK", "BNK", member_id=ada))
    await ledger.publish("1 AIR", "20 BNK", daily_cap=600)
    await ledger.told(earn("1 TEL", "GRO", member_id=ada))

    asked = statements_asked(monkeypatch)
    await ledger.post(earn("1 TEL", "GRO", member_id=ada))
    await ledger.post(convert("30 BNK", "AIR", by="BNK", member_id=ada))

    asked = of_batches(asked)
    assert asked[:2] == ["SELECT", "BEGIN"]
    assert asked[-1] == "COMMIT"


async def test_the_database_draws_blocks_as_large_as_servers_believe(ledger: Ledger) -> None:
    """The call that draws them stands in a migration, and knows none of our constants."""
    (definition,) = await ledger.rows("SELECT pg_get_functiondef('exchange.post_batch'::regproc)")

    assert f"nextval('exchange.ledger_blocks') * {BLOCK_UNITS} INTO" in definition[0]


async def test_behind_a_pooler_that_parts_statements_from_connections_every_batch_takes_locks(
    coalition_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a lane would set for its session, whoever has the connection next would find."""
    asked = statements_asked(monkeypatch)
    # The only server of this process, so that whatever is asked is asked by its lanes.
    async with a_server_on(coalition_url, statement_cache_size=0) as pooled:
        await pooled.post(earn("5 TEL", "GRO", member_id=await pooled.member()))

    assert {"SET", "RESET"}.isdisjoint(asked)
    assert asked.index("BEGIN") < asked.index("COMMIT")


async def test_who_is_often_in_the_way_of_others_takes_locks(
    servers: list[Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two servers move one member's points: everything counts once, and most of it is not tried in vain."""
    ada = await servers[0].member()
    await servers[0].post(earn("100 000 BNK", "BNK", member_id=ada))
    tries, run = [], batch_module.Batch.run

    async def counted(batch: batch_module.Batch, *arguments: object) -> object:  # type: ignore[type-arg]
        tries.append(batch.is_locked)
        return await run(batch, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(batch_module.Batch, "run", counted)

    async def shop(server: Ledger) -> None:
        for _ in range(150):
            await server.post(convert("30 BNK", "AIR", by="BNK", member_id=ada))

    async with going_on(shop(servers[0]), shop(servers[1])) as shops:
        await at_once(*shops)

    assert await servers[0].balances(ada) == {"BNK": 100_000 - 300 * 30, "AIR": 300}
    assert len(tries) < 2 * 300
    assert any(tries)
