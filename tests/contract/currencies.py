"""Sets of rates and terms by which merchants settle in one currency, as the wire has them."""

from __future__ import annotations

from typing import Any

from settlement.v1 import settlement_service_pb2 as pb


def a_rate(way: str = "USD CNY", numerator: int = 72, denominator: int = 10, **fields: Any) -> pb.FxRate:
    """A rate: "USD CNY" is so many yuan for so many dollars."""
    source, target = way.split()
    told = {"source": "desk", "as_of_date": "2026-03-31"} | fields
    return pb.FxRate(
        **{"from_currency_code": source, "to_currency_code": target, **told},
        numerator=numerator,
        denominator=denominator,
    )


def rates(version: int = 1, *found: pb.FxRate, **fields: Any) -> pb.Proposal:
    """A version of the set "month-end"."""
    return pb.Proposal(
        fx_set=pb.FxSet(**{"name": "month-end", "version": version, "rates": found or [a_rate()], **fields})
    )


def into(
    basis: pb.ConversionBasis.ValueType = pb.CONVERSION_BASIS_PER_POSITION, fx_set: str = "month-end", **chosen: str
) -> pb.Proposal:
    """Terms by which merchants settle in one currency."""
    currencies = [
        pb.SettlementCurrency(participant=f"merchants/{name}", currency_code=code) for name, code in chosen.items()
    ]
    conversion = pb.CurrencyConversion(fx_set=fx_set, basis=basis, settlement_currencies=currencies)
    return pb.Proposal(terms=pb.SettlementTerms(mode=pb.NETTING_MODE_MULTILATERAL, conversion=conversion))
