"""What banks answer about payments: bookings, rejections, returns, and whatever fits no payment."""

import grpc
import pytest

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import payments_pb2 as payments
from settlement.v1 import settlement_service_pb2 as pb
from tests.banks import comes_back, credit, debit, statement, status_report
from tests.contract.paid import Treasury, treasury_of
from tests.contract.refusals import refusal
from tests.worlds import World


@pytest.fixture
async def treasury(own_world: World) -> Treasury:
    """Period A, closed."""
    return await treasury_of(own_world)


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
