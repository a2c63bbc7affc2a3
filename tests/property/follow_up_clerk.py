"""The same movements kept with pencil and paper: heaps of points, what was taken from which, and what is owed.

Written from the rulebook and from nothing else.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from math import floor

from tests.property.follow_up_steps import BREAKAGE_BPS, CODES, HOUR, Step
from tests.unit.rules.rulebook import NOON

ISSUE = {"TEL": 12_000, "AIR": 60_000}
REDEEM = {"TEL": 10_000, "AIR": 50_000}
OWING = {"AIR"}
NEVER = datetime.max.replace(tzinfo=NOON.tzinfo)


class No(Exception):
    """A refusal, by its reason."""


@dataclass
class Heap:
    """Points of one award."""

    ends: datetime
    funder: str
    points: int
    held: int = 0
    unused: int = 0


@dataclass
class Deed:
    """Something that was done, and how far it was undone, captured or given back."""

    kind: str
    code: str
    merchant: str
    taken: list[tuple[Heap, int]] = field(default_factory=list)
    made: Heap | None = None
    units: int = 0
    done: int = 0
    ended: bool = False
    lapsed: bool = False
    lapses: datetime = NEVER


@dataclass
class Clerk:
    """Everything there is to know of the member."""

    heaps: dict[str, list[Heap]] = field(default_factory=lambda: defaultdict(list))
    debt: Counter[str] = field(default_factory=Counter)
    owed: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    deeds: list[Deed] = field(default_factory=list)

    def told(self, step: Step, now: datetime) -> str | None:
        """The answer to a step: "moved" or a reason; None when it has nothing to follow."""
        if step.kind not in {"earn", "redeem", "hold"} and not self.deeds:
            return None
        try:
            self.deeds.append(self._do(step, now))
        except No as no:
            return str(no)
        return "moved"

    def tidy_up(self, now: datetime) -> None:
        """Holds lapse first; then heaps end, and funders get their share."""
        for deed in list(self.deeds):
            if deed.kind == "hold" and not deed.ended and deed.lapses <= now:
                self._void(deed)
                deed.lapsed = True
                self.deeds.append(Deed("void", deed.code, deed.merchant))
        for code in CODES:
            due = [heap for heap in self.heaps[code] if heap.points and heap.ends <= now]
            for heap in due:
                share = BREAKAGE_BPS if code == "TEL" else 0
                micros = floor(Fraction(heap.points * ISSUE[code] * share, 10_000) + Fraction(1, 2))
                self._owe(code, heap.funder, "BREAKAGE", micros)
                heap.unused += heap.points
                heap.points = 0
            if due:
                self.deeds.append(Deed("expire", code, code))

    def _do(self, step: Step, now: datetime) -> Deed:
        if step.kind == "earn":
            return self._earn(step, now)
        if step.kind in {"redeem", "hold"}:
            return self._use(step, now)
        place = step.followed([deed.kind for deed in self.deeds])
        assert place is not None
        deed = self.deeds[place]
        if step.kind.startswith("reverse"):
            return self._reverse(deed, step, now)
        if deed.kind != "hold":
            raise No("RESOURCE_NOT_FOUND")
        if deed.lapsed and step.kind != "void":
            raise No("HOLD_LAPSED")
        if deed.ended:
            raise No("HOLD_ENDED")
        if step.kind == "void":
            self._void(deed)
            return Deed("void", deed.code, deed.merchant)
        return self._capture(deed, step, now)

    def _earn(self, step: Step, now: datetime) -> Deed:
        ends = NEVER if step.hours is None else NOON + step.hours * HOUR
        if ends <= now:
            raise No("EXPIRY_NOT_ALLOWED")
        heap = Heap(ends, step.merchant, 0)
        self.heaps[step.code].append(heap)
        self._give(step.code, heap, step.units)
        self._owe(step.merchant, step.code, "EARN", step.units * ISSUE[step.code])
        return Deed("earn", step.code, step.merchant, made=heap, units=step.units)

    def _use(self, step: Step, now: datetime) -> Deed:
        heaps = self._alive(step.code, now)
        if sum(heap.points for heap in heaps) < step.units:
            raise No("INSUFFICIENT_POINTS")
        taken = _taken(heaps, step.units)
        if step.kind == "redeem":
            self._owe(step.code, step.merchant, "REDEEM", step.units * REDEEM[step.code])
            return Deed("redeem", step.code, step.merchant, taken, units=step.units)
        for heap, units in taken:
            heap.held += units
        lasts: timedelta = (step.hours or 5) * HOUR
        return Deed("hold", step.code, step.merchant, taken, units=step.units, lapses=now + lasts)

    def _capture(self, deed: Deed, step: Step, now: datetime) -> Deed:
        if deed.lapses <= now:
            raise No("HOLD_LAPSED")
        wanted = deed.units if step.kind == "capture all" else step.units
        if wanted > deed.units:
            raise No("CAPTURE_EXCEEDS_HOLD")
        used, left = [], wanted
        for heap, units in deed.taken:
            part = min(units, left)
            left -= part
            heap.held -= units
            used += [(heap, part)] if part else []
            self._give(deed.code, heap, units - part)
        deed.ended = True
        self._owe(deed.code, deed.merchant, "REDEEM", wanted * REDEEM[deed.code])
        return Deed("capture", deed.code, deed.merchant, used, units=wanted)

    def _void(self, deed: Deed) -> None:
        deed.ended = True
        for heap, units in deed.taken:
            heap.held -= units
            self._give(deed.code, heap, units)

    def _reverse(self, deed: Deed, step: Step, now: datetime) -> Deed:
        if deed.kind not in {"earn", "redeem", "capture"}:
            raise No("NOT_REVERSIBLE")
        if deed.done == deed.units:
            raise No("ALREADY_REVERSED")
        part = self._part(deed, step)
        if deed.kind == "earn" and part:
            part = self._take_back(deed, part, now)
            self._owe(deed.code, deed.merchant, "REVERSAL", part * ISSUE[deed.code])
        elif deed.kind != "earn":
            # As if that much less had been used: what was used last comes back.
            before = _parts(deed.taken, deed.units - deed.done)
            after = _parts(deed.taken, deed.units - deed.done - part)
            for (heap, there), (_, kept) in reversed(list(zip(before, after, strict=True))):
                self._give(deed.code, heap, there - kept)
            self._owe(deed.merchant, deed.code, "REVERSAL", part * REDEEM[deed.code])
        deed.done += part
        return Deed("reversal", deed.code, deed.merchant)

    def _part(self, deed: Deed, step: Step) -> int:
        left = deed.units - deed.done
        part = step.units if step.kind == "reverse" else left
        if step.kind == "reverse by share":
            assert step.keep is not None
            part = deed.units - floor(Fraction(deed.units * step.keep[0], step.keep[1])) - deed.done
        if not 0 <= part <= left:
            raise No("REVERSAL_EXCEEDS")
        return part

    def _take_back(self, deed: Deed, part: int, now: datetime) -> int:
        assert deed.made is not None
        gone = deed.made.unused + (deed.made.points if deed.made.ends <= now else 0)
        part = min(part, deed.units - deed.done - gone)
        if part <= 0:
            raise No("INSUFFICIENT_POINTS")
        alive = self._alive(deed.code, now)
        own = [heap for heap in alive if heap is deed.made]
        taken = sum(units for _, units in _taken(own + [heap for heap in alive if heap is not deed.made], part))
        if deed.code in OWING:
            self.debt[deed.code] += part - taken
            return part
        if not taken:
            raise No("INSUFFICIENT_POINTS")
        return taken

    def _give(self, code: str, heap: Heap, units: int) -> None:
        """Into the heap, but what the member owes is paid first."""
        paid = min(self.debt[code], units)
        self.debt[code] -= paid
        heap.points += units - paid

    def _alive(self, code: str, now: datetime) -> list[Heap]:
        # Sorting keeps the order of coming among those that end at once.
        return sorted((heap for heap in self.heaps[code] if heap.ends > now), key=lambda heap: heap.ends)

    def _owe(self, debtor: str, creditor: str, why: str, micros: int) -> None:
        if debtor != creditor and micros:
            self.owed[(debtor, creditor, why)] += micros


def _parts(taken: list[tuple[Heap, int]], units: int) -> list[tuple[Heap, int]]:
    """How much of the first `units` points came from each heap."""
    parts = []
    for heap, there in taken:
        part = min(there, units)
        units -= part
        parts.append((heap, part))
    return parts


def _taken(heaps: list[Heap], units: int) -> list[tuple[Heap, int]]:
    """Take up to so many points, heap by heap."""
    taken = _parts([(heap, heap.points) for heap in heaps], units)
    for heap, part in taken:
        heap.points -= part
    return [(heap, part) for heap, part in taken if part]
