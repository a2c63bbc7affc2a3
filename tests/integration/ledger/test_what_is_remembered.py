"""A server remembers how it left an account; what others have done with it since is found when it is written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID

import pytest

from exchange.ledger.gathering import Gathering, Grounds
from exchange.ledger.halting import halt
from exchange.ledger.memory import Memory
from exchange.ledger.model import Receipt
from exchange.refusals import Refusal
from tests.integration.ledger.ledgers import OPERATOR, PRICES, Ledger
from tests.integration.ledger.remembering import looks, reason, tries
from tests.unit.rules.days import hold
from tests.unit.rules.rulebook import earn, redeem


async def test_points_that_were_spent_elsewhere_are_not_spent_again(servers: list[Ledger]) -> None:
    """The figures of the refusal are those that hold."""
    ada = await servers[0].member()
    await servers[0].post(earn("10 TEL", "GRO", member_id=ada))
    await servers[1].post(redeem("8 TEL", "GRO", member_id=ada))

    answer = await servers[0].told(redeem("10 TEL", "CAF", member_id=ada))

    assert isinstance(answer, Refusal)
    assert answer.data == {"currency": "currencies/TEL", "available": "2", "requested": "10"}
    assert await servers[0].balances(ada) == {"TEL": 2}


async def test_points_that_were_given_elsewhere_are_there(servers: list[Ledger]) -> None:
    """Nobody is refused for what was true a moment ago, alone or beside others in a batch."""
    ada, ben = await servers[0].members(2)
    await servers[0].api.poster.post_all(
        [earn("1 TEL", "GRO", member_id=ada), earn("1 TEL", "GRO", member_id=ben)], atomic=False
    )
    await servers[1].post(earn("10 TEL", "GRO", member_id=ada))

    together = [redeem("11 TEL", "CAF", member_id=ada), redeem("1 TEL", "CAF", member_id=ben)]
    answers = await servers[0].api.poster.post_all(together, atomic=False)

    assert all(isinstance(answer, Receipt) for answer in answers)
    assert await servers[0].balances(ada) == {"TEL": 0}


def taken_for_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on whatever is remembered is believed to have been seen a moment ago, so that no refusal proves it."""
    look = Gathering.look

    async def looked(gathering: Gathering, memory: Memory | None) -> Grounds:
        grounds = await look(gathering, memory)
        for account in grounds.accounts.values():
            account.is_remembered = False
        return grounds

    monkeypatch.setattr(Gathering, "look", looked)


