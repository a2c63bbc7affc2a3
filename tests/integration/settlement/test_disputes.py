"""Disputes at once, past their deadlines, and past the code."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from grpc import aio

from exchange.v1 import types_pb2 as types
from settlement.disputes.deadlines import Deadlines
from settlement.v1 import disputes_pb2 as pb
from settlement.windows.scheduler import SCHEDULER, Done, Scheduler
from tests.contract.disputed import (
    ANSWER,
    STATE,
    a_claim,
    a_decision,
    a_policy,
    adjustments,
    an_adjustment,
    answered,
    nets,
    opened,
    read,
    withdrawn,
)
from tests.contract.settled import Finance
from tests.contract.stillness import nothing_changes
from tests.integration.settlement.stopping import is_kept_for_ever, stopped
from tests.movements import a_reversal
from tests.servers import Server

CLAIM = """
INSERT INTO settlement.disputes (dispute_id, transfer_id, window_no, debtor, creditor, currency_code, unit_micros,
    minor_units, claimant, request_id, reason, statement, evidence, treatment, owner, answer_due, decision_days,
    unanswered, undecided, at, actor)
VALUES ($1, $2, 2, 'GRO', 'TEL', 'CNY', 10000, $3, 'GRO', $4, 'OTHER', '', '', 'SETTLE_THEN_ADJUST', 'x',
    now() + interval '1 day', 5, 'UPHELD', 'REJECTED', now(), 'SERVER')
"""
STEP = """
INSERT INTO settlement.dispute_transitions (dispute_id, step_no, from_state, to_state, cause, at, actor, note,
    evidence, decision_due, upheld_minor_units, release_window, proposal_id)
VALUES ($1, $2, $3, $4, $5, now(), 'SERVER', '', '', $6, $7, $8, $9)
"""
ADJUST = """
INSERT INTO settlement.adjustments (adjustment_id, window_no, debtor, creditor, currency_code, minor_units, cause,
    dispute_id, proposal_id, transfer_id, at, actor)
