"""What one finance person made, others check: bound to the digest, voided by change, and never by the same person."""

import pytest

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.refusals import refusal
from tests.contract.settled import Finance, finance_of
from tests.contract.stillness import nothing_changes
from tests.servers import Server
from tests.worlds import World

MAKER, CHECKER = directory.CALLER_ROLE_FINANCE_MAKER, directory.CALLER_ROLE_FINANCE_CHECKER
STATE = pb.Run.State


@pytest.fixture
async def finance(own_world: World) -> Finance:
    """A coalition whose first window holds one debt and is closed by somebody who does nothing else."""
    finance = await finance_of(own_world)
    await finance.cast.gro.earn(finance.member, "500 TEL")
    janitor = await own_world.party(MAKER)
    await janitor.ask(finance.stub.CloseWindow, pb.CloseWindowRequest(name="windows/1"))
    return finance


async def test_a_run_is_approved_by_somebody_else(finance: Finance) -> None:
    """Each step is told with who took it; the window is approved with its run."""
    run = (await finance.start("windows/1")).run

    submitted = await finance.submit(run, reason="as last week")
    approved = await finance.approve(submitted)

    assert (submitted.state, submitted.checkers_needed) == (STATE.STATE_SUBMITTED, 1)
    assert [(step.state, step.reason) for step in approved.steps] == [
        (STATE.STATE_CALCULATED, ""),
        (STATE.STATE_SUBMITTED, "as last week"),
        (STATE.STATE_APPROVED, ""),
    ]
    (decision,) = approved.decisions
    assert (decision.approved, decision.result_digest) == (True, run.result_digest)
    assert decision.person == approved.steps[-1].person != approved.steps[1].person
    window = (await finance.maker.ask(finance.stub.GetWindow, pb.GetWindowRequest(name="windows/1"))).window
    assert (window.state, window.run) == (pb.Window.STATE_APPROVED, run.name)


async def test_repeating_a_step_answers_what_it_did(finance: Finance, own_server: Server) -> None:
    """A lost answer is asked for again, whatever has happened to the etag."""
    run = (await finance.start("windows/1")).run
    submitted = await finance.submit(run)
    await finance.approve(submitted)

    async with nothing_changes(own_server):
        submitted_again = await finance.maker.ask(finance.stub.SubmitRun, _submission(run))
        approved_again = await finance.checker.ask(finance.stub.ApproveRun, _approval(submitted))

    assert (submitted_again.replayed, approved_again.replayed) == (True, True)
    assert submitted_again.run == approved_again.run
    assert approved_again.run.state == STATE.STATE_APPROVED


@pytest.mark.provokes("SAME_PERSON")
async def test_nobody_checks_what_he_had_a_hand_in(finance: Finance, own_world: World, own_server: Server) -> None:
    """Whoever closed, calculated or submitted is refused under any key of his, and may not reject either."""
    hands = {who: await own_world.party(MAKER, who) for who in ("ann", "ben", "cem")}
    await hands["ann"].ask(finance.stub.CloseWindow, pb.CloseWindowRequest(name="windows/2"))
    await finance.approve(await finance.submit((await finance.start("windows/1")).run))
    run = (await hands["ben"].ask(finance.stub.StartRun, pb.StartRunRequest(window="windows/2"))).run
    submitted = (await hands["cem"].ask(finance.stub.SubmitRun, _submission(run))).run

    as_checkers = {who: await own_world.party(CHECKER, who) for who in hands}

    async with nothing_changes(own_server):
        refused = {
            who: [
                await refusal(key.ask(finance.stub.ApproveRun, _approval(submitted))),
                await refusal(key.ask(finance.stub.RejectRun, _rejection(submitted))),
            ]
            for who, key in as_checkers.items()
        }

    assert {who: {no.reason for no in noes} for who, noes in refused.items()} == {who: {"SAME_PERSON"} for who in hands}
    assert refused["cem"][0].metadata == {"resource": run.name, "person": "cem"}


