"""A change that was acknowledged holds at every server at once, while all of them go on posting."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

from exchange.callers import CallerRole
from exchange.ledger.halting import halt
from exchange.ledger.model import Receipt
from exchange.refusals import Refusal
from tests.integration.ledger.ledgers import OPERATOR, PRICES, Ledger, at_once, going_on, reasons
from tests.integration.ledger.pausing import FENCE, done_or_fenced, paused, without
from tests.unit.rules.rulebook import MERCHANT_NO, convert, earn

ROUNDS = 6


async def awarding(stop: asyncio.Event, server: Ledger, member: UUID) -> list[Receipt | Refusal]:
    """What a caller is told that awards without a pause."""
    told = []
    while not stop.is_set():
        told.append(await server.told(earn("1 TEL", "GRO", member_id=member)))
    return told


async def test_a_suspended_merchant_moves_nothing_once_the_suspension_is_acknowledged(servers: list[Ledger]) -> None:
    """At the server that was told and at the other; what is under way commits before the acknowledgement or never."""
    members = await servers[0].members(4)
    count = f"SELECT count(*) FROM exchange.transfers WHERE merchant_no = {MERCHANT_NO['GRO']}"
    stop = asyncio.Event()
    calls = [awarding(stop, servers[place % 2], members[place % 4]) for place in range(8)]

    async with going_on(*calls) as callers:
        for number in range(ROUNDS):
            before = await servers[0].value(count)
            while await servers[0].value(count) == before:
                await asyncio.sleep(0.005)
            await servers[number % 2].suspend("GRO")
            at_acknowledgement = await servers[0].value(count)
            late = await at_once(*(server.told(earn("1 TEL", "GRO", member_id=members[0])) for server in servers))
            assert reasons(late) == ["MERCHANT_SUSPENDED"] * 2
            assert await servers[0].value(count) == at_acknowledgement
            await servers[number % 2].suspend("GRO", suspended=False)
        stop.set()
        told = [answer for caller in await asyncio.gather(*callers) for answer in caller]

    assert set(reasons(told)) == {"MERCHANT_SUSPENDED"}
    assert await servers[0].value(count) == len(told) - len(reasons(told))


async def suspended_over_a_paused_poster(ledger: Ledger) -> tuple[int, int]:
    """Transfers when a suspension returns and in the end, where a poster had decided and not yet written."""
    ada = await ledger.member()

    async def suspend() -> int:
        await ledger.suspend("GRO")
        return int(await ledger.value("SELECT count(*) FROM exchange.transfers"))

    async with paused(ledger) as pause:
        posting = asyncio.create_task(ledger.post(earn("5 TEL", "GRO", member_id=ada)))
        await pause.until_waiting("relation")
        suspending = asyncio.create_task(suspend())
        await done_or_fenced(suspending, pause)
        await pause.end()
    at_acknowledgement = await suspending
    await posting
    return at_acknowledgement, await ledger.value("SELECT count(*) FROM exchange.transfers")


async def test_a_change_waits_for_whoever_has_decided_by_what_was(ledger: Ledger) -> None:
    """The movement that was under way is there when the suspension is acknowledged, not after."""
    assert await suspended_over_a_paused_poster(ledger) == (1, 1)


async def test_without_the_fence_a_suspended_merchant_still_moves_points(ledger: Ledger) -> None:
    """The same interleaving with the fence taken away, so the test above can fail."""
    await without(ledger, FENCE)

    assert await suspended_over_a_paused_poster(ledger) == (0, 1)


async def test_every_movement_has_the_price_of_its_instant(servers: list[Ledger]) -> None:
    """Prices change at one server while both award: whoever is answered after a change pays the new price."""
    members = await servers[0].members(2)
    stop = asyncio.Event()
    calls = [awarding(stop, server, member) for server, member in zip(servers, members, strict=True)]

    async with going_on(*calls) as callers:
        for number in range(ROUNDS):
            changes = servers[number % 2].api.changes
            price = await changes.publish_price(OPERATOR, "TEL", replace(PRICES["TEL"], issue_micros=12_000 + number))
            awards = await at_once(*(server.post(earn("1 TEL", "GRO", member_id=members[0])) for server in servers))
            assert {award.transfer.obligations[0].micros for award in awards} == {price.issue_micros}
        stop.set()
        await asyncio.gather(*callers)

    wrong = await servers[0].rows(
        """
        SELECT e.transfer_id, e.price_micros, p.issue_micros
        FROM exchange.clearing_entries_v1 e
        CROSS JOIN LATERAL (
            SELECT issue_micros FROM exchange.prices JOIN exchange.currencies USING (currency_no)
            WHERE code = 'TEL' AND effective_at <= e.occurred_at ORDER BY effective_at DESC LIMIT 1
        ) p
        WHERE p.issue_micros <> e.price_micros
        """
    )
    assert wrong == []


async def test_a_new_rate_holds_at_the_other_server_at_once(servers: list[Ledger]) -> None:
    """It was published at the first a moment ago, for a pair the second has never seen."""
    ada = await servers[0].member()
    await servers[0].post(earn("60 AIR", "AIR", member_id=ada))
    assert reasons([await servers[1].told(convert("4 AIR", "TEL", by="AIR", member_id=ada))]) == ["NO_RATE"]

    published = await servers[0].publish("2 AIR", "7 TEL")

    assert (
        await servers[1].post(convert("4 AIR", "TEL", by="AIR", member_id=ada))
    ).transfer.rate_id == published.rate_id


async def test_a_revoked_key_moves_nothing_at_either_server(servers: list[Ledger]) -> None:
    """Also when the call was let in before: the credential is looked at again where it is decided."""
    ada = await servers[0].member()
    key, _ = await servers[0].api.changes.issue_key(OPERATOR, CallerRole.MERCHANT, "GRO", "till", None)
    good = earn("1 TEL", "GRO", member_id=ada)
    good.credential = key.name
    await servers[1].post(good)

    await servers[0].api.changes.revoke_key(OPERATOR, key.key_id)

    answers = []
    for server in servers:
        late = earn("1 TEL", "GRO", member_id=ada)
        late.credential = key.name
        answers.append(await server.told(late))
    assert reasons(answers) == ["CREDENTIAL_UNKNOWN"] * 2


async def test_a_halted_ledger_takes_nothing_until_it_is_resumed(servers: list[Ledger]) -> None:
    """At every server at once; what was refused so was not decided and may be asked again."""
    ada = await servers[0].member()
    await halt(servers[0].database, halted=True)
    award = earn("5 TEL", "GRO", key="k", member_id=ada)
    assert reasons(await at_once(*(server.told(award) for server in servers))) == ["LEDGER_HALTED"] * 2

    await halt(servers[1].database, halted=False)

    assert not (await servers[0].post(award)).replayed


async def test_a_halt_waits_for_what_is_under_way(ledger: Ledger) -> None:
    """When it is acknowledged nothing more is written, so that what is looked into stands still."""
    ada = await ledger.member()

    async def halted() -> int:
        await halt(ledger.database, halted=True)
        return int(await ledger.value("SELECT count(*) FROM exchange.transfers"))

    async with paused(ledger) as pause:
        posting = asyncio.create_task(ledger.post(earn("5 TEL", "GRO", member_id=ada)))
        await pause.until_waiting("relation")
        halting = asyncio.create_task(halted())
        await done_or_fenced(halting, pause)
        await pause.end()
    at_acknowledgement = await halting
    await posting

    assert at_acknowledgement == await ledger.value("SELECT count(*) FROM exchange.transfers")
