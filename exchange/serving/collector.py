"""When Python's garbage collector looks: seldom by itself, and often at the little that calls leave.

Batches make many objects and no cycles; at the default thresholds a third of the time went into looking for some. But
gRPC leaves one small cycle with every call, the function that looks for its handler, so that left alone the collector
would find a third of a million objects at once and stop the server for half a second.
"""

from __future__ import annotations

import gc

SELDOM = (400_000, 50, 100)
TIDY_SECONDS = 0.5
_CALLS = 10_000
"""Ended since the last look; fewer, as of batches of a thousand, leave nothing worth one."""
_OLDER_EVERY = 16
"""Every so many looks one at what was under way during an earlier one; every so many of these one at everything."""


class Collector:
    """Looks for garbage when there is some."""

    def __init__(self) -> None:
        self._ended = 0
        self._looks = 0

    @staticmethod
    def calm() -> None:
        """From now on what is there is left alone, and the rest is looked at seldom. Once, before serving."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(*SELDOM)

    def tidy(self, ended: int) -> None:
        """To be called every `TIDY_SECONDS`, with how many calls have ended so far."""
        if ended - self._ended < _CALLS:
            return
        self._ended = ended
        self._looks += 1
        gc.collect((self._looks % _OLDER_EVERY == 0) + (self._looks % _OLDER_EVERY**2 == 0))
