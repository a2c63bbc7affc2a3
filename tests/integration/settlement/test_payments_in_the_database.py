"""The database holds the rules of paying a second time, and many who pay at once pay once."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import settlement_service_pb2 as pb
from tests.banks import credit, debit, statement, status_report
from tests.contract.paid import ACCOUNTS, Treasury
from tests.contract.refusals import refusal
from tests.contract.stillness import connected
from tests.integration.settlement.stopping import is_kept_for_ever, stopped
from tests.servers import Server

LEG = """
INSERT INTO settlement.payment_legs (run_id, leg_no, window_no, currency_code, payer, payee, minor_units)
VALUES ($1, $2, 1, 'CNY', $3, 'OPR', $4)
"""
FILE = """
INSERT INTO settlement.payment_files (message_id, run_id, currency_code, batch_no, format, execution_date, created_at,
    created_by, created_person, payments, control_sum, operator_version, sha256, content)
VALUES ('M9', $1, 'CNY', 9, 'csv', '2026-03-02', now(), 'x', $2, 1, 1, 1, encode(sha256($3), 'hex'), 'content')
"""
ATTEMPT = """
INSERT INTO settlement.payment_attempts (end_to_end_id, run_id, leg_no, attempt, currency_code, message_id, block_id,
    payer_version, payee_version)
SELECT 'E9', run_id, leg_no, 2, currency_code, message_id, block_id, payer_version, payee_version
FROM settlement.payment_attempts WHERE end_to_end_id = $1
"""
EVENT = """
INSERT INTO settlement.payment_events (end_to_end_id, from_state, to_state, at, reason, source, actor)
VALUES ($1, $2, $3, now(), '', '', '')
"""
CONFIRM = """
INSERT INTO settlement.bank_details_confirmations
    (participant, currency_code, version, set_person, confirmed_at, confirmed_by, confirmed_person)
SELECT participant, currency_code, version, set_person, now(), 'x', coalesce($1, set_person)
FROM settlement.bank_details WHERE participant = 'TEL' AND version = 2
"""


def id_of(run: pb.Run) -> UUID:
    """The id in a run's name."""
    return UUID(run.name.removeprefix("runs/"))


async def test_only_what_was_approved_becomes_a_payment(server: Server, treasury: Treasury) -> None:
    """Not before the approval, not another amount, and not for the same pair a second time."""
    run = (await treasury.finance.start("windows/1")).run
    assert await stopped(server, LEG, id_of(run), 1, "BNK", 60_000)

    run = await treasury.approved()
    assert await stopped(server, LEG, id_of(run), 1, "BNK", 60_001)
    assert await stopped(server, LEG, id_of(run), 1, "TEL", 60_000)
    assert not await stopped(server, LEG, id_of(run), 1, "BNK", 60_000)

    await treasury.export(run)
    assert await stopped(server, LEG, id_of(run), 9, "BNK", 60_000)


async def test_a_file_is_its_digest_and_no_approvers(server: Server, treasury: Treasury) -> None:
    """Content that does not have the digest, or a person who approved, is stopped."""
    run = await treasury.approved()
    approver = run.decisions[0].person

    assert await stopped(server, FILE, id_of(run), approver, b"content")
    assert await stopped(server, FILE, id_of(run), "zoe", b"other")
    assert not await stopped(server, FILE, id_of(run), "zoe", b"content")


async def test_a_leg_has_one_attempt_under_way(server: Server, treasury: Treasury) -> None:
    """A second beside it is stopped, until the bank has said no."""
    _, told = await treasury.instructed()
    order = told["OPR", "TEL"]
    assert await stopped(server, ATTEMPT, order.end_to_end_id)

    await treasury.record(status_report(order.message_id, payments=[(order.end_to_end_id, "RJCT", "AC04")]))

    assert not await stopped(server, ATTEMPT, order.end_to_end_id)


async def test_a_payment_moves_only_by_a_step_from_where_it_is(server: Server, treasury: Treasury) -> None:
    """The state itself is not the server's to write; a step there is not, or from elsewhere, is stopped."""
    _, told = await treasury.instructed()
    name = told["OPR", "TEL"].end_to_end_id

    assert await stopped(server, "UPDATE settlement.payment_attempts SET state = 'SETTLED'")
    assert await stopped(server, EVENT, name, "EXPORTED", "RETURNED")
    assert await stopped(server, EVENT, name, "ACCEPTED", "SETTLED")
    assert await stopped(server, "INSERT INTO settlement.payment_steps VALUES ('REJECTED', 'SETTLED')")
    assert not await stopped(server, EVENT, name, "EXPORTED", "ACCEPTED")


