from __future__ import annotations

from exchange.conversion.model import Convert
from exchange.directory.model import Currency, Directory, MerchantRole
from exchange.directory.pricing import owed, owed_micros
from exchange.ledger.facts import MemberFacts
from exchange.ledger.legs import credited, debited
from exchange.ledger.model import DailyUse, NewLot, Obligation, ObligationKind, Posting
from exchange.money.limits import INT64_MAX
from exchange.rates.model import Coalition, Converted, Rate, convert_at
from exchange.refusals import (
    AboveMaximum,
    AmountOverflow,
    BelowMinimum,
    ConvertsToNothing,
    DailyCapExceeded,
    InsufficientPoints,
    NegativeSpread,
    NoRate,
    NotTheIssuer,
)


def convert(command: Convert, facts: MemberFacts, coalition: Coalition) -> Posting:
    """Burn what the rate uses at the source, mint what it gives at the target as a new lot.

    Source issuer owes target issuer minted x conversion-in price; it owes the operator what the out-price of the used
    points leaves above that, and the fee.

    Raises:
        RoleMissing, NotTheIssuer: the merchant is no exchange merchant, or issues neither currency.
        MerchantSuspended, CurrencySuspended: it, one of the issuers or of the currencies is.
        ResourceNotFound: no such currency.
        NoPrice, NoRate: none in force.
        BelowMinimum, AboveMaximum, ConvertsToNothing, DailyCapExceeded: the rate's bounds.
        InsufficientPoints: fewer points are spendable than asked.
        NegativeSpread: prices moved so that the operator would pay.
        AmountOverflow: a balance or money would pass 64 bits.
    """
    directory = coalition.directory
    source = directory.currency(command.currency, "source.currency")
    target = directory.currency(command.target, "target_currency")
    _require_parties(command, directory, source, target)
    rate = coalition.rate_at((source.number, target.number), facts.now)
    if rate is None:
        raise NoRate(source=source.name, target=target.name)
    converted = _converted(command, rate)
    account = facts.accounts[source.number]
    if account.spendable < command.units:
        raise InsufficientPoints(currency=source.name, available=account.spendable, requested=command.units)
    daily_use = _daily_use(rate, converted, facts)
    facts.accounts[target.number].require_room(converted.received_units)

    in_price = target.price_at(facts.now, "conversion_in").conversion_in_micros
    lot = NewLot(
        target.number,
        converted.received_units,
        source.issuer_no,
        in_price,
        target.expiry_of_lot(facts.now, coalition.time_zone),
    )
    return Posting(
        legs=debited(source.number, account.take(source.code, converted.used_units))
        + credited(lot, facts.accounts[target.number]),
        new_lots=[lot],
        obligations=_obligations(directory, source, target, converted, facts),
        rate_id=rate.rate_id,
        daily_use=daily_use,
    )


def _require_parties(command: Convert, directory: Directory, source: Currency, target: Currency) -> None:
    merchant = directory.merchants[command.merchant_no]
    merchant.require_active()
    merchant.require_role(MerchantRole.EXCHANGE)
    if merchant.number not in {source.issuer_no, target.issuer_no}:
        raise NotTheIssuer(merchant=merchant.name, source=source.name, target=target.name)
    for currency in (source, target):
        currency.require_active()
        directory.merchants[currency.issuer_no].require_active()


def _converted(command: Convert, rate: Rate) -> Converted:
    if command.units < rate.minimum_units:
        raise BelowMinimum(requested=command.units, minimum=rate.minimum_units, rate=rate.name)
    if rate.maximum_units and command.units > rate.maximum_units:
        raise AboveMaximum(requested=command.units, maximum=rate.maximum_units, rate=rate.name)
    converted = convert_at(rate, command.units)
    if not converted.used_units:
        raise ConvertsToNothing(requested=command.units, block=rate.block_units, rate=rate.name)
    if converted.received_units > INT64_MAX:
        raise AmountOverflow(figure="received", requested=command.units, rate=rate.name)
    return converted


def _daily_use(rate: Rate, converted: Converted, facts: MemberFacts) -> DailyUse | None:
    cap = rate.member_daily_cap_units
    if not cap:
        return None
    before = facts.daily_used.get(rate.pair, 0)
    if before + converted.used_units > cap:
        raise DailyCapExceeded(cap=cap, used=before, requested=converted.used_units, rate=rate.name)
    return DailyUse(*rate.pair, facts.today, before + converted.used_units)


def _obligations(
    directory: Directory, source: Currency, target: Currency, converted: Converted, facts: MemberFacts
) -> list[Obligation]:
    out_micros = converted.used_units * source.price_at(facts.now, "conversion_out").conversion_out_micros
    in_price = target.price_at(facts.now, "conversion_in").conversion_in_micros
    in_micros = converted.received_units * in_price
    if out_micros < in_micros:
        raise NegativeSpread(source=source.name, target=target.name, out_micros=out_micros, in_micros=in_micros)
    operator_no = directory.operator_no
    return [
        *owed(
            ObligationKind.CONVERSION,
            debtor_no=source.issuer_no,
            creditor_no=target.issuer_no,
            currency=source,
            units=converted.received_units,
            price_micros=in_price,
        ),
        *owed_micros(
            ObligationKind.SPREAD,
            debtor_no=source.issuer_no,
            creditor_no=operator_no,
            currency=source,
            micros=out_micros - in_micros,
        ),
        *owed_micros(
            ObligationKind.FEE,
            debtor_no=source.issuer_no,
            creditor_no=operator_no,
            currency=source,
            micros=converted.fee_micros,
        ),
    ]
