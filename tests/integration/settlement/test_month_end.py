"""`python -m settlement month-end`: as far as it goes, then on from there; cut off anywhere, nothing is done twice."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exchange.db.engine import Database
from exchange.v1 import directory_service_pb2 as directory
from settlement.actors import Actor
from settlement.evidence.verify import verify
from settlement.month_end.model import State, Told, Walk
from settlement.month_end.service import MonthEnd
from settlement.v1 import funds_pb2 as funds
from tests.banks import Booking, debit, orders, statement
from tests.contract.money import demanding, deposit
from tests.contract.paid import Treasury, treasury_of
from tests.contract.stillness import connected, nothing_changes
from tests.docs.pages import ROOT
from tests.integration.settlement.test_commands import settlement
from tests.servers import Server
from tests.worlds import a_world

STEPS = ["close", "run", "recount", "funds", "submit", "approve", "export", "payments", "papers", "evidence"]
ANN = Actor("FINANCE_MAKER:console/ann", "ann")


@pytest.fixture
async def treasury(server: Server) -> AsyncIterator[Treasury]:
    """Period A in the first window, which is open; where everybody is paid is known."""
    async with a_world(server.address, server.operator_secret) as world:
        yield await treasury_of(world, closed=False)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def book_everything(treasury: Treasury, folder: Path) -> None:
    """The bank books what the payment files say, and a fee that nobody ordered."""
    fee = Booking("622200000001", "DBIT", "25.00", reference="FEE")
    told = [order for path in (folder / "payments").iterdir() for order in orders(path.read_bytes())]
    await treasury.record(statement(*(debit(order) for order in told), fee))


async def walked(server: Server, into: Path, *, until: str = "", dry: bool = False, by: Actor = ANN) -> list[Told]:
    """A walk by a process of its own, cut off after a step."""
    database = Database(server.url)
    done = []
    try:
        async for told in MonthEnd(database, Walk(1, by, into, dry=dry), lambda *_: None).steps():
            done.append(told)
            if told.step == until:
                break
    finally:
        await database.dispose()
    return done


ONCE = (1, 1, 5, 1, 4)
"""What a month leaves in the database, however often somebody died on the way."""


async def counted(server: Server) -> tuple[int, ...]:
    """Runs, payment files, payments, recounts, and steps of runs."""
    async with connected(server.url) as connection:
        row = await connection.fetchrow("""
            SELECT (SELECT count(*) FROM settlement.runs), (SELECT count(*) FROM settlement.payment_files),
                   (SELECT count(*) FROM settlement.payment_legs),
                   (SELECT count(*) FROM settlement.run_recounts), (SELECT count(*) FROM settlement.run_transitions)""")
    assert row is not None
    return tuple(row)


async def approve(server: Server, treasury: Treasury, told: Told) -> None:
    """The checker types what the walk said."""
    answer = await settlement(server, *told.command.split(), key=treasury.finance.checker.secret)
    assert answer.status == 0, answer.errors


@pytest.mark.timeout(400)
async def test_a_month_is_walked_by_three_people_who_type_what_it_says(
    server: Server, treasury: Treasury, tmp_path: Path
) -> None:
    """The maker until the checker's turn, the checker as told, the maker on, the bank, the maker to the end."""
    maker = await treasury.finance.cast.world.party(directory.CALLER_ROLE_FINANCE_MAKER, "ann")
    folder = tmp_path / "W1"
    typed = ("month-end", "1", "--into", str(folder), "--reason", "as every month")

    first = await settlement(server, *typed, key=maker.secret)
    command = re.search(r"finance checker: python -m settlement (.+)", first.output)
    assert command, first.output
    said_yes = await settlement(server, *command[1].split(), key=treasury.finance.checker.secret)
    second = await settlement(server, *typed, "--json", key=maker.secret)
    await book_everything(treasury, folder)
    third = await settlement(server, *typed, key=maker.secret)
    written = contents(folder)
    fourth = await settlement(server, *typed, "--json", key=maker.secret)

    assert (first.status, first.errors, said_yes.status) == (1, "", 0)
    assert second.status == 1
    assert [step["step"] for step in second.document["steps"]] == STEPS
    assert second.document["steps"][3]["liquidity"] == {}
    waits = [(step["step"], step["who"], step["command"]) for step in second.document["steps"] if step["who"]]
    assert waits == [("payments", "bank", "python -m settlement import-status FILE")]
    assert "all payments are booked; bank lines that fit no payment wait\n" in third.output
    assert "finance checker: python -m settlement exceptions\n" in third.output
    assert (third.status, third.output.splitlines()[-1].startswith("windows/1 is settled.")) == (0, True)
    assert (fourth.status, fourth.document["finished"]) == (0, True)
    assert contents(folder) == written
    assert {"W1-evidence.zip", "journal/W1.journal", "reports/W1-settlement-summary.pdf"} <= written.keys()
    assert {f"statements/W1-{name}.pdf" for name in ("AIR", "BNK", "CAF", "GRO", "TEL")} <= written.keys()
    assert list(verify(folder / "W1-evidence.zip").differences) == []


@pytest.mark.timeout(400)
async def test_cut_off_after_any_step_it_goes_on_and_does_nothing_twice(
    server: Server, treasury: Treasury, tmp_path: Path
) -> None:
    """A new process for each step: one closing, one run, one submission, one file; then all the same bytes again."""
    cut_off = [await walked(server, tmp_path, until=step) for step in STEPS[:6]]
    await approve(server, treasury, cut_off[-1][-1])
    cut_off += [await walked(server, tmp_path, until=step) for step in STEPS[6:]]
    written = contents(tmp_path)
    whole = await walked(server, tmp_path)

    assert [told.state for told in cut_off[-1][:7]] == [State.BEFORE] * 7
    assert [told.step for told in whole] == STEPS
    assert contents(tmp_path) == written
    assert await counted(server) == ONCE


