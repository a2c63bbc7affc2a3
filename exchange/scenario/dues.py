"""When what a file began so long ago falls due. Pure.

The sandbox's clock runs while events are played: a hold for ten minutes at nine ends some milliseconds after ten past
nine. A file that moves the clock to ten past nine means that it has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from exchange.scenario.model import Currency, Movement

_POLICIES = frozenset({"days", "inactivity"})
"""Whose ends are counted from a movement; the others end at instants of their own."""


class Dues:
    """What falls due so long after a movement: by the file's clock, and when the sandbox takes it to be."""

    def __init__(self, currencies: Sequence[Currency]) -> None:
        self._lives = {
            one.code: timedelta(days=one.expiry.days) for one in currencies if one.expiry.policy in _POLICIES
        }
        self._waiting: list[tuple[datetime, datetime]] = []

    def add(self, movement: Movement, told: datetime, done: datetime) -> None:
        """A movement the file has at `told` was made at `done`."""
        lives = [self._lives[code] for code in (movement.currency, movement.target) if code in self._lives]
        if movement.expires_in:
            lives.append(timedelta(seconds=movement.expires_in))
        self._waiting += [(told + life, done + life) for life in lives]

    def reached_by(self, to: datetime) -> datetime:
        """What the sandbox's clock must say so that all has ended that has by the file's: `to`, or a little more."""
        ended = [by_sandbox for by_file, by_sandbox in self._waiting if by_file <= to]
        self._waiting = [(by_file, by_sandbox) for by_file, by_sandbox in self._waiting if by_file > to]
        return max([to, *ended])
