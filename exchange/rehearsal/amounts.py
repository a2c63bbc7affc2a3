"""Which amounts force what: nine hundred million points, and the number of the reason in `exchange.v1.ErrorReason`."""

from __future__ import annotations

from typing import NamedTuple

from exchange.rehearsal.rules import FORCED, LOSING_THE_ANSWER
from exchange.v1.error_reason_pb2 import ErrorReason

FIRST_UNITS = 900_000_000
DONE_UNITS = 100_000
"""Added to the amount: the movement is made, and its first answer is lost to the reason."""
_PREFIX = "ERROR_REASON_"


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
    if reason not in (LOSING_THE_ANSWER if done else FORCED):
        raise ValueError(f"no amount forces {reason}{' after the movement was made' if done else ''}")
    return FIRST_UNITS + ErrorReason.Value(_PREFIX + reason) + (DONE_UNITS if done else 0)


AMOUNTS: dict[int, Forced] = {
    amount_forcing(reason, done=done): Forced(reason, done)
    for done, reasons in ((False, FORCED), (True, LOSING_THE_ANSWER))
    for reason in reasons
}
"""Every amount that forces something."""
