"""The settlement calendar: when windows may be closed, what they settle, when it is paid, and leave to do otherwise."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.calendars import MONTHLY, WEEKLY, a_calendar, calendars, finance_with_a_calendar
from tests.contract.refusals import refusal
from tests.contract.settled import Finance, finance_of
from tests.contract.stillness import nothing_changes
from tests.servers import Server
from tests.worlds import EARNING, EXCHANGE, World

SIX = datetime(2030, 3, 4, 10, tzinfo=UTC)
"""18:00 in Shanghai."""


async def window_of(finance: Finance, name: str) -> pb.Window:
    """A window as finance sees it."""
    found: pb.Window = (await finance.maker.ask(finance.stub.GetWindow, pb.GetWindowRequest(name=name))).window
    return found


def cut_offs(window: pb.Window) -> list[tuple[str, str, str]]:
    """Currency, instant and pay day of what a window was cut off for."""
    return [
        (one.currency_code, one.time.ToDatetime(UTC).isoformat() if one.HasField("time") else "", one.pay_date)
        for one in window.cut_offs
    ]


@pytest.mark.provokes("NOT_DUE")
async def test_a_window_is_closed_when_it_is_due_and_not_before(own_world: World, own_server: Server) -> None:
    """It tells when that is, and afterwards what it was cut off for."""
    finance = await finance_with_a_calendar(own_world)

    async with nothing_changes(own_server):
        refused = await refusal(finance.close("windows/2"))
        by_word = await refusal(finance.close("windows/open"))
    await own_world.set_clock(SIX)
    opened = await window_of(finance, "windows/open")
    closed = await finance.close("windows/2")

    assert refused.metadata == by_word.metadata == {"window": "windows/2", "due_time": SIX.isoformat()}
    assert opened.due_time.ToDatetime(UTC) == SIX
    assert cut_offs(closed.window) == [("CNY", SIX.isoformat(), "2030-03-06")]
    assert not closed.window.HasField("due_time")
    assert (await finance.close("windows/2")).replayed


async def test_a_window_that_nobody_closed_in_time_is_closed_late_and_paid_later(own_world: World) -> None:
    """The first one missed years of cut-offs: it is closed once, for the last of them, and paid from Monday on."""
    finance = await finance_with_a_calendar(own_world)

    first = await window_of(finance, "windows/1")
    # Cut off on Friday, closed on Monday, paid on Wednesday.
    assert cut_offs(first) == [("CNY", "2030-03-01T10:00:00+00:00", "2030-03-06")]


async def test_the_pay_day_is_part_of_what_is_approved(own_world: World) -> None:
    """It stands in the result, and so in the digest; a new calendar does not change a closed window."""
    finance = await finance_with_a_calendar(own_world)
    await finance.cast.gro.earn(finance.member, "500 TEL")
    await own_world.set_clock(SIX)
    await finance.close("windows/2")
    await finance.start("windows/1")

    run = (await finance.start("windows/2")).run
    await finance.agree(calendars(a_calendar(pay_lag_days=9, frequency=WEEKLY, weekday=3)))
    again = await finance.start("windows/2")

    assert [(one.currency_code, one.pay_date) for one in run.summaries] == [("CNY", "2030-03-06")]
    assert (again.replayed, again.run) == (True, run)


async def test_a_currency_that_is_not_due_waits_for_its_cut_off(own_world: World) -> None:
    """Yuan are cut off daily, yen at the month's end: until then what is owed in yen is carried as it is."""
    finance = await finance_with_a_calendar(
        own_world, a_calendar(), a_calendar("JPY", frequency=MONTHLY, month_day=31, pay_lag_days=0)
    )
    yen = await own_world.merchant("YEN", EARNING, EXCHANGE)
    await own_world.currency("YEN", yen, money="JPY", issue=2_000_000, redeem=2_000_000)
    member = await own_world.member("bob", [yen, finance.cast.gro])
    await finance.cast.gro.earn(member, "500 YEN")
    await own_world.set_clock(SIX)
    await finance.close("windows/2")
    # Sunday the 31st moves to Monday the first of April.
    await own_world.set_clock("2030-04-01T18:00:00+08:00")
    await finance.close("windows/3")
    await finance.start("windows/1")

    second, third = (await finance.start("windows/2")).run, (await finance.start("windows/3")).run

    assert list(second.configuration.waiting_currency_codes) == ["JPY"]
    (items,) = await finance.rows(finance.maker, second, "items")
    assert [(i.currency_code, i.debtor, i.creditor, i.minor_units, i.cause) for i in items] == [
        ("JPY", "merchants/GRO", "merchants/YEN", 1_000, pb.CarriedItem.CAUSE_NOT_DUE)
    ]
    assert [(s.paid_minor_units, s.carried_minor_units, s.pay_date) for s in second.summaries] == [(0, 1_000, "")]
    assert list(third.configuration.waiting_currency_codes) == []
    assert [(s.currency_code, s.paid_minor_units, s.pay_date) for s in third.summaries] == [
        ("JPY", 1_000, "2030-04-01")
    ]