@pytest.mark.provokes("PERSON_UNKNOWN")
async def test_a_key_that_names_nobody_neither_submits_nor_checks(
    finance: Finance, own_world: World, own_server: Server
) -> None:
    """Two keys without a holder may be in one hand."""
    run = (await finance.start("windows/1")).run
    maker, checker = await own_world.party(MAKER, ""), await own_world.party(CHECKER, "")
    submitted = await finance.submit(run)

    async with nothing_changes(own_server):
        noes = [
            await refusal(maker.ask(finance.stub.SubmitRun, _submission(run))),
            await refusal(checker.ask(finance.stub.ApproveRun, _approval(submitted))),
            await refusal(checker.ask(finance.stub.RejectRun, _rejection(submitted))),
            await refusal(maker.ask(finance.stub.CancelRun, pb.CancelRunRequest(name=run.name, reason="why"))),
        ]

    assert [no.reason for no in noes] == ["PERSON_UNKNOWN"] * 4
    assert noes[0].metadata == {"credential": f"FINANCE_MAKER:{maker.key}"}


@pytest.mark.provokes("DIGEST_MISMATCH")
async def test_only_the_result_that_was_looked_at_is_approved(finance: Finance, own_server: Server) -> None:
    """Another digest is refused at every step, and the refusal tells the right one."""
    run = (await finance.start("windows/1")).run
    other = pb.Run(name=run.name, result_digest="0" * 64, etag=run.etag)

    async with nothing_changes(own_server):
        not_submitted = await refusal(finance.maker.ask(finance.stub.SubmitRun, _submission(other)))
    submitted = await finance.submit(run)
    other.etag = submitted.etag
    async with nothing_changes(own_server):
        not_approved = await refusal(finance.checker.ask(finance.stub.ApproveRun, _approval(other)))
        not_rejected = await refusal(finance.checker.ask(finance.stub.RejectRun, _rejection(other)))

    assert {no.reason for no in (not_submitted, not_approved, not_rejected)} == {"DIGEST_MISMATCH"}
    assert not_approved.metadata == {"resource": run.name, "digest": run.result_digest}


@pytest.mark.provokes("ETAG_MISMATCH")
async def test_whoever_has_not_seen_the_newest_looks_again(finance: Finance, own_server: Server) -> None:
    """An etag from before the submission is no longer that of what there is."""
    run = (await finance.start("windows/1")).run
    submitted = await finance.submit(run)

    async with nothing_changes(own_server):
        refused = await refusal(finance.checker.ask(finance.stub.ApproveRun, _approval(run)))

    assert refused.metadata == {"resource": run.name, "etag": submitted.etag}


@pytest.mark.provokes("WRONG_STATE")
async def test_steps_are_taken_in_their_order(finance: Finance, own_server: Server) -> None:
    """Nothing is approved that nobody submitted, and what is decided is decided."""
    run = (await finance.start("windows/1")).run

    async with nothing_changes(own_server):
        too_early = await refusal(finance.checker.ask(finance.stub.ApproveRun, _approval(run)))
    rejected = await finance.reject(await finance.submit(run))
    async with nothing_changes(own_server):
        late = [
            await refusal(finance.maker.ask(finance.stub.SubmitRun, _submission(run))),
            await refusal(finance.checker.ask(finance.stub.ApproveRun, _approval(rejected))),
            await refusal(finance.maker.ask(finance.stub.CancelRun, pb.CancelRunRequest(name=run.name, reason="why"))),
        ]

    assert too_early.metadata == {"resource": run.name, "state": "CALCULATED", "needed": "SUBMITTED"}
    assert [no.reason for no in late] == ["WRONG_STATE"] * 3
    assert late[0].metadata == {"resource": run.name, "state": "REJECTED", "needed": "CALCULATED"}


async def test_another_run_of_the_window_voids_what_was_approved(finance: Finance) -> None:
    """Even the first configuration again is a new run, which somebody must check anew."""
    first = await finance.approve(await finance.submit((await finance.start("windows/1")).run))

    second = await finance.start("windows/1", mode=pb.NETTING_MODE_BILATERAL)
    third = await finance.start("windows/1")

    assert (second.replayed, third.replayed) == (False, False)
    voided = [await finance.read(run) for run in (first, second.run)]
    assert [run.state for run in voided] == [STATE.STATE_VOIDED] * 2
    assert (third.run.state, third.run.result_digest) == (STATE.STATE_CALCULATED, first.result_digest)
    assert third.run.name != first.name
    window = (await finance.maker.ask(finance.stub.GetWindow, pb.GetWindowRequest(name="windows/1"))).window
    assert (window.state, window.run) == (pb.Window.STATE_CALCULATED, third.run.name)


