"""What no layer of a default holds is borne by those the run has still to pay, where the terms say so."""

from __future__ import annotations

from typing import Any

import pytest

from settlement.v1 import funds_pb2 as funds
from settlement.v1 import reports_pb2 as reports
from settlement.v1 import settlement_service_pb2 as pb
from tests.banks import Order, debit, statement
from tests.contract.money import demanding, deposit, withdrawal
from tests.contract.paid import Treasury, treasury_of
from tests.contract.recovered import GRO, claim, pay_the_others, recovery, rejected
from tests.contract.refusals import refusal
from tests.contract.test_defaults import COLLATERAL, COVER, GUARANTEE, LAYER, balances, default
from tests.contract.test_payments_against_caps import capped, exposures_of
from tests.contract.test_reports import read
from tests.worlds import World

REPAID, BORNE = funds.FUNDS_PURPOSE_LOSS_REPAID, funds.FUNDS_PURPOSE_LOSS_BORNE
CLAIM = funds.FUNDS_PURPOSE_DEFAULT_CLAIM
TO_AIR, TO_TEL = ("OPR", "AIR"), ("OPR", "TEL")
MISSING = 71_655 - 60_000
"""What nobody holds when GRO does not pay."""
BY_AIR, BY_TEL = 2_663, 8_992
"""Of it, in proportion to 30 100 and 101 655; the unit that rounding down leaves goes to AIR."""


@pytest.fixture
async def treasury(own_world: World) -> Treasury:
    """Period A is closed: GRO is to pay ¥716.55, for which ¥600.00 stand in; TEL and AIR are to be paid."""
    treasury = await treasury_of(own_world)
    agree = treasury.finance.agree
    for name, purpose, amount in (
        ("GRO", COLLATERAL, 10_000),
        ("OPR", LAYER, 10_000),
        ("AIR", GUARANTEE, 20_000),
        ("TEL", GUARANTEE, 20_000),
    ):
        await agree(deposit(name, purpose, amount))
    await agree(demanding(funds.LIQUIDITY_DEMAND_SHOW, residual=funds.RESIDUAL_LOSS_CREDITORS))
    return treasury


def amounts(ordered: dict[tuple[str, str], Order]) -> dict[tuple[str, str], str]:
    """What a bank is told to pay, by payer and payee."""
    return {pair: order.amount for pair, order in ordered.items()}


async def statement_of(treasury: Treasury, run: pb.Run, name: str) -> dict[str, Any]:
    """A merchant's statement."""
    request = reports.ReadStatementRequest(run=run.name, merchant=f"merchants/{name}")
    return await read(treasury.finance, treasury.finance.maker, "ReadStatement", request)


async def test_creditors_are_paid_less_and_the_run_is_settled(treasury: Treasury) -> None:
    """Shown before, posted as notes, kept from their payments, told in their statements; the caps know of it."""
    world = treasury.finance.cast.world
    owed = {name: await capped(world, name) for name in ("GRO", "TEL")}
    run = await treasury.approved()
    proposed = await treasury.finance.propose(default())
    before = await treasury.legs(run)
    await treasury.finance.approve_proposal(proposed)
    (file,) = (await treasury.export(run)).files
    ordered = await treasury.ordered(file)
    told = await statement_of(treasury, run, "TEL")
    await pay_the_others(treasury, ordered)

    (fall,) = proposed.default_declaration.waterfalls
    assert dict(fall.allocated_minor_units) == {"merchants/AIR": BY_AIR, "merchants/TEL": BY_TEL}
    assert [(one.participant, one.from_attempt, one.minor_units) for one in fall.reductions] == [
        ("merchants/AIR", 1, BY_AIR),
        ("merchants/TEL", 1, BY_TEL),
    ]
    assert {leg.borne_minor_units for leg in before.values()} == {0}
    assert amounts(ordered) == {
        ("BNK", "OPR"): "600.00",
        ("CAF", "OPR"): "1.00",
        TO_AIR: f"{(30_100 - BY_AIR) / 100:.2f}",
        TO_TEL: f"{(101_655 - BY_TEL) / 100:.2f}",
    }
    assert (await treasury.finance.read(run)).state == pb.Run.STATE_SETTLED
    legs = await treasury.legs(run)
    assert (legs[TO_TEL].minor_units, legs[TO_TEL].borne_minor_units) == (101_655, BY_TEL)
    assert (await treasury.states(run))[GRO] == "COVERED"
    found = await balances(treasury.finance)
    assert {key: found[key] for key in (("AIR", BORNE), ("TEL", BORNE), ("GRO", CLAIM), ("GRO", COVER))} == {
        ("AIR", BORNE): BY_AIR,
        ("TEL", BORNE): BY_TEL,
        ("GRO", CLAIM): MISSING,
        ("GRO", COVER): 60_000,
    }
    assert [(row["line"], row["receivable"]) for row in told["lines"]][-2:] == [("paid", 101_655), ("borne", BY_TEL)]
    assert [(row["defaulter"], row["payer"], row["amount"]) for row in told["borne"]] == [("GRO", "OPR", BY_TEL)]
    assert owed == {"GRO": 716_550_000, "TEL": -1_016_550_000}
    assert await exposures_of(world, owed) == {"GRO": 616_550_000, "TEL": 0}


