"""Claims: no value is claimed, won or given back twice."""

from __future__ import annotations

import pytest

from exchange.v1 import types_pb2 as types
from settlement.v1 import disputes_pb2 as pb
from tests.contract.disputed import ANSWER, STATE, a_claim, a_decision, adjustments, answered, nets, opened, withdrawn
from tests.contract.refusals import refusal
from tests.contract.settled import Finance
from tests.contract.stillness import nothing_changes
from tests.movements import a_reversal
from tests.servers import Server


@pytest.mark.provokes("CLAIM_EXCEEDS")
async def test_no_value_is_claimed_twice(finance: Finance, own_server: Server, award: types.Transfer) -> None:
    """Neither while a claim waits nor after it was won; a claim that was given up is free again."""
    gro, tel = finance.cast.gro, finance.cast.tel
    first = await opened(finance, gro, award, 400)
    async with nothing_changes(own_server):
        over = await refusal(opened(finance, gro, award, 201))
        other_side = await refusal(opened(finance, tel, award, 201))
    await answered(finance, tel, first, ANSWER.ANSWER_ACCEPT)
    after = await refusal(opened(finance, gro, award, 201))
    second = await opened(finance, gro, award, 200)
    await withdrawn(finance, gro, second)

    assert (over.reason, over.metadata) == (
        "CLAIM_EXCEEDS",
        {"resource": award.name, "left": "200", "requested": "201"},
    )
    assert (other_side.reason, after.reason) == ("CLAIM_EXCEEDS", "CLAIM_EXCEEDS")
    assert (await opened(finance, gro, award, 200)).minor_units == 200


async def test_what_a_reversal_gave_back_cannot_be_claimed(finance: Finance, award: types.Transfer) -> None:
    """Of 500 TEL 200 went back: ¥3.60 are left to claim."""
    await finance.cast.gro.post(a_reversal(award, units=200))

    over = await refusal(opened(finance, finance.cast.gro, award, 361))

    assert (over.reason, over.metadata["left"]) == ("CLAIM_EXCEEDS", "360")
    assert (await opened(finance, finance.cast.gro, award, 360)).minor_units == 360


async def test_a_dispute_wins_no_more_than_a_reversal_left(finance: Finance, award: types.Transfer) -> None:
    """¥6.00 claimed, ¥2.40 reversed meanwhile: accepted, ¥3.60 are won; both windows together leave nothing owed."""
    gro, tel = finance.cast.gro, finance.cast.tel
    dispute = await opened(finance, gro, award, 600)
    await finance.close("windows/1")
    first = (await finance.start("windows/1")).run
    await gro.post(a_reversal(award, units=200))
    ended = await answered(finance, tel, dispute, ANSWER.ANSWER_ACCEPT)
    await finance.close("windows/2")
    second = (await finance.start("windows/2")).run

    assert (ended.state, ended.upheld_minor_units) == (STATE.STATE_UPHELD, 360)
    assert (await nets(finance, first), await nets(finance, second)) == ({}, {})


async def test_a_reversal_after_a_dispute_was_won_pays_nothing_twice(finance: Finance, award: types.Transfer) -> None:
    """The member gets his way, the books tell all three: what was won, what was reversed, what is owed again."""
    gro, tel = finance.cast.gro, finance.cast.tel
    dispute = await opened(finance, gro, award, 400)
    await answered(finance, tel, dispute, ANSWER.ANSWER_ACCEPT)
    await finance.close("windows/1")
    first = (await finance.start("windows/1")).run
    await gro.post(a_reversal(award))
    await finance.close("windows/2")
    second = (await finance.start("windows/2")).run
    again = await finance.start("windows/2")

    (overtaken,) = await adjustments(finance, tel, window="windows/2")
    assert await nets(finance, first) == {"GRO": -200, "TEL": 200}
    assert (overtaken.cause, overtaken.minor_units) == (pb.Adjustment.CAUSE_OVERTAKEN, 400)
    assert (overtaken.debtor, overtaken.dispute) == ("merchants/GRO", dispute.name)
    assert await nets(finance, second) == {"GRO": 200, "TEL": -200}
    assert again.replayed


async def test_a_decision_gives_no_more_than_was_claimed(finance: Finance, award: types.Transfer) -> None:
    """Though more is left of the obligation."""
    dispute = await opened(finance, finance.cast.gro, award, 100)
    await answered(finance, finance.cast.tel, dispute, ANSWER.ANSWER_CONTEST)

    refused = await refusal(finance.propose(a_decision(dispute, 101)))

    assert (refused.reason, refused.metadata["left"]) == ("CLAIM_EXCEEDS", "100")


async def test_an_obligation_the_transfer_did_not_make_is_not_found(finance: Finance, award: types.Transfer) -> None:
    """The pair the other way round, another creditor, another money."""
    gro = finance.cast.gro
    turned = a_claim(award, 1, debtor="merchants/TEL", creditor="merchants/GRO")
    other = a_claim(award, 1, creditor="merchants/AIR")
    money = a_claim(award, 1, currency_code="USD")

    refused = [await refusal(gro.ask(finance.stub.OpenDispute, claim)) for claim in (turned, other, money)]

    assert {(no.reason, no.metadata["field"]) for no in refused} == {("RESOURCE_NOT_FOUND", "transfer")}
