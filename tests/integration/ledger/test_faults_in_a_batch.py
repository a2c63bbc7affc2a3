"""One bad command among good ones: it fails alone, whether a rule breaks, the database, or the connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from exchange.due import ending
from exchange.ledger import poster as poster_module
from exchange.ledger import sql
from exchange.ledger.decision import Outcome
from exchange.ledger.facts import MemberFacts
from exchange.ledger.model import Command, MemberKey, Posting, Receipt
from exchange.ledger.poster import Poster
from exchange.movements import decide
from exchange.rates.model import Coalition
from exchange.refusals import DatabaseUnavailable, Refusal
from tests.integration.ledger.ledgers import Ledger, at_once, owner_of
from tests.unit.rules.rulebook import MERCHANT_NO, earn

POISON = "poison"


def breaks_on_poison(command: Command, facts: MemberFacts, coalition: Coalition) -> Posting:
    """The exchange's rules, but for one request that runs into a fault in them."""
    if command.request_id == POISON:
        raise ZeroDivisionError
    return decide(command, facts, coalition)


@asynccontextmanager
async def one_batch(ledger: Ledger, groups: Sequence[Sequence[Command]]) -> AsyncIterator[list[list[Outcome]]]:
    """Outcomes of groups that were all waiting when the only lane began, hence came into one batch."""
    poster: Poster[Coalition] = Poster(ledger.database, ledger.api.source, breaks_on_poison, ending=ending, lanes=1)
    calls = [asyncio.ensure_future(poster.post_all(group, atomic=len(group) > 1)) for group in groups]
    await asyncio.sleep(0)
    poster.start()
    try:
        yield await at_once(*calls)
    finally:
        await poster.drain()


def poisons() -> dict[str, Command]:
    """Requests that break something, each in its own way."""
    good = earn("1 TEL", "GRO", key=POISON)
    by_reference = MemberKey(MERCHANT_NO["GRO"], None, "ada")
    return {
        "a rule breaks": replace(good, member=by_reference),
        "no merchant has that number": replace(good, member=by_reference, merchant_no=999, request_id="nobody"),
        "a NUL in the key": replace(good, member=by_reference, request_id="a\0b"),
        "half a character in the key": replace(good, member=by_reference, request_id="a\ud800"),
        "a NUL in the reference": replace(good, member=by_reference, request_id="nul", reference="a\0b"),
        "a NUL in the member's reference": replace(good, member=by_reference._replace(reference="a\0b")),
        "no UUID names the member": replace(good, member=MemberKey(MERCHANT_NO["GRO"], "ada", None)),  # type: ignore[arg-type]
        "a digest that is no bytes": replace(good, member=by_reference, request_id="text", fingerprint="text"),  # type: ignore[arg-type]
    }


@pytest.mark.parametrize("how", poisons())
async def test_a_command_that_breaks_something_fails_alone(ledger: Ledger, how: str) -> None:
    """Its neighbours in the batch are answered yes, single or atomic, and it is told apart from a refusal."""
    ada = await ledger.member("ada")
    before, after = earn("2 TEL", "GRO", member_id=ada), earn("3 TEL", "GRO", member_id=ada)
    group = [earn("4 TEL", "GRO", member_id=ada), earn("5 TEL", "GRO", member_id=ada)]

    async with one_batch(ledger, [[before], [poisons()[how]], group, [after]]) as (first, poisoned, both, last):
        assert all(isinstance(outcome, Receipt) for outcome in (*first, *both, *last))
        (fault,) = poisoned
        assert isinstance(fault, Exception)
        assert not isinstance(fault, Refusal)

    assert await ledger.balances(ada) == {"TEL": 2 + 4 + 5 + 3}


async def test_a_poster_goes_on_after_a_broken_command(ledger: Ledger) -> None:
    """The connection is as good as before; a fault leaves its key unused."""
    ada = await ledger.member("ada")
    broken = poisons()["a NUL in the reference"]
    with pytest.raises(Exception, match="0x00"):
        await ledger.post(broken)

    answer = await ledger.post(replace(broken, reference="mended"))

    assert not answer.replayed
    assert await ledger.balances(ada) == {"TEL": 1}


