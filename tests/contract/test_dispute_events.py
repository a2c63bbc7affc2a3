"""Both sides are told what becomes of their dispute, and whoever sees all; nobody else is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from exchange.v1 import event_service_pb2 as events
from exchange.v1 import types_pb2 as types
from settlement.disputes.deadlines import Deadlines
from settlement.windows.scheduler import SCHEDULER
from tests.contract.disputed import ANSWER, a_claim, a_policy, answered, decided, opened, withdrawn
from tests.contract.refusals import refusal
from tests.contract.settled import Finance
from tests.contract.watching import kinds, listed, resources, watching
from tests.movements import a_reversal
from tests.servers import Server

STATE, CAUSE = events.SettlementDispute.State, events.SettlementDispute.Cause
ABOUT = ["KIND_DISPUTE_OPENED", "KIND_DISPUTE_ANSWERED", "KIND_DISPUTE_DECIDED"]


def told(found: list[events.Event]) -> list[tuple[str, str, str, int]]:
    """Events of disputes as one reads them: what happened, state, by what, how much was won."""
    return [
        (
            kind.removeprefix("DISPUTE_"),
            STATE.Name(event.settlement_dispute.state).removeprefix("STATE_"),
            CAUSE.Name(event.settlement_dispute.cause).removeprefix("CAUSE_"),
            event.settlement_dispute.upheld_minor_units,
        )
        for kind, event in zip(kinds(found), found, strict=True)
    ]


OPENED = ("OPENED", "OPEN", "CLAIM", 0)
CONTESTED = ("ANSWERED", "CONTESTED", "ANSWER", 0)


async def test_a_dispute_is_told_to_both_sides_and_to_whoever_sees_all(finance: Finance, award: types.Transfer) -> None:
    """While they watch, step by step; what is claimed, of what, until when, and where it ends. CAF is told nothing."""
    cast = finance.cast
    async with watching(cast.tel, from_now=True, kinds=ABOUT) as watch:
        await watch.answer()
        dispute = await opened(finance, cast.gro, award, 250)
        contested = await answered(finance, cast.tel, dispute, ANSWER.ANSWER_CONTEST)
        ended = await decided(finance, dispute, 150)
        found = await watch.take(3)

    assert told(found) == [OPENED, CONTESTED, ("DECIDED", "UPHELD", "DECISION", 150)]
    assert resources(found) == [dispute.name] * 3
    common: dict[str, Any] = {
        "transfer": award.name,
        "window": "windows/1",
        "debtor": "merchants/GRO",
        "creditor": "merchants/TEL",
        "claimant": "merchants/GRO",
        "currency_code": "CNY",
        "minor_units": 250,
    }
    first, last = found[0].settlement_dispute, found[2].settlement_dispute
    assert first == events.SettlementDispute(
        **common, state=STATE.STATE_OPEN, cause=CAUSE.CAUSE_CLAIM, due_time=dispute.due_time
    )
    assert found[1].settlement_dispute.due_time == contested.due_time
    assert last == events.SettlementDispute(
        **common,
        state=STATE.STATE_UPHELD,
        cause=CAUSE.CAUSE_DECISION,
        upheld_minor_units=150,
        release_window=ended.release_window,
    )
    for side in (cast.gro, cast.world.operator, finance.maker, finance.checker, await cast.world.auditor()):
        assert resources((await listed(side, kinds=ABOUT))[0]) == [dispute.name] * 3
    for other in (cast.caf, cast.air):
        assert (await listed(other, kinds=ABOUT))[0] == []


@pytest.mark.parametrize(
    ("answer", "after"),
    [
        (ANSWER.ANSWER_ACCEPT, [("ANSWERED", "UPHELD", "ANSWER", 100), ("DECIDED", "UPHELD", "ANSWER", 100)]),
        (ANSWER.ANSWER_CONTEST, [CONTESTED, ("DECIDED", "WITHDRAWN", "WITHDRAWAL", 0)]),
    ],
)
async def test_an_answer_and_an_end_are_told_apart(
    finance: Finance, award: types.Transfer, answer: ANSWER.Answer.ValueType, after: list[tuple[str, str, str, int]]
) -> None:
    """What is accepted is over with the answer; what is contested may be withdrawn. Repeats are no news."""
    gro, tel = finance.cast.gro, finance.cast.tel
    claim = a_claim(award, 100, "k")
    dispute = (await gro.ask(finance.stub.OpenDispute, claim)).dispute
    await gro.ask(finance.stub.OpenDispute, claim)
    for _ in range(2):
        dispute = await answered(finance, tel, dispute, answer)
    if answer == ANSWER.ANSWER_CONTEST:
        for _ in range(2):
            await withdrawn(finance, gro, dispute)

    found, _ = await listed(gro, kinds=ABOUT)

    assert told(found) == [OPENED, *after]


async def test_what_ends_by_itself_is_told_with_what_ended_it(
    own_server: Server, finance: Finance, award: types.Transfer
) -> None:
    """Silence of the other side, silence of finance, and a reversal that left nothing to win."""
    gro, tel, world = finance.cast.gro, finance.cast.tel, finance.cast.world
    await finance.agree(a_policy(answer_days=10, decision_days=20))
    silent, undecided = await opened(finance, gro, award, 100), await opened(finance, gro, award, 200)
    await answered(finance, tel, undecided, ANSWER.ANSWER_CONTEST)
    other = (await gro.earn(finance.member, "100 TEL")).transfer
    reversed_ = await opened(finance, tel, other, 1)
    await gro.post(a_reversal(other))
    _, before = await listed(tel)
    start = await world.now()
    deadlines = Deadlines(own_server.api.database, SCHEDULER)
    await deadlines.look()
    for days in (11, 21):
        await world.set_clock(start + timedelta(days=days))
        await deadlines.look()

    found, _ = await listed(tel, cursor=before, kinds=ABOUT)

    assert told(found) == [
        ("DECIDED", "REJECTED", "REVERSAL", 0),
        ("DECIDED", "UPHELD", "DEADLINE", 100),
        ("DECIDED", "REJECTED", "DEADLINE", 0),
    ]
    assert resources(found) == [reversed_.name, silent.name, undecided.name]


async def test_a_claim_that_is_refused_is_told_to_nobody(finance: Finance, award: types.Transfer) -> None:
    """Nor an answer of the wrong side."""
    gro = finance.cast.gro
    refused = await refusal(opened(finance, gro, award, 601))
    dispute = await opened(finance, gro, award, 600)
    own = await refusal(answered(finance, gro, dispute, ANSWER.ANSWER_ACCEPT))

    found, _ = await listed(finance.cast.world.operator, kinds=ABOUT)

    assert (refused.reason, own.reason) == ("CLAIM_EXCEEDS", "WRONG_PARTY")
    assert told(found) == [OPENED]
