"""Whether a batch should be read without locks, from how it went with the ones before it."""

from __future__ import annotations

BATCHES = 4
BATCHES_MAX = 256


class Wariness:
    """Takes locks for a while after somebody else moved what had been read without them.

    For `BATCHES` at first; when the next try without locks is in vain too, for twice as many, up to `BATCHES_MAX`.
    """

    def __init__(self) -> None:
        self._left, self._next = 0, BATCHES

    def takes_locks(self) -> bool:
        """Whether the batch that begins does."""
        if not self._left:
            return False
        self._left -= 1
        return True

    def was_right(self, *, is_locked: bool) -> None:
        """A batch was written; one without locks shows that nobody is in the way any more."""
        if not is_locked:
            self._next = BATCHES

    def was_in_vain(self) -> None:
        """What was read without locks had moved."""
        self._left, self._next = self._next, min(2 * self._next, BATCHES_MAX)
