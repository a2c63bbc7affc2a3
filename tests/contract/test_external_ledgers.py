"""Conversions with a currency whose issuer keeps the balances: begun here, done there once, completed here once."""

from __future__ import annotations

import asyncio

import pytest
from google.protobuf.duration_pb2 import Duration

from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import event_service_pb2 as events
from exchange.v1 import external_ledger_service_pb2 as pb
from exchange.v1 import transfer_service_pb2 as transfers
from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast
from tests.contract.outside import (
    APPLIED,
    CALLED_OFF,
    COMPLETED,
    INSTRUCTED,
    REJECTED,
    Outside,
    keep,
    outside,
)
from tests.contract.refusals import refusal, refusal_in
from tests.contract.stillness import nothing_changes
from tests.movements import a_conversion, a_key, a_reversal, an_earn
from tests.servers import Server

Kind = types.Transfer.Kind


@pytest.fixture
async def out(cast: Cast) -> Outside:
    """AIR keeps the source: conversions take points from AIR's own books and give points here."""
    return await outside(cast.world, cast.air, cast.bnk, is_source=True)


@pytest.fixture
async def into(cast: Cast) -> Outside:
    """AIR keeps the target: conversions take points here and give points in AIR's own books."""
    return await outside(cast.world, cast.air, cast.bnk, is_source=False)


async def transfer_of(where: Outside, name: str) -> types.Transfer:
    """A transfer as the asking merchant reads it."""
    request = transfers.GetTransferRequest(name=name)
    return (await where.asker.ask(where.world.stubs.transfers.GetTransfer, request)).transfer


def owed(transfer: types.Transfer) -> list[tuple[str, str, int]]:
    """Debtor, creditor and micro-units of each obligation."""
    return [
        (one.debtor.partition("/")[2], one.creditor.partition("/")[2], one.amount.micros)
        for one in transfer.obligations
    ]


async def test_points_from_outside_arrive_when_their_issuer_has_taken_them(cast: Cast, out: Outside) -> None:
    """Nothing moves before; then the target is credited and the source's issuer owes, by the terms that were frozen."""
    ada = await cast.member()

    begun = await out.begin(ada, 100)
    (told,) = await out.unanswered()
    before = await out.pair.balances(ada)
    await cast.world.price(out.pair.target, conversion_in=1)
    answer = await out.answer(told.name, reference="air-1")
    ended = await out.read(begun.external_conversion)

    assert (begun.transfer.kind, begun.transfer.legs, begun.transfer.obligations) == (
        Kind.KIND_CONVERSION_BEGUN,
        [],
        [],
    )
    assert begun.external_conversion.state == INSTRUCTED
    assert (told.kind, told.member_reference, told.points.units) == (pb.Instruction.KIND_DEBIT, ada.reference, 100)
    assert told.name == begun.external_conversion.instruction
    assert before == (0, 0)
    assert (answer.replayed, answer.instruction.outcome) == (False, APPLIED)
    assert (ended.state, ended.used.units, ended.received.units) == (COMPLETED, 100, 50)
    assert (ended.outcome, ended.issuer_reference) == (APPLIED, "air-1")
    transfer = await transfer_of(out, ended.transfer)
    assert (transfer.kind, transfer.original) == (Kind.KIND_CONVERSION_COMPLETED, begun.transfer.name)
    assert owed(transfer) == [("AIR", "BNK", 100_000), ("AIR", "OPR", 10_000)]
    assert await out.asker.balances(ada) == {out.pair.target: 50}


async def test_points_for_outside_are_reserved_until_their_issuer_has_given_them(into: Outside) -> None:
    """Reserved from the answer on, taken when the credit is acknowledged."""
    ada = await into.pair.member(100)

    begun = await into.begun(ada, 80)
    (told,) = await into.unanswered()
    reserved = await into.asker.balances(ada)
    await into.answer(told.name)
    ended = await into.read(begun)

    assert (told.kind, told.points.units) == (pb.Instruction.KIND_CREDIT, 40)
    assert reserved == {into.pair.source: 20}
    assert ended.state == COMPLETED
    transfer = await transfer_of(into, ended.transfer)
    assert owed(transfer) == [("BNK", "AIR", 80_000), ("BNK", "OPR", 8_000)]
    assert await into.asker.balances(ada) == {into.pair.source: 20}


