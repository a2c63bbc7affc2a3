"""Random requests to a small coalition: few members, merchants and keys, so that they meet often."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from hypothesis import strategies as st

from exchange.directory.model import MerchantRole
from exchange.ledger.model import Command
from tests.unit.rules.rulebook import NOON, coalition, convert, currency, discount, earn, rate, redeem

MEMBERS = tuple(UUID(int=(7 << 76) | (2 << 62) | number) for number in (1, 2))
MERCHANTS = ("AIR", "BNK", "CAF", "GRO", "TEL")
CODES = ("AIR", "BNK", "TEL")

BANK_TO_AIRLINE = rate("30 BNK", "1 AIR", block=60, bonus=(360, 1), fee_per_point=7, fee_cap=2_000, daily_cap=500)
AIRLINE_TO_PHONES = rate("2 AIR", "7 TEL", minimum=4, maximum=90, fee=5)
WORLD = coalition(
    BANK_TO_AIRLINE,
    AIRLINE_TO_PHONES,
    currencies=[currency("AIR", days=2), currency("TEL", explicit=True)],
    roles={"CAF": {MerchantRole.EARNING}, "GRO": {MerchantRole.REDEMPTION, MerchantRole.DISCOUNT}},
)
"""One currency for each expiry policy, one rate with everything and one with bounds, two merchants with few roles."""


class Ask(NamedTuple):
    """A request in plain figures; `ends` is days from noon, for an award that says so."""

    kind: str
    member: UUID
    merchant: str
    code: str
    units: int
    target: str
    key: str
    ends: int | None
    trial: bool

    @property
    def body(self) -> tuple[object, ...]:
        """What makes it the same request when it comes again."""
        return (self.kind, self.member, self.code, self.units, self.target, self.ends)

    def command(self) -> Command:
        """The same as the ledger takes it."""
        points = f"{self.units} {self.code}"
        if self.kind == "earn":
            expires = None if self.ends is None else NOON + timedelta(days=self.ends)
            made: Command = earn(
                points, self.merchant, expires=expires, key=self.key, member_id=self.member, trial=self.trial
            )
        elif self.kind == "convert":
            made = convert(points, self.target, by=self.merchant, key=self.key, member_id=self.member, trial=self.trial)
        else:
            spend = {"redeem": redeem, "discount": discount}[self.kind]
            made = spend(points, self.merchant, key=self.key, member_id=self.member, trial=self.trial)
        made.fingerprint = repr(self.body).encode()
        return made


class AskGroup(NamedTuple):
    """Requests that came together."""

    asks: tuple[Ask, ...]
    atomic: bool


OPENING = AskGroup(
    tuple(
        Ask("earn", member, code, code, units, "", f"opening-{member}-{code}", None, trial=False)
        for member, code, units in [(MEMBERS[0], "BNK", 1_500), (MEMBERS[0], "AIR", 20), (MEMBERS[1], "BNK", 400)]
    ),
    atomic=False,
)
"""Points to begin with, so that much of what is asked can be done."""

_keys = st.one_of(st.integers(0, 5).map("shared-{}".format), st.integers(0, 10**9).map("own-{}".format))
_units = st.one_of(st.integers(1, 40), st.integers(41, 700))
_SENSIBLE = {("BNK", "AIR"): st.sampled_from([120, 239, 360, 480]), ("AIR", "TEL"): st.integers(3, 12)}


@st.composite
def asks(draw: st.DrawFn, *, trials: bool = True) -> Ask:
    """Any request, sensible or not; awards and spendings by those who may are frequent."""
    kind = draw(st.sampled_from(["earn", "earn", "redeem", "discount", "convert", "convert"]))
    code, target, units = draw(st.sampled_from(CODES)), "", _units
    if kind == "convert":
        code, target = draw(st.sampled_from([("BNK", "AIR"), ("AIR", "TEL"), ("BNK", "AIR"), ("TEL", "BNK")]))
        units = st.one_of(_SENSIBLE.get((code, target), _units), _units)
    return Ask(
        kind,
        draw(st.sampled_from(MEMBERS)),
        draw(st.one_of(st.just(code), st.sampled_from(MERCHANTS))),
        code,
        draw(units),
        target,
        draw(_keys),
        draw(st.one_of(st.none(), st.integers(0, 3))) if (kind, code) == ("earn", "TEL") else None,
        trials and draw(st.integers(0, 9)) == 0,
    )


@st.composite
def groups(draw: st.DrawFn, *, trials: bool = True) -> AskGroup:
    """One request, or a few that are done together or side by side."""
    together = draw(st.lists(asks(trials=trials), min_size=1, max_size=3))
    return AskGroup(tuple(together), len(together) > 1 and draw(st.booleans()))
