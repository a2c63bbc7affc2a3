"""What a run is configured to do: the least it pays, how long it carries what is less, its mode and its law."""

from __future__ import annotations

from datetime import timedelta

import pytest

from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.refusals import refusal
from tests.contract.settled import Finance, finance_after_period_a, short
from tests.worlds import World


@pytest.fixture
async def finance(own_world: World) -> Finance:
    """A coalition that has had the rulebook's period A in its first window, which is closed."""
    return await finance_after_period_a(own_world)


async def test_what_is_too_small_to_pay_is_carried_into_the_next_window(finance: Finance) -> None:
    """CAF's ¥1.00 waits below a minimum of ¥10.00, and is paid with the next window's."""
    first = (await finance.start("windows/1", minimum_minor_units={"CNY": 1_000})).run
    await finance.cast.caf.earn(finance.member, "1 000 AIR")
    await finance.close()
    second = (await finance.start("windows/2", minimum_minor_units={"CNY": 1_000})).run

    (waiting,) = await finance.rows(finance.cast.caf, first, "positions")
    (paid,) = await finance.rows(finance.cast.caf, second, "payments")
    (pairs,) = await finance.rows(finance.maker, second, "pairs")
    assert (waiting[0].net_pay_minor_units, waiting[0].carried_minor_units) == (100, 100)
    assert await finance.rows(finance.cast.caf, first, "payments") == [[]]
    assert [(short(row.payer), row.minor_units) for row in paid] == [("CAF", 6_100)]
    assert sum(row.carried_in_minor_units for row in pairs if short(row.debtor) == "CAF") == 100
    (left,) = await finance.rows(finance.cast.caf, first, "items")
    (came,) = await finance.rows(finance.cast.caf, second, "items")
    assert [(short(item.debtor), short(item.creditor), item.minor_units, item.way, item.cause) for item in left] == [
        ("CAF", "OPR", 100, pb.CarriedItem.WAY_LEAVES, pb.CarriedItem.CAUSE_MINIMUM)
    ]
    assert [(item.way, item.minor_units, item.since_window, item.since_date) for item in came] == [
        (pb.CarriedItem.WAY_CAME_IN, 100, "windows/1", left[0].since_date)
    ]
    assert await finance.rows(finance.cast.gro, first, "items") == [[]]


async def test_what_has_been_carried_long_enough_is_paid_however_small(finance: Finance, own_world: World) -> None:
    """CAF's ¥1.00 waits 30 days by the coalition's calendar; its age is told with it."""
    terms: dict[str, dict[str, int]] = {"minimum_minor_units": {"CNY": 1_000}, "maximum_carry_days": {"CNY": 30}}
    first = (await finance.start("windows/1", **terms)).run
    cut_off = await own_world.now()
    await own_world.set_clock(cut_off + timedelta(days=29))
    await finance.close()
    second = (await finance.start("windows/2", **terms)).run
    await own_world.set_clock(cut_off + timedelta(days=30))
    await finance.close()
    third = (await finance.start("windows/3", **terms)).run

    (waiting,) = await finance.rows(finance.cast.caf, second, "items")
    (paid,) = await finance.rows(finance.cast.caf, third, "payments")
    assert await finance.rows(finance.cast.caf, second, "payments") == [[]]
    assert [(item.way, item.age_days, item.since_window) for item in waiting] == [
        (pb.CarriedItem.WAY_CAME_IN, 29, "windows/1"),
        (pb.CarriedItem.WAY_LEAVES, 29, "windows/1"),
    ]
    assert [(short(row.payer), row.minor_units) for row in paid] == [("CAF", 100)]
    assert [summary.carried_minor_units for run in (first, second, third) for summary in run.summaries] == [100, 100, 0]


@pytest.mark.parametrize(
    ("mode", "model", "count"),
    [
        (pb.NETTING_MODE_GROSS, pb.LEGAL_MODEL_PAYMENT_NETTING, 6),
        (pb.NETTING_MODE_BILATERAL, pb.LEGAL_MODEL_SETOFF_BY_AGENT, 5),
        (pb.NETTING_MODE_MULTILATERAL, pb.LEGAL_MODEL_NOVATION, 5),
        (pb.NETTING_MODE_DIRECT, pb.LEGAL_MODEL_SETOFF_BY_AGENT, 4),
        (pb.NETTING_MODE_SETOFF, pb.LEGAL_MODEL_SETOFF_BY_AGENT, 4),
    ],
)
async def test_every_mode_tells_what_it_is_in_law(
    finance: Finance, mode: pb.NettingMode.ValueType, model: pb.LegalModel.ValueType, count: int
) -> None:
    """Its own model unless said; a set-off proves itself."""
    run = (await finance.start("windows/1", mode=mode)).run
    agreed = (await finance.start("windows/1", mode=mode, legal_model=pb.LEGAL_MODEL_PAYMENT_NETTING)).run

    (payments,) = await finance.rows(finance.maker, run, "payments")
    assert (run.configuration.mode, run.configuration.legal_model, len(payments)) == (mode, model, count)
    assert agreed.configuration.legal_model == pb.LEGAL_MODEL_PAYMENT_NETTING
    assert (agreed.result_digest == run.result_digest) == (model == pb.LEGAL_MODEL_PAYMENT_NETTING)
    assert bool(run.summaries[0].certificate) == (mode == pb.NETTING_MODE_SETOFF)


async def test_novation_needs_somebody_in_the_middle(finance: Finance) -> None:
    """A clearing account takes everybody's place, or there is none."""
    refused = await refusal(
        finance.start("windows/1", mode=pb.NETTING_MODE_DIRECT, legal_model=pb.LEGAL_MODEL_NOVATION)
    )

    assert (refused.reason, refused.fields) == ("INVALID_FIELD", ("configuration.legal_model",))