async def test_what_comes_back_goes_to_them_before_anybody_else_who_stood_in(treasury: Treasury) -> None:
    """In proportion to what each bears, onto an account of its own that it is paid from; then AIR and TEL's parts."""
    await treasury.approved()
    await treasury.finance.agree(default())
    before = await claim(treasury)

    first = await treasury.finance.agree(recovery(100, "BACK-1"))
    await treasury.finance.agree(recovery(MISSING - 100 + 3, "BACK-2"))
    after = await claim(treasury)
    too_much = await refusal(treasury.finance.propose(withdrawal("TEL", REPAID, BY_TEL + 1)))
    await treasury.finance.agree(withdrawal("TEL", REPAID, BY_TEL))
    by_hand = await refusal(treasury.finance.propose(deposit("TEL", REPAID, 5)))

    assert (before.claimed_minor_units, before.missing_minor_units) == (61_655, 0)
    assert [(one.participant, one.purpose, one.borne_minor_units) for one in before.stakes] == [
        ("merchants/AIR", REPAID, BY_AIR),
        ("merchants/TEL", REPAID, BY_TEL),
        ("merchants/AIR", GUARANTEE, 20_000),
        ("merchants/TEL", GUARANTEE, 20_000),
        ("merchants/OPR", LAYER, 10_000),
    ]
    assert [(one.participant, one.purpose, one.minor_units) for one in first.default_recovery.repayments] == [
        ("merchants/AIR", REPAID, 23),
        ("merchants/TEL", REPAID, 77),
    ]
    assert [one.repaid_minor_units for one in after.stakes] == [BY_AIR, BY_TEL, 2, 1, 0]
    found = await balances(treasury.finance)
    assert (found["AIR", REPAID], found["AIR", GUARANTEE]) == (BY_AIR, 2)
    assert {("TEL", REPAID), ("AIR", BORNE), ("TEL", BORNE), ("GRO", CLAIM)} & found.keys() == set()
    assert too_much.reason == "FUNDS_INSUFFICIENT"
    assert by_hand.fields == ("proposal.funds_movement.purpose",)


async def test_no_payment_that_went_out_becomes_smaller(treasury: Treasury) -> None:
    """TEL was paid and keeps it. AIR was not: its next payment asks for less, in a file of its own."""
    run, ordered = await treasury.instructed()
    (sent,) = (await treasury.export(run)).files
    content = await treasury.content(sent)
    await treasury.record(rejected(ordered[GRO]))
    under_way = await refusal(treasury.finance.propose(default()))
    paid = [order for pair, order in ordered.items() if pair not in {GRO, TO_AIR}]
    await treasury.record(statement(*(debit(order) for order in paid)))
    await treasury.record(rejected(ordered[TO_AIR]))

    await treasury.finance.agree(default())
    (again,) = await treasury.retry(run)
    retried = await treasury.ordered(again)
    unchanged = await treasury.content(sent)
    await treasury.record(statement(debit(retried[TO_AIR])))

    assert (under_way.reason, under_way.metadata["state"]) == ("WRONG_STATE", "PAYMENT_UNDER_WAY")
    assert unchanged == content
    assert amounts(retried) == {TO_AIR: f"{(30_100 - MISSING) / 100:.2f}"}
    assert again.control_sum_minor_units == 30_100 - MISSING
    assert (await treasury.finance.read(run)).state == pb.Run.STATE_SETTLED
    found = await balances(treasury.finance)
    assert (found["AIR", BORNE], found.get(("TEL", BORNE))) == (MISSING, None)


