"""What funds are looked at for: whose money reaches before a run is approved, and who may owe how much."""

import pytest

from exchange.v1 import limit_service_pb2 as limits
from exchange.v1.limit_service_pb2_grpc import LimitServiceStub
from settlement.v1 import funds_pb2 as funds
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.money import demanding, deposit, withdrawal
from tests.contract.refusals import refusal
from tests.contract.settled import Finance, finance_after_period_a
from tests.worlds import World

PREFUNDING, COLLATERAL = funds.FUNDS_PURPOSE_PREFUNDING, funds.FUNDS_PURPOSE_COLLATERAL
GUARANTEE = funds.FUNDS_PURPOSE_GUARANTEE


@pytest.fixture
async def finance(own_world: World) -> Finance:
    """A coalition in whose first window the rulebook's period A has happened; it is closed."""
    return await finance_after_period_a(own_world)


async def test_a_check_tells_who_lacks_what_and_what_could_settle(finance: Finance) -> None:
    """GRO has ¥500.00 of ¥716.55, CAF all of its ¥1.00, BNK nothing: ¥501.00 come in and go out again."""
    await finance.agree(deposit("GRO", PREFUNDING, 50_000))
    await finance.agree(deposit("CAF", PREFUNDING, 100))
    await finance.agree(deposit("BNK", COLLATERAL, 60_000))
    run = (await finance.start("windows/1")).run

    (check,) = (
        await finance.checker.ask(finance.stub.CheckLiquidity, funds.CheckLiquidityRequest(run=run.name))
    ).checks

    assert {s.participant: (s.to_pay_minor_units, s.available_minor_units) for s in check.shortfalls} == {
        "merchants/GRO": (71_655, 50_000),
        "merchants/BNK": (60_000, 0),
    }
    assert (check.to_pay_minor_units, check.missing_minor_units) == (131_755, 81_655)
    assert check.settles_now_minor_units == 2 * 50_100


@pytest.mark.provokes("LIQUIDITY_SHORT")
async def test_what_has_no_funds_behind_it_is_not_approved_where_the_terms_refuse_it(finance: Finance) -> None:
    """Acknowledged or not; once the money is there it is."""
    await finance.agree(demanding(funds.LIQUIDITY_DEMAND_REFUSE, collateral_pays=True))
    await finance.agree(deposit("GRO", PREFUNDING, 71_655))
    await finance.agree(deposit("BNK", COLLATERAL, 59_999))
    run = await finance.submit((await finance.start("windows/1")).run)

    noes = [await refusal(finance.approve(run)), await refusal(acknowledged(finance, run))]
    await finance.agree(deposit("BNK", COLLATERAL, 1))
    await finance.agree(deposit("CAF", PREFUNDING, 100))
    approved = await finance.approve(run)

    assert noes[0].metadata == {
        "resource": run.name,
        "currency": "CNY",
        "missing": "101",
        "participants": "BNK, CAF",
        "demands": "REFUSE",
    }
    assert [no.reason for no in noes] == ["LIQUIDITY_SHORT"] * 2
    assert approved.state == pb.Run.STATE_APPROVED


async def test_where_the_terms_want_it_said_it_is_said(finance: Finance) -> None:
    """Without a word it is refused."""
    await finance.agree(demanding(funds.LIQUIDITY_DEMAND_ACKNOWLEDGE))
    run = await finance.submit((await finance.start("windows/1")).run)

    silent = await refusal(finance.approve(run))
    said = await acknowledged(finance, run)

    assert (silent.reason, silent.metadata["demands"]) == ("LIQUIDITY_SHORT", "ACKNOWLEDGE")
    assert said.state == pb.Run.STATE_APPROVED


async def test_without_terms_what_is_missing_is_only_shown(finance: Finance) -> None:
    """As in a coalition where everybody pays by transfer."""
    run = await finance.submit((await finance.start("windows/1")).run)

    assert (await finance.approve(run)).state == pb.Run.STATE_APPROVED


async def test_caps_that_bind_follow_the_funds(finance: Finance) -> None:
    """GRO owes ¥716.55 and left ¥720.00: room for 287 points at ¥0.012; more when more is left, none without."""
    await finance.agree(deposit("GRO", PREFUNDING, 72_000))
    await finance.agree(demanding(funds.LIQUIDITY_DEMAND_SHOW, cap_binds=True))

    past_it = await refusal(finance.cast.gro.earn(finance.member, "288 TEL"))
    await finance.cast.gro.earn(finance.member, "287 TEL")
    await finance.agree(deposit("GRO", COLLATERAL, 12))
    await finance.cast.gro.earn(finance.member, "10 TEL")
    full = await caps(finance)
    await finance.agree(deposit("GRO", GUARANTEE, 1_000))
    await finance.agree(deposit("TEL", PREFUNDING, 500))
    await finance.agree(withdrawal("TEL", PREFUNDING, 500))

    assert past_it.reason == "NET_DEBIT_CAP_EXCEEDED"
    assert full == {"merchants/GRO": 720_120_000}
    assert await caps(finance) == {"merchants/GRO": 720_120_000, "merchants/TEL": 0}


async def caps(finance: Finance) -> dict[str, int]:
    """What the exchange holds whom to, micro-yuan."""
    stub = LimitServiceStub(finance.cast.world.stubs.channel)
    told = await finance.maker.ask(stub.ListExposures, limits.ListExposuresRequest())
    return {one.merchant: one.cap_micros for one in told.exposures}


async def acknowledged(finance: Finance, run: pb.Run) -> pb.Run:
    """Say yes, having seen whose money does not reach."""
    request = pb.ApproveRunRequest(
        name=run.name, result_digest=run.result_digest, etag=run.etag, acknowledge_shortfall=True
    )
    approved: pb.Run = (await finance.checker.ask(finance.stub.ApproveRun, request)).run
    return approved
