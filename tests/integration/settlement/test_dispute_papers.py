"""Disputes at a terminal, on paper, and under a cap."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import limit_service_pb2 as limits
from exchange.v1 import types_pb2 as types
from settlement.reports.service import Reports
from settlement.v1 import payments_pb2 as payments
from settlement.v1 import settlement_service_pb2 as settlement_pb
from tests.contract.disputed import (
    ANSWER,
    answered,
    opened,
)
from tests.contract.paid import Treasury
from tests.contract.settled import Finance
from tests.integration.settlement.test_commands import settlement
from tests.servers import Server


@pytest.fixture
async def award(finance: Finance) -> types.Transfer:
    """500 TEL from GRO in the second window, which is open: it owes TEL ¥6.00."""
    transfer: types.Transfer = (await finance.cast.gro.earn(finance.member, "500 TEL")).transfer
    return transfer


def id_of(name: str) -> UUID:
    """The id in a name."""
    return UUID(name.rpartition("/")[2])


@pytest.mark.timeout(300)
async def test_finance_looks_after_disputes_at_a_terminal(
    server: Server, finance: Finance, award: types.Transfer
) -> None:
    """Lists, shows, names an owner, proposes a decision; another person's key approves it."""
    checker = await finance.cast.world.party(directory.CALLER_ROLE_FINANCE_CHECKER, "zoe")
    dispute = await opened(finance, finance.cast.gro, award, 400, statement="[we] agreed on less")
    await answered(finance, finance.cast.tel, dispute, ANSWER.ANSWER_CONTEST)

    (listed,) = (await settlement(server, "disputes", "--json")).document
    assigned = (await settlement(server, "assign-dispute", dispute.name, "ann", "--json")).document
    shown = await settlement(server, "dispute", dispute.name)
    proposed = (await settlement(server, "decide-dispute", dispute.name, "--upheld", "150", "--json")).document
    approved = await settlement(
        server, "approve", proposed["proposal"], "--digest", proposed["digest"], key=checker.secret
    )
    (adjustment,) = (await settlement(server, "adjustments", "--json")).document

    assert (listed["dispute"], listed["state"], assigned["owner"]) == (dispute.name, "CONTESTED", "ann")
    assert "[we] agreed on less" in shown.output
    assert "GRO says that GRO does not owe TEL CNY 4.00" in shown.output
    assert approved.status == 0, approved.errors
    assert (adjustment["minor_units"], adjustment["dispute"]) == (150, dispute.name)


@pytest.mark.usefixtures("finance")
async def test_finance_adjusts_at_a_terminal(server: Server) -> None:
    """What is wrong is said by the field; what is right waits for a checker."""
    good = await settlement(
        server, "adjust", "TEL", "CAF", "75", "CNY", "--evidence", "invoice 4711", "--reason", "agreed by phone"
    )
    wrong = await settlement(server, "adjust", "TEL", "TEL", "75", "ZZZ", "--evidence", "x")

    assert "adjustment: waiting by " in good.output, good.errors
    assert "Next, by another person: python -m settlement approve proposals/" in good.output
    assert wrong.status == 2
    assert "adjust.creditor is the debtor" in wrong.errors
    assert "adjust.currency_code is no ISO 4217 currency" in wrong.errors


@pytest.mark.usefixtures("finance")
async def test_what_there_is_not_is_said_in_plain_words(server: Server) -> None:
    """A name of something else; and nothing to do is no error."""
    wrong, nothing = await asyncio.gather(
        settlement(server, "dispute", "transfers/1"), settlement(server, "end-disputes")
    )

    assert (wrong.status, wrong.output) == (2, "")
    assert "is no dispute: say disputes/ID" in wrong.errors
    assert (nothing.status, nothing.output) == (0, "nothing is due\n")


async def test_statements_and_journals_show_what_is_held_out_and_adjusted(server: Server, treasury: Treasury) -> None:
    """With the dispute and the transfer behind it; the journal balances and leaves what waits."""
    finance = treasury.finance
    award = (await finance.cast.gro.earn(finance.member, "500 TEL")).transfer
    kept, won = await opened(finance, finance.cast.gro, award, 100), await opened(finance, finance.cast.gro, award, 250)
    await finance.start("windows/1")
    await answered(finance, finance.cast.tel, won, ANSWER.ANSWER_ACCEPT)
    await finance.close("windows/2")
    run = (await finance.start("windows/2")).run
    reports = Reports(server.api.database)

    statement = await reports.merchant_statement(id_of(run.name), "GRO")
    tables = {table.name: table for table in statement.tables}
    lines = {str(row[1]): row[3:5] for row in tables["lines"].rows}
    assert (lines["earn"], lines["adjusted"], lines["disputed"]) == ([0, 600], [250, 0], [0, 100])
    assert (lines["total"], lines["held"], lines["net"]) == ([250, 600], [0, 100], [0, 250])
    assert [(row[3], row[5]) for row in tables["disputed"].rows] == [(kept.name, 100)]
    assert [(row[5], row[6], row[7]) for row in tables["adjustments"].rows] == [(won.name, award.name, 250)]
    journal = (await reports.journal(id_of(run.name))).tables[0]
    booked = [dict(zip(journal.keys, row, strict=True)) for row in journal.rows]
    debits, credits_ = ([row[side] for row in booked if row[side] is not None] for side in ("debit", "credit"))
    assert sum(map(int, map(str, debits))) == sum(map(int, map(str, credits_)))
    assert {(row["entity"], row["account"]) for row in booked if "adjustments" in str(row["account"])} == {
        ("GRO", "revenues:adjustments"),
        ("TEL", "expenses:adjustments"),
    }
    summary = await reports.of_window("settlement-summary", id_of(run.name))
    ageing = await reports.of_window("ageing", id_of(run.name))
    assert {"disputed", "adjustments"} <= {table.name for table in summary.tables}
    assert [row[:2] for row in ageing.tables[0].rows] == [["CNY", "disputed"]]


async def test_what_was_won_makes_room_under_a_net_debit_cap(finance: Finance, award: types.Transfer) -> None:
    """Nothing is paid for it and nothing is owed any more, once the window with both is instructed."""
    world, gro = finance.cast.world, finance.cast.gro
    cap = limits.SetNetDebitCapRequest(merchant=gro.name, currency_code="CNY", cap_micros=10**9, reason="test")
    await world.operator.ask(world.stubs.limits.SetNetDebitCap, cap)
    dispute = await opened(finance, gro, award, 600)
    await answered(finance, finance.cast.tel, dispute, ANSWER.ANSWER_ACCEPT)
    await finance.approve(await finance.submit((await finance.start("windows/1")).run))
    await finance.close("windows/2")
    run = await finance.approve(await finance.submit((await finance.start("windows/2")).run))

    async def owed() -> int:
        request = limits.GetExposureRequest(merchant=gro.name, currency_code="CNY")
        exposure = (await gro.ask(gro.stubs.limits.GetExposure, request)).exposure
        return int(exposure.owed_micros)

    before = await owed()
    export = payments.ExportPaymentsRequest(run=run.name, result_digest=run.result_digest)
    await finance.maker.ask(finance.stub.ExportPayments, export)

    assert (await finance.read(run)).state == settlement_pb.Run.STATE_SETTLED
    assert (before, await owed()) == (2 * 6_000_000, 6_000_000)
