"""Estimates of breakage, and what they make recognised window by window. Values only."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Estimate(NamedTuple):
    """What share of a currency's issued value is expected never to be used, from a window on.

    Attributes:
        currency: the points currency.
        version: 1, 2, 3 … by currency.
        from_window: the first window it is applied in.
        expected_bps: the share, basis points, 0 to 9 999.
        reason: why it is so.
        set_by, set_person: who said so.
        confirmed_person: who confirmed it, another person; None: nobody yet, and it does not count.
    """

    currency: str
    version: int
    from_window: int
    expected_bps: int
    reason: str
    set_at: datetime
    set_by: str
    set_person: str
    confirmed_at: datetime | None = None
    confirmed_by: str | None = None
    confirmed_person: str | None = None

    @property
    def name(self) -> str:
        """Resource name."""
        return f"currencies/{self.currency}/breakageEstimates/{self.version}"


class Usage(NamedTuple):
    """What a window did to a currency's points, valued at their issue price, micro-units.

    `issued` less `taken_back` is what was given out; `used` less `given_back` what was used; `expired` ended unused.
    """

    window_no: int
    issued: int
    taken_back: int
    used: int
    given_back: int
    expired: int


class Recognition(NamedTuple):
    """A window's breakage income, micro-units.

    Attributes:
        window_no: the window.
        version: of the estimate applied; None: there was none.
        expected_bps: of that estimate.
        issued: cumulative value given out.
        used: cumulative value used.
        expired: cumulative value ended unused.
        recognised: income of this window at this estimate.
        withdrawn: income taken back in this window at this estimate, because used points were given back.
        catch_up_recognised: income of earlier windows that a new estimate adds.
        catch_up_withdrawn: income of earlier windows that a new estimate takes back.
        cumulative: income in all.
        remaining: liability that is left after it.
    """

    window_no: int
    version: int | None
    expected_bps: int
    issued: int
    used: int
    expired: int
    recognised: int
    withdrawn: int
    catch_up_recognised: int
    catch_up_withdrawn: int
    cumulative: int
    remaining: int
