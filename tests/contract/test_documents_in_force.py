"""What runs come to by the documents that hold: terms, tiers of approval, exclusions and releases."""

from __future__ import annotations

import pytest

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.proposed import exclusions, tiers
from tests.contract.refusals import refusal
from tests.contract.settled import Finance, finance_after_period_a
from tests.worlds import World

CHECKER = directory.CALLER_ROLE_FINANCE_CHECKER


@pytest.fixture
async def finance(own_world: World) -> Finance:
    """A coalition in whose first window the rulebook's period A has happened; it is closed."""
    return await finance_after_period_a(own_world)


async def test_what_is_not_said_of_a_run_is_taken_from_the_terms(finance: Finance) -> None:
    """CAF's ¥1.00 is below the agreed minimum; whoever says 0 pays it all the same."""
    await finance.agree(
        pb.Proposal(
            terms=pb.SettlementTerms(
                mode=pb.NETTING_MODE_BILATERAL,
                legal_model=pb.LEGAL_MODEL_PAYMENT_NETTING,
                minimum_minor_units={"CNY": 50_050},
                maximum_carry_days={"CNY": 90},
            )
        )
    )

    run = (await finance.start("windows/1")).run
    all_paid = (await finance.start("windows/1", minimum_minor_units={"CNY": 0})).run
    star = (await finance.start("windows/1", mode=pb.NETTING_MODE_MULTILATERAL)).run

    assert run.configuration.mode == pb.NETTING_MODE_BILATERAL
    assert run.configuration.legal_model == pb.LEGAL_MODEL_PAYMENT_NETTING
    assert (run.configuration.minimum_minor_units["CNY"], run.configuration.maximum_carry_days["CNY"]) == (50_050, 90)
    assert run.summaries[0].carried_minor_units == 20_000 + 50_000
    assert all_paid.summaries[0].carried_minor_units == 0
    assert star.configuration.legal_model == pb.LEGAL_MODEL_NOVATION


async def test_a_legal_model_that_does_not_go_with_the_agreed_mode_is_refused(finance: Finance) -> None:
    """Left out, the mode is the terms'."""
    await finance.agree(pb.Proposal(terms=pb.SettlementTerms(mode=pb.NETTING_MODE_DIRECT)))

    refused = await refusal(finance.start("windows/1", legal_model=pb.LEGAL_MODEL_NOVATION))

    assert refused.fields == ("configuration.legal_model",)


async def test_large_amounts_take_more_checkers(finance: Finance) -> None:
    """¥1 317.55 are paid: from ¥1 000 on two must approve, from ¥2 000 on three."""
    await finance.agree(tiers((100_000, 2), (200_000, 3)))
    run = await finance.submit((await finance.start("windows/1")).run)
    second = await finance.cast.world.party(CHECKER)

    once = await finance.approve(run)
    stale = await refusal(finance.approve(run, second))
    twice = await finance.approve(once, second)

    assert (run.checkers_needed, once.state, stale.reason) == (2, pb.Run.STATE_SUBMITTED, "ETAG_MISMATCH")
    assert (twice.state, len(twice.decisions)) == (pb.Run.STATE_APPROVED, 2)


async def test_tiers_raised_meanwhile_count_too(finance: Finance) -> None:
    """What was submitted for one checker takes two when it is approved."""
    run = await finance.submit((await finance.start("windows/1")).run)
    await finance.agree(tiers((1, 2)))

    once = await finance.approve(run)
    twice = await finance.approve(once, await finance.cast.world.party(CHECKER))

    assert (run.checkers_needed, once.state, twice.state) == (1, pb.Run.STATE_SUBMITTED, pb.Run.STATE_APPROVED)


async def test_an_exclusion_voids_what_it_would_have_made_another(finance: Finance) -> None:
    """The approved run too, and what was built on it; GRO's debts are held in the next one."""
    approved = await finance.approve(await finance.submit((await finance.start("windows/1")).run))
    await finance.close("windows/2")
    built_on_it = (await finance.start("windows/2")).run

    proposal = await finance.agree(exclusions("GRO"))

    voided = [await finance.read(run) for run in (approved, built_on_it)]
    assert [(run.state, run.steps[-1].reason) for run in voided] == [(pb.Run.STATE_VOIDED, proposal.name)] * 2
    run = (await finance.start("windows/1")).run
    (items,) = await finance.rows(finance.maker, run, "items")
    (payments,) = await finance.rows(finance.maker, run, "payments")
    assert list(run.configuration.excluded) == ["merchants/GRO"]
    assert run.summaries[0].held_minor_units == 144_000 + 60_000 + 12_345
    assert {item.cause for item in items} == {pb.CarriedItem.CAUSE_EXCLUDED}
    assert all("GRO" in item.debtor + item.creditor and list(item.excluded) == ["merchants/GRO"] for item in items)
    assert not [p for p in payments if "GRO" in p.payer + p.payee]


async def test_an_exclusion_that_changes_no_run_voids_none(finance: Finance) -> None:
    """A release for another window leaves the approved run alone."""
    approved = await finance.approve(await finance.submit((await finance.start("windows/1")).run))

    await finance.agree(exclusions(released={"GRO": "windows/7"}))

    assert (await finance.read(approved)).state == pb.Run.STATE_APPROVED


async def test_held_items_enter_netting_again_in_the_window_named(finance: Finance) -> None:
    """Readmitted in the second, released in the third: until then they are held."""
    await finance.agree(exclusions("GRO"))
    await finance.approve(await finance.submit((await finance.start("windows/1")).run))
    await finance.agree(exclusions(released={"GRO": "windows/3"}))
    await finance.close("windows/2")
    await finance.close("windows/3")

    second, third = (await finance.start("windows/2")).run, (await finance.start("windows/3")).run

    assert [run.summaries[0].held_minor_units for run in (second, third)] == [216_345, 0]
    assert (list(second.configuration.released), list(third.configuration.released)) == ([], ["merchants/GRO"])
    # GRO's net of the first window, and what the others were owed by it or owed it.
    (positions,) = await finance.rows(finance.maker, third, "positions")
    assert {p.participant: p.net_pay_minor_units for p in positions if p.net_pay_minor_units} == {
        "merchants/GRO": 71_655,
        "merchants/BNK": 60_000,
    }
