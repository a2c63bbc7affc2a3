"""The database holds the rules of the funds book a second time, and many who draw on it at once do not overdraw it."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from grpc import aio

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import funds_pb2 as funds
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.money import demanding, deposit, withdrawal
from tests.contract.settled import Finance
from tests.contract.stillness import connected
from tests.integration.settlement.stopping import stopped
from tests.servers import Server

PREFUNDING = funds.FUNDS_PURPOSE_PREFUNDING
POST = """
INSERT INTO settlement.funds_postings (proposal_id, line_no, way, currency_code, debit_participant, debit_purpose,
    credit_participant, credit_purpose, minor_units, reference, value_date, at, actor, person)
VALUES ($1, 1, $2, 'CNY', $3, $4, $5, $6, $7, $8, '2026-03-02', now(), 'x', 'zoe')
"""
DECIDE = """
INSERT INTO settlement.proposal_decisions (proposal_id, verdict, digest, at, actor, person, reason)
VALUES ($1, 'APPROVED', $2, now(), 'FINANCE_CHECKER:x', 'zoe', '')
"""
PAID_IN = ("DEPOSIT", "OPR", "CLEARING_ACCOUNT", "TEL", "PREFUNDING", 500, "B-77")


def id_of(proposal: pb.Proposal) -> UUID:
    """The id in a proposal's name."""
    return UUID(proposal.name.removeprefix("proposals/"))


async def decided(server: Server, proposal: pb.Proposal) -> UUID:
    """Approved past the code, which would have posted it."""
    async with connected(server.url) as connection:
        await connection.execute(DECIDE, id_of(proposal), proposal.digest)
    return id_of(proposal)


async def test_only_what_was_approved_is_posted(server: Server, finance: Finance) -> None:
    """To the very account and amount, once; a proposal that waits, or of something else, books nothing."""
    waiting = id_of(await finance.propose(deposit("TEL", PREFUNDING, 500, "B-77")))
    assert await stopped(server, POST, waiting, *PAID_IN)
    other = id_of(await finance.agree(demanding(funds.LIQUIDITY_DEMAND_SHOW)))
    assert await stopped(server, POST, other, *PAID_IN)

    approved = await decided(server, await finance.propose(deposit("TEL", PREFUNDING, 500, "B-77")))

    assert not await stopped(server, POST, approved, *PAID_IN)
    for place, wrong in ((0, "WITHDRAWAL"), (3, "GRO"), (4, "COLLATERAL"), (5, 501), (6, "B-78")):
        asked: list[Any] = list(PAID_IN)
        asked[place] = wrong
        assert await stopped(server, POST, approved, *asked), wrong


async def test_participants_money_never_lies_on_the_operators_account(server: Server, finance: Finance) -> None:
    """There is no way from the one to the other, whatever was approved."""
    approved = await decided(server, await finance.propose(deposit("TEL", PREFUNDING, 500, "B-77")))

    assert await stopped(server, POST, approved, "DEPOSIT", "OPR", "OWN_ACCOUNT", "TEL", "PREFUNDING", 500, "B-77")
    assert await stopped(server, "INSERT INTO settlement.funds_ways VALUES ('DEPOSIT', 'OWN_ACCOUNT', 'PREFUNDING')")


async def test_no_account_comes_to_less_than_nothing(server: Server, finance: Finance) -> None:
    """An approved withdrawal whose money has gone meanwhile."""
    await finance.agree(deposit("TEL", PREFUNDING, 500))
    late = await finance.propose(withdrawal("TEL", PREFUNDING, 300, "B-78"))
    await finance.agree(withdrawal("TEL", PREFUNDING, 300))
    approved = await decided(server, late)

    over = ("WITHDRAWAL", "TEL", "PREFUNDING", "OPR", "CLEARING_ACCOUNT", 300, "B-78")
    assert await stopped(server, POST, approved, *over)


@pytest.mark.parametrize("table", ["funds_postings", "funds_ways", "funds_purposes", "liquidity_looks"])
async def test_the_book_is_neither_changed_nor_deleted(server: Server, finance: Finance, table: str) -> None:
    """The role that serves may add to it, and that is all."""
    await finance.agree(deposit("TEL", PREFUNDING, 500))

    assert await stopped(server, f"DELETE FROM settlement.{table}")
    assert await stopped(server, f"TRUNCATE settlement.{table} CASCADE")
    assert await stopped(server, "UPDATE settlement.funds_postings SET minor_units = 1")


async def test_of_many_who_draw_at_once_as_many_get_money_as_there_is(finance: Finance) -> None:
    """Eight checkers approve withdrawals of 100 from 300: three leave, and nothing is left."""
    await finance.agree(deposit("TEL", PREFUNDING, 300))
    asked = [await finance.propose(withdrawal("TEL", PREFUNDING, 100)) for _ in range(8)]
    world = finance.cast.world
    checkers = [await world.party(directory.CALLER_ROLE_FINANCE_CHECKER) for _ in asked]

    answers = await asyncio.gather(
        *(
            checker.ask(finance.stub.ApproveProposal, pb.ApproveProposalRequest(name=one.name, digest=one.digest))
            for checker, one in zip(checkers, asked, strict=True)
        ),
        return_exceptions=True,
    )

    told = await finance.maker.ask(finance.stub.ListFunds, funds.ListFundsRequest(participant="merchants/TEL"))
    assert sum(not isinstance(answer, aio.AioRpcError) for answer in answers) == 3
    assert [balance.minor_units for balance in told.balances] == [0]


async def test_no_run_is_approved_past_what_the_terms_of_funds_demand(server: Server, finance: Finance) -> None:
    """The step is stopped too, where somebody decides without looking."""
    step = """
        INSERT INTO settlement.run_transitions (run_id, step_no, from_state, to_state, at, actor, person, reason)
        VALUES ($1, 3, 'SUBMITTED', 'APPROVED', now(), 'x', 'zoe', '')
    """
    decide = """
        INSERT INTO settlement.run_decisions (run_id, person, verdict, digest, at, actor, reason)
        VALUES ($1, 'zoe', 'APPROVED', $2, now(), 'FINANCE_CHECKER:x', '')
    """
    run = await finance.submit((await finance.start("windows/1")).run)
    run_id = UUID(run.name.removeprefix("runs/"))
    async with connected(server.url) as connection:
        await connection.execute(decide, run_id, run.result_digest)

    assert not await stopped(server, step, run_id)
    await finance.agree(demanding(funds.LIQUIDITY_DEMAND_REFUSE))
    assert await stopped(server, step, run_id)
    await finance.agree(deposit("GRO", PREFUNDING, 599))
    assert await stopped(server, step, run_id)
    await finance.agree(deposit("GRO", PREFUNDING, 1))
    assert not await stopped(server, step, run_id)
