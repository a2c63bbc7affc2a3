"""Paying an approved run: files with deterministic names and bytes, instructed once, by whoever may."""

from decimal import Decimal

import pytest

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import payments_pb2 as payments
from settlement.v1 import settlement_service_pb2 as pb
from tests.banks import control_of, status_report
from tests.contract.paid import ACCOUNTS, Treasury, treasury_of
from tests.contract.refusals import refusal
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


@pytest.mark.provokes("EXECUTION_DATE_OVER")
async def test_no_bank_is_asked_to_have_paid_before_today(treasury: Treasury) -> None:
    """By the coalition's clock, in its time zone: at half past midnight there it is still the day before elsewhere."""
    run = await treasury.approved()
    await treasury.finance.cast.world.set_clock("2026-03-03T00:30:00+08:00")

    refused = await refusal(treasury.export(run, execution_date="2026-03-02"))
    states = set((await treasury.states(run)).values())
    (file,) = (await treasury.export(run, execution_date="2026-03-03")).files
    again = await treasury.export(run, execution_date="2026-03-02")

    assert (refused.reason, refused.metadata) == (
        "EXECUTION_DATE_OVER",
        {"execution_date": "2026-03-02", "today": "2026-03-03"},
    )
    assert states == {"CREATED"}
    assert file.execution_date == "2026-03-03"
    assert (again.replayed, list(again.files)) == (True, [file])


async def test_nor_is_what_failed_tried_again_on_a_day_that_is_over(treasury: Treasury) -> None:
    """No attempt is made; where nothing failed, no day is looked at either."""
    run, told = await treasury.instructed()
    await treasury.finance.cast.world.set_clock("2026-03-04T09:00:00+08:00")
    nothing = await treasury.retry(run, execution_date="2026-03-03")
    rejected = [(told["OPR", "TEL"].end_to_end_id, "RJCT", "AC04")]
    await treasury.record(status_report(told["OPR", "TEL"].message_id, payments=rejected))

    refused = await refusal(treasury.retry(run, execution_date="2026-03-03"))
    state = (await treasury.states(run))["OPR", "TEL"]
    (file,) = await treasury.retry(run, execution_date="2026-03-04")

    assert (nothing, refused.reason, state) == ([], "EXECUTION_DATE_OVER", "REJECTED")
    assert (file.batch, file.execution_date) == (2, "2026-03-04")


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
