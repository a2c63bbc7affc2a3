"""What the board is made of and what it says. Values only; amounts are minor units."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from settlement.calendar.model import CutOff
from settlement.payments.model import LegView
from settlement.run.model import Run


class Who(enum.StrEnum):
    """Whose turn it is."""

    NOBODY = "nobody"
    MAKER = "finance maker"
    CHECKER = "finance checker"
    PAYER = "finance maker who did not approve"
    BANK = "bank"


class Todo(NamedTuple):
    """The next thing to do.

    Attributes:
        step: what it is: "close", "run", "submit", "approve", "export", "book", "retry", "recover", or "none".
        who: whose turn it is.
        command: what that person types, after `python -m settlement`; empty: nothing.
        because: why, where the step alone does not tell; may be empty.
    """

    step: str
    who: Who
    command: str
    because: str = ""


@dataclass(frozen=True, slots=True)
class WindowFacts:
    """A window that is not finished, as the database has it.

    Attributes:
        window_no: its number.
        opened_at: when it was opened.
        closed_at: when it was cut off; None: it is open.
        due_at: when the open one is to be cut off; None: when somebody does.
        run: its newest run, dead or alive; None: it was never run.
        before: how far the window before is, where its run is not approved yet; empty: it is.
        makers: whoever had a hand in the run, and may not approve it.
        legs: its payments, each with its newest attempt.
        overtaken: who was suspended in the exchange since the run was made, which nets what the terms want held.
    """

    window_no: int
    opened_at: datetime
    closed_at: datetime | None
    due_at: datetime | None = None
    run: Run | None = None
    before: str = ""
    makers: Sequence[str] = ()
    legs: Sequence[LegView] = ()
    overtaken: Sequence[str] = ()

    @property
    def name(self) -> str:
        """Resource name."""
        return f"windows/{self.window_no}"


@dataclass(frozen=True, slots=True)
class Line:
    """A window on the board.

    Attributes:
        window: "windows/3".
        state: "OPEN", "CLOSED" (nothing stands for it yet), or the state of its run.
        since: when it came into this state.
        age_days: whole days since it was cut off; None: it is open.
        due: when the next thing is due: the cut-off of the open window, the earliest pay day of a closed one.
        late: whether that has passed.
        to_pay: by currency, what its payments sum to.
        unpaid: by currency, what of it no bank has booked.
        payments, payments_open: how many there are, and how many no bank has booked.
        todo: what to do next.
        suspended: whose items its run holds because they are suspended in the exchange.
    """

    window: str
    state: str
    since: datetime
    age_days: int | None
    due: date | datetime | None
    late: bool
    to_pay: Mapping[str, int]
    unpaid: Mapping[str, int]
    payments: int
    payments_open: int
    todo: Todo
    suspended: Sequence[str] = ()


class Waits(NamedTuple):
    """What a currency leaves unpaid in the newest run that stands, and since when."""

    currency: str
    carried: int
    held: int
    oldest_days: int


class Outstanding(NamedTuple):
    """What waits for a person beside the windows: how many, since how many days, and what shows them."""

    what: str
    number: int
    oldest_days: int
    who: Who
    command: str


@dataclass(frozen=True, slots=True)
class Board:
    """One glance: windows oldest first, what is carried or held, what waits for a person, the next cut-offs."""

    now: datetime
    windows: Sequence[Line]
    waits: Sequence[Waits]
    outstanding: Sequence[Outstanding]
    cut_offs: Sequence[CutOff]
