"""Nothing is put before the checkers that the transfers do not say: a run is recounted before it is submitted."""

from uuid import UUID

import pytest

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.refusals import refusal
from tests.contract.settled import Finance, finance_of
from tests.contract.stillness import connected, nothing_changes
from tests.servers import Server
from tests.worlds import World

TAMPER = "UPDATE exchange.window_totals SET micros = micros + $1 WHERE window_no = 1"

SUBMITTED_AS_BEFORE = """
INSERT INTO settlement.run_transitions
    (run_id, step_no, from_state, to_state, at, actor, person, reason, checkers_needed)
VALUES ($1, 2, 'CALCULATED', 'SUBMITTED', now(), 'FINANCE_MAKER:apiKeys/ann', 'ann', '', 1)
"""


@pytest.fixture
async def finance(own_world: World) -> Finance:
    """A coalition in whose first window GRO owes TEL ¥6.00; the window is closed by somebody who does nothing else."""
    finance = await finance_of(own_world)
    await finance.cast.gro.earn(finance.member, "500 TEL")
    janitor = await own_world.party(directory.CALLER_ROLE_FINANCE_MAKER)
    await janitor.ask(finance.stub.CloseWindow, pb.CloseWindowRequest(name="windows/1"))
    return finance


async def tampered(server: Server, statement: str, *arguments: object) -> None:
    """Change the ledger past everything that guards it, as only the database's owner can."""
    async with connected(server.url) as connection:
        await connection.execute(statement, *arguments)


def submission(run: pb.Run) -> pb.SubmitRunRequest:
    """A run as it was looked at."""
    return pb.SubmitRunRequest(name=run.name, result_digest=run.result_digest)


@pytest.mark.provokes("RECOUNT_MISMATCH")
async def test_a_run_that_says_more_than_the_transfers_is_not_submitted(finance: Finance, own_server: Server) -> None:
    """The pair and both figures are told; the run stays as it was, and a run of mended totals goes through."""
    await tampered(own_server, TAMPER, 10_000)
    run = (await finance.start("windows/1")).run

    refused = await refusal(finance.maker.ask(finance.stub.SubmitRun, submission(run)))

    cast = finance.cast
    assert refused.metadata == {
        "run": run.name,
        "pair": ">".join(one.name.removeprefix("merchants/") for one in (cast.gro, cast.tel)),
        "currency": "CNY",
        "run_micros": "6010000",
        "transfers_micros": "6000000",
        "run_obligations": "1",
        "transfers_obligations": "1",
        "pairs": "1",
    }
    assert await finance.read(run) == run

    await tampered(own_server, TAMPER, -10_000)
    await finance.maker.ask(finance.stub.CancelRun, pb.CancelRunRequest(name=run.name, reason="wrong totals"))
    mended = await finance.submit((await finance.start("windows/1")).run)
    assert mended.state == pb.Run.STATE_SUBMITTED


@pytest.mark.provokes("RECOUNT_MISMATCH")
async def test_a_run_whose_transfers_went_away_is_not_submitted(finance: Finance, own_server: Server) -> None:
    """Whoever deletes from the ledger is found out: the run says something, the transfers say nothing."""
    run = (await finance.start("windows/1")).run
    await tampered(own_server, "DELETE FROM exchange.transfers WHERE window_no = 1")

    refused = await refusal(finance.maker.ask(finance.stub.SubmitRun, submission(run)))

    told = (refused.metadata["run_obligations"], refused.metadata["transfers_obligations"])
    assert (refused.reason, told) == ("RECOUNT_MISMATCH", ("1", "0"))


async def test_a_run_is_recounted_once(finance: Finance, own_server: Server) -> None:
    """The recount is kept for exactly this run: neither repeating the step nor approving counts again."""
    submitted = await finance.submit((await finance.start("windows/1")).run)
    async with nothing_changes(own_server):
        await finance.maker.ask(finance.stub.SubmitRun, submission(submitted))
    await finance.approve(submitted)

    async with connected(own_server.url) as connection:
        kept = await connection.fetch("SELECT run_digest, transfers, obligations, passed FROM settlement.run_recounts")

    assert [tuple(row) for row in kept] == [(submitted.result_digest, 1, 1, True)]


async def test_an_empty_window_is_recounted_too(finance: Finance) -> None:
    """Nothing is what the transfers say, and nothing is what the run says."""
    await finance.approve(await finance.submit((await finance.start("windows/1")).run))
    await finance.close("windows/2")

    approved = await finance.approve(await finance.submit((await finance.start("windows/2")).run))

    assert approved.state == pb.Run.STATE_APPROVED


async def test_what_was_submitted_before_there_were_recounts_is_counted_when_approved(
    finance: Finance, own_server: Server
) -> None:
    """An upgrade between two steps neither blocks a window nor lets it through uncounted."""
    run = (await finance.start("windows/1")).run
    async with connected(own_server.url) as connection, connection.transaction():
        await connection.execute("ALTER TABLE settlement.run_transitions DISABLE TRIGGER check_recounted")
        await connection.execute(SUBMITTED_AS_BEFORE, UUID(run.name.removeprefix("runs/")))
        await connection.execute("ALTER TABLE settlement.run_transitions ENABLE TRIGGER check_recounted")

    approved = await finance.approve(await finance.read(run))

    assert approved.state == pb.Run.STATE_APPROVED
    async with connected(own_server.url) as connection:
        assert await connection.fetchval("SELECT count(*) FROM settlement.run_recounts WHERE passed") == 1
