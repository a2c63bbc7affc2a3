"""Whether a batch should be decided on less than could be had, from how it went with the ones before it."""

from __future__ import annotations

BATCHES = 4
BATCHES_MAX = 256


class Wariness:
    """Takes the safer way for a while after the quicker one was in vain, because somebody else had moved something.

    For `BATCHES` at first; when the next try is in vain too, for twice as many, up to `BATCHES_MAX`.

    Args:
        forgives: whether one try that was not in vain is enough to begin again with `BATCHES`; else it halves them.
    """

    def __init__(self, *, forgives: bool) -> None:
        self._forgives = forgives
        self._left, self._next = 0, BATCHES

    def is_wary(self) -> bool:
        """Whether the batch that begins goes the safer way."""
        if not self._left:
            return False
        self._left -= 1
        return True

    def was_right(self) -> None:
        """A batch that went the quicker way was written."""
        self._next = BATCHES if self._forgives else max(self._next // 2, BATCHES)

    def was_in_vain(self) -> None:
        """It was not."""
        self._left, self._next = self._next, min(2 * self._next, BATCHES_MAX)
