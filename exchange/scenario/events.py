"""The events of a scenario file, each read with the keys its op takes."""

from __future__ import annotations

from datetime import datetime

from exchange.scenario.model import Advance, CloseWindow, Event, ExpectRefusal, FollowUp, Movement
from exchange.scenario.names import Names
from exchange.scenario.sections import Section
from exchange.v1.error_reason_pb2 import ErrorReason

MOVEMENTS = ("earn", "redeem", "discount", "convert", "campaign", "cash_out", "hold")
FOLLOW_UPS = ("capture", "void", "reverse")
OPS = (*MOVEMENTS, *FOLLOW_UPS, "advance", "expect_refusal", "close_window")
_REASONS = frozenset(name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()[1:])


class EventReader:
    """Reads events in order; sees that the clock only ever moves forward, and that `of` names an earlier event."""

    def __init__(self, names: Names, clock: datetime) -> None:
        self._names = names
        self._now = clock
        self._op_of_key: dict[str, str] = {}

    def read(self, part: Section) -> Event:
        """One event.

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
        moved = self._moved(part, op, at, strict=True)
        if moved.key is not None:
            self._op_of_key[moved.key] = op
        return moved

    def _op(self, part: Section, known: tuple[str, ...]) -> str:
        op = part.text("op")
        if op not in known:
            part.wrong("op", f"knows {', '.join(known)}, not {op}")
        return op

    def _expect_refusal(self, part: Section) -> ExpectRefusal:
        at = self._at(part)
        reason = part.text("reason")
        if reason not in _REASONS:
            part.wrong("reason", f"is none the server gives: {reason}")
        inner = part.section("event")
        part.finish()
        op = self._op(inner, (*MOVEMENTS, *FOLLOW_UPS))
        return ExpectRefusal(reason, self._moved(inner, op, self._at(inner), strict=False), part.line, at)

    def _moved(self, part: Section, op: str, at: datetime | None, *, strict: bool) -> Movement | FollowUp:
        """A movement; `strict` False lets it name what does not exist or does not fit, for the server to refuse."""
        if op in FOLLOW_UPS:
            return self._follow_up(part, op, at, strict=strict)
        return self._movement(part, op, at, strict=strict)

    def _movement(self, part: Section, op: str, at: datetime | None, *, strict: bool) -> Movement:
        source = "from" if op == "convert" else "currency"
        by_spend = op == "earn" and (part.has("amount") or part.has("rule"))
        movement = Movement(
            op=op,
            merchant=part.text("merchant"),
            member=part.text("member"),
            currency=part.text(source),
            points=0 if by_spend else part.whole("points"),
            line=part.line,
            target=part.text("to") if op == "convert" else None,
            tier=part.text("tier", "") if op == "convert" else "",
            expires=part.maybe_instant("expires", self._now.tzinfo) if op == "earn" else None,
            expires_in=part.whole("expires_in", least=1) if op == "hold" else 0,
            amount=part.whole("amount") if by_spend else 0,
            rule=part.text("rule") if by_spend else None,
            key=_key(part),
            at=at,
        )
        self._names.require_merchant(part, "merchant", movement.merchant)
        if strict:
            self._names.require_currency(part, source, movement.currency)
            if movement.target is not None:
                self._names.require_currency(part, "to", movement.target)
            if movement.rule is not None:
                self._names.require_earn_rule(part, "rule", movement.rule, movement.currency)
        part.finish()
        return movement

    def _follow_up(self, part: Section, op: str, at: datetime | None, *, strict: bool) -> FollowUp:
        of = part.text("of")
        if of not in self._op_of_key:
            part.wrong("of", f"names the key of no earlier event: {of}")
        if strict and op != "reverse" and self._op_of_key[of] != "hold":
            part.wrong("of", f"names no hold but op '{self._op_of_key[of]}': {of}")
        by_share = op == "reverse" and (part.has("retained") or part.has("total"))
        if by_share and part.has("points"):
            part.wrong("points", "stands beside retained and total: one of the two says how much")
        follow_up = FollowUp(
            op=op,
            of=of,
            line=part.line,
            # No points at all would mean all of them on the wire.
            points=part.whole("points", least=1) if op != "void" and part.has("points") else None,
            retained=part.whole("retained") if by_share else None,
            total=part.whole("total") if by_share else None,
            key=_key(part),
            at=at,
        )
        for absent in {"void": (), "capture": ("points",)}.get(op, ("points", "retained", "total")):
            part.skip(absent)
        part.finish()
        return follow_up

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


def _key(part: Section) -> str | None:
    if part.has("key"):
        return part.text("key")
    part.skip("key")
    return None
