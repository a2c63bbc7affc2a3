"""Trees of leaves, and the hashes that prove where some of them are. Pure."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from exchange.money.currencies import micros_per_minor
from exchange.money.rounding import half_up
from settlement.proofs.offline import node_hash

HASH_BYTES = 32


class Tree:
    """A Merkle tree as RFC 6962 has it: a last node without a neighbour goes up as it is. 64 bytes for each leaf."""

    def __init__(self, leaf_hashes: Iterable[bytes]) -> None:
        level = bytearray().join(leaf_hashes)
        self.size = len(level) // HASH_BYTES
        self._levels = [level]
        while len(level) > HASH_BYTES:
            level = _above(level)
            self._levels.append(level)

    @property
    def root(self) -> str:
        """Hexadecimal."""
        return bytes(self._levels[-1]).hex() if self.size else hashlib.sha256().hexdigest()

    def hashes_beside(self, places: Sequence[int]) -> list[str]:
        """What whoever holds the leaves at these places, in rising order, needs besides to come to the root."""
        return list(self._beside(places, len(self._levels) - 1, 0)) if self.size else []

    def _beside(self, places: Sequence[int], level: int, number: int) -> Iterator[str]:
        found = bisect_left(places, number << level)
        if found == len(places) or places[found] >= (number + 1) << level:
            yield _node(self._levels[level], number).hex()
        elif level:
            yield from self._beside(places, level - 1, 2 * number)
            if (2 * number + 1) * HASH_BYTES < len(self._levels[level - 1]):
                yield from self._beside(places, level - 1, 2 * number + 1)


def pair_leaf(currency: str, debtor: str, creditor: str, micros: int, obligations: int) -> str:
    """What a directed pair owes, as `offline.PAIR` reads it."""
    minor = half_up(micros, micros_per_minor(currency))
    return f"{currency}|{debtor}|{creditor}|{micros}|{obligations}|{minor}"


def _above(level: bytearray) -> bytearray:
    count = len(level) // HASH_BYTES
    pairs = (node_hash(_node(level, place), _node(level, place + 1)) for place in range(0, count - 1, 2))
    above = bytearray().join(pairs)
    return above + _node(level, count - 1) if count % 2 else above


def _node(level: bytearray, number: int) -> bytes:
    return bytes(level[number * HASH_BYTES : (number + 1) * HASH_BYTES])
