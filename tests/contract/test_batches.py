"""BatchTransfer: the very unary requests, each with its own key and its own answer, or all or none."""

import grpc
import pytest

from exchange.v1 import transfer_service_pb2 as pb
from tests.contract.cast import Cast
from tests.contract.refusals import refusal, refusal_in
from tests.contract.stillness import keys_used, nothing_changes
from tests.movements import (
    a_campaign_use,
    a_capture,
    a_cash_out,
    a_conversion,
    a_discount,
    a_hold,
    a_redemption,
    a_release,
    a_reversal,
    an_earn,
    item,
)
from tests.servers import Server
from tests.worlds import EARNING, REDEMPTION, World

OK = 0


async def test_items_are_answered_in_the_order_of_the_request(cast: Cast) -> None:
    """Every kind of movement; each item sees what those before it left."""
    ada = await cast.member()

    results = await cast.air.batch(
        an_earn(ada, "6 000 BNK"),
        a_conversion(ada, "6 000 BNK", "AIR"),
        a_redemption(ada, "150 AIR"),
        an_earn(ada, "7 AIR", reference="last"),
    )

    assert [result.status.code for result in results] == [OK] * 4
    assert [result.transfer.kind for result in results] == [1, 4, 2, 1]
    assert results[3].transfer.reference == "last"
    assert not any(result.replayed for result in results)
    assert await cast.gro.balances(ada) == {"AIR": 57, "BNK": 0}


async def test_every_kind_of_movement_can_be_an_item(cast: Cast, world: World) -> None:
    """Holds, their captures and releases, campaign uses, cash-outs and reversals too."""
    await world.currency("BAT", cast.tel, issue=1, redeem=1, cash_out=1)
    agent = await world.merchant("BatchAgent", EARNING, REDEMPTION, cash_agent=True)
    ada = await world.member("ada", [agent, cast.tel])

    begun = await agent.batch(
        an_earn(ada, "100 BAT"),
        a_hold(ada, "30 BAT"),
        a_hold(ada, "20 BAT"),
        a_campaign_use(ada, "10 BAT"),
        a_cash_out(ada, "5 BAT"),
    )
    ended = await agent.batch(
        a_capture(begun[1].transfer), a_release(begun[2].transfer), a_reversal(begun[3].transfer), atomic=True
    )

    assert [result.status.code for result in (*begun, *ended)] == [OK] * 8
    assert [result.transfer.kind for result in (*begun, *ended)] == [1, 7, 7, 5, 6, 8, 9, 10]
    assert await agent.balances(ada) == {"BAT": 100 - 30 - 5}


async def test_an_item_is_answered_as_its_unary_request_would_be(cast: Cast) -> None:
    """The transfer of a yes is the one GetTransfer tells; a no has the very status it would have had alone."""
    ada = await cast.member("5 TEL")
    too_much = a_discount(ada, "6 TEL")

    yes, no = await cast.gro.batch(an_earn(ada, "1 AIR"), too_much)
    alone = await refusal(cast.gro.ask(cast.gro.stubs.transfers.DiscountPoints, too_much))

    name = pb.GetTransferRequest(name=yes.transfer.name)
    assert (await cast.gro.ask(cast.gro.stubs.transfers.GetTransfer, name)).transfer == yes.transfer
    assert refusal_in(no.status) == alone


async def test_one_bad_item_refuses_itself_and_no_other(cast: Cast) -> None:
    """Malformed ones too: they name their place, and the rest goes on."""
    ada = await cast.member()

    results = await cast.gro.batch(
        an_earn(ada, "5 TEL"),
        a_redemption(ada, "1 TEL"),
        an_earn(ada, "0 TEL"),
        a_discount(ada, "6 TEL"),
        a_discount(ada, "5 TEL"),
    )

    refused = {place: refusal_in(result.status) for place, result in enumerate(results) if result.status.code != OK}
    assert {place: no.reason for place, no in refused.items()} == {
        1: "ROLE_MISSING",
        2: "INVALID_FIELD",
        3: "INSUFFICIENT_POINTS",
    }
    assert refused[2].fields == ("items[2].earn.points.units",)
    assert await cast.gro.balances(ada) == {"TEL": 0}


