"""What is held comes back lot by lot, as two persons chose it; who is suspended is held where the terms say so."""

from __future__ import annotations

import pytest

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.paid import treasury_of
from tests.contract.proposed import exclusions
from tests.contract.refusals import refusal
from tests.contract.settled import Finance, finance_after_period_a
from tests.contract.stillness import nothing_changes
from tests.servers import Server
from tests.worlds import World

GRO_OWES_TEL, BNK_OWES_GRO, TEL_OWES_GRO = 144_000, 60_000, 12_345


@pytest.fixture
async def finance(own_world: World) -> Finance:
    """Period A is closed: GRO owes TEL, and BNK and TEL owe GRO."""
    return await finance_after_period_a(own_world)


def releasing(**chosen: object) -> pb.Proposal:
    """Nobody is excluded any more; of what is held for GRO's sake only this comes back, in the second window."""
    release = pb.Release(participant="merchants/GRO", window="windows/2", **chosen)  # type: ignore[arg-type]
    return pb.Proposal(exclusions=pb.ExclusionList(released=[release]))


async def suspend(finance: Finance, name: str, *, again: bool = False) -> None:
    """The operator stops a merchant, or lets it go on."""
    world = finance.cast.world
    if again:
        resumed = directory.ActivateMerchantRequest(name=f"merchants/{name}", reason="paid up")
        await world.operator.ask(world.stubs.directory.ActivateMerchant, resumed)
        return
    stopped = directory.SuspendMerchantRequest(name=f"merchants/{name}", reason="does not answer")
    await world.operator.ask(world.stubs.directory.SuspendMerchant, stopped)


def holding(*, held: bool) -> pb.Proposal:
    """Terms that say whether what the suspended owe is held."""
    return pb.Proposal(terms=pb.SettlementTerms(mode=pb.NETTING_MODE_MULTILATERAL, hold_suspended=held))


async def test_chosen_items_come_back_and_the_others_stay_held(finance: Finance) -> None:
    """What GRO owes TEL is netted in the second window; what is owed to GRO waits on, and is told as what it is."""
    await finance.agree(exclusions("GRO"))
    await finance.approve(await finance.submit((await finance.start("windows/1")).run))
    approved = await finance.agree(releasing(creditor="merchants/TEL", since_window="windows/1", currency_code="CNY"))
    await finance.close("windows/2")
    await finance.close("windows/3")

    second, third = (await finance.start("windows/2")).run, (await finance.start("windows/3")).run

    left = BNK_OWES_GRO + TEL_OWES_GRO
    assert [run.summaries[0].held_minor_units for run in (second, third)] == [left, left]
    assert second.summaries[0].paid_minor_units == GRO_OWES_TEL
    (chosen,) = second.configuration.released_items
    (agreed,) = approved.exclusions.released
    assert (chosen.participant, chosen.creditor, chosen.since_window) == (
        agreed.participant,
        agreed.creditor,
        agreed.since_window,
    )
    assert (list(second.configuration.released), list(third.configuration.released_items)) == ([], [])


async def test_a_release_chosen_otherwise_voids_the_run_it_names(finance: Finance) -> None:
    """What was made with the other choice is for the record; what it names comes out anew."""
    await finance.agree(exclusions("GRO"))
    await finance.approve(await finance.submit((await finance.start("windows/1")).run))
    await finance.agree(releasing(at_most_minor_units=TEL_OWES_GRO))
    await finance.close("windows/2")
    first = (await finance.start("windows/2")).run

    await finance.agree(releasing(at_least_minor_units=GRO_OWES_TEL))
    second = (await finance.start("windows/2")).run

    assert (await finance.read(first)).state == pb.Run.STATE_VOIDED
    assert [run.summaries[0].held_minor_units for run in (first, second)] == [
        GRO_OWES_TEL + BNK_OWES_GRO,
        BNK_OWES_GRO + TEL_OWES_GRO,
    ]


