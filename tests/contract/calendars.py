"""Settlement calendars for tests, and a coalition that has agreed on one on a Monday morning."""

from __future__ import annotations

from typing import Any

from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.settled import Finance, finance_of
from tests.worlds import World

MONDAY = "2030-03-04T09:00:00+08:00"
"""Of a week without holidays; the first window was opened long before and is overdue."""
DAILY, WEEKLY, MONTHLY = (pb.CurrencyCalendar.Frequency.Value(f"FREQUENCY_{n}") for n in ("DAILY", "WEEKLY", "MONTHLY"))


def a_calendar(currency: str = "CNY", **differs: Any) -> pb.CurrencyCalendar:
    """At 18:00 in Shanghai on every weekday, paid two days later, unless said."""
    agreed: dict[str, Any] = {
        "currency_code": currency,
        "time_zone": "Asia/Shanghai",
        "frequency": DAILY,
        "cut_off_time": "18:00",
        "pay_lag_days": 2,
    }
    return pb.CurrencyCalendar(**agreed | differs)


def calendars(*found: pb.CurrencyCalendar) -> pb.Proposal:
    """A proposal of a settlement calendar."""
    return pb.Proposal(calendar=pb.SettlementCalendar(currencies=found or [a_calendar()]))


async def finance_with_a_calendar(world: World, *found: pb.CurrencyCalendar) -> Finance:
    """A coalition on that Monday morning: its first window was closed late, the second is due at 18:00."""
    finance = await finance_of(world)
    await world.set_clock(MONDAY)
    await finance.agree(calendars(*found))
    await finance.close("windows/1")
    return finance