async def test_left_out_the_mode_is_independent(cast: Cast) -> None:
    """The good item is applied although the other is refused."""
    ada = await cast.member()
    request = pb.BatchTransferRequest(items=[item(an_earn(ada, "5 TEL")), item(a_discount(ada, "6 TEL"))])

    answer = await cast.gro.ask(cast.gro.stubs.transfers.BatchTransfer, request)

    assert [result.status.code for result in answer.results] == [OK, grpc.StatusCode.FAILED_PRECONDITION.value[0]]


async def test_an_atomic_batch_is_applied_as_a_whole(cast: Cast) -> None:
    """One refusal less, and everything happens."""
    ada = await cast.member()

    results = await cast.gro.batch(an_earn(ada, "5 TEL"), a_discount(ada, "5 TEL"), atomic=True)

    assert [result.status.code for result in results] == [OK, OK]
    assert await cast.gro.balances(ada) == {"TEL": 0}


@pytest.mark.provokes("BATCH_NOT_APPLIED")
async def test_an_atomic_batch_with_a_refusal_changes_nothing(cast: Cast, server: Server) -> None:
    """The refused item keeps its refusal for ever; the others were not decided and their keys are unused."""
    ada = await cast.member()
    first, second, third = an_earn(ada, "5 TEL"), a_discount(ada, "6 TEL"), an_earn(ada, "7 TEL")

    async with nothing_changes(server):
        results = await cast.gro.batch(first, second, third, atomic=True)

    refused = [refusal_in(result.status) for result in results]
    assert [no.reason for no in refused] == ["BATCH_NOT_APPLIED", "INSUFFICIENT_POINTS", "BATCH_NOT_APPLIED"]
    assert [no.metadata["item"] for no in (refused[0], refused[2])] == ["1", "1"]
    assert [await keys_used(server, movement.request_id) for movement in (first, second, third)] == [0, 1, 0]


async def test_what_was_done_before_an_atomic_batch_came_says_so_in_it(cast: Cast, server: Server) -> None:
    """Its first answer once more, though the batch is refused; whoever reads it as not applied would do it twice."""
    ada = await cast.member()
    done = an_earn(ada, "5 TEL")
    first = await cast.gro.post(done)

    async with nothing_changes(server):
        results = await cast.gro.batch(an_earn(ada, "1 TEL"), a_discount(ada, "60 TEL"), done, atomic=True)

    assert [refusal_in(result.status).reason for result in results[:2]] == ["BATCH_NOT_APPLIED", "INSUFFICIENT_POINTS"]
    assert (results[2].status.code, results[2].replayed, results[2].transfer) == (OK, True, first.transfer)
    assert await cast.gro.balances(ada) == {"TEL": 5}


async def test_after_a_refused_atomic_batch_the_others_can_be_sent_alone(cast: Cast) -> None:
    """The refused one is refused again, whatever has come in meanwhile."""
    ada = await cast.member()
    first, second = an_earn(ada, "50 TEL"), a_discount(ada, "60 TEL")
    await cast.gro.batch(first, second, atomic=True)
    await cast.gro.earn(ada, "100 TEL")

    results = await cast.gro.batch(first, second)

    assert (results[0].status.code, results[0].replayed) == (OK, False)
    assert refusal_in(results[1].status).reason == "INSUFFICIENT_POINTS"
    assert await cast.gro.balances(ada) == {"TEL": 150}


async def test_an_atomic_batch_sent_again_gives_its_first_answers(cast: Cast) -> None:
    """All of them replayed."""
    ada = await cast.member()
    movements = an_earn(ada, "5 TEL"), a_discount(ada, "2 TEL")

    first = await cast.gro.batch(*movements, atomic=True)
    again = await cast.gro.batch(*movements, atomic=True)

    assert [result.replayed for result in again] == [True, True]
    assert [result.transfer for result in again] == [result.transfer for result in first]
    assert await cast.gro.balances(ada) == {"TEL": 3}


