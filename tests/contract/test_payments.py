"""Paying an approved run: files with deterministic names and bytes, bank answers, exceptions, returns, retries."""

from collections.abc import Iterable
from decimal import Decimal
from runpy import run_path

import grpc
import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import limit_service_pb2 as limits
from settlement.app import MIGRATIONS
from settlement.v1 import payments_pb2 as payments
from settlement.v1 import settlement_service_pb2 as pb
from tests.banks import comes_back, control_of, credit, debit, statement, status_report
from tests.contract.paid import ACCOUNTS, Treasury, treasury_of
from tests.contract.refusals import refusal
from tests.servers import Server
from tests.worlds import World

PAYMENTS = {
    ("BNK", "OPR"): 60_000,
    ("CAF", "OPR"): 100,
    ("GRO", "OPR"): 71_655,
    ("OPR", "AIR"): 30_100,
    ("OPR", "TEL"): 101_655,
}


@pytest.fixture
async def treasury(own_world: World) -> Treasury:
    """Period A, closed."""
    return await treasury_of(own_world)


async def test_a_file_instructs_exactly_what_was_approved(treasury: Treasury) -> None:
    """Count and control sum in the file, in its row and in the approved run are one; every leg has its own name."""
    run = await treasury.approved()

    answer = await treasury.export(run)

    (file,) = answer.files
    ordered = await treasury.ordered(file)
    assert {pair: int(Decimal(order.amount) * 100) for pair, order in ordered.items()} == PAYMENTS
    assert control_of(await treasury.content(file)) == ("5", "2635.10")
    assert (file.payment_count, file.control_sum_minor_units) == (5, sum(PAYMENTS.values()))
    assert len({order.end_to_end_id for order in ordered.values()}) == len(PAYMENTS)
    assert {order.message_id for order in ordered.values()} == {file.name.removeprefix("paymentFiles/")}
    assert set((await treasury.states(run)).values()) == {"EXPORTED"}
    assert (await treasury.finance.read(run)).state == pb.Run.STATE_INSTRUCTED


async def test_exporting_again_gives_the_same_file(treasury: Treasury) -> None:
    """Same name, same bytes, whoever asks and whatever day it is said to be; nothing is instructed twice."""
    run = await treasury.approved()
    first = await treasury.export(run)
    content = await treasury.content(first.files[0])

    again = await treasury.export(run, by=treasury.finance.maker, execution_date="2026-12-31")

    assert (first.replayed, again.replayed) == (False, True)
    assert list(again.files) == list(first.files)
    assert await treasury.content(again.files[0]) == content


@pytest.mark.provokes("WRONG_STATE")
async def test_nothing_is_paid_before_it_is_approved(treasury: Treasury) -> None:
    """Calculated or submitted is not enough, and before any export every leg is only planned."""
    run = (await treasury.finance.start("windows/1")).run
    calculated = await refusal(treasury.export(run))
    await treasury.finance.submit(run)
    submitted = await refusal(treasury.export(run))
    retried = await refusal(treasury.retry(run))

    assert {no.reason for no in (calculated, submitted, retried)} == {"WRONG_STATE"}
    assert (calculated.metadata["state"], submitted.metadata["state"]) == ("CALCULATED", "SUBMITTED")
    assert set((await treasury.states(run)).values()) == {"CREATED"}


@pytest.mark.provokes("DIGEST_MISMATCH")
async def test_export_is_bound_to_the_digest(treasury: Treasury) -> None:
    """Whoever looked at another result instructs nothing."""
    run = await treasury.approved()
    other = pb.Run(name=run.name, result_digest="0" * 64)

    refused = await refusal(treasury.export(other))

    assert (refused.reason, refused.metadata["digest"]) == ("DIGEST_MISMATCH", run.result_digest)