@pytest.mark.parametrize(
    ("chosen", "field"),
    [
        ({"currency_code": "XXX1"}, "currency_code"),
        ({"debtor": "GRO"}, "debtor"),
        ({"creditor": "merchants/TEL", "debtor": "merchants/TEL"}, "creditor"),
        ({"creditor": "merchants/TEL", "debtor": "merchants/AIR"}, "participant"),
        ({"since_window": "windows/2"}, "since_window"),
        ({"at_least_minor_units": -1}, "at_least_minor_units"),
        ({"at_least_minor_units": 5, "at_most_minor_units": 4}, "at_most_minor_units"),
    ],
)
async def test_a_choice_that_can_choose_nothing_is_refused(
    finance: Finance, chosen: dict[str, object], field: str
) -> None:
    """The field is named."""
    refused = await refusal(finance.propose(releasing(**chosen)))

    assert refused.reason == "INVALID_FIELD"
    assert f"proposal.exclusions.released[0].{field}" in refused.fields


async def test_nothing_is_released_into_a_window_whose_money_is_on_its_way(
    own_world: World, own_server: Server
) -> None:
    """Neither proposed, nor approved where it was proposed before; the next window takes it."""
    treasury = await treasury_of(own_world)
    finance = treasury.finance
    waiting = await finance.propose(exclusions(released={"TEL": "windows/1"}))
    await treasury.instructed()

    async with nothing_changes(own_server):
        refused = await refusal(finance.propose(exclusions(released={"GRO": "windows/1"})))
        too_late = await refusal(finance.approve_proposal(waiting))
    next_one = await finance.agree(exclusions(released={"GRO": "windows/2"}))

    assert refused.reason == too_late.reason == "WINDOW_STATE"
    assert refused.metadata == {"window": "windows/1", "state": "INSTRUCTED", "needed": "nothing instructed yet"}
    assert [one.window for one in next_one.exclusions.released] == ["windows/2"]


async def test_what_was_released_into_a_settled_window_stays_in_the_document(own_world: World) -> None:
    """The document is replaced whole: whoever proposes the next one need not take old releases out of it."""
    treasury = await treasury_of(own_world)
    finance, released = treasury.finance, {"GRO": "windows/1"}
    await finance.agree(exclusions(released=released))
    await treasury.instructed()

    agreed = await finance.agree(exclusions("BNK", released=released))

    assert [one.window for one in agreed.exclusions.released] == ["windows/1"]


async def test_whoever_is_suspended_is_held_where_the_terms_say_so(finance: Finance) -> None:
    """The run tells so; let go on, its old items stay held until they are released."""
    await suspend(finance, "GRO")
    plain = (await finance.start("windows/1")).run
    await finance.agree(holding(held=True))
    held = (await finance.start("windows/1")).run
    await finance.approve(await finance.submit(held))
    await suspend(finance, "GRO", again=True)
    await finance.close("windows/2")
    after = (await finance.start("windows/2")).run
    await finance.agree(releasing())
    released = (await finance.start("windows/2")).run

    everything = GRO_OWES_TEL + BNK_OWES_GRO + TEL_OWES_GRO
    assert (list(plain.configuration.suspended), plain.summaries[0].held_minor_units) == ([], 0)
    assert list(held.configuration.suspended) == list(held.configuration.excluded) == ["merchants/GRO"]
    assert [run.summaries[0].held_minor_units for run in (held, after, released)] == [everything, everything, 0]
    assert list(after.configuration.suspended) == []


async def test_a_suspension_does_not_touch_what_was_approved(finance: Finance) -> None:
    """One person suspends; what two agreed on is paid."""
    await finance.agree(holding(held=True))
    run = await finance.approve(await finance.submit((await finance.start("windows/1")).run))

    await suspend(finance, "GRO")

    assert (await finance.read(run)).state == pb.Run.STATE_APPROVED