async def test_where_all_were_paid_the_rest_stays_open(treasury: Treasury) -> None:
    """What was booked is final: the clearing account lacks it until it comes back, and the run is not settled."""
    run, ordered = await treasury.instructed()
    await treasury.record(rejected(ordered[GRO]))
    await pay_the_others(treasury, ordered)

    declared = await treasury.finance.agree(default())

    (fall,) = declared.default_declaration.waterfalls
    assert (dict(fall.allocated_minor_units), list(fall.reductions), fall.open_minor_units) == ({}, [], MISSING)
    assert (await treasury.finance.read(run)).state == pb.Run.STATE_PARTIALLY_SETTLED
    await treasury.finance.agree(recovery(MISSING, "BACK-1"))
    assert (await treasury.finance.read(run)).state == pb.Run.STATE_SETTLED


async def test_a_payment_whose_payee_bears_all_of_it_is_never_made(treasury: Treasury) -> None:
    """More is missing than AIR, the last to be paid, is to get: it gets nothing, and the rest stays open."""
    run, ordered = await treasury.instructed()
    paid = [order for pair, order in ordered.items() if pair not in {GRO, TO_AIR}]
    await treasury.record(statement(*(debit(order) for order in paid)))
    for order in (ordered[GRO], ordered[TO_AIR]):
        await treasury.record(rejected(order))
    for name in ("AIR", "TEL"):
        await treasury.finance.agree(withdrawal(name, GUARANTEE, 20_000))

    await treasury.finance.agree(default())
    again = await treasury.retry(run)

    assert again == []
    assert (await treasury.states(run))[TO_AIR] == "BORNE"
    assert (await claim(treasury)).missing_minor_units == 71_655 - 20_000 - 30_100
    assert (await treasury.finance.read(run)).state == pb.Run.STATE_PARTIALLY_SETTLED


async def test_where_payers_pay_their_creditors_themselves_those_bear_it(treasury: Treasury) -> None:
    """Bilateral: GRO was to pay TEL ¥1 316.55. Nobody else's payment hangs on that, and none is smaller."""
    run = await treasury.approved(mode=pb.NETTING_MODE_BILATERAL)

    declared = await treasury.finance.agree(default())
    (file,) = (await treasury.export(run)).files
    await treasury.record(statement(*(debit(order) for order in (await treasury.ordered(file)).values())))

    (fall,) = declared.default_declaration.waterfalls
    assert fall.loss_minor_units == 144_000 - 12_345
    assert dict(fall.allocated_minor_units) == {"merchants/TEL": fall.loss_minor_units - 60_000}
    legs = await treasury.legs(run)
    assert {pair for pair, leg in legs.items() if leg.borne_minor_units} == {("GRO", "TEL")}
    assert (await treasury.states(run))["GRO", "TEL"] == "COVERED"
    assert (await treasury.finance.read(run)).state == pb.Run.STATE_SETTLED


async def test_who_pays_less_for_anothers_default_is_not_declared_for_the_same_run(treasury: Treasury) -> None:
    """The operator pays AIR and TEL so much less: what they bear of GRO's default they would bear of its own again."""
    await treasury.approved()
    await treasury.finance.agree(default())
    found = await balances(treasury.finance)

    refused = await refusal(treasury.finance.propose(default("OPR")))

    assert (refused.reason, refused.metadata["resource"]) == ("WRONG_STATE", "merchants/OPR/defaults/1")
    assert (refused.metadata["state"], refused.metadata["needed"]) == ("PAYMENT_REDUCED", "PAYMENT_WHOLE")
    assert await balances(treasury.finance) == found