@pytest.mark.provokes("SAME_PERSON")
async def test_whoever_approved_does_not_move_the_money(treasury: Treasury) -> None:
    """Not even with a maker's key: two keys of one person are one pair of eyes."""
    run = (await treasury.finance.start("windows/1")).run
    world = treasury.finance.cast.world
    zoe = await world.party(directory.CALLER_ROLE_FINANCE_CHECKER, "zoe")
    as_maker = await world.party(directory.CALLER_ROLE_FINANCE_MAKER, "zoe")
    await treasury.finance.approve(await treasury.finance.submit(run), zoe)

    refused = await refusal(treasury.export(run, by=as_maker))

    assert (refused.reason, refused.metadata["person"]) == ("SAME_PERSON", "zoe")


async def test_what_banks_book_no_longer_stands_against_a_cap(treasury: Treasury) -> None:
    """The whole payment and what rounding left; a return is owed again, and paying anew pays it. Nothing is residue."""
    world = treasury.finance.cast.world
    exposures = {name: await _capped(world, name) for name in ("GRO", "OPR", "TEL")}
    run, ordered = await treasury.instructed()
    order = ordered["GRO", "OPR"]

    await treasury.record(statement(debit(order)))
    paid = await _exposures(world, exposures)
    await treasury.record(statement(debit(order), comes_back(order)))
    returned = await _exposures(world, exposures)
    (again,) = await treasury.retry(run)
    anew = await treasury.ordered(again)
    await treasury.record(statement(debit(anew["GRO", "OPR"])))
    settled = await _exposures(world, exposures)

    assert exposures == {"GRO": 716_550_000, "OPR": 0, "TEL": -1_016_550_000}
    assert paid == settled == {"GRO": 0, "OPR": 716_550_000, "TEL": -1_016_550_000}
    assert returned == exposures


async def test_what_was_paid_before_there_were_caps_is_told_when_the_schema_is_brought_up(
    treasury: Treasury, own_server: Server
) -> None:
    """The migration writes what every booking and rounding writes since."""
    _, ordered = await treasury.instructed()
    order = ordered["GRO", "OPR"]
    await treasury.record(statement(debit(order), debit(ordered["CAF", "OPR"]), comes_back(order)))
    told = "SELECT source, debtor_no, creditor_no, currency_code, micros FROM exchange.discharges ORDER BY 1, 2, 3"
    engine = create_async_engine(own_server.url)
    async with engine.begin() as connection:
        since = (await connection.execute(text(told))).all()
        await connection.execute(text("DELETE FROM exchange.discharges"))

    async with engine.begin() as connection:
        await connection.run_sync(_brought_up)
        again = (await connection.execute(text(told))).all()

    await engine.dispose()
    assert len(since) == 3
    assert again == since


def _brought_up(connection: Connection) -> None:
    with Operations.context(MigrationContext.configure(connection)):
        run_path(str(MIGRATIONS / "0008_discharges.py"))["upgrade"]()


async def _capped(world: World, merchant: str) -> int:
    """Set a cap; micro-yuan the merchant owes, below zero what it is owed."""
    request = limits.SetNetDebitCapRequest(merchant=f"merchants/{merchant}", currency_code="CNY", reason="test")
    exposure = (await world.operator.ask(world.stubs.limits.SetNetDebitCap, request)).exposure
    return int(exposure.owed_micros - exposure.due_micros)


async def _exposures(world: World, merchants: Iterable[str]) -> dict[str, int]:
    """The same, of merchants that have a cap."""
    found = {}
    for name in merchants:
        request = limits.GetExposureRequest(merchant=f"merchants/{name}", currency_code="CNY")
        exposure = (await world.operator.ask(world.stubs.limits.GetExposure, request)).exposure
        found[name] = exposure.owed_micros - exposure.due_micros
    return found


@pytest.mark.provokes("PERSON_UNKNOWN")
async def test_nobody_in_particular_moves_no_money(treasury: Treasury) -> None:
    """Nor sets an account."""
    world = treasury.finance.cast.world
    nobody = await world.party(directory.CALLER_ROLE_FINANCE_MAKER, "")
    operator = await world.party(directory.CALLER_ROLE_OPERATOR, "")
    request = payments.SetBankDetailsRequest(merchant="merchants/GRO", currency_code="CNY", account=ACCOUNTS["GRO"])

    refused = [
        await refusal(treasury.export(await treasury.approved(), by=nobody)),
        await refusal(operator.ask(treasury.stub.SetBankDetails, request)),
    ]

    assert {no.reason for no in refused} == {"PERSON_UNKNOWN"}


