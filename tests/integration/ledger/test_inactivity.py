"""Points that end when nothing was done with them for some days: what postpones, what does not, and who posts it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from exchange.holds.model import Capture, Release
from exchange.ledger.model import Command, TransferKind
from exchange.sandbox.processes import answer_of, environment
from tests.integration.ledger.ledgers import OPERATOR, Ledger, a_server_on, at_once, in_turn, issue_idle, moved, reasons
from tests.unit.rules.days import capture, hold, release, reverse
from tests.unit.rules.rulebook import earn, redeem

DAY = timedelta(days=1)
ENDS = "SELECT ends_at FROM exchange.account_ends"
EXPIRIES = "SELECT count(*) FROM exchange.transfers WHERE kind = 11"


async def at(ledger: Ledger, moment: datetime) -> None:
    """Move the clock without doing what falls due."""
    await ledger.api.changes.set_clock(OPERATOR, moment)


async def test_whatever_is_done_with_an_account_postpones_all_its_lots(ledger: Ledger) -> None:
    """Awarded, spent and reserved every nine days for a month, the first lot is still there; then it ends with all."""
    begin = await issue_idle(ledger)
    ada = await ledger.member()
    transfers = []
    for day, command in enumerate(
        [
            earn("4 END", "GRO", member_id=ada),
            earn("5 END", "CAF", member_id=ada),
            redeem("1 END", "CAF", member_id=ada),
            hold("1 END", lifetime=DAY, member_id=ada),
        ]
    ):
        await at(ledger, begin + 9 * day * DAY)
        transfers.append((await ledger.post(command)).transfer)
    last = transfers[-1]
    await at(ledger, last.occurred_at + DAY)
    await ledger.api.due.run()
    await at(ledger, last.occurred_at + 10 * DAY - timedelta(milliseconds=500))
    before = await ledger.balances(ada)

    await at(ledger, last.occurred_at + 10 * DAY)
    seen = await ledger.balances(ada)
    done = await ledger.api.due.run()

    assert (before, seen, done.accounts) == ({"END": 8}, {"END": 0}, 1)
    owed = await ledger.rows("SELECT creditor, micros FROM exchange.clearing_totals_v1 WHERE kind = 10 ORDER BY 1")
    assert [tuple(row) for row in owed] == [("CAF", 25), ("GRO", 15)]


async def test_giving_back_postpones_nothing(ledger: Ledger) -> None:
    """Nor does a lapse, a release, or a return: the account ends ten days after the hold that came last."""
    begin = await issue_idle(ledger)
    ada = await ledger.member()
    await ledger.post(earn("9 END", "GRO", member_id=ada))
    used = (await ledger.post(redeem("2 END", "CAF", member_id=ada))).transfer
    held = (await ledger.post(hold("3 END", lifetime=30 * DAY, member_id=ada))).transfer
    await at(ledger, begin + 8 * DAY)

    await ledger.post(reverse(used, 1))
    await ledger.post(release(held))

    assert await ledger.value(ENDS) == held.occurred_at + 10 * DAY
    await at(ledger, held.occurred_at + 10 * DAY)
    await ledger.post(reverse(used))
    assert await ledger.balances(ada) == {"END": 0}
    await ledger.api.due.run()
    assert await ledger.value("SELECT sum(remaining_units) FROM exchange.lots") == 0


async def test_an_award_does_not_bring_ended_points_back(servers: list[Ledger]) -> None:
    """Nobody has posted the end when the next award comes: it is posted first, then the award stands alone."""
    begin = await issue_idle(servers[0])
    ada = await servers[0].member()
    await servers[0].post(earn("9 END", "GRO", member_id=ada))
    await at(servers[0], begin + 11 * DAY)

    refused = [await servers[1].told(redeem("9 END", "CAF", member_id=ada))]
    between = await servers[0].value(EXPIRIES)
    await servers[0].post(earn("5 END", "GRO", member_id=ada))

    assert (reasons(refused), between) == (["INSUFFICIENT_POINTS"], 1)
    assert await servers[0].balances(ada) == {"END": 5}
    assert await servers[0].value(EXPIRIES) == 1


async def test_held_points_outlive_their_account(ledger: Ledger) -> None:
    """A capture takes what the hold promised; what it gives back has ended."""
    begin = await issue_idle(ledger)
    ada = await ledger.member()
    await ledger.post(earn("9 END", "GRO", member_id=ada))
    held = (await ledger.post(hold("6 END", lifetime=30 * DAY, member_id=ada))).transfer
    await at(ledger, begin + 11 * DAY)
    await ledger.api.due.run()

    await ledger.post(capture(held, 6))

    assert await ledger.balances(ada) == {"END": 0}


async def test_many_who_come_to_ended_accounts_at_once_end_each_once(servers: list[Ledger]) -> None:
    """Thirty accounts, awards by both servers and two runs of what is due, all together."""
    begin = await issue_idle(servers[0])
    members = await servers[0].members(30)
    for member in members:
        await servers[0].post(earn("9 END", "GRO", member_id=member))
    await at(servers[0], begin + 11 * DAY)

    awards = in_turn(servers, [earn("2 END", "GRO", member_id=member) for member in members for _ in range(2)])
    running = [asyncio.ensure_future(server.api.due.run()) for server in servers]
    answers = await at_once(*awards)
    await asyncio.gather(*running)

    assert len(moved(answers)) == 60
    assert await servers[0].value(EXPIRIES) == 30
    assert [await servers[0].balances(member) for member in members] == [{"END": 4}] * 30


async def test_an_emptied_account_waits_for_nobody(ledger: Ledger) -> None:
    """All spent: nothing is due, however long it stands idle."""
    begin = await issue_idle(ledger)
    ada = await ledger.member()
    await ledger.post(earn("9 END", "GRO", member_id=ada))
    await ledger.post(redeem("9 END", "CAF", member_id=ada))
    await at(ledger, begin + 11 * DAY)

    assert tuple(await ledger.api.due.waiting()) == tuple(await ledger.api.due.run()) == (0, 0)


async def _award(ledger: Ledger, members: Sequence[UUID]) -> None:
    for member in members:
        await ledger.post(earn("4 END", "GRO", member_id=member))
        await ledger.post(hold("1 END", lifetime=DAY, member_id=member))


async def test_the_command_ends_what_is_due_beside_a_serving_sweeper(ledger: Ledger) -> None:
    """Run twice at once while a server looks every moment: each hold and account once; a third run finds nothing."""
    begin = await issue_idle(ledger)
    members = await ledger.members(20)
    await _award(ledger, members)
    await at(ledger, begin + 11 * DAY)
    environ = environment(database_url=ledger.url, sandbox="true")

    async with a_server_on(ledger.url, due_seconds=0.05):
        runs = await asyncio.gather(*(answer_of(("expire", "--json"), environ) for _ in range(2)))
    third = await answer_of(("expire", "--json"), environ)

    assert [status for status, _, _ in (*runs, third)] == [0, 0, 0], runs
    told = [json.loads(output) for _, output, _ in runs]
    assert sum(one["accounts"] for one in told) <= 40
    assert json.loads(third[1]) == {"holds": 0, "accounts": 0, "points": {}, "breakage_micros": {}}
    assert await ledger.value("SELECT sum(remaining_units) FROM exchange.lots") == 0
    released = "SELECT count(*) FROM exchange.transfers WHERE kind = $1"
    assert await ledger.value(released, TransferKind.RELEASE) == 20


async def test_the_command_tells_what_it_ended(ledger: Ledger) -> None:
    """Points by currency, and what their funders are owed."""
    begin = await issue_idle(ledger)
    await _award(ledger, await ledger.members(3))
    await at(ledger, begin + 11 * DAY)

    status, output, errors = await answer_of(("expire", "--json"), environment(database_url=ledger.url, sandbox="true"))

    assert status == 0, errors
    assert json.loads(output) == {"holds": 3, "accounts": 3, "points": {"END": 12}, "breakage_micros": {"CNY": 60}}


async def ended_account(ledger: Ledger) -> tuple[UUID, list[Command]]:
    """A member whose account has ended with nothing in it, and what would put 9 points back: a return, a release."""
    begin = await issue_idle(ledger)
    ada = await ledger.member()
    await ledger.post(earn("9 END", "GRO", member_id=ada))
    used = (await ledger.post(redeem("6 END", "CAF", member_id=ada))).transfer
    held = (await ledger.post(hold("3 END", lifetime=30 * DAY, member_id=ada))).transfer
    await at(ledger, begin + 11 * DAY)
    await ledger.api.due.run()
    return ada, [reverse(used), release(held)]


@pytest.mark.parametrize("atomic", [True, False])
@pytest.mark.parametrize("which", [[0], [1], [0, 1], [1, 0]])
async def test_what_comes_back_to_an_ended_account_stays_ended_whatever_follows_at_once(
    ledger: Ledger, which: list[int], *, atomic: bool
) -> None:
    """A return or a release and an award in one batch: the award stands alone, as if they had come one by one."""
    ada, back = await ended_account(ledger)
    award: Command = earn("5 END", "GRO", member_id=ada)

    answers = await ledger.api.poster.post_all([*(back[place] for place in which), award], atomic=atomic)

    assert len(moved(answers)) == len(which) + 1
    assert await ledger.balances(ada) == {"END": 5}
    owed = await ledger.value("SELECT sum(micros) FROM exchange.clearing_totals_v1 WHERE kind = 10")
    assert owed == 5 * sum((6, 3)[place] for place in which)


async def test_a_group_that_is_undone_ends_nothing(ledger: Ledger) -> None:
    """The last item of an atomic group is refused: the return and the end it brought are not there either."""
    ada, back = await ended_account(ledger)

    group = [back[0], earn("5 END", "GRO", member_id=ada), redeem("6 END", "CAF", member_id=ada)]
    answers = await ledger.api.poster.post_all(group, atomic=True)

    assert moved(answers) == []
    assert await ledger.balances(ada) == {"END": 0}
    assert await ledger.value(EXPIRIES) == 0


async def test_what_a_late_capture_gives_back_has_ended(ledger: Ledger) -> None:
    """2 of 3 are taken: a use of points, but the third comes back to an account that had ended before."""
    ada, (_, held) = await ended_account(ledger)
    assert isinstance(held, Release)
    (original,) = [row[0] for row in await ledger.rows("SELECT transfer_id FROM exchange.transfers WHERE kind = 7")]

    await ledger.post(Capture(**{**_fields(held), "original": original}, units=2))

    assert await ledger.balances(ada) == {"END": 0}
    assert await ledger.value("SELECT sum(micros) FROM exchange.clearing_totals_v1 WHERE kind = 10") == 5


def _fields(command: Release) -> dict[str, Any]:
    kept = ("merchant_no", "credential", "request_id", "fingerprint")
    return {name: getattr(command, name) for name in kept}