async def test_an_account_is_confirmed_by_another(server: Server, treasury: Treasury) -> None:
    """Whoever set it does not, and not under another spelling."""
    details = await treasury.set("TEL", ACCOUNTS["GRO"])

    assert details.name.endswith("/2")
    assert await stopped(server, CONFIRM, None)
    assert await stopped(server, CONFIRM, "ZOE")
    assert not await stopped(server, CONFIRM, "zoe")


TABLES = (
    "bank_details", "bank_details_confirmations", "payment_legs", "payment_files", "payment_attempts", "payment_events",
    "bank_messages", "bank_lines", "payment_exceptions", "exception_resolutions", "payment_steps",
)  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
async def test_what_was_paid_is_neither_changed_nor_deleted(server: Server, treasury: Treasury, table: str) -> None:
    """The role that serves may add, and that is all."""
    _, told = await treasury.instructed()
    await treasury.record(statement(debit(told["OPR", "TEL"], amount="5.00")))
    await treasury.resolve((await treasury.exceptions())[0])

    assert await is_kept_for_ever(server, table)


async def test_makers_who_export_at_once_instruct_once(treasury: Treasury) -> None:
    """One makes the file; all get the same."""
    run = await treasury.approved()
    world = treasury.finance.cast.world
    makers = [await world.party(directory.CALLER_ROLE_FINANCE_MAKER) for _ in range(5)]

    answers = await asyncio.gather(*(treasury.export(run, by=maker) for maker in makers))

    assert [answer.replayed for answer in answers].count(False) == 1
    assert len({answer.files[0].SerializeToString() for answer in answers}) == 1


async def test_retries_at_once_try_again_once(treasury: Treasury) -> None:
    """A leg that failed gets one new attempt, however many ask."""
    run, told = await treasury.instructed()
    await treasury.record(status_report(told["OPR", "TEL"].message_id, group="RJCT"))

    answers = await asyncio.gather(*(treasury.retry(run) for _ in range(5)))

    assert sorted(len(files) for files in answers) == [0, 0, 0, 0, 1]
    assert {leg.attempt for leg in (await treasury.legs(run)).values()} == {2}


async def test_answers_recorded_at_once_book_every_payment_once(server: Server, treasury: Treasury) -> None:
    """Both sides' statements and the whole of the day, some of them twice: each payment is settled by one event."""
    run, told = await treasury.instructed()
    orders = list(told.values())
    contents = [
        statement(*(debit(order) for order in orders), bank_id="A"),
        statement(*(credit(order) for order in orders), bank_id="B", name="camt.054.001.08"),
        *(statement(debit(order), bank_id=order.end_to_end_id) for order in orders),
        status_report(orders[0].message_id, group="ACSC"),
    ]

    await asyncio.gather(*(treasury.record(content) for content in contents + contents))

    assert set((await treasury.states(run)).values()) == {"SETTLED"}
    assert await treasury.exceptions() == []
    async with connected(server.url) as connection:
        settled: list[Any] = await connection.fetch(
            "SELECT end_to_end_id, count(*) FROM settlement.payment_events WHERE to_state = 'SETTLED' GROUP BY 1"
        )
    assert sorted(row["count"] for row in settled) == [1] * len(orders)
    assert (await treasury.finance.read(run)).state == pb.Run.STATE_SETTLED


async def test_a_run_that_was_instructed_is_what_its_window_settles_to(treasury: Treasury) -> None:
    """It is neither run anew nor cancelled."""
    run, _ = await treasury.instructed()
    anew = await refusal(treasury.finance.start("windows/1", mode=pb.NETTING_MODE_BILATERAL))
    cancel = pb.CancelRunRequest(name=run.name, reason="too late")
    cancelled = await refusal(treasury.payer.ask(treasury.stub.CancelRun, cancel))

    assert (anew.reason, anew.metadata["state"]) == ("WINDOW_STATE", "INSTRUCTED")
    assert (cancelled.reason, cancelled.metadata["state"]) == ("WRONG_STATE", "INSTRUCTED")
