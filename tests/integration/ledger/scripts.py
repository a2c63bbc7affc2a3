"""Random scripts of what merchants and the operator do: few members, lots that end close together, keys used again.

What is drawn are plain figures. What they mean to a ledger (which transfer is followed, when a lot ends) is said while
a script is played, the same for every ledger it is played to.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from hypothesis import strategies as st

from exchange.ledger.model import Command, Transfer, TransferKind
from tests.unit.rules.days import capture, expire, hold, release, reverse
from tests.unit.rules.rulebook import campaign, convert, discount, earn, redeem

HOUR = timedelta(hours=1)
LIFETIME = timedelta(minutes=40)
"""Of a hold. Clocks go on by whole hours, so that nothing ends just then."""
MEMBERS = 2
FOLLOWED = {"capture": {TransferKind.HOLD}, "release": {TransferKind.HOLD}, "reverse": set(TransferKind)}
"""By what follows: what it usually follows."""
_AWARDS_AND_SPENDINGS = {"redeem": redeem, "discount": discount, "campaign": campaign}


class Ask(NamedTuple):
    """A request.

    Attributes:
        kind: what is asked, or "again": what was asked before.
        who: place of the member.
        units: points; of a repeat: 0 with the same body, else with another one.
        hours, moments: when an award ends: in so many hours and a half, and a few millionths of a second; None: never.
        place: which of the earlier transfers, or requests, is meant, counted from the latest.
        trial: nothing is to be moved.
    """

    kind: str
    who: int
    merchant: str
    code: str
    units: int
    hours: int | None
    moments: int
    place: int
    trial: bool

    def command(self, key: str, members: list[UUID], base: datetime, made: list[Transfer]) -> Command | None:
        """As a ledger takes it, whose transfers these are; None when there is nothing to follow."""
        points, member_id = f"{self.units} {self.code}", members[self.who]
        command: Command
        if self.kind in FOLLOWED:
            if not made:
                return None
            command = self._following(made)
        elif self.kind == "earn":
            ends = None if self.hours is None else base + self.hours * HOUR + timedelta(microseconds=self.moments)
            command = earn(points, self.merchant, expires=ends, member_id=member_id)
        elif self.kind == "convert":
            command = convert(f"{30 * self.units} BNK", "AIR", by="BNK", member_id=member_id)
        elif self.kind == "hold":
            command = hold(points, self.merchant, LIFETIME, member_id=member_id)
        elif self.kind == "expire":
            command = expire("TEL", member_id=member_id)
        else:
            command = _AWARDS_AND_SPENDINGS[self.kind](points, self.merchant, member_id=member_id)
        command.request_id, command.validate_only = key, self.trial
        command.fingerprint = repr(self._replace(trial=False)).encode()
        return command

    def _following(self, made: list[Transfer]) -> Command:
        original = made[self.place]
        if self.kind == "capture":
            return capture(original, self.units)
        return release(original) if self.kind == "release" else reverse(original, self.units)


class Together(NamedTuple):
    """Requests that come together to a server."""

    server: int
    asks: tuple[Ask, ...]
    atomic: bool


class Beside(NamedTuple):
    """What the operator does at a server, or time.

    Attributes:
        what: "window", "price", "suspension", "closing", "clock" (it is put forward) or "time" (it passes).
        number: hours, of the clock or until a price begins; place of the member who leaves; half the price.
    """

    server: int
    what: str
    number: int


Script = list[Together | Beside]

_servers = st.sampled_from([0, 0, 0, 1, 1, 2])
_KINDS = [
    "earn", "earn", "earn", "redeem", "redeem", "redeem", "redeem", "discount", "campaign", "convert", "again", "again",
    "hold", "capture", "release", "reverse", "expire",
]  # fmt: skip
_units = st.one_of(st.integers(1, 3), st.integers(4, 30))
OPENING = Together(
    0,
    tuple(
        Ask("earn", who, code, code, units, None, 0, 0, trial=False)
        for who in range(MEMBERS)
        for code, units in (("BNK", 150), ("TEL", 3))
    ),
    atomic=False,
)
"""Points to begin with."""


@st.composite
def asks(draw: st.DrawFn) -> Ask:
    """Any request. Most points are TEL, whose ends are near one another."""
    kind = draw(st.sampled_from(_KINDS))
    code, merchants = "TEL", ["GRO", "CAF", "TEL"]
    if kind in {"earn", "redeem"}:
        code = draw(st.sampled_from(["TEL", "TEL", "TEL", "AIR", "BNK"]))
    if kind == "earn":
        merchants = [code, "GRO"]
    units = draw(st.sampled_from([0, 0, 0, 7])) if kind == "again" else draw(_units)
    return Ask(
        kind,
        draw(st.integers(0, MEMBERS - 1)),
        draw(st.sampled_from(merchants)),
        code,
        units,
        draw(st.one_of(st.integers(0, 3), st.none())) if (kind, code) == ("earn", "TEL") else None,
        draw(st.integers(0, 1)),
        draw(st.integers(0, 3)),
        draw(st.integers(0, 1 if kind == "again" else 7)) == 1,
    )


@st.composite
def _together(draw: st.DrawFn) -> Together:
    together = draw(st.one_of(st.lists(asks(), min_size=1, max_size=1), st.lists(asks(), min_size=2, max_size=5)))
    return Together(draw(_servers), tuple(together), len(together) > 1 and draw(st.booleans()))


_WHAT = ["time", "time", "clock", "window", "price", "suspension", "closing"]
_NOTHING = Together(0, (), atomic=False)


@st.composite
def _acts(draw: st.DrawFn) -> Together | Beside:
    drawn = draw(st.integers(0, 15))
    if not drawn:
        # So that a script in which something is wrong can be told in few acts.
        return _NOTHING
    if drawn == 1:
        return Beside(draw(_servers), draw(st.sampled_from(_WHAT)), draw(st.integers(0, 2)))
    return draw(_together())


def scripts(acts: int) -> st.SearchStrategy[Script]:
    """So many acts, one after the other; most of them by merchants."""
    return st.lists(_acts(), min_size=acts, max_size=acts).map(lambda drawn: [OPENING, *drawn])
