from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from exchange.ledger.model import Transfer

MONTHS = 12
YEARS = range(2000, 2200)


class Standing(NamedTuple):
    """What was posted to an account up to and including line `sequence`; before the first line all is 0."""

    available: int = 0
    held: int = 0
    sequence: int = 0


class Line(NamedTuple):
    """What one transfer did to one account, and how the account stood afterwards.

    Points credited to or debited from the member, reserved or unreserved; of each two at most one is not 0.
    """

    transfer: Transfer
    credited: int
    debited: int
    reserved: int
    unreserved: int
    after: Standing


class Page(NamedTuple):
    """Lines in the order of the account: `opening` and the lines make `closing`."""

    opening: Standing
    lines: Sequence[Line]
    closing: Standing
    has_more: bool


class Month(NamedTuple):
    """A month of the coalition's calendar."""

    year: int
    month: int

    @classmethod
    def of(cls, day: date) -> Month:
        """The one a day lies in."""
        return cls(day.year, day.month)

    @classmethod
    def named(cls, text: str) -> Month:
        """The one written "2026-03".

        Raises:
            ValueError: it is written otherwise, or not of our time.
        """
        first = date.fromisoformat(f"{text}-01")
        if text != f"{first:%Y-%m}" or first.year not in YEARS:
            raise ValueError(text)
        return cls.of(first)

    @property
    def name(self) -> str:
        """As people and the wire write it: "2026-03"."""
        return f"{self.first:%Y-%m}"

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    @property
    def before(self) -> Month:
        """The month before."""
        return Month(self.year - (self.month == 1), (self.month - 2) % MONTHS + 1)

    @property
    def after(self) -> Month:
        """The month after."""
        return Month(self.year + (self.month == MONTHS), self.month % MONTHS + 1)

    def begins(self, zone: ZoneInfo) -> datetime:
        """Its first instant."""
        return datetime(self.year, self.month, 1, tzinfo=zone)

    def ends(self, zone: ZoneInfo) -> datetime:
        """The first instant of the next one."""
        return self.after.begins(zone)


class Total(NamedTuple):
    """What the movements of one kind did to an account in a month."""

    kind: int
    entries: int
    credited: int
    debited: int
    reserved: int
    unreserved: int


class MonthlyStatement(NamedTuple):
    """One account in one month: `opening` and what its kinds of movement did make `closing`."""

    currency_no: int
    currency: str
    month: date
    opening: Standing
    closing: Standing
    all_kinds: Total
    totals: Sequence[Total]
    begins_at: datetime
    ends_at: datetime
    made_at: datetime


class CurrencySummary(NamedTuple):
    """All statements of a month in one currency; `in_circulation`: the issuer's side of it, at the month's end."""

    currency: str
    statements: int
    opening: int
    credited: int
    debited: int
    closing: int
    held: int
    in_circulation: int

    @property
    def ties(self) -> bool:
        """Whether members have what is in circulation."""
        return self.closing + self.held == self.in_circulation
