"""Everything the reports of a run are made of. Values only: the same values give the same bytes.

Names of runs, states of payments and clocks stay out: what was approved reads the same for ever, on any machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from settlement.reports.lines import KindTotal
from settlement.run.life import DEAD, INSTRUCTED, RunState
from settlement.run.model import Run


class Borne(NamedTuple):
    """What a creditor bears of a default on the run: so much less is paid to it.

    Attributes:
        currency: ISO 4217 code.
        defaulter: whose default.
        creditor: who bears it.
        payer: who pays so much less; the defaulter, where it was to pay the creditor itself.
        amount: minor units.
        on: the day it was declared, where the coalition is.
        repaid: what of it has come back.
        written_off: what of it nobody claims any more.
    """

    currency: str
    defaulter: str
    creditor: str
    payer: str
    amount: int
    on: date
    repaid: int = 0
    written_off: int = 0


@dataclass(frozen=True, slots=True)
class SettledWindow:
    """A run with what stands around it.

    Attributes:
        run: the run.
        opened_at: when its window was opened.
        closed_at: when it was cut off; stands in files instead of the clock.
        operator: whose clearing account stands in the middle.
        time_zone: of the coalition's days.
        names: what people call each participant, by id.
        kinds: what pairs owe by kind of obligation, kinds in the order of the chart.
        borne: what creditors bear of defaults on it; in the order they were declared.
    """

    run: Run
    opened_at: datetime
    closed_at: datetime
    operator: str
    time_zone: ZoneInfo
    names: Mapping[str, str]
    kinds: Sequence[KindTotal]
    borne: Sequence[Borne] = ()

    @property
    def closed_on(self) -> date:
        """The day of the cut-off where the coalition is."""
        return self.closed_at.astimezone(self.time_zone).date()

    @property
    def standing(self) -> str:
        """Whether its figures can still change: a run that nobody approved yet is preliminary."""
        state = self.run.life.state
        if state in DEAD:
            return "void"
        return "final" if state in INSTRUCTED | {RunState.APPROVED} else "preliminary"

    @property
    def about(self) -> list[tuple[str, str, str]]:
        """What every report of it says first."""
        moments = [moment.astimezone(self.time_zone).isoformat(sep=" ") for moment in (self.opened_at, self.closed_at)]
        return [
            ("window", "Window", f"windows/{self.run.window_no}"),
            ("opened", "Opened", moments[0]),
            ("closed", "Cut off", moments[1]),
            ("digest", "Digest", self.run.digest),
            ("mode", "Netting", self.run.configuration.mode),
            ("legal_model", "In law", self.run.configuration.legal_model.value),
            ("standing", "Figures", self.standing),
        ]
