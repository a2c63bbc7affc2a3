"""When a call is made again: a plain calculation, the same for the client of asyncio and for the one of threads."""

from __future__ import annotations

import random
from dataclasses import dataclass

import grpc

from exchange.client.errors import Refused
from exchange.client.policy import (
    FIRST_PAUSE_SECONDS,
    NOTHING_BEGUN,
    PAUSE_FACTOR,
    PAUSE_SECONDS_MAX,
    RETRIED,
    Deadlines,
    Kind,
)

_LEAST_SHARE = 0.5
"""A pause is at least so much of its length; the rest is chance, so that callers refused together part."""
_LIMIT = grpc.StatusCode.RESOURCE_EXHAUSTED
_OF_THE_CALLER = frozenset({grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNIMPLEMENTED})
"""Said of the caller or the server, and not of the request."""


@dataclass(slots=True)
class Attempts:
    """The attempts at one call.

    Attributes:
        kind: of the method.
        deadlines: for one attempt and for all.
        ends: when all must be over, on the clock whose times the methods are given.
        chance: makes pauses uneven.
        pause: the length of the next one, in seconds.
        doubt: how an attempt ended that may have been taken.
    """

    kind: Kind
    deadlines: Deadlines
    ends: float
    chance: random.Random
    pause: float = FIRST_PAUSE_SECONDS
    doubt: Refused | None = None

    def timeout(self, now: float) -> float:
        """Seconds the attempt that begins now may take; none of them when the deadline has passed."""
        return max(0.0, min(self.deadlines.attempt, self.ends - now))

    def pause_after(self, refused: Refused, now: float) -> float | None:
        """Seconds to wait before the next attempt; None: it must not be made, or would come too late."""
        if not self._may_repeat(refused):
            return None
        if refused.reason not in NOTHING_BEGUN:
            self.doubt = refused
        seconds = self.pause * self.chance.uniform(_LEAST_SHARE, 1.0)
        self.pause = min(self.pause * PAUSE_FACTOR, PAUSE_SECONDS_MAX)
        if refused.retry_after is not None:
            seconds = max(seconds, refused.retry_after * self.chance.uniform(1.0, 1.0 + _LEAST_SHARE))
        return seconds if now + seconds < self.ends else None

    def verdict(self, refused: Refused) -> Refused:
        """What to raise after the last attempt: its refusal, unless an earlier one may have been taken all the same.

        A key that was revoked between two attempts says nothing of the first.
        """
        says_nothing = refused.code in _OF_THE_CALLER or refused.reason == "METHOD_NOT_ALLOWED"
        return self.doubt if self.doubt is not None and says_nothing else refused

    def _may_repeat(self, refused: Refused) -> bool:
        if self.kind is not Kind.STREAM and refused.reason in NOTHING_BEGUN:
            return True
        if refused.code not in RETRIED[self.kind]:
            return False
        # gRPC itself says RESOURCE_EXHAUSTED of a message that is too large, and would say it for ever.
        return refused.code is not _LIMIT or refused.retry_after is not None
