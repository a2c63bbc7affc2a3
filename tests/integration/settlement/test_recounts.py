"""Recounts in the database: what they read, what they keep, and what cannot be done without one."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID, uuid4

import pytest

from exchange.db.engine import Database
from settlement.actors import Actor
from settlement.recount.rules import digest_of, written
from settlement.recount.service import Recounts
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.settled import Finance
from tests.contract.stillness import connected
from tests.integration.settlement.stopping import stopped
from tests.integration.settlement.test_commands import settlement
from tests.servers import Server

ANN = Actor("FINANCE_MAKER:apiKeys/ann", "ann")
STEP = """
INSERT INTO settlement.run_transitions
    (run_id, step_no, from_state, to_state, at, actor, person, reason, checkers_needed)
VALUES ($1, 2, 'CALCULATED', 'SUBMITTED', now(), 'SERVER', 'ann', '', 1)
"""
KEEP = """
INSERT INTO settlement.run_recounts
    (run_id, run_digest, document, digest, transfers, obligations, passed, at, actor)
VALUES ($1, $2, $3, $4, 1, 1, true, now(), 'SERVER') RETURNING passed
"""
WAITING = """
SELECT count(*) FROM pg_locks WHERE relation = 'exchange.transfers'::regclass AND NOT granted
"""


@pytest.fixture
async def run(finance: Finance) -> pb.Run:
    """A calculated run of a window in which GRO owes TEL ¥6.00."""
    return (await finance.start("windows/1")).run


def id_of(run: pb.Run) -> UUID:
    """The id in a run's name."""
    return UUID(run.name.removeprefix("runs/"))


async def test_no_run_is_submitted_without_a_recount(server: Server, run: pb.Run) -> None:
    """Even by whoever writes past the code; with a recount that passed the same step goes through."""
    assert await stopped(server, STEP, id_of(run))

    database = Database(server.url)
    try:
        recount = await Recounts(database).recount(id_of(run), ANN)
    finally:
        await database.dispose()

    assert (recount.passed, recount.run_digest, recount.counted.transfers) == (True, run.result_digest, 1)
    assert recount.digest == digest_of(written(1, recount.counted))
    assert not await stopped(server, STEP, id_of(run))


@pytest.mark.parametrize(
    "flaw", ["micros", "obligations", "debtor", "currency", "nothing", "another digest", "a pair too many"]
)
async def test_a_recount_that_says_another_thing_does_not_pass(server: Server, run: pb.Run, flaw: str) -> None:
    """Whether it passed is for the database to say, whatever the writer claims; and the newest one counts."""
    async with connected(server.url) as connection:
        result = json.loads(await connection.fetchval("SELECT result FROM settlement.runs"))["currencies"][0]
        pair = {name: result["pairs"][0][name] for name in ("debtor", "creditor", "micros", "obligations")}
        right = {"currency": result["currency"], **pair}
        wrong = {
            "micros": [{**right, "micros": right["micros"] + 1}],
            "obligations": [{**right, "obligations": 2}],
            "debtor": [{**right, "debtor": right["creditor"]}],
            "currency": [{**right, "currency": "JPY"}],
            "nothing": [],
            "another digest": [right],
            "a pair too many": [right, right],
        }[flaw]
        digest = "0" * 64 if flaw == "another digest" else run.result_digest

        async def keep(pairs: list[dict[str, object]], of: str) -> bool:
            document = json.dumps({"pairs": pairs})
            return bool(await connection.fetchval(KEEP, id_of(run), of, document, digest_of(document.encode())))

        assert await keep([right], run.result_digest)
        assert not await keep(wrong, digest)

    assert await stopped(server, STEP, id_of(run))


async def test_what_was_counted_is_neither_changed_nor_deleted(server: Server, finance: Finance, run: pb.Run) -> None:
    """The role that serves may add, and that is all; and not for a run there is not."""
    await finance.submit(run)
    document = '{"pairs": []}'

    assert await stopped(server, "UPDATE settlement.run_recounts SET passed = passed")
    assert await stopped(server, "DELETE FROM settlement.run_recounts")
    assert await stopped(server, "TRUNCATE settlement.run_recounts")
    assert await stopped(server, KEEP, uuid4(), "0" * 64, document, digest_of(document.encode()))
    assert await stopped(server, KEEP, id_of(run), run.result_digest, document, "0" * 64)