@pytest.mark.timeout(400)
@pytest.mark.parametrize("steps", [("close", "run", "submit"), ("recount",)])
async def test_killed_in_the_middle_it_goes_on(
    server: Server, treasury: Treasury, tmp_path: Path, steps: tuple[str, ...]
) -> None:
    """The process dies as soon as it has told a step, whatever it was at by then."""
    environment = {**os.environ, "EXCHANGE_DATABASE_URL": server.url, "PYTHONUNBUFFERED": "1"}
    for step in steps:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "settlement", "month-end", "1", "--into", str(tmp_path)),
            cwd=ROOT, env=environment, stdout=PIPE, stderr=DEVNULL,
        )  # fmt: skip
        assert process.stdout is not None
        async for line in process.stdout:
            if line.decode().startswith(step):
                process.kill()
                break
        await process.wait()

    done = await walked(server, tmp_path)
    await approve(server, treasury, done[-1])
    finished = await walked(server, tmp_path)

    assert [told.step for told in finished] == STEPS
    assert (finished[7].who, finished[9].state) == ("bank", State.DONE)


async def test_a_dry_walk_tells_everything_and_does_nothing(server: Server, treasury: Treasury, tmp_path: Path) -> None:
    """On an open window; and on one that waits for its checker, where it stops as the real one does."""
    async with nothing_changes(server):
        unopened = await walked(server, tmp_path / "new", dry=True)
    await walked(server, tmp_path)
    async with nothing_changes(server):
        waiting = await walked(server, tmp_path / "new", dry=True)

    assert treasury.payer.secret
    assert [told.step for told in unopened] == STEPS
    assert {told.state for told in unopened} == {State.WOULD}
    assert (waiting[-1].step, waiting[-1].state) == ("approve", State.WAITS)
    assert not (tmp_path / "new").exists()


async def test_before_anybody_approves_it_says_whose_money_does_not_reach(
    server: Server, treasury: Treasury, tmp_path: Path
) -> None:
    """Who, how much, and what is typed when it has come; shown only, to be acknowledged, or refused; then all there."""
    first = await walked(server, tmp_path)
    await treasury.finance.agree(demanding(funds.LIQUIDITY_DEMAND_ACKNOWLEDGE))
    asked = await walked(server, tmp_path)
    said = await settlement(server, "month-end", "1", "--into", str(tmp_path / "x"), "--json", "--dry-run")
    await treasury.finance.agree(demanding(funds.LIQUIDITY_DEMAND_REFUSE))
    refused = await walked(server, tmp_path)
    for payer, amount in (("BNK", 60_000), ("CAF", 100), ("GRO", 71_655)):
        await treasury.finance.agree(deposit(payer, funds.FUNDS_PURPOSE_PREFUNDING, amount))
    paid_in = await walked(server, tmp_path)

    told, waits = first[3], first[-1]
    lacks = "BNK lacks 600.00 of 600.00, CAF lacks 1.00 of 1.00, GRO lacks 716.55 of 716.55"
    text = f"CNY: 1,317.55 is missing (shown only): {lacks}; 0.00 of 2,635.10 could settle now"
    assert (told.step, told.state, told.text) == ("funds", State.DONE, text)
    assert told.command.startswith("deposit BNK CNY 60000 --for prefunding ")
    assert (waits.step, "--acknowledge-shortfall" in waits.command) == ("approve", False)
    assert asked[-1].command.endswith(" --acknowledge-shortfall")
    assert said.document["steps"][3]["liquidity"]["CNY"]["short"]["GRO"]["missing"] == 71_655
    assert "nobody can say yes before the money has come" in refused[-1].text
    assert paid_in[3].text == "whoever pays has the money for it"
    assert (paid_in[-1].step, paid_in[-1].text[:8]) == ("approve", "somebody")


async def test_what_does_not_tie_to_the_transfers_is_put_before_nobody(
    server: Server, treasury: Treasury, tmp_path: Path
) -> None:
    """A kept total that is one millionth too large: the recount names it, and the walk stops there."""
    await walked(server, tmp_path, until="close")
    async with connected(server.url) as connection:
        await connection.execute("""
            UPDATE exchange.window_totals SET micros = micros + 1
            WHERE ctid = (SELECT min(ctid) FROM exchange.window_totals WHERE window_no = 1)""")

    done = await walked(server, tmp_path)

    assert treasury.payer.secret
    assert (done[-1].step, done[-1].state, done[-1].command) == ("recount", State.WAITS, "python -m exchange audit")
    named = r"pairs that differ: 1; CNY \w+ owes \w+: the run says (\d+) micro-units, the transfers (\d+)\. Nobody .+"
    match = re.fullmatch(named, done[-1].text)
    assert match, done[-1].text
    assert int(match[1]) == int(match[2]) + 1


async def test_a_run_that_was_rejected_is_not_made_again_by_itself(
    server: Server, treasury: Treasury, tmp_path: Path
) -> None:
    """The walk says who said no and why; somebody runs it when that is mended."""
    submitted = await walked(server, tmp_path)
    _, window, _, digest = submitted[-1].command.split()
    rejected = ("reject", window, "--digest", digest, "--reason", "wrong price")
    await settlement(server, *rejected, key=treasury.finance.checker.secret)

    stopped = await walked(server, tmp_path)
    await settlement(server, "run", "1")
    again = await walked(server, tmp_path)

    assert (stopped[-1].step, stopped[-1].state, stopped[-1].command) == ("run", State.WAITS, "run 1")
    assert ": wrong price" in stopped[-1].text
    assert (again[-1].step, again[-1].who) == ("approve", "finance checker")