async def test_money_goes_only_where_two_people_said(treasury: Treasury) -> None:
    """An account that one person set is not paid to, until another has confirmed it."""
    run = await treasury.approved()
    await treasury.set("TEL", ACCOUNTS["GRO"])

    (file,) = (await treasury.export(run)).files

    assert (await treasury.ordered(file))["OPR", "TEL"].payee_account == ACCOUNTS["TEL"].number


@pytest.mark.provokes("FORMAT_MISMATCH")
async def test_payments_are_written_in_one_format_only(treasury: Treasury) -> None:
    """In a second one the bank could make them twice. Direct payments are none that one agent could move."""
    run = await treasury.approved(mode=pb.NETTING_MODE_BILATERAL)
    direct = await refusal(treasury.export(run, format=payments.PAYMENT_FORMAT_PACS029))
    await treasury.export(run)
    second = await refusal(treasury.export(run, format=payments.PAYMENT_FORMAT_CSV))

    assert [no.metadata["format"] for no in (direct, second)] == ["pacs029", "csv"]
    assert "clearing account" in direct.metadata["problem"]
    assert "pain001" in second.metadata["problem"]


@pytest.mark.parametrize(
    ("chosen", "beginning"),
    [(payments.PAYMENT_FORMAT_CSV, b"record,message_id,"), (payments.PAYMENT_FORMAT_PACS029, b"<?xml version")],
    ids=["csv", "pacs029"],
)
async def test_other_formats_say_the_same(
    treasury: Treasury, chosen: payments.PaymentFormat.ValueType, beginning: bytes
) -> None:
    """CSV for portals, pacs.029 for an agent that moves all."""
    run = await treasury.approved()

    (file,) = (await treasury.export(run, format=chosen)).files

    content = await treasury.content(file)
    assert content.startswith(beginning)
    assert b"2635.10" in content
    assert (file.format, file.payment_count) == (chosen, 5)
    assert file.size_bytes == len(content)


async def test_banks_accept_book_and_the_run_is_settled(treasury: Treasury) -> None:
    """Accepted by pain.002, booked by camt.054 and camt.053; settled is the run only when everything is."""
    run, told = await treasury.instructed()
    message = told["BNK", "OPR"].message_id

    accepted = await treasury.record(status_report(message, group="ACSP"))
    assert set((await treasury.states(run)).values()) == {"ACCEPTED"}
    came_in = [credit(order) for (_, payee), order in told.items() if payee == "OPR"]
    went_out = [debit(order) for (payer, _), order in told.items() if payer == "OPR"]
    first = await treasury.record(statement(*came_in, name="camt.054.001.08", bank_id="N1"))
    partly = (await treasury.finance.read(run)).state
    second = await treasury.record(statement(*came_in, *went_out))

    assert (accepted.applied_count, accepted.exception_count) == (1, 0)
    assert (first.applied_count, partly) == (3, pb.Run.STATE_PARTIALLY_SETTLED)
    assert (second.applied_count, second.known_count, second.exception_count) == (2, 3, 0)
    assert set((await treasury.states(run)).values()) == {"SETTLED"}
    assert {leg.booked_date for leg in (await treasury.legs(run)).values()} == {"2026-03-02"}
    assert (await treasury.finance.read(run)).state == pb.Run.STATE_SETTLED
    window = pb.GetWindowRequest(name="windows/1")
    assert (await treasury.payer.ask(treasury.stub.GetWindow, window)).window.state == pb.Window.STATE_SETTLED


async def test_the_same_message_twice_changes_nothing(treasury: Treasury) -> None:
    """Neither payments nor exceptions are doubled."""
    _, told = await treasury.instructed()
    content = statement(debit(told["OPR", "TEL"]), debit(told["OPR", "AIR"], end_to_end_id="NOT-OURS"))

    first, again = await treasury.record(content), await treasury.record(content)

    assert (first.replayed, again.replayed) == (False, True)
    assert (again.applied_count, again.exception_count, again.sha256) == (1, 1, first.sha256)
    assert len(await treasury.exceptions()) == 1