@pytest.mark.parametrize("is_source", [True, False], ids=["from outside", "to outside"])
async def test_what_the_issuer_rejects_leaves_everything_as_it_was(cast: Cast, is_source: bool) -> None:  # noqa: FBT001
    """The reason is told to whoever asked; points, debts and the daily cap are as before."""
    where = await outside(cast.world, cast.air, cast.bnk, is_source=is_source, member_daily_cap_units=100)
    ada = await where.pair.member(0 if is_source else 100)

    begun = await where.begun(ada, 80)
    await where.answer(begun.instruction, REJECTED, reason="no such card")
    ended = await where.read(begun)
    again = await where.begun(ada, 100)

    assert (ended.state, ended.outcome, ended.issuer_reason) == (CALLED_OFF, REJECTED, "no such card")
    transfer = await transfer_of(where, ended.transfer)
    assert (transfer.kind, list(transfer.obligations)) == (Kind.KIND_RELEASE, [])
    assert again.state == INSTRUCTED, "the cap has what was called off again"
    await where.answer(again.instruction, REJECTED)
    assert await where.pair.balances(ada) == ((0, 0) if is_source else (100, 0))


async def test_the_same_request_gets_the_same_conversion(into: Outside) -> None:
    """Once begun, however often it is asked for; the answer tells how it stands by then."""
    ada, key = await into.pair.member(100), a_key()

    first = await into.begin(ada, 40, key)
    again = await into.begin(ada, 40, key)
    await into.answer(first.external_conversion.instruction)
    later = await into.begin(ada, 40, key)

    assert [first.replayed, again.replayed, later.replayed] == [False, True, True]
    assert first.transfer == again.transfer == later.transfer
    assert first.external_conversion.name == again.external_conversion.name == later.external_conversion.name
    assert later.external_conversion.state == COMPLETED
    assert await into.asker.balances(ada) == {into.pair.source: 60}


async def test_a_caller_may_wait_for_the_end(cast: Cast, out: Outside) -> None:
    """The answer comes when the issuer's has."""
    ada = await cast.member()

    waiting = asyncio.create_task(out.begun(ada, 10, external_wait=Duration(seconds=20)))
    while not (told := await out.unanswered()):
        await asyncio.sleep(0.01)
    assert not waiting.done()
    await out.answer(told[0].name)

    assert (await waiting).state == COMPLETED


async def test_an_answer_is_given_once_and_may_be_repeated(cast: Cast, out: Outside) -> None:
    """The same again is answered the same and moves nothing."""
    ada = await cast.member()
    begun = await out.begun(ada, 10)
    await out.answer(begun.instruction)

    again = await out.answer(begun.instruction)

    assert (again.replayed, again.instruction.outcome) == (True, APPLIED)
    assert await out.asker.balances(ada) == {out.pair.target: 5}


@pytest.mark.provokes("INSTRUCTION_CONTRADICTED")
async def test_the_opposite_is_refused_and_shown_to_the_operator(cast: Cast, out: Outside) -> None:
    """The first answer stands; that the issuer's books may say otherwise is no secret."""
    ada = await cast.member()
    begun = await out.begun(ada, 10)
    await out.answer(begun.instruction)

    refused = await refusal(out.answer(begun.instruction, REJECTED))

    assert refused.reason == "INSTRUCTION_CONTRADICTED"
    assert refused.metadata == {"instruction": begun.instruction, "outcome": "APPLIED"}
    seen = await out.read(begun, cast.world.operator)
    assert (seen.state, seen.HasField("contradict_time")) == (COMPLETED, True)
    assert await out.asker.balances(ada) == {out.pair.target: 5}


async def test_its_end_is_an_event(cast: Cast, out: Outside) -> None:
    """To whoever asked: begun, and completed; to the issuer also that it was instructed."""
    ada = await cast.member()
    stubs = cast.world.stubs.events
    start = (await cast.bnk.ask(stubs.ListEvents, events.ListEventsRequest(from_now=True))).cursor

    begun = await out.begun(ada, 10)
    await out.answer(begun.instruction)
    ended = await out.read(begun)
    asker = await cast.bnk.ask(stubs.ListEvents, events.ListEventsRequest(cursor=start))
    issuer = await cast.air.ask(stubs.ListEvents, events.ListEventsRequest(cursor=start))

    assert [one.resource for one in asker.events] == [
        begun.name.replace("externalConversions", "transfers"),
        ended.transfer,
    ]
    assert [one.resource for one in issuer.events] == [begun.instruction, ended.transfer]