async def test_without_proving_what_was_refused_it_would_be_refused_wrongly(
    servers: list[Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same without the proof, so that the test above can fail."""
    taken_for_looked_at(monkeypatch)
    ada, ben = await servers[0].members(2)
    await servers[0].post(earn("1 TEL", "GRO", member_id=ada))
    await servers[0].post(earn("1 TEL", "GRO", member_id=ben))
    await servers[1].post(earn("10 TEL", "GRO", member_id=ada))

    together = [redeem("11 TEL", "CAF", member_id=ada), redeem("1 TEL", "CAF", member_id=ben)]
    refused, _ = await servers[0].api.poster.post_all(together, atomic=False)

    assert reason(refused) == "INSUFFICIENT_POINTS"  # type: ignore[arg-type]


@pytest.mark.parametrize("atomic", [False, True], ids=["each by itself", "all or none"])
async def test_a_trial_tells_what_holds(servers: list[Ledger], atomic: bool) -> None:  # noqa: FBT001
    """Also beside a movement of somebody else, and when nothing is written at all."""
    ada, ben = await servers[0].members(2)
    await servers[0].post(earn("10 TEL", "GRO", member_id=ada))
    await servers[0].post(earn("10 TEL", "GRO", member_id=ben))
    await servers[1].post(redeem("10 TEL", "GRO", member_id=ada))
    trial = redeem("10 TEL", "CAF", member_id=ada, trial=True)

    beside = await servers[0].api.poster.post_all([redeem("1 TEL", "GRO", member_id=ben), trial], atomic=atomic)
    alone = await servers[0].told(trial)

    assert [reason(beside[1]), reason(alone)] == ["INSUFFICIENT_POINTS"] * 2  # type: ignore[arg-type]


async def suspended(server: Ledger, _: UUID) -> None:
    """GRO may not act any more."""
    await server.suspend("GRO")


async def halted(server: Ledger, _: UUID) -> None:
    """Nobody may."""
    await halt(server.database, halted=True)


async def closed(server: Ledger, member: UUID) -> None:
    """The membership is over."""
    await server.api.closings.close(OPERATOR, member, "test")


@pytest.mark.parametrize(
    ("done", "expected"),
    [(suspended, "MERCHANT_SUSPENDED"), (halted, "LEDGER_HALTED"), (closed, "MEMBER_CLOSED")],
    ids=["suspended", "halted", "closed"],
)
async def test_what_was_forbidden_elsewhere_is_forbidden(
    servers: list[Ledger], done: Callable[[Ledger, UUID], Awaitable[None]], expected: str
) -> None:
    """From when it is acknowledged."""
    ada = await servers[0].member()
    await servers[0].post(earn("10 TEL", "GRO", member_id=ada))
    await done(servers[1], ada)

    assert reason(await servers[0].told(earn("5 TEL", "GRO", member_id=ada))) == expected
    assert await servers[0].value("SELECT count(*) FROM exchange.transfers WHERE kind = 1") == 1


async def test_a_price_and_a_window_are_those_that_hold(servers: list[Ledger]) -> None:
    """Both changed elsewhere since the account was remembered."""
    ada = await servers[0].member()
    await servers[0].post(earn("5 TEL", "GRO", member_id=ada))
    await servers[1].close_window()
    await servers[1].api.changes.publish_price(OPERATOR, "TEL", replace(PRICES["TEL"], issue_micros=13_000))

    done = await servers[0].post(earn("5 TEL", "GRO", member_id=ada))

    assert (done.transfer.window_no, [owed.micros for owed in done.transfer.obligations]) == (2, [65_000])


@pytest.mark.parametrize("first", [0, 1], ids=["at the same server", "at another"])
async def test_a_request_that_is_repeated_moves_nothing(
    servers: list[Ledger], monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    """Its account is remembered, its key was used: who has used it knows, who has not finds out."""
    ada, ben = await servers[0].members(2)
    await servers[0].post(earn("1 TEL", "GRO", member_id=ada))
    request = earn("5 TEL", "GRO", key="once", member_id=ada)
    told = await servers[first].post(request)
    await servers[0].post(earn("1 TEL", "GRO", member_id=ben))

    tried = tries(monkeypatch)
    again, _ = await servers[0].api.poster.post_all([request, earn("1 TEL", "GRO", member_id=ben)], atomic=False)

    assert isinstance(again, Receipt)
    assert (again.transfer, again.replayed) == (told.transfer, True)
    assert len(tried) == 1 + first
    assert await servers[0].balances(ada) == {"TEL": 6}


async def test_an_account_that_was_moved_under_locks_is_looked_at(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hold is no plain movement, and leaves more than is remembered."""
    ada = await ledger.member()
    await ledger.post(earn("10 TEL", "GRO", member_id=ada))
    await ledger.post(hold("8 TEL", member_id=ada))

    asked, tried = looks(monkeypatch), tries(monkeypatch)
    answer = await ledger.told(redeem("3 TEL", "GRO", member_id=ada))

    assert reason(answer) == "INSUFFICIENT_POINTS"
    assert (asked, len(tried)) == ([1], 1)


async def test_only_what_is_not_remembered_is_asked_for(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a batch of two members one is known."""
    ada, ben = await ledger.members(2)
    await ledger.post(earn("10 TEL", "GRO", member_id=ada))

    asked = looks(monkeypatch)
    both = [redeem("3 TEL", "GRO", member_id=ada), earn("3 TEL", "GRO", member_id=ben)]
    answers = await ledger.api.poster.post_all(both, atomic=False)

    assert all(isinstance(answer, Receipt) for answer in answers)
    assert asked == [1]
