"""What came of a scenario: the values the runner collects, the comparison reads and the report shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from exchange.client.settlement import NettedWindow


class Outcome(StrEnum):
    """How an event ended."""

    DONE = "done"
    REPLAYED = "replayed"
    REFUSED = "refused"
    REFUSED_AS_EXPECTED = "refused as expected"
    NOT_REFUSED = "not refused"


@dataclass(frozen=True, slots=True)
class Played:
    """One event as it went. `number` counts from 1 in the order of the file; `text` says what it was.

    `difference` is what a person must know when it did not go as the file says; empty otherwise.
    """

    number: int
    line: int
    op: str
    text: str
    outcome: Outcome
    key: str = ""
    transfer: str = ""
    reason: str = ""
    message: str = ""
    difference: str = ""


@dataclass(frozen=True, slots=True)
class Converted:
    """Points a conversion used and received."""

    used: int
    received: int


@dataclass(frozen=True, slots=True)
class Day:
    """Everything that came of a scenario.

    Balances are available points at the end, by member and currency; `reversed` is points by the key of the reversal.
    """

    played: Sequence[Played]
    windows: Sequence[NettedWindow]
    balances: Mapping[str, Mapping[str, int]]
    converted: Mapping[str, Converted] = field(default_factory=dict)
    reversed: Mapping[str, int] = field(default_factory=dict)