async def test_batches_streams_and_quotes_begin_conversions_too(into: Outside) -> None:
    """By the very same rule; the transfer says under which name the conversion is found."""
    ada = await into.pair.member(300)
    quote = await into.asker.quote(ada, into.pair.source, into.pair.target, source_units=100)

    (one, two) = await into.asker.batch(
        a_conversion(ada, f"100 {into.pair.source}", into.pair.target),
        transfers.ConvertPointsRequest(request_id=a_key(), member=ada.name, quote=quote.name),
    )

    for result in (one, two):
        assert result.transfer.kind == Kind.KIND_CONVERSION_BEGUN
        name = result.transfer.name.replace("transfers", "externalConversions")
        await into.answer(f"instructions/{name.partition('/')[2]}")
        assert (await into.read(types.ExternalConversion(name=name))).state == COMPLETED
    assert await into.asker.balances(ada) == {into.pair.source: 100}


async def test_trying_a_conversion_instructs_nobody(into: Outside, server: Server) -> None:
    """validate_only: the transfer without a name, and nothing else."""
    ada = await into.pair.member(100)

    async with nothing_changes(server):
        tried = await into.begin(ada, 40, validate_only=True)

    assert (tried.transfer.kind, tried.transfer.name) == (Kind.KIND_CONVERSION_BEGUN, "")
    assert not tried.HasField("external_conversion")


@pytest.mark.provokes("EXTERNALLY_KEPT")
async def test_only_conversions_touch_what_is_kept_elsewhere(cast: Cast, out: Outside) -> None:
    """An award, a redemption, a hold, a conversion between two such currencies."""
    other = await outside(cast.world, cast.air, cast.tel, is_source=True)
    await cast.world.rate(out.external, other.external, "1:1")
    ada = await cast.member()
    amount = f"10 {out.external}"

    for call in (
        cast.air.earn(ada, amount),
        cast.air.redeem(ada, amount),
        cast.bnk.discount(ada, amount),
        cast.air.convert(ada, amount, other.external),
    ):
        refused = await refusal(call)
        assert (refused.reason, refused.metadata["currency"][:11]) == ("EXTERNALLY_KEPT", "currencies/")
    results = await cast.air.batch(an_earn(ada, amount))
    assert refusal_in(results[0].status).reason == "EXTERNALLY_KEPT"


async def test_a_completed_conversion_is_not_reversed(cast: Cast, out: Outside) -> None:
    """The issuer's side is not ours to undo: a conversion the other way is."""
    ada = await cast.member()
    begun = await out.begun(ada, 10)
    await out.answer(begun.instruction)
    ended = await out.read(begun)

    refused = await refusal(out.asker.post(a_reversal(types.Transfer(name=ended.transfer))))

    assert refused.reason == "NOT_REVERSIBLE"


@pytest.mark.provokes("NOT_LINKED_TO_ISSUER")
async def test_the_issuer_must_know_the_member(cast: Cast, out: Outside) -> None:
    """Else its system would not know whom to debit."""
    stranger = await cast.world.member("stranger", [cast.bnk])

    refused = await refusal(out.begun(stranger, 10))

    assert refused.reason == "NOT_LINKED_TO_ISSUER"
    assert refused.metadata == {"currency": f"currencies/{out.external}", "issuer": "merchants/AIR"}


@pytest.mark.provokes("BALANCES_NOT_EMPTY")
async def test_a_currency_in_members_hands_stays_here(cast: Cast, into: Outside, server: Server) -> None:
    """Also while a conversion is under way that will put points into them."""
    await into.pair.member(100)
    begun = await outside(cast.world, cast.tel, cast.bnk, is_source=True)
    conversion = await begun.begun(await cast.member(), 10)

    for code in (into.pair.source, begun.pair.target):
        async with nothing_changes(server):
            refused = await refusal(keep(cast.world, code))
        assert (refused.reason, refused.metadata) == ("BALANCES_NOT_EMPTY", {"currency": f"currencies/{code}"})
    await begun.answer(conversion.instruction, REJECTED)
    assert (await keep(cast.world, begun.pair.target)).external_answer_timeout.seconds == 60


async def test_a_currency_says_that_it_is_kept_elsewhere(cast: Cast, out: Outside) -> None:
    """And for how long answers are waited for; the time may be set anew."""
    await keep(cast.world, out.external, 90)

    request = directory.GetCurrencyRequest(name=f"currencies/{out.external}")
    answer = await cast.gro.ask(cast.world.stubs.directory.GetCurrency, request)

    assert answer.currency.external_answer_timeout.seconds == 90
