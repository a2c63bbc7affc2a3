"""The database holds the rules of approval a second time: it stops whoever writes past the code, as the server may."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from grpc import aio

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.settled import Finance
from tests.integration.settlement.stopping import is_kept_for_ever, stopped
from tests.servers import Server

DECIDE = """
INSERT INTO settlement.run_decisions (run_id, person, verdict, digest, at, actor, reason)
VALUES ($1, $2, 'APPROVED', $3, now(), $4, '')
"""
STEP = """
INSERT INTO settlement.run_transitions
    (run_id, step_no, from_state, to_state, at, actor, person, reason, checkers_needed)
VALUES ($1, $2, $3, $4, now(), 'SERVER', $5, '', $6)
"""
CHECKER = "FINANCE_CHECKER:apiKeys/x"


@pytest.fixture
async def submitted(finance: Finance) -> pb.Run:
    """A run that waits for its checker."""
    return await finance.submit((await finance.start("windows/1")).run)


def id_of(run: pb.Run) -> UUID:
    """The id in a run's name."""
    return UUID(run.name.removeprefix("runs/"))


async def test_a_yes_of_the_right_person_goes_through(server: Server, submitted: pb.Run) -> None:
    """Else the tests below would prove nothing."""
    assert not await stopped(server, DECIDE, id_of(submitted), "zoe", submitted.result_digest, CHECKER)


async def test_nobody_who_had_a_hand_in_a_run_says_yes_to_it(server: Server, submitted: pb.Run) -> None:
    """Nor under another spelling of the name, nor with a maker's credential."""
    run, digest = id_of(submitted), submitted.result_digest
    maker = submitted.steps[1].person

    assert await stopped(server, DECIDE, run, maker, digest, CHECKER)
    assert await stopped(server, DECIDE, run, maker.upper(), digest, CHECKER)
    assert await stopped(server, DECIDE, run, "zoe", digest, "FINANCE_MAKER:apiKeys/x")
    assert await stopped(server, DECIDE, run, "", digest, CHECKER)


async def test_a_yes_is_bound_to_the_digest_and_said_once(server: Server, finance: Finance, submitted: pb.Run) -> None:
    """Of another result, of a run nobody submitted, or twice by one person: it does not count."""
    run, digest = id_of(submitted), submitted.result_digest
    assert await stopped(server, DECIDE, run, "zoe", "0" * 64, CHECKER)

    approved = await finance.approve(submitted)
    assert await stopped(server, DECIDE, run, approved.decisions[0].person, digest, CHECKER)

    other = (await finance.start("windows/1", mode=pb.NETTING_MODE_BILATERAL)).run
    assert await stopped(server, DECIDE, id_of(other), "zoe", other.result_digest, CHECKER)


async def test_no_run_is_approved_without_its_checkers(server: Server, finance: Finance, submitted: pb.Run) -> None:
    """Neither by skipping the step nor by asking for nobody."""
    assert await stopped(server, STEP, id_of(submitted), 3, "SUBMITTED", "APPROVED", None, None)

    other = (await finance.start("windows/1", mode=pb.NETTING_MODE_BILATERAL)).run
    assert await stopped(server, STEP, id_of(other), 2, "CALCULATED", "APPROVED", None, None)
    assert await stopped(server, STEP, id_of(other), 2, "CALCULATED", "SUBMITTED", "ann", 0)
    assert await stopped(server, STEP, id_of(other), 2, "CALCULATED", "SUBMITTED", None, 1)
    assert await stopped(server, STEP, id_of(other), 2, "CALCULATED", "SUBMITTED", "ann", 1), "it was not recounted"


async def test_what_has_ended_does_not_live_again(server: Server, finance: Finance, submitted: pb.Run) -> None:
    """Steps follow one another from where the run is."""
    rejected = await finance.reject(submitted)
    run = id_of(rejected)

    assert await stopped(server, STEP, run, 4, "REJECTED", "APPROVED", None, None)
    assert await stopped(server, STEP, run, 4, "SUBMITTED", "APPROVED", None, None)
    assert await stopped(server, STEP, run, 3, "SUBMITTED", "APPROVED", None, None)


async def test_a_window_has_one_run_that_stands(server: Server, submitted: pb.Run) -> None:
    """A second one beside it, even with a digest of its own result, is refused; so is a digest of something else."""
    copy = """
        INSERT INTO settlement.runs (run_id, window_no, configuration, result, digest, created_at, created_by)
        SELECT $1, window_no + $3, configuration, result || $4, encode(sha256(convert_to(result || $5, 'UTF8')), 'hex'),
               now(), 'SERVER'
        FROM settlement.runs WHERE run_id = $2
    """
    assert await stopped(server, copy, uuid4(), id_of(submitted), 0, "", "")
    assert await stopped(server, copy, uuid4(), id_of(submitted), 1, " ", "")
    assert not await stopped(server, copy, uuid4(), id_of(submitted), 1, "", "")


@pytest.mark.parametrize("table", ["runs", "run_transitions", "run_decisions", "run_steps", "window_closings"])
async def test_what_was_decided_is_neither_changed_nor_deleted(
    server: Server, finance: Finance, submitted: pb.Run, table: str
) -> None:
    """The role that serves may add, and that is all; to the steps there are it may not even add."""
    await finance.approve(submitted)

    assert await is_kept_for_ever(server, table)
    if table == "run_steps":
        assert await stopped(server, "INSERT INTO settlement.run_steps VALUES ('REJECTED', 'APPROVED')")


async def test_one_of_many_who_decide_at_once_decides(finance: Finance, submitted: pb.Run) -> None:
    """Five checkers say yes or no to the same etag: one is heard, the others look again."""
    world = finance.cast.world
    checkers = [await world.party(directory.CALLER_ROLE_FINANCE_CHECKER) for _ in range(5)]
    shown: dict[str, Any] = {"name": submitted.name, "result_digest": submitted.result_digest, "etag": submitted.etag}
    calls = [
        checker.ask(finance.stub.RejectRun, pb.RejectRunRequest(**shown, reason="no"))
        if place % 2
        else checker.ask(finance.stub.ApproveRun, pb.ApproveRunRequest(**shown))
        for place, checker in enumerate(checkers)
    ]

    answers = await asyncio.gather(*calls, return_exceptions=True)

    heard = [answer for answer in answers if not isinstance(answer, aio.AioRpcError)]
    run = await finance.read(submitted)
    assert len(heard) == 1
    assert len(run.decisions) == 1
    assert run.state in {pb.Run.STATE_APPROVED, pb.Run.STATE_REJECTED}


async def test_makers_who_net_a_window_at_once_leave_one_run_standing(finance: Finance) -> None:
    """Each answer is a run; the last one stands, the others are void."""
    modes = [pb.NETTING_MODE_BILATERAL, pb.NETTING_MODE_MULTILATERAL] * 3

    answers = await asyncio.gather(*(finance.start("windows/1", mode=mode) for mode in modes))

    runs = {answer.run.name: await finance.read(answer.run) for answer in answers}
    states = sorted(run.state for run in runs.values())
    assert states == [pb.Run.STATE_CALCULATED] + [pb.Run.STATE_VOIDED] * (len(runs) - 1)
