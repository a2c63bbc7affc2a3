"""Movements of points by window, and the roll-forward they make. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Owner(NamedTuple):
    """Whose liability, and who paid for the points: both merchants; `currency` is the points currency."""

    currency: str
    issuer: str
    funder: str


class Movement(NamedTuple):
    """Points of one owner that one kind of transfer put into lots, and took out of them, in a window.

    `added_micros` and `removed_micros` value them at the lots' own price, micro-units of `money`.
    """

    window_no: int
    owner: Owner
    money: str
    kind: str
    added: int
    removed: int
    added_micros: int
    removed_micros: int


class Holding(NamedTuple):
    """What lies in an owner's lots now."""

    owner: Owner
    units: int
    micros: int


class Figure(NamedTuple):
    """Points and what they are worth at the price they were issued at."""

    units: int = 0
    micros: int = 0

    def plus(self, other: Figure) -> Figure:
        """Both together."""
        return Figure(self.units + other.units, self.micros + other.micros)

    def less(self, other: Figure) -> Figure:
        """What is left; may be below zero only where the two come from different records."""
        return Figure(self.units - other.units, self.micros - other.micros)


NOTHING = Figure()
RISES = ("issued", "converted_in", "given_back", "added")
FALLS = ("redeemed", "converted_out", "expired", "taken_back", "repaid", "removed")
"""What makes a liability rise and fall: opening + all rises - all falls = closing."""


@dataclass(slots=True)
class Roll:
    """One owner's liability over some windows.

    Attributes:
        owner: whose.
        money: the settlement currency it is valued in.
        opening: before the first window.
        figures: by the names in RISES and FALLS; what did not happen is not there.
        in_ledger: what the ledger's lots say there is at the end of the last window; equal to `closing`.
    """

    owner: Owner
    money: str
    opening: Figure = NOTHING
    figures: dict[str, Figure] = field(default_factory=dict)
    in_ledger: Figure = NOTHING

    def of(self, name: str) -> Figure:
        """A figure by its name."""
        return self.figures.get(name, NOTHING)

    @property
    def closing(self) -> Figure:
        """After the last window."""
        total = self.opening
        for name in RISES:
            total = total.plus(self.of(name))
        for name in FALLS:
            total = total.less(self.of(name))
        return total

    @property
    def ties(self) -> bool:
        """Whether the movements add up to what the ledger has."""
        return self.closing == self.in_ledger
