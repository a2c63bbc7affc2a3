"""Which amounts force what: nine hundred million points, and the number of the reason in `exchange.v1.ErrorReason`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import NamedTuple

from exchange.client.reasons import BY_REASON
from exchange.refusals import Refusal
from exchange.rehearsal.rules import FORCED, LOSING_THE_ANSWER, Asked
from exchange.v1.error_reason_pb2 import ErrorReason

FIRST_UNITS = 900_000_000
DONE_UNITS = 100_000
"""Added to the amount: the movement is made, and its first answer is lost to the reason."""
_PREFIX = "ERROR_REASON_"
_REFUSALS = {
    kind.reason: kind for kind in Refusal.__subclasses__() if kind.reason and kind.__module__ == Refusal.__module__
}
"""The exchange's own by reason, whatever else is loaded."""


class Forced(NamedTuple):
    """What an amount asks for: a reason, and whether the movement is made all the same."""

    reason: str
    done: bool


def amount_forcing(reason: str, *, done: bool = False) -> int:
    """How many points to ask for to be refused for a reason: 900000012 for "INSUFFICIENT_POINTS".

    Args:
        reason: of `exchange.v1.ErrorReason`, without its prefix.
        done: the movement is made and its answer lost; the same request again gets the answer.

    Raises:
        ValueError: no amount forces this.
    """
    if reason not in (LOSING_THE_ANSWER if done else REFUSED):
        raise ValueError(f"no amount forces {reason}{' after the movement was made' if done else ''}")
    return FIRST_UNITS + ErrorReason.Value(_PREFIX + reason) + (DONE_UNITS if done else 0)


def _with_documented_data(reason: str) -> Callable[[Asked], Exception]:
    """A refusal with all its documented metadata: from the request where it has them, else figures and a word."""
    refusal = _REFUSALS[reason]
    names = inspect.get_annotations(BY_REASON[reason]) if reason in BY_REASON else {}

    def forced(asked: Asked) -> Exception:
        known = asked._asdict() | {"source": asked.currency, "hold": asked.original, "transfer": asked.original}
        data = {name: known.get(name, asked.units if kind == "int" else "(rehearsed)") for name, kind in names.items()}
        return refusal(**data)

    return forced


REFUSED: dict[str, Callable[[Asked], Exception]] = {
    **{reason: _with_documented_data(reason) for reason in _REFUSALS},
    **FORCED,
}
"""How each reason is refused that a server without extensions may give."""
AMOUNTS: dict[int, Forced] = {
    amount_forcing(reason, done=done): Forced(reason, done)
    for done, reasons in ((False, REFUSED), (True, LOSING_THE_ANSWER))
    for reason in reasons
}
"""Every amount that forces something."""