async def test_closing_and_running_never_look_at_a_transfer(server: Server, finance: Finance) -> None:
    """While somebody holds the whole table for himself they go through; only the recount has to wait for it."""
    await finance.cast.gro.earn(finance.member, "200 TEL")
    async with connected(server.url) as connection, connected(server.url) as watcher:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("LOCK TABLE exchange.transfers IN ACCESS EXCLUSIVE MODE")

        await finance.close("windows/2")
        first = (await finance.start("windows/1")).run
        second = (await finance.start("windows/2")).run
        submitting = asyncio.create_task(finance.submit(first))
        while not await watcher.fetchval(WAITING):
            assert not submitting.done(), "what is submitted was counted without looking at a transfer"
            await asyncio.sleep(0.02)
        await transaction.rollback()
        submitted = await submitting

    assert submitted.state == pb.Run.STATE_SUBMITTED
    assert [one.gross_minor_units for one in second.summaries] == [240]


async def test_a_recount_goes_on_when_its_caller_gives_up(server: Server, finance: Finance, run: pb.Run) -> None:
    """A deadline that passes loses nothing: asked again, the same step finds the count made."""
    request = pb.SubmitRunRequest(name=run.name, result_digest=run.result_digest)
    async with connected(server.url) as connection, connected(server.url) as watcher:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("LOCK TABLE exchange.transfers IN ACCESS EXCLUSIVE MODE")
        given_up = finance.stub.SubmitRun(request, metadata=finance.maker.metadata, timeout=30.0)
        while not await watcher.fetchval(WAITING):
            await asyncio.sleep(0.02)
        given_up.cancel()
        await transaction.rollback()
        while not await watcher.fetchval("SELECT count(*) FROM settlement.run_recounts WHERE passed"):
            await asyncio.sleep(0.02)

    async with connected(server.url) as connection:
        await finance.submit(run)
        assert await connection.fetchval("SELECT count(*) FROM settlement.run_recounts") == 1


async def test_a_recount_is_typed(server: Server, run: pb.Run) -> None:
    """As tables for people, and as JSON with all figures; by a maker or a checker."""
    typed = await settlement(server, "recount", "1")
    found = (await settlement(server, "recount", "windows/1", "--json")).document

    assert (typed.status, typed.errors) == (0, "")
    assert "1 transfers left 1 obligations of 1 pairs" in typed.output
    assert typed.output.splitlines()[-1] == "passed: the run says exactly what the transfers say"
    assert (found["passed"], found["run"], found["run_digest"]) == (True, run.name, run.result_digest)
    assert [(pair["micros"], pair["obligations"]) for pair in found["pairs"]] == [(6_000_000, 1)]
    assert found["mismatches"] == []


async def test_a_recount_that_fails_names_the_pair_and_both_figures(server: Server, finance: Finance) -> None:
    """Exit code 1; and submitting says what to do next."""
    async with connected(server.url) as connection:
        await connection.execute("UPDATE exchange.window_totals SET obligations = obligations + 1")
    run = (await finance.start("windows/1")).run

    typed = await settlement(server, "recount", "1")
    found = (await settlement(server, "recount", "1", "--json")).document
    submitted = await settlement(server, "submit", "1", "--digest", run.result_digest)

    assert (typed.status, submitted.status) == (1, 2)
    assert "NOT passed" in typed.output
    (mismatch,) = found["mismatches"]
    assert (mismatch["currency"], mismatch["debtor"]) == ("CNY", finance.cast.gro.name.removeprefix("merchants/"))
    assert mismatch["run"] == {"micros": 6_000_000, "obligations": 2}
    assert mismatch["transfers"] == {"micros": 6_000_000, "obligations": 1}
    assert submitted.errors.startswith("Refused: The transfers say another thing than the run: ")
    assert "Next: python -m settlement recount WINDOW" in submitted.errors


@pytest.mark.usefixtures("finance")
async def test_there_is_nothing_to_recount_before_a_run(server: Server) -> None:
    """Neither of the open window nor of one that was never run."""
    open_one = await settlement(server, "recount", "open")
    never_run = await settlement(server, "recount", "1")

    assert (open_one.status, never_run.status) == (2, 2)
    assert "was not run yet" in open_one.errors