async def test_a_malformed_item_refuses_an_atomic_batch_before_anything(cast: Cast, server: Server) -> None:
    """It could never be applied whole; the item is named by its place."""
    ada = await cast.member()

    async with nothing_changes(server):
        refused = await refusal(cast.gro.batch(an_earn(ada, "5 TEL"), an_earn(ada, "-5 TEL"), atomic=True))

    assert (refused.reason, refused.fields) == ("INVALID_FIELD", ("items[1].earn.points.units",))


@pytest.mark.parametrize("atomic", [False, True])
async def test_a_thousand_items_are_a_batch(cast: Cast, atomic: bool) -> None:  # noqa: FBT001
    """Each answered, each in its place on the account."""
    ada = await cast.member()

    results = await cast.gro.batch(*(an_earn(ada, "1 TEL") for _ in range(1_000)), atomic=atomic)

    assert [result.transfer.legs[1].account_sequence for result in results] == list(range(1, 1_001))
    assert await cast.gro.balances(ada) == {"TEL": 1_000}


@pytest.mark.parametrize("count", [0, 1_001])
async def test_no_items_or_too_many_are_no_batch(cast: Cast, server: Server, count: int) -> None:
    """The whole call is refused."""
    ada = await cast.member()

    async with nothing_changes(server):
        refused = await refusal(cast.gro.batch(*(an_earn(ada, "1 TEL") for _ in range(count))))

    assert (refused.reason, refused.fields) == ("INVALID_FIELD", ("items",))


async def test_an_item_without_a_movement_is_refused_by_its_place(cast: Cast) -> None:
    """An empty oneof asks for nothing."""
    ada = await cast.member()
    items = [item(an_earn(ada, "1 TEL")), pb.TransferItem()]

    answer = await cast.gro.ask(cast.gro.stubs.transfers.BatchTransfer, pb.BatchTransferRequest(items=items))

    assert answer.results[0].status.code == OK
    assert refusal_in(answer.results[1].status).fields == ("items[1].request",)


async def test_validated_items_of_a_batch_move_nothing(cast: Cast, server: Server) -> None:
    """They see the items before them, and those after them see nothing of them."""
    ada = await cast.member("5 TEL")
    trial = a_discount(ada, "5 TEL", validate_only=True)

    async with nothing_changes(server):
        results = await cast.gro.batch(trial, a_discount(ada, "6 TEL", validate_only=True))
    mixed = await cast.gro.batch(trial, a_discount(ada, "5 TEL"), a_discount(ada, "1 TEL", validate_only=True))

    assert [result.status.code == OK for result in results] == [True, False]
    assert [result.status.code == OK for result in mixed] == [True, True, False]
    assert [bool(result.transfer.name) for result in mixed] == [False, True, False]
    assert await keys_used(server, trial.request_id) == 0


async def test_a_members_daily_cap_holds_within_a_batch(cast: Cast) -> None:
    """60 and 40 fit into 100, the 1 after them does not; an atomic batch undoes what it had used."""
    pair = await cast.pair(member_daily_cap_units=100)
    ada = await pair.member(1_000)

    def convert(units: int) -> pb.ConvertPointsRequest:
        return a_conversion(ada, f"{units} {pair.source}", pair.target)

    undone = await pair.issuers[0].batch(convert(60), convert(41), atomic=True)
    results = await pair.issuers[0].batch(convert(60), convert(40), convert(1))

    assert refusal_in(undone[1].status).reason == "DAILY_CAP_EXCEEDED"
    assert [result.status.code == OK for result in results] == [True, True, False]
    assert refusal_in(results[2].status).metadata["used"] == "100"
    assert await pair.balances(ada) == (900, 100)