async def test_after_a_no_the_window_waits_for_another_run(finance: Finance) -> None:
    """The same configuration makes a run of its own; what later windows built on the rejected one is void."""
    await finance.close("windows/2")
    first = (await finance.start("windows/1")).run
    built_on_it = (await finance.start("windows/2")).run

    rejected = await finance.reject(await finance.submit(first), reason="the price of TEL is wrong")

    window = (await finance.maker.ask(finance.stub.GetWindow, pb.GetWindowRequest(name="windows/1"))).window
    assert (rejected.state, rejected.steps[-1].reason) == (STATE.STATE_REJECTED, "the price of TEL is wrong")
    assert (window.state, window.run) == (pb.Window.STATE_CLOSED, "")
    assert (await finance.read(built_on_it)).state == STATE.STATE_VOIDED
    too_early = await refusal(finance.start("windows/2"))
    again = await finance.start("windows/1")
    assert too_early.metadata == {"window": "windows/1", "state": "CLOSED", "needed": "CALCULATED"}
    assert (again.replayed, again.run.name != first.name) == (False, True)
    assert (await finance.start("windows/2")).run.state == STATE.STATE_CALCULATED


async def test_a_window_is_submitted_after_the_one_before_it_was_approved(finance: Finance, own_server: Server) -> None:
    """What it carries in must be certain; and then the earlier one is not taken back any more."""
    await finance.close("windows/2")
    first, second = (await finance.start("windows/1")).run, (await finance.start("windows/2")).run

    async with nothing_changes(own_server):
        too_early = await refusal(finance.maker.ask(finance.stub.SubmitRun, _submission(second)))
    first = await finance.approve(await finance.submit(first))
    await finance.submit(second)
    async with nothing_changes(own_server):
        cancellation = pb.CancelRunRequest(name=first.name, reason="why")
        too_late = await refusal(finance.maker.ask(finance.stub.CancelRun, cancellation))

    assert too_early.metadata == {"window": "windows/1", "state": "CALCULATED", "needed": "APPROVED"}
    assert too_late.metadata == {"window": "windows/2", "state": "SUBMITTED", "needed": "CALCULATED"}


async def test_a_maker_takes_back_what_was_not_instructed(finance: Finance, own_server: Server) -> None:
    """Before and after approval; cancelling again changes nothing."""
    run = await finance.approve(await finance.submit((await finance.start("windows/1")).run))
    request = pb.CancelRunRequest(name=run.name, reason="an invoice is missing")

    cancelled = await finance.maker.ask(finance.stub.CancelRun, request)
    async with nothing_changes(own_server):
        again = await finance.maker.ask(finance.stub.CancelRun, request)

    assert (cancelled.replayed, again.replayed, again.run) == (False, True, cancelled.run)
    assert (cancelled.run.state, cancelled.run.steps[-1].reason) == (STATE.STATE_CANCELLED, "an invoice is missing")
    assert (await finance.start("windows/1")).replayed is False


@pytest.mark.parametrize("method", ["SubmitRun", "ApproveRun", "RejectRun", "CancelRun"])
async def test_a_run_there_is_not_is_not_found(finance: Finance, method: str) -> None:
    """By its name."""
    nowhere = pb.Run(name="runs/00000000-0000-4000-8000-000000000000", result_digest="0" * 64, etag="e")
    request = {
        "SubmitRun": _submission(nowhere),
        "ApproveRun": _approval(nowhere),
        "RejectRun": _rejection(nowhere),
        "CancelRun": pb.CancelRunRequest(name=nowhere.name, reason="why"),
    }[method]
    caller = finance.checker if method in {"ApproveRun", "RejectRun"} else finance.maker

    refused = await refusal(caller.ask(getattr(finance.stub, method), request))

    assert (refused.reason, refused.metadata["field"]) == ("RESOURCE_NOT_FOUND", "name")


def _submission(run: pb.Run) -> pb.SubmitRunRequest:
    return pb.SubmitRunRequest(name=run.name, result_digest=run.result_digest)


def _approval(run: pb.Run) -> pb.ApproveRunRequest:
    return pb.ApproveRunRequest(name=run.name, result_digest=run.result_digest, etag=run.etag)


def _rejection(run: pb.Run) -> pb.RejectRunRequest:
    return pb.RejectRunRequest(name=run.name, result_digest=run.result_digest, etag=run.etag, reason="no")
