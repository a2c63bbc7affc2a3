"""From points and a price to money owed. Used by every rule; refuses what 64 bits cannot hold."""

from __future__ import annotations

from exchange.directory.model import Currency
from exchange.ledger.making import an_obligation
from exchange.ledger.model import Obligation, ObligationKind
from exchange.money.limits import INT64_MAX
from exchange.refusals import AmountOverflow


def owed(
    kind: ObligationKind, *, debtor_no: int, creditor_no: int, currency: Currency, units: int, price_micros: int
) -> list[Obligation]:
    """Debtor owes creditor units x price. Nobody owes himself, and nothing is no debt: then the list is empty.

    Raises:
        AmountOverflow: the product passes 64 bits.
    """
    micros = units * price_micros
    if micros > INT64_MAX:
        raise AmountOverflow(figure="obligation", points=units, price_micros=price_micros)
    if not micros or debtor_no == creditor_no:
        return []
    return [an_obligation(kind, debtor_no, creditor_no, currency.settlement_currency, micros, units, price_micros)]


def owed_micros(
    kind: ObligationKind, *, debtor_no: int, creditor_no: int, currency: Currency, micros: int
) -> list[Obligation]:
    """Debtor owes creditor an amount that is no product of points and a price: a spread or a fee.

    Raises:
        AmountOverflow: the amount passes 64 bits.
    """
    if micros > INT64_MAX:
        raise AmountOverflow(figure="obligation", micros=micros)
    if not micros or debtor_no == creditor_no:
        return []
    return [an_obligation(kind, debtor_no, creditor_no, currency.settlement_currency, micros)]
