from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple


class Wanted(NamedTuple):
    """What a merchant wants quoted: at most so many source points, or at least so many target points.

    `tier` is the code of the member's tier; empty: none.
    """

    source: str
    target: str
    units: int
    is_target: bool
    lifetime: timedelta
    tier: str = ""