async def test_what_failed_is_tried_again_and_nothing_else(treasury: Treasury) -> None:
    """Rejected and returned: a new attempt with a new name and a new file; the others are left alone."""
    run, told = await treasury.instructed()
    message = told["BNK", "OPR"].message_id
    await treasury.record(
        status_report(message, payments=[(told["OPR", "AIR"].end_to_end_id, "RJCT", "AC04")], group="PART")
    )
    await treasury.record(statement(debit(told["OPR", "TEL"]), comes_back(told["OPR", "TEL"], "AC06")))
    states = await treasury.states(run)
    reasons = {pair: leg.reason for pair, leg in (await treasury.legs(run)).items() if leg.reason}

    (file,) = await treasury.retry(run)
    again = await treasury.retry(run)

    anew = await treasury.ordered(file)
    assert (states["OPR", "AIR"], states["OPR", "TEL"], states["BNK", "OPR"]) == ("REJECTED", "RETURNED", "EXPORTED")
    assert reasons == {("OPR", "AIR"): "AC04", ("OPR", "TEL"): "AC06"}
    assert set(anew) == {("OPR", "AIR"), ("OPR", "TEL")}
    assert (file.batch, file.control_sum_minor_units) == (2, 131_755)
    assert not {one.end_to_end_id for one in anew.values()} & {one.end_to_end_id for one in told.values()}
    assert again == []
    legs = await treasury.legs(run)
    assert {pair: leg.attempt for pair, leg in legs.items() if leg.attempt > 1} == dict.fromkeys(anew, 2)
    await treasury.record(statement(*(debit(one) for one in anew.values()), bank_id="STMT-2"))
    assert (await treasury.states(run))["OPR", "TEL"] == "SETTLED"
    assert (await treasury.export(run)).files[0].batch == 1


async def test_a_booking_without_a_name_is_found_by_amount_day_and_account(treasury: Treasury) -> None:
    """When exactly one payment fits; another day's or another amount's is a case for people."""
    run, told = await treasury.instructed()
    order = told["OPR", "TEL"]

    found = await treasury.record(statement(debit(order, end_to_end_id=None)))
    stray = await treasury.record(
        statement(
            debit(told["OPR", "AIR"], end_to_end_id=None, day="2026-04-01"),
            debit(told["OPR", "AIR"], end_to_end_id=None, amount="301.01"),
            bank_id="STMT-2",
        )
    )

    assert (found.applied_count, stray.exception_count) == (1, 2)
    assert (await treasury.states(run))["OPR", "TEL"] == "SETTLED"
    assert {one.kind for one in await treasury.exceptions()} == {payments.PaymentException.KIND_UNKNOWN_PAYMENT}


async def test_whatever_does_not_fit_waits_for_somebody(treasury: Treasury) -> None:
    """Wrong amount, wrong account, booked twice, a return of what never left, a no after the money went."""
    run, told = await treasury.instructed()
    tel, air, bnk = told["OPR", "TEL"], told["OPR", "AIR"], told["BNK", "OPR"]
    await treasury.record(statement(debit(tel), debit(air, amount="301.02")))
    await treasury.record(statement(debit(tel, reference="OTHER"), comes_back(bnk), bank_id="STMT-2"))
    await treasury.record(statement(debit(air, account="622299999999"), bank_id="STMT-3"))
    await treasury.record(status_report(tel.message_id, payments=[(tel.end_to_end_id, "RJCT", "AM04")]))

    kinds = payments.PaymentException.Kind.Name
    waiting = await treasury.exceptions()
    assert [(kinds(one.kind).removeprefix("KIND_"), one.payment) for one in waiting] == [
        ("AMOUNT_DIFFERS", f"payments/{air.end_to_end_id}"),
        ("DOUBLE_BOOKING", f"payments/{tel.end_to_end_id}"),
        ("RETURN_WITHOUT_BOOKING", f"payments/{bnk.end_to_end_id}"),
        ("WRONG_ACCOUNT", f"payments/{air.end_to_end_id}"),
        ("CONTRADICTION", f"payments/{tel.end_to_end_id}"),
    ]
    states = await treasury.states(run)
    assert (states["OPR", "TEL"], states["OPR", "AIR"], states["BNK", "OPR"]) == ("SETTLED", "EXPORTED", "EXPORTED")


