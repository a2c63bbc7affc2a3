"""Settlement tells whom it concerns: a result that was approved, a payment instructed, booked, or failed for good."""

from __future__ import annotations

import pytest

from exchange.v1 import event_service_pb2 as events
from settlement.v1 import settlement_service_pb2 as settlement
from tests.banks import comes_back, debit, statement, status_report
from tests.contract.paid import Treasury, treasury_of
from tests.contract.refusals import refusal
from tests.contract.watching import kinds, listed, resources, watching
from tests.worlds import World

RUN_APPROVED = events.Event.KIND_RUN_APPROVED


@pytest.fixture
async def treasury(own_world: World) -> Treasury:
    """The rulebook's period A, closed, with bank details."""
    return await treasury_of(own_world)


def payments(found: list[events.Event]) -> list[tuple[str, str, str, int]]:
    """Payments as one reads them: what happened, payer, payee, how much."""
    return [
        (
            kind,
            event.settlement_payment.payer.removeprefix("merchants/"),
            event.settlement_payment.payee.removeprefix("merchants/"),
            event.settlement_payment.minor_units,
        )
        for kind, event in zip(kinds(found), found, strict=True)
    ]


async def test_an_approval_is_told_to_whoever_has_a_position(treasury: Treasury) -> None:
    """While they watch, once it is approved and not before; GEN had no part and is told nothing."""
    cast = treasury.finance.cast
    _, before = await listed(cast.gen)
    async with watching(cast.caf, from_now=True, kinds=["KIND_RUN_APPROVED"]) as watch:
        await watch.answer()
        run = await treasury.approved()
        (event,) = await watch.take(1)

    assert (event.kind, event.resource) == (RUN_APPROVED, run.name)
    assert (event.settlement_run.window, event.settlement_run.result_digest) == ("windows/1", run.result_digest)
    assert (await listed(cast.gen, cursor=before))[0] == []
    told, _ = await listed(treasury.finance.checker, kinds=["KIND_RUN_APPROVED"])
    assert resources(told) == [run.name]


async def test_only_the_last_approval_is_told(treasury: Treasury, own_world: World) -> None:
    """Submitting is no news, nor a second yes after the fact; a refused yes leaves nothing."""
    finance = treasury.finance
    run = await finance.submit((await finance.start("windows/1")).run)
    stale = await refusal(finance.approve(run, finance.maker))
    approved = await finance.approve(run)
    await finance.approve(run)

    told, _ = await listed(own_world.operator, kinds=["KIND_RUN_APPROVED"])

    assert stale.reason == "METHOD_NOT_ALLOWED"
    assert resources(told) == [approved.name]


async def test_a_payment_is_told_to_payer_and_payee_from_file_to_booking(treasury: Treasury) -> None:
    """CAF pays and TEL is paid through the operator: each hears of its own, in order, and not of the other's."""
    cast = treasury.finance.cast
    async with watching(cast.caf, from_now=True, kinds=["KIND_PAYMENT_INSTRUCTED", "KIND_PAYMENT_SETTLED"]) as watch:
        await watch.answer()
        run, orders = await treasury.instructed()
        await treasury.record(statement(*(debit(order) for order in orders.values())))
        told = await watch.take(2)

    assert payments(told) == [("PAYMENT_INSTRUCTED", "CAF", "OPR", 100), ("PAYMENT_SETTLED", "CAF", "OPR", 100)]
    one = told[0].settlement_payment
    assert (one.run, one.window, one.currency_code, one.attempt) == (run.name, "windows/1", "CNY", 1)
    assert told[0].resource == told[1].resource == f"payments/{orders['CAF', 'OPR'].end_to_end_id}"
    of_tel, _ = await listed(cast.tel, kinds=["KIND_PAYMENT_INSTRUCTED", "KIND_PAYMENT_SETTLED"])
    assert {(payer, payee) for _, payer, payee, _ in payments(of_tel)} == {("OPR", "TEL")}
    of_all, _ = await listed(treasury.finance.maker, kinds=["KIND_PAYMENT_SETTLED"])
    assert len(of_all) == len(orders)


async def test_a_failure_and_the_attempt_after_it_are_told(treasury: Treasury) -> None:
    """Rejected by the bank; the next attempt is another payment. Recorded again, the message tells nothing new."""
    run, orders = await treasury.instructed()
    order = orders["GRO", "OPR"]
    rejected = status_report(order.message_id, payments=[(order.end_to_end_id, "RJCT", "AC04")], group="PART")
    await treasury.record(rejected)
    await treasury.record(rejected)
    (file,) = await treasury.retry(run)
    again = (await treasury.ordered(file))["GRO", "OPR"]

    told, _ = await listed(treasury.finance.cast.gro, kinds=["KIND_PAYMENT_INSTRUCTED", "KIND_PAYMENT_FAILED"])

    first = f"payments/{order.end_to_end_id}"
    assert list(zip(kinds(told), resources(told), strict=True)) == [
        ("PAYMENT_INSTRUCTED", first),
        ("PAYMENT_FAILED", first),
        ("PAYMENT_INSTRUCTED", f"payments/{again.end_to_end_id}"),
    ]
    assert [event.settlement_payment.attempt for event in told] == [1, 1, 2]
    assert not told[1].settlement_payment.returned


async def test_money_that_comes_back_is_told_as_a_failure(treasury: Treasury) -> None:
    """Booked first, then returned: in that order, in one message of the bank."""
    _, orders = await treasury.instructed()
    order = orders["GRO", "OPR"]
    await treasury.record(statement(debit(order), comes_back(order)))

    told, _ = await listed(treasury.finance.cast.gro, kinds=["KIND_PAYMENT_SETTLED", "KIND_PAYMENT_FAILED"])

    assert kinds(told) == ["PAYMENT_SETTLED", "PAYMENT_FAILED"]
    assert told[1].settlement_payment.returned


async def test_an_export_that_is_refused_tells_nothing(treasury: Treasury, own_world: World) -> None:
    """What was not instructed did not happen."""
    run = await treasury.approved()

    refused = await refusal(treasury.export(settlement.Run(name=run.name, result_digest="0" * 64)))
    exported = await treasury.export(run)
    await treasury.export(run)

    told, _ = await listed(own_world.operator, kinds=["KIND_PAYMENT_INSTRUCTED"])
    assert refused.reason == "DIGEST_MISMATCH"
    assert len(told) == sum(file.payment_count for file in exported.files)
