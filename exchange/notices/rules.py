"""Which days of expiry are told of, and when."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

MARKS = (30, 7, 1)
"""Days before the day on which points end."""


class Span(NamedTuple):
    """Days of expiry to tell of: after the first, up to and with the last."""

    after: date
    last: date


def span_to_notice(days: int, today: date, noticed_through: date) -> Span | None:
    """The days of expiry whose notice of so many days before is due and was not made; None: there is none.

    A notice that was missed is made late, but not so late that the next mark has come: then that one tells.

    Args:
        days: one of `MARKS`.
        today: in the coalition's time zone.
        noticed_through: the last day of expiry told of under this mark. Beyond what can be due, the clock was set back,
            as only a sandbox's is and only before anything has moved: then it counts for nothing.
    """
    last = today + timedelta(days=days)
    after = today + timedelta(days=next((mark for mark in MARKS if mark < days), 0))
    if noticed_through <= last:
        after = max(after, noticed_through)
    return Span(after, last) if after < last else None