@pytest.mark.provokes("PAYMENT_MISMATCH")
async def test_an_exception_is_ended_once_by_a_payment_that_fits_or_by_none(treasury: Treasury) -> None:
    """A stray booking is given to its payment by a second person; a bank fee is none of ours."""
    run, told = await treasury.instructed()
    tel, air = told["OPR", "TEL"], told["OPR", "AIR"]
    await treasury.record(
        statement(debit(tel, end_to_end_id="MANGLED"), debit(tel, amount="5.00", end_to_end_id=None, reference="FEE"))
    )
    stray, fee = await treasury.exceptions()

    wrong = await refusal(treasury.resolve(stray, f"payments/{air.end_to_end_id}"))
    right = await treasury.resolve(stray, f"payments/{tel.end_to_end_id}", "the bank cut its name")
    again = await treasury.resolve(stray, f"payments/{tel.end_to_end_id}", "the bank cut its name")
    otherwise = await refusal(treasury.resolve(stray))
    nowhere = await refusal(treasury.resolve(fee, "payments/W9-9-9-NOTHING"))
    await treasury.resolve(fee, note="monthly fee")

    assert (wrong.reason, wrong.metadata["figure"]) == ("PAYMENT_MISMATCH", "minor_units")
    assert (right.replayed, again.replayed, otherwise.reason) == (False, True, "WRONG_STATE")
    assert (nowhere.reason, nowhere.code) == ("RESOURCE_NOT_FOUND", grpc.StatusCode.NOT_FOUND)
    assert (await treasury.states(run))["OPR", "TEL"] == "SETTLED"
    assert await treasury.exceptions() == []
    assert [one.note for one in await treasury.exceptions(ended=True)] == ["the bank cut its name", "monthly fee"]


@pytest.mark.provokes("SAME_PERSON")
async def test_whoever_exported_does_not_confirm_by_hand(treasury: Treasury) -> None:
    """Money confirmed without the bank's own word takes a second person."""
    world = treasury.finance.cast.world
    maker = await world.party(directory.CALLER_ROLE_FINANCE_MAKER, "ann")
    checker = await world.party(directory.CALLER_ROLE_FINANCE_CHECKER, "ann")
    (file,) = (await treasury.export(await treasury.approved(), by=maker)).files
    order = (await treasury.ordered(file))["OPR", "TEL"]
    await treasury.record(statement(debit(order, end_to_end_id="MANGLED")))
    (stray,) = await treasury.exceptions()

    refused = await refusal(treasury.resolve(stray, f"payments/{order.end_to_end_id}", by=checker))

    assert (refused.reason, refused.metadata["person"]) == ("SAME_PERSON", "ann")


@pytest.mark.provokes("BANK_MESSAGE_UNREADABLE")
async def test_what_is_no_banks_message_is_refused(treasury: Treasury) -> None:
    """And says why: text, another document, entities, an unknown version, what breaks the schema or the bindings."""
    contents = {
        b"nonsense": "no XML",
        b"<html/>": "its root is html",
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>': "document type or entities",
        status_report("M", group="RJCT", name="pain.002.001.99"): "none of pain.002.001.03",
        status_report("M" * 40, group="RJCT", name="pain.002.001.12"): "breaks the schema",
        statement(name="camt.053.001.08").replace(b"GrpHdr", b"Header"): "not as camt.053.001.08 says",
    }

    for content, problem in contents.items():
        refused = await refusal(treasury.record(content))
        assert refused.reason == "BANK_MESSAGE_UNREADABLE"
        assert problem in refused.metadata["problem"]
