"""Random movements of one member, many of which follow earlier ones: holds, captures, reversals, time that passes."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from hypothesis import strategies as st

from exchange.ledger.model import Command, Transfer, TransferKind
from tests.property.ledger_asks import MEMBERS
from tests.unit.rules.days import capture, expire, hold, release, reverse, terms
from tests.unit.rules.rulebook import NOON, coalition, currency, earn, redeem

ADA = MEMBERS[0]
CODES = ("TEL", "AIR")
BREAKAGE_BPS = 3_333
WORLD = coalition(
    currencies=[
        terms(currency("TEL", explicit=True), breakage=BREAKAGE_BPS),
        terms(currency("AIR", explicit=True), negative=True),
    ]
)
"""TEL gives funders a share of what ends; AIR lets members owe points. Everybody may do everything."""
HOUR = timedelta(hours=1)
KINDS = {int(TransferKind.RELEASE): "void"}
"""What a step calls a kind of transfer, where it has another word."""


class Step(NamedTuple):
    """One movement.

    `place` picks an earlier transfer, a `fitting` one if there is any; `hours` is when an award ends or how long a hold
    lasts; `keep` is a share.
    """

    kind: str
    code: str
    units: int
    merchant: str
    place: int = 0
    hours: int | None = None
    keep: tuple[int, int] | None = None
    fitting: bool = False

    def followed(self, kinds: list[str]) -> int | None:
        """Which of the transfers made so far, given by kind in order, the step follows; counted from the latest."""
        places = list(range(len(kinds)))
        if self.fitting:
            wanted = {"earn", "redeem", "capture"} if self.kind.startswith("reverse") else {"hold"}
            places = [place for place in places if kinds[place] in wanted] or places
        return places[-1 - self.place % len(places)] if places else None

    def command(self, made: list[Transfer]) -> Command | None:
        """As the ledger takes it; None when there is nothing yet to follow."""
        points = f"{self.units} {self.code}"
        if self.kind == "earn":
            expires = None if self.hours is None else NOON + self.hours * HOUR
            return earn(points, self.merchant, expires=expires, member_id=ADA)
        if self.kind == "redeem":
            return redeem(points, self.merchant, member_id=ADA)
        if self.kind == "hold":
            return hold(points, self.merchant, (self.hours or 5) * HOUR, member_id=ADA)
        place = self.followed([KINDS.get(one.kind, TransferKind(one.kind).name.lower()) for one in made])
        return None if place is None else self._following(made[place])

    def _following(self, original: Transfer) -> Command:
        match self.kind:
            case "capture":
                return capture(original, self.units)
            case "capture all":
                return capture(original)
            case "void":
                return release(original)
            case "reverse all":
                return reverse(original)
            case "reverse by share":
                return reverse(original, keep=self.keep)
            case _:
                return reverse(original, self.units)


OPENING = [
    Step("earn", "TEL", 30, "GRO", hours=9),
    Step("earn", "AIR", 9, "CAF"),
    Step("earn", "AIR", 9, "GRO"),
    Step("hold", "TEL", 12, "CAF", hours=4),
    Step("hold", "AIR", 15, "CAF", hours=37),
]
"""Something to follow from the beginning."""

_FREQUENT = ("earn", "redeem", "hold", "reverse", "reverse by share")
_kinds = st.sampled_from(
    [*_FREQUENT, *_FREQUENT, *("capture", "capture", "capture all", "void", "reverse all", "reverse all")]
)


@st.composite
def steps(draw: st.DrawFn) -> Step:
    """Any movement; lots end and holds lapse within two days."""
    total = draw(st.integers(1, 12))
    return Step(
        draw(_kinds),
        draw(st.sampled_from(CODES)),
        draw(st.integers(1, 20)),
        draw(st.sampled_from(["GRO", "CAF", "TEL"])),
        draw(st.one_of(st.integers(0, 2), st.integers(0, 60))),
        draw(st.one_of(st.none(), st.integers(1, 48))),
        (draw(st.integers(0, total)), total),
        draw(st.integers(0, 4)) > 0,
    )


days = st.lists(st.lists(steps(), min_size=2, max_size=8), min_size=1, max_size=6).map(lambda rest: [OPENING, *rest])
"""Batches six hours apart; after each, what has fallen due is done."""


def at(batch: int) -> timedelta:
    """How long after noon a batch comes."""
    return 6 * batch * HOUR


def endings() -> list[Command]:
    """The exchange's own commands that end lots."""
    return [expire(code, member_id=ADA) for code in CODES]
