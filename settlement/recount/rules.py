"""Holding a run against what was counted. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

from settlement.recount.model import NOTHING, Counted, Figures, Mismatch, PairKey
from settlement.run.model import CurrencyResult

Row = tuple[str, str, str, int, int]
"""currency, debtor, creditor, micro-units, obligations: what some of a window's transfers come to."""


class Counter:
    """Adds up sums of parts of a window; memory grows with the pairs, not with the transfers."""

    def __init__(self) -> None:
        self._micros: dict[tuple[str, str, str], int] = {}
        self._obligations: dict[tuple[str, str, str], int] = {}
        self.seen = 0

    def add(self, rows: Iterable[Row]) -> None:
        """Count what a part comes to."""
        micros_of, obligations_of = self._micros, self._obligations
        for currency, debtor, creditor, micros, obligations in rows:
            pair = (currency, debtor, creditor)
            micros_of[pair] = micros_of.get(pair, 0) + micros
            obligations_of[pair] = obligations_of.get(pair, 0) + obligations
            self.seen += obligations

    def counted(self, transfers: int) -> Counted:
        """What was counted so far; so many transfers left it."""
        pairs = {PairKey(*pair): Figures(self._micros[pair], self._obligations[pair]) for pair in sorted(self._micros)}
        return Counted(pairs, transfers)


def mismatches(result: Sequence[CurrencyResult], counted: Counted) -> list[Mismatch]:
    """The pairs for which a run's own figures are not those of the transfers, in name order."""
    of_run = {
        PairKey(one.currency, pair.debtor, pair.creditor): Figures(pair.micros, pair.obligations)
        for one in result
        for pair in one.pairs
    }
    return [
        Mismatch(pair, of_run.get(pair, NOTHING), counted.pairs.get(pair, NOTHING))
        for pair in sorted(of_run.keys() | counted.pairs.keys())
        if of_run.get(pair, NOTHING) != counted.pairs.get(pair, NOTHING)
    ]


def written(window_no: int, counted: Counted) -> bytes:
    """The one written form of what was counted: no times of work and no order of arrival in it."""
    document = {
        "window": window_no,
        "transfers": counted.transfers,
        "obligations": counted.obligations,
        "pairs": [{**pair._asdict(), **figures._asdict()} for pair, figures in sorted(counted.pairs.items())],
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def digest_of(document: bytes) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(document).hexdigest()
