"""What rates are held against before they are published: a coalition at noon."""

from __future__ import annotations

from exchange.rates.model import Rate
from exchange.rates.proofs import Ground
from exchange.rates.proposed import Bounds
from tests.unit.rules.rulebook import NOON, coalition, currency, price

FREE = [currency(code, price()) for code in ("AIR", "BNK", "TEL")]
"""Points that cost nothing: what is looked at is the ratios alone."""


def ground(*versions: Rate, bounds: Bounds | None = None, priced: bool = False) -> Ground:
    """A coalition with these versions at noon; its points cost nothing unless `priced`."""
    directory = coalition(currencies=[] if priced else FREE).directory
    return Ground(directory, versions, bounds or Bounds(), NOON)
