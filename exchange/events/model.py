"""An event, its place in the one order, and who is told.

Places are ledger sequences: a transfer's own, or the first of the block that a noted event drew. "After a place" means
greater; a place need not be taken by anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from exchange.ledger.bonuses import Bonus
from exchange.ledger.event_kinds import EventKind
from exchange.ledger.model import Transfer

BEGINNING = 0


class Viewer(NamedTuple):
    """For whom events are picked.

    Attributes:
        merchant_no: of a merchant, which sees what concerns it; None: sees all.
        kinds: what it is told of.
    """

    merchant_no: int | None
    kinds: frozenset[EventKind]


@dataclass(slots=True)
class Entry:
    """One event.

    Attributes:
        place: in the order of all events.
        kind: what happened.
        occurred_at: when, by the coalition's clock.
        resource: name of what it happened to.
        audience: numbers of the merchants that may see it; None: all.
        transfer: of a movement.
        bonuses: what promotions gave or got back in it.
        linked: numbers of those in the audience that have linked its member, where that had to be asked.
        detail: of a noted event, what its resource's name does not tell.
        encoded: bytes of the event as it was sent, by what may differ between callers; made when first needed.
    """

    place: int
    kind: EventKind
    occurred_at: datetime
    resource: str
    audience: frozenset[int] | None
    transfer: Transfer | None = None
    bonuses: Sequence[Bonus] = ()
    linked: frozenset[int] = frozenset()
    detail: dict[str, Any] | None = None
    encoded: dict[tuple[bool, bool], bytes] = field(default_factory=dict)


class Page(NamedTuple):
    """Events in order, and the place up to which nothing is missing."""

    entries: Sequence[Entry]
    upto: int
