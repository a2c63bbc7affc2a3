"""What a conversion would do now: pure. A conversion without a quote asks here at the moment it is decided."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from exchange.directory.model import Currency, Directory, MerchantRole
from exchange.directory.pricing import owed, owed_micros
from exchange.ledger.model import Obligation, ObligationKind
from exchange.ledger.quote import Terms, some_terms
from exchange.money.limits import INT64_MAX
from exchange.money.rounding import ceil_ratio
from exchange.rates.model import Coalition, Converted, Rate, convert_at
from exchange.refusals import (
    AboveMaximum,
    AmountOverflow,
    BelowMinimum,
    ConvertsToNothing,
    NegativeSpread,
    NoRate,
    NotTheIssuer,
)

# Looking a member of an enum up costs a tenth of the obligation it goes into.
_CONVERSION: Final = ObligationKind.CONVERSION
_SPREAD: Final = ObligationKind.SPREAD
_FEE: Final = ObligationKind.FEE


def require_parties(merchant_no: int, directory: Directory, source: Currency, target: Currency) -> None:
    """Whether a merchant may turn one currency into the other.

    Raises:
        RoleMissing, NotTheIssuer: it is no exchange merchant, or issues neither currency.
        MerchantSuspended, CurrencySuspended: it, one of the issuers or of the currencies is.
    """
    merchant = directory.merchants[merchant_no]
    merchant.require_active()
    merchant.require_role(MerchantRole.EXCHANGE)
    if merchant.number not in {source.issuer_no, target.issuer_no}:
        raise NotTheIssuer(merchant=merchant.name, source=source.name, target=target.name)
    for currency in (source, target):
        currency.require_active()
        directory.merchants[currency.issuer_no].require_active()


def terms_for(
    source: Currency, target: Currency, coalition: Coalition, at: datetime, units: int, tier: str = ""
) -> Terms:
    """What at most `units` of source give at an instant to a member of a tier, or of none.

    Raises:
        NoRate, NoPrice: none in force.
        BelowMinimum, AboveMaximum, ConvertsToNothing: the rate's bounds.
        NegativeSpread: prices moved so that the operator would pay.
        AmountOverflow: what is received would pass 64 bits.
    """
    rate = _rate_at(source, target, coalition, at, tier)
    return _terms(rate, source, target, at, units)


def terms_reaching(
    source: Currency, target: Currency, coalition: Coalition, at: datetime, units: int, tier: str = ""
) -> Terms:
    """What the fewest source points do that the rate takes at an instant and that give at least `units` of target.

    Blocks, rounding, the volume bonus and the rate's minimum may make it more than `units`.

    Raises:
        NoRate, NoPrice, AboveMaximum, NegativeSpread, AmountOverflow: as `terms_for`.
    """
    rate = _rate_at(source, target, coalition, at, tier)
    needed = max(fewest_giving(rate, units), rate.minimum_units)
    if needed > INT64_MAX:
        raise AmountOverflow(figure="source", requested=units, rate=rate.name)
    return _terms(rate, source, target, at, needed)


def fewest_giving(rate: Rate, units: int) -> int:
    """The fewest source points that give at least `units` of target, whole blocks of them; exact.

    More never gives less, so halving finds it.
    """
    block, too_few = rate.block_units, 0
    # Enough without a bonus; with one, fewer may be.
    enough = ceil_ratio(ceil_ratio(units, rate.source_units, rate.target_units), 1, block)
    while enough - too_few > 1:
        blocks = (too_few + enough) // 2
        if convert_at(rate, blocks * block).received_units >= units:
            enough = blocks
        else:
            too_few = blocks
    return enough * block


def obligations(terms: Terms, directory: Directory) -> list[Obligation]:
    """Who owes whom for a conversion.

    Source issuer owes target issuer minted x conversion-in price; it owes the operator what the out-price of the used
    points leaves above that, and the fee.

    Raises:
        AmountOverflow: one of them passes 64 bits.
    """
    source, target = directory.currencies[terms.source_no], directory.currencies[terms.target_no]
    debtor_no, operator_no = source.issuer_no, directory.operator_no
    received, in_price = terms.received_units, terms.in_price_micros
    in_micros = received * in_price
    spread_micros = terms.used_units * terms.out_price_micros - in_micros
    owing = owed(
        _CONVERSION,
        debtor_no=debtor_no,
        creditor_no=target.issuer_no,
        currency=source,
        units=received,
        price_micros=in_price,
    )
    for kind, micros in ((_SPREAD, spread_micros), (_FEE, terms.fee_micros)):
        if micros:
            owing += owed_micros(kind, debtor_no=debtor_no, creditor_no=operator_no, currency=source, micros=micros)
    return owing


def _rate_at(source: Currency, target: Currency, coalition: Coalition, at: datetime, tier: str) -> Rate:
    rate = coalition.rate_at((source.number, target.number), at, tier)
    if rate is None:
        raise NoRate(source=source.name, target=target.name)
    return rate


def _terms(rate: Rate, source: Currency, target: Currency, at: datetime, units: int) -> Terms:
    converted = _converted(rate, units)
    out_price = source.price_at(at, "conversion_out").conversion_out_micros
    in_price = target.price_at(at, "conversion_in").conversion_in_micros
    out_micros, in_micros = converted.used_units * out_price, converted.received_units * in_price
    if out_micros < in_micros:
        raise NegativeSpread(source=source.name, target=target.name, out_micros=out_micros, in_micros=in_micros)
    assert rate.rate_id is not None, "a rate in force was published"
    source_no, target_no = rate.pair
    return some_terms(
        rate.rate_id,
        source_no,
        target_no,
        converted.used_units,
        converted.received_units,
        converted.fee_micros,
        out_price,
        in_price,
        rate.member_daily_cap_units,
    )


def _converted(rate: Rate, units: int) -> Converted:
    if units < rate.minimum_units:
        raise BelowMinimum(requested=units, minimum=rate.minimum_units, rate=rate.name)
    if rate.maximum_units and units > rate.maximum_units:
        raise AboveMaximum(requested=units, maximum=rate.maximum_units, rate=rate.name)
    converted = convert_at(rate, units)
    if not converted.used_units:
        raise ConvertsToNothing(requested=units, block=rate.block_units, rate=rate.name)
    if converted.received_units > INT64_MAX:
        raise AmountOverflow(figure="received", requested=units, rate=rate.name)
    return converted