VALUES ($1, $2, 'TEL', 'GRO', 'CNY', $3, $4, $5, $6, $7, now(), 'SERVER')
"""


@pytest.fixture
async def award(finance: Finance) -> types.Transfer:
    """500 TEL from GRO in the second window, which is open: it owes TEL ¥6.00."""
    transfer: types.Transfer = (await finance.cast.gro.earn(finance.member, "500 TEL")).transfer
    return transfer


def id_of(name: str) -> UUID:
    """The id in a name."""
    return UUID(name.rpartition("/")[2])


async def test_of_claims_that_race_for_the_same_value_those_win_for_which_there_is_enough(
    finance: Finance, award: types.Transfer
) -> None:
    """Ten claims of ¥2.00 on ¥6.00, from both sides: three are heard."""
    gro, tel, stub = finance.cast.gro, finance.cast.tel, finance.stub
    claims = [(gro, tel)[place % 2].ask(stub.OpenDispute, a_claim(award, 200)) for place in range(10)]

    answers = await asyncio.gather(*claims, return_exceptions=True)

    heard = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(heard) == 3
    assert all(isinstance(no, aio.AioRpcError) for no in answers if isinstance(no, BaseException))


async def test_one_claim_sent_many_times_at_once_is_one_dispute(finance: Finance, award: types.Transfer) -> None:
    """By its key; one of the answers is the first."""
    claims = [finance.cast.gro.ask(finance.stub.OpenDispute, a_claim(award, 200, "same")) for _ in range(6)]

    answers = await asyncio.gather(*claims)

    assert len({answer.dispute.name for answer in answers}) == 1
    assert sorted(answer.replayed for answer in answers) == [False] + [True] * 5


async def test_answers_withdrawals_and_reversals_at_once_win_nothing_twice(
    finance: Finance, award: types.Transfer
) -> None:
    """Whatever comes first: what was claimed and what was reversed leave together no more than ¥6.00 to give back."""
    gro, tel = finance.cast.gro, finance.cast.tel
    disputes = [await opened(finance, gro, award, 300) for _ in range(2)]
    await asyncio.gather(
        *(answered(finance, tel, dispute, ANSWER.ANSWER_ACCEPT) for dispute in disputes),
        *(withdrawn(finance, gro, dispute) for dispute in disputes),
        gro.post(a_reversal(award, units=300)),
        return_exceptions=True,
    )
    await finance.close("windows/2")
    await finance.start("windows/1")
    run = (await finance.start("windows/2")).run

    found = [await read(finance, dispute) for dispute in disputes]
    assert {dispute.state for dispute in found} <= {STATE.STATE_UPHELD, STATE.STATE_WITHDRAWN, STATE.STATE_REJECTED}
    won = sum(dispute.upheld_minor_units for dispute in found)
    # 300 of 500 points came back, for ¥3.60: of ¥6.00 at most ¥2.40 are left to win, and what was won before is owed.
    assert await nets(finance, run) == {
        name: net for name, net in {"GRO": -240 + min(won, 240), "TEL": 240 - min(won, 240)}.items() if net
    }


async def test_deadlines_end_disputes_once_whoever_looks(
    server: Server, finance: Finance, award: types.Transfer
) -> None:
    """Five lookers at once; nothing before the time, nothing after; who was silent is told by the outcome."""
    gro, tel, world = finance.cast.gro, finance.cast.tel, finance.cast.world
    await finance.agree(a_policy(answer_days=10, decision_days=20))
    silent, contested = await opened(finance, gro, award, 100), await opened(finance, gro, award, 200)
    await answered(finance, tel, contested, ANSWER.ANSWER_CONTEST)
    deadlines, start = Deadlines(server.api.database, SCHEDULER), await world.now()
    async with nothing_changes(server):
        assert await deadlines.look() == ()

    await world.set_clock(start + timedelta(days=11))
    ended = await asyncio.gather(*(deadlines.look() for _ in range(5)))
    await world.set_clock(start + timedelta(days=21))
    later = await Scheduler(server.api.database).look()
    async with nothing_changes(server):
        assert await Scheduler(server.api.database).look() == Done((), ())

    assert [name for names in ended for name in names] == [silent.name]
    assert later == Done((), (), (contested.name,))
    states = [(one.state, one.steps[-1].cause, one.steps[-1].actor) for one in
              (await read(finance, silent), await read(finance, contested))]  # fmt: skip
    assert states == [
        (STATE.STATE_UPHELD, pb.DisputeStep.CAUSE_DEADLINE, SCHEDULER.name),
        (STATE.STATE_REJECTED, pb.DisputeStep.CAUSE_DEADLINE, SCHEDULER.name),
    ]
    assert len(await adjustments(finance, finance.maker)) == 1


async def test_a_dispute_whose_transfer_was_reversed_ends_by_itself(
    server: Server, finance: Finance, award: types.Transfer
) -> None:
    """There is nothing left to win; what was held is netted against what the reversal gives back."""
    dispute = await opened(finance, finance.cast.gro, award, 600)
    await finance.cast.gro.post(a_reversal(award))

    ended = await Deadlines(server.api.database, SCHEDULER).look()

    found = await read(finance, dispute)
    assert ended == (dispute.name,)
    assert (found.state, found.steps[-1].cause) == (STATE.STATE_REJECTED, pb.DisputeStep.CAUSE_REVERSAL)
    await finance.start("windows/1")
    await finance.close("windows/2")
    assert await nets(finance, (await finance.start("windows/2")).run) == {}


async def test_the_database_stops_claims_that_the_code_would_not_make(
    server: Server, finance: Finance, award: types.Transfer
) -> None:
    """More than there is, beside another claim, of another window; a good one goes through."""
    transfer = id_of(award.name)
    assert not await stopped(server, CLAIM, uuid4(), transfer, 600, "a")
    assert await stopped(server, CLAIM, uuid4(), transfer, 601, "b")
    assert await stopped(server, CLAIM.replace("$2, 2,", "$2, 1,"), uuid4(), transfer, 1, "c")
    assert await stopped(server, CLAIM.replace("10000", "1000000"), uuid4(), transfer, 7, "d")
    assert await stopped(server, CLAIM.replace("'GRO', $4", "'CAF', $4"), uuid4(), transfer, 1, "e")

    await opened(finance, finance.cast.gro, award, 400)
    assert not await stopped(server, CLAIM, uuid4(), transfer, 200, "f")
    assert await stopped(server, CLAIM, uuid4(), transfer, 201, "g")


async def test_the_database_stops_steps_and_adjustments_that_nobody_earned(
    server: Server, finance: Finance, award: types.Transfer
) -> None:
    """No decision without two persons, no deadline before its time, no adjustment that was not won or agreed."""
    dispute = await opened(finance, finance.cast.gro, award, 400)
    this = id_of(dispute.name)
    assert await stopped(server, STEP, this, 2, "OPEN", "UPHELD", "DEADLINE", None, 400, 2, None)
    assert await stopped(server, STEP, this, 2, "OPEN", "UPHELD", "ANSWER", None, 401, 2, None)
    assert await stopped(server, STEP, this, 2, "CONTESTED", "REJECTED", "DEADLINE", None, None, 2, None)
    assert not await stopped(server, STEP, this, 2, "OPEN", "UPHELD", "ANSWER", None, 400, 2, None)

    await answered(finance, finance.cast.tel, dispute, ANSWER.ANSWER_CONTEST)
    proposed = id_of((await finance.propose(a_decision(dispute, 150))).name)
    assert await stopped(server, STEP, this, 3, "CONTESTED", "UPHELD", "DECISION", None, 150, 2, proposed)
    assert await stopped(server, ADJUST, uuid4(), 2, 150, "UPHELD", this, None, id_of(award.name))
    assert await stopped(server, ADJUST, uuid4(), 2, 150, "OVERTAKEN", this, None, id_of(award.name))
    waiting = id_of((await finance.propose(an_adjustment("TEL", "GRO", 150))).name)
    assert await stopped(server, ADJUST, uuid4(), 2, 150, "AGREED", None, waiting, None)


async def test_a_window_with_a_run_takes_no_adjustment_any_more(server: Server, finance: Finance) -> None:
    """What was netted is as it was; and what was agreed to once is not added twice."""
    proposal = await finance.agree(an_adjustment("TEL", "GRO", 150))
    await finance.start("windows/1")

    assert await stopped(server, ADJUST, uuid4(), 1, 150, "AGREED", None, id_of(proposal.name), None)
    assert await stopped(server, ADJUST, uuid4(), 3, 150, "AGREED", None, id_of(proposal.name), None)


@pytest.mark.parametrize("table", ["disputes", "dispute_steps", "dispute_transitions", "dispute_owners", "adjustments"])
async def test_what_was_said_of_a_dispute_is_neither_changed_nor_deleted(
    server: Server, finance: Finance, award: types.Transfer, table: str
) -> None:
    """The role that serves may add, and that is all."""
    dispute = await opened(finance, finance.cast.gro, award, 100)
    await finance.maker.ask(finance.stub.AssignDispute, pb.AssignDisputeRequest(name=dispute.name, owner="ann"))
    await answered(finance, finance.cast.tel, dispute, ANSWER.ANSWER_ACCEPT)

    assert await is_kept_for_ever(server, table)