async def impatient(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let lanes begin anew, and wait for no lock for long."""
    monkeypatch.setattr(poster_module, "LANE", sql.LANE.replace("'10s'", "'50ms'"))
    monkeypatch.setattr(sql, "BEGIN", sql.BEGIN.replace("'10s'", "'50ms'"))
    await end_connections(ledger)
    await ledger.known(earn("1 TEL", "GRO", member_id=await ledger.member("somebody")))


async def test_a_poster_goes_on_after_waiting_in_vain_for_the_fence(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever holds it longer than a poster waits costs a caller a BUSY, and nobody after that anything."""
    ada = await ledger.member()
    await ledger.post(earn("1 TEL", "GRO", member_id=ada))
    await impatient(ledger, monkeypatch)
    monkeypatch.setattr(poster_module, "TRIES_MAX", 2)

    async with owner_of(ledger.url) as other:
        await other.execute(f"SELECT pg_advisory_lock({sql.FENCE})")
        with pytest.raises(Refusal) as caught:
            await ledger.post(earn("1 TEL", "GRO", key="kept", member_id=ada))
        assert caught.value.reason == "SERVER_BUSY"

    answers = [await ledger.post(earn("1 TEL", "GRO", key="kept", member_id=ada)) for _ in range(4)]
    assert [answer.replayed for answer in answers] == [False, True, True, True]
    assert await ledger.balances(ada) == {"TEL": 2}


async def test_a_poster_goes_on_after_waiting_in_vain_for_an_account(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same, where somebody else holds the member's row."""
    ada = await ledger.member()
    await ledger.post(earn("1 TEL", "GRO", member_id=ada))
    await impatient(ledger, monkeypatch)
    monkeypatch.setattr(poster_module, "TRIES_MAX", 2)

    async with owner_of(ledger.url) as other, other.transaction():
        await other.execute("SELECT FROM exchange.accounts FOR UPDATE")
        with pytest.raises(Refusal) as caught:
            await ledger.post(earn("1 TEL", "GRO", key="kept", member_id=ada))
        assert caught.value.reason == "SERVER_BUSY"

    assert not (await ledger.post(earn("1 TEL", "GRO", key="kept", member_id=ada))).replayed
    assert await ledger.balances(ada) == {"TEL": 2}


async def end_connections(ledger: Ledger) -> None:
    """What a restart of the database does to its clients."""
    await ledger.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'points-exchange'"
    )


async def test_a_lost_connection_costs_an_unknown_answer_and_no_more(ledger: Ledger) -> None:
    """UNAVAILABLE is the honest answer; the repeat does it, once."""
    ada = await ledger.member()
    await ledger.post(earn("1 TEL", "GRO", member_id=ada))
    await end_connections(ledger)

    award = earn("5 TEL", "GRO", key="k", member_id=ada)
    first = await ledger.told(award)
    known = await ledger.known(award)

    assert isinstance(first, DatabaseUnavailable | Receipt)
    assert isinstance(known, Receipt)
    assert await ledger.balances(ada) == {"TEL": 6}


async def test_a_connection_lost_in_the_middle_of_a_batch_leaves_nothing_of_it(ledger: Ledger) -> None:
    """The batch has decided and waits to write when it is cut off: its callers are told that nobody knows."""
    ada = await ledger.member()
    await ledger.post(earn("1 TEL", "GRO", member_id=ada))

    async with owner_of(ledger.url) as other:
        blocked = other.transaction()
        await blocked.start()
        await other.execute("LOCK TABLE exchange.transfers IN SHARE MODE")
        calls = [asyncio.create_task(ledger.told(earn("5 TEL", "GRO", key=f"k{n}", member_id=ada))) for n in range(6)]
        while not await other.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            await asyncio.sleep(0.01)
        await end_connections(ledger)
        answers = await asyncio.gather(*calls)
        await blocked.rollback()

    assert all(isinstance(answer, DatabaseUnavailable) for answer in answers)
    assert await ledger.value("SELECT count(*) FROM exchange.transfers") == 1
    again = await at_once(*(ledger.known(earn("5 TEL", "GRO", key=f"k{n}", member_id=ada)) for n in range(6)))
    assert all(isinstance(answer, Receipt) and not answer.replayed for answer in again)
    assert await ledger.balances(ada) == {"TEL": 31}
