"""Chosen items and suspended merchants at the terminal: typed, shown on the board, and computed again from a pack."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from exchange.retention.model import Content
from exchange.v1 import directory_service_pb2 as directory
from settlement.evidence.service import Evidence
from settlement.evidence.verify import verify
from settlement.keeping import needs
from tests.contract.paid import Treasury
from tests.contract.proposed import exclusions
from tests.contract.settled import Finance
from tests.contract.stillness import connected
from tests.contract.test_releases import holding, suspend
from tests.integration.ledger.ledgers import Ledger
from tests.integration.ledger.retiring import LI_WEI, candidate, cut, done_with, keeping
from tests.integration.settlement.packs import change_document
from tests.integration.settlement.test_commands import settlement
from tests.servers import Server


async def verified(server: Server, window_no: int, path: Path) -> list[str]:
    """What is wrong with the pack of a window."""
    database = Database(server.url)
    await Evidence(database).write(window_no, path)
    await database.dispose()
    return [str(one) for one in verify(path).differences]


@pytest.mark.timeout(300)
async def test_items_are_released_as_typed_and_the_evidence_says_so(
    server: Server, finance: Finance, tmp_path: Path
) -> None:
    """Not while the merchant is excluded; what it would release now is shown, and the pack knows the choice."""
    await finance.agree(exclusions("GRO"))
    await finance.approve(await finance.submit((await finance.start("windows/1")).run))
    typed = ("release", "GRO", "2", "--creditor", "TEL", "--since", "1")
    too_early = await settlement(server, *typed, key=finance.maker.secret)
    wrong = await settlement(server, *typed, "--at-least", "5", "--at-most", "4", key=finance.maker.secret)
    await finance.agree(exclusions())
    shown = await settlement(server, *typed, key=finance.maker.secret)
    proposed = (await settlement(server, *typed, "--json", key=finance.maker.secret)).document
    approve = ("approve", proposed["proposal"], "--digest", proposed["digest"])
    await settlement(server, *approve, key=finance.checker.secret)
    await finance.close("windows/2")
    await finance.start("windows/2")
    run = await settlement(server, "show", "2")

    assert (too_early.status, wrong.status) == (2, 2)
    assert "GRO is excluded" in too_early.errors
    assert "CNY 6.00, GRO owes TEL since windows/1" in shown.output
    assert "python -m settlement held GRO" in shown.output
    assert "released items: GRO (owed to TEL since windows/1)" in run.output
    assert await verified(server, 2, tmp_path / "pack") == []
    change_document(tmp_path / "pack", "result.json", lambda result: result.pop("released_items"))
    assert any("released_items" in str(one) for one in verify(tmp_path / "pack").differences)


@pytest.mark.timeout(300)
async def test_what_is_held_is_told_down_to_its_transfers(server: Server, finance: Finance) -> None:
    """Those of the pair in the window it comes from: they come to the figure that is held, and name their ids."""
    await finance.cast.gro.earn(finance.member, "7 TEL")
    await finance.close("windows/2")
    await finance.agree(exclusions("GRO"))
    await finance.approve(await finance.submit((await finance.start("windows/1")).run))
    await finance.approve(await finance.submit((await finance.start("windows/2")).run))
    (page,) = await finance.obligations(finance.maker, "windows/1")
    elsewhere = ("held", "GRO", "--creditor", "AIR", "--json")

    told = (await settlement(server, "held", "GRO", "--json")).document["items"]
    one = (await settlement(server, "held", "GRO", "--since", "1", "--json")).document["items"]
    shown = await settlement(server, "held", "GRO", "--since", "1")
    nothing = (await settlement(server, *elsewhere)).document["items"]
    nobody = await settlement(server, "held", "XXX")

    assert [(item["since_window"], item["amount"], len(item["transfers"])) for item in told] == [(1, 600, 1), (2, 8, 1)]
    assert one == told[:1]
    assert [(entry["transfer"], entry["micros"]) for entry in one[0]["transfers"]] == [
        (obligation.transfer, 6_000_000) for obligation in page
    ]
    assert (one[0]["pair_micros"], one[0]["pair_obligations"]) == (6_000_000, 1)
    assert one[0]["transfers"][0]["transfer"] in shown.output
    assert (nothing, nobody.status) == ([], 2)


@pytest.mark.timeout(300)
async def test_an_item_whose_transfers_have_left_hides_no_other(
    server: Server, finance: Finance, tmp_path: Path
) -> None:
    """What it comes to is kept without them, and the archive is named that has them; the others are told in full."""
    ledger = Ledger(server.url, server.api)
    await finance.agree(exclusions("GRO"))
    await finance.approve(await finance.submit((await finance.start("windows/1")).run))
    await cut(ledger)
    await finance.cast.gro.earn(finance.member, "7 TEL")
    await finance.close("windows/2")
    await finance.approve(await finance.submit((await finance.start("windows/2")).run))
    await settlement(server, "liability", "2")
    await settlement(server, "head", "2")
    await done_with(ledger)

    async def needed(connection: AsyncConnection, content: Content) -> list[str]:
        return await needs(connection, content.last_window_no)

    async with keeping(ledger, needs=[needed]) as retirements:
        gone = await retirements.retire(await candidate(retirements), LI_WEI, tmp_path)
    told = await settlement(server, "held", "GRO", "--json")
    shown = await settlement(server, "held", "GRO")

    assert told.errors == ""
    old, new = told.document["items"]
    assert (old["since_window"], old["amount"], old["transfers"], old["archive"]) == (1, 600, [], gone.part_name)
    assert (old["pair_micros"], old["pair_obligations"]) == (6_000_000, 1)
    assert (new["since_window"], new["amount"], len(new["transfers"]), new["archive"]) == (2, 8, 1, None)
    assert (
        f"some of windows/1 have left the ledger: the operator has the archives, the newest {gone.part_name}"
        in shown.output
    )
    assert new["transfers"][0]["transfer"] in shown.output


@pytest.mark.timeout(300)
async def test_the_board_tells_of_the_suspended(server: Server, finance: Finance, tmp_path: Path) -> None:
    """A run that nets one is to be made again; then it stands there for whose sake it holds."""
    await finance.agree(holding(held=True))
    await finance.start("windows/1")
    await suspend(finance, "GRO")
    before = (await settlement(server, "status", "--json")).document["windows"][0]
    await finance.start("windows/1")
    after = (await settlement(server, "status", "--json")).document["windows"][0]
    board = await settlement(server, "status")

    assert (before["next"]["step"], before["suspended"]) == ("run", [])
    assert "GRO, suspended since" in before["next"]["because"]
    assert (after["next"]["step"], after["suspended"]) == ("submit", ["GRO"])
    assert "held, for they are suspended in the exchange: GRO" in board.output
    assert await verified(server, 1, tmp_path / "pack") == []


HOLD = "SELECT settlement.take_turns()"
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


async def test_a_release_keeps_what_came_to_hold_while_it_was_typed(server: Server, finance: Finance) -> None:
    """An exclusion that is approved in the same moment stands in the document that would replace it."""
    proposed = await finance.propose(exclusions("CAF"))
    async with connected(server.url) as somebody:

        async def wait_for(many: int) -> None:
            while await somebody.fetchval(WAITING) < many:
                await asyncio.sleep(0.01)

        async with somebody.transaction():
            await somebody.execute(HOLD)
            approving = asyncio.create_task(finance.approve_proposal(proposed))
            await wait_for(1)
            typed = asyncio.create_task(settlement(server, "release", "GRO", "2", "--json", key=finance.maker.secret))
            await wait_for(2)
        await approving
        released = (await typed).document
    approve = ("approve", released["proposal"], "--digest", released["digest"])
    checker = await finance.cast.world.party(directory.CALLER_ROLE_FINANCE_CHECKER, "zoe")
    await settlement(server, *approve, key=checker.secret)
    again = await settlement(server, "release", "GRO", "2", key=finance.maker.secret)

    assert [one["participant"] for one in released["content"]["excluded"]] == ["CAF"]
    assert [one["window_no"] for one in released["content"]["released"]] == [2]
    assert (again.status, "state RELEASED" in again.errors) == (2, True)


async def test_a_release_that_comes_too_late_is_told_so(server: Server, treasury: Treasury) -> None:
    """The money of that window is on its way; the next one takes it."""
    await treasury.instructed()

    late = await settlement(server, "release", "GRO", "1", key=treasury.finance.maker.secret)
    in_time = await settlement(server, "release", "GRO", "2", key=treasury.finance.maker.secret)

    assert (late.status, late.output, in_time.status) == (2, "", 0)
    assert "state INSTRUCTED, window windows/1. Next: say a later window" in late.errors
