"""The events of a scenario file, each read with the keys its op takes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from exchange.scenario.model import Advance, CloseWindow, Event, ExpectRefusal, Movement, NotOffered
from exchange.scenario.names import Names
from exchange.scenario.sections import Section
from exchange.v1.error_reason_pb2 import ErrorReason

MOVEMENTS = ("earn", "redeem", "discount", "convert")
_LATER_OPS = {
    "campaign": ("merchant", "member", "currency", "points", "key"),
    "cash_out": ("merchant", "member", "currency", "points", "key"),
    "hold": ("merchant", "member", "currency", "points", "key", "expires_in"),
    "capture": ("of", "points", "key"),
    "void": ("of", "key"),
    "reverse": ("of", "points", "retained", "total", "key"),
}
_EARN_BY_RULE = ("merchant", "member", "currency", "amount", "rule", "expires", "key")
OPS = (*MOVEMENTS, *_LATER_OPS, "advance", "expect_refusal", "close_window")
_REASONS = frozenset(name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()[1:])


class EventReader:
    """Reads events in order, and sees that the clock only ever moves forward."""

    def __init__(self, names: Names, clock: datetime, not_offered: list[NotOffered]) -> None:
        self._names = names
        self._now = clock
        self._not_offered = not_offered

    def read(self, part: Section) -> Event | None:
        """One event; None when its op is not offered yet, which is then noted.

        Raises:
            BadScenario: an unknown op or key, a wrong value, an undeclared name, or a clock that would go back.
        """
        op = self._op(part, OPS)
        if op == "expect_refusal":
            return self._expect_refusal(part)
        if op == "advance":
            advance = Advance(self._forward(part, "to"), part.line)
            part.finish()
            return advance
        at = self._at(part)
        if op == "close_window":
            part.finish()
            return CloseWindow(part.line, at)
        return self._movement(part, op, at, strict=True)

    def _op(self, part: Section, known: tuple[str, ...]) -> str:
        op = part.text("op")
        if op not in known:
            part.wrong("op", f"knows {', '.join(known)}, not {op}")
        return op

    def _expect_refusal(self, part: Section) -> ExpectRefusal | None:
        at = self._at(part)
        reason = part.text("reason")
        if reason not in _REASONS:
            part.wrong("reason", f"is none the server gives: {reason}")
        inner = part.section("event")
        part.finish()
        op = self._op(inner, (*MOVEMENTS, *_LATER_OPS))
        movement = self._movement(inner, op, self._at(inner), strict=False)
        return ExpectRefusal(reason, movement, part.line, at) if movement is not None else None

    def _movement(self, part: Section, op: str, at: datetime | None, *, strict: bool) -> Movement | None:
        """A movement; `strict` False lets the currency be one that does not exist, for the server to refuse."""
        if op in _LATER_OPS:
            self._note(part, _LATER_OPS[op], f"op '{op}'")
            return None
        if op == "earn" and (part.has("amount") or part.has("rule")):
            self._note(part, _EARN_BY_RULE, "op 'earn' by amount and rule")
            return None
        source = "from" if op == "convert" else "currency"
        movement = Movement(
            op=op,
            merchant=part.text("merchant"),
            member=part.text("member"),
            currency=part.text(source),
            points=part.whole("points"),
            line=part.line,
            target=part.text("to") if op == "convert" else None,
            expires=part.maybe_instant("expires", self._now.tzinfo) if op == "earn" else None,
            key=part.text("key") if part.has("key") else None,
            at=at,
        )
        part.skip("key")
        self._names.require_merchant(part, "merchant", movement.merchant)
        if strict:
            self._names.require_currency(part, source, movement.currency)
            if movement.target is not None:
                self._names.require_currency(part, "to", movement.target)
        part.finish()
        return movement

    def _note(self, part: Section, keys: Sequence[str], what: str) -> None:
        """Check the keys of what cannot be played yet, and note it."""
        for key in keys:
            part.skip(key)
        part.finish()
        self._not_offered.append(NotOffered(what, part.line))

    def _at(self, part: Section) -> datetime | None:
        if part.has("at"):
            return self._forward(part, "at")
        part.skip("at")
        return None

    def _forward(self, part: Section, key: str) -> datetime:
        instant = part.instant(key, self._now.tzinfo)
        if instant < self._now:
            part.wrong(key, f"would turn the clock back: it stands at {self._now.isoformat()}")
        self._now = instant
        return instant