async def test_a_window_is_closed_off_the_calendar_by_leave_of_another_person(own_world: World) -> None:
    """Leave names the window and the currencies that are settled with it; the next window is due as ever."""
    finance = await finance_with_a_calendar(own_world, a_calendar(), a_calendar("JPY", frequency=MONTHLY, month_day=31))
    wanted = pb.Proposal(special_closing=pb.SpecialClosing(window="windows/2", currency_codes=["CNY"]))

    asked = await finance.propose(wanted)
    not_yet = await refusal(finance.close("windows/2"))
    await finance.approve_proposal(asked)
    closed = await finance.close("windows/2")

    assert not_yet.reason == "NOT_DUE"
    assert cut_offs(closed.window) == [("CNY", "", "2030-03-06")]
    assert (await refusal(finance.close("windows/3"))).metadata["due_time"] == SIX.isoformat()
    await finance.start("windows/1")
    run = (await finance.start("windows/2")).run
    assert list(run.configuration.waiting_currency_codes) == ["JPY"]


@pytest.mark.parametrize("before", [timedelta(days=1), timedelta(days=90), timedelta(days=1_000)])
async def test_a_window_opened_before_the_clock_was_put_back_is_closed_by_leave(
    own_world: World, before: timedelta
) -> None:
    """By the clock it is not open yet. Without leave a plain no; the next one is due with the first cut-off to come."""
    finance = await finance_of(own_world)
    first = await window_of(finance, "windows/1")
    put_back = first.open_time.ToDatetime(UTC) - before
    await own_world.set_clock(put_back)
    await finance.agree(calendars())
    leave = pb.Proposal(special_closing=pb.SpecialClosing(window="windows/1", currency_codes=["CNY"]))

    without = await refusal(finance.close("windows/1"))
    await finance.agree(leave)
    closed = await finance.close("windows/1")
    opened = await window_of(finance, "windows/open")
    (told, *_) = (await finance.maker.ask(finance.stub.ListCutOffs, pb.ListCutOffsRequest())).cut_offs

    assert without.reason == "NOT_DUE"
    assert [(currency, time) for currency, time, _ in cut_offs(closed.window)] == [("CNY", "")]
    assert opened.due_time == told.time
    assert opened.due_time.ToDatetime(UTC) - put_back < timedelta(days=4)


async def test_leave_to_close_what_is_closed_is_not_asked_for(own_world: World) -> None:
    """Nor for a window there is not yet."""
    finance = await finance_with_a_calendar(own_world)

    closed = await refusal(finance.propose(pb.Proposal(special_closing=pb.SpecialClosing(window="windows/1"))))
    not_yet = await refusal(finance.propose(pb.Proposal(special_closing=pb.SpecialClosing(window="windows/9"))))

    assert closed.metadata == {"resource": "windows/1", "state": "CLOSED", "needed": "OPEN"}
    assert not_yet.metadata["field"] == "proposal.special_closing.window"


async def test_the_next_cut_offs_are_told_to_everybody(own_world: World) -> None:
    """So many of each currency, in their order; none without a calendar."""
    finance = await finance_of(own_world)
    stub, gen = finance.stub.ListCutOffs, finance.cast.gen
    none = await gen.ask(stub, pb.ListCutOffsRequest())
    await own_world.set_clock("2030-03-04T09:00:00+08:00")
    await finance.agree(calendars(a_calendar(), a_calendar("JPY", frequency=WEEKLY, weekday=5)))

    two = await gen.ask(stub, pb.ListCutOffsRequest(count=2))
    five = await gen.ask(stub, pb.ListCutOffsRequest())

    assert list(none.cut_offs) == []
    assert [(one.currency_code, one.time.ToDatetime(UTC).day, one.pay_date) for one in two.cut_offs] == [
        ("CNY", 4, "2030-03-06"),
        ("CNY", 5, "2030-03-07"),
        ("JPY", 8, "2030-03-12"),
        ("JPY", 15, "2030-03-19"),
    ]
    assert len(five.cut_offs) == 10


@pytest.mark.parametrize(
    ("differs", "field"),
    [
        ({"weekday": 5}, "weekday"),
        ({"month_day": 5}, "month_day"),
        ({"frequency": WEEKLY}, "weekday"),
        ({"frequency": MONTHLY, "month_day": 32}, "month_day"),
        ({"cut_off_time": "24:00"}, "cut_off_time"),
        ({"cut_off_time": "9:00"}, "cut_off_time"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"pay_lag_days": 31}, "pay_lag_days"),
        ({"holidays": ["CN", "XX"]}, "holidays[1]"),
        ({"holidays": ["CN"] * 9}, "holidays"),
        ({"closed_dates": ["2030-02-30"]}, "closed_dates[0]"),
        ({"open_dates": ["20300228"]}, "open_dates[0]"),
    ],
)
async def test_a_calendar_that_makes_no_sense_is_refused(own_world: World, differs: dict[str, Any], field: str) -> None:
    """By the field."""
    finance = await finance_of(own_world)

    refused = await refusal(finance.propose(calendars(a_calendar(**differs))))

    assert refused.fields == (f"proposal.calendar.currencies[0].{field}",)


async def test_a_currency_stands_in_a_calendar_once(own_world: World) -> None:
    """And there is one at least."""
    finance = await finance_of(own_world)

    twice = await refusal(finance.propose(calendars(a_calendar(), a_calendar())))
    none = await refusal(finance.propose(pb.Proposal(calendar=pb.SettlementCalendar())))

    assert twice.fields == ("proposal.calendar.currencies[1].currency_code",)
    assert none.fields == ("proposal.calendar.currencies",)
