from __future__ import annotations

from datetime import datetime

from exchange.directory.model import Currency, ExpiryKind, MerchantRole
from exchange.directory.pricing import owed
from exchange.earning.model import Earn
from exchange.ledger.facts import MemberFacts
from exchange.ledger.legs import credited
from exchange.ledger.model import NewLot, ObligationKind, Posting
from exchange.rates.model import Coalition
from exchange.refusals import ExpiryNotAllowed


def earn(command: Earn, facts: MemberFacts, coalition: Coalition) -> Posting:
    """Make a new lot for the member; the earning merchant owes the issuer points x issue price, itself nothing.

    Raises:
        RoleMissing: the merchant is no earning merchant.
        MerchantSuspended, CurrencySuspended: it, the issuer or the currency is.
        ResourceNotFound: no such currency.
        NoPrice: the currency has none yet.
        ExpiryNotAllowed: an expiry the policy does not take, or one that has passed.
        AmountOverflow: the balance or the money would pass 64 bits.
    """
    directory = coalition.directory
    merchant = directory.merchants[command.merchant_no]
    currency = directory.currency(command.currency, "points.currency")
    issuer = directory.merchants[currency.issuer_no]
    merchant.require_active()
    merchant.require_role(MerchantRole.EARNING)
    currency.require_active()
    issuer.require_active()
    price = currency.price_at(facts.now, "issue")
    expires_at = _expiry(command, currency, facts.now)
    facts.accounts[currency.number].require_room(command.units)

    lot = NewLot(currency.number, command.units, merchant.number, price.issue_micros, expires_at)
    return Posting(
        legs=credited(lot),
        new_lots=[lot],
        obligations=owed(
            ObligationKind.EARN,
            debtor_no=merchant.number,
            creditor_no=issuer.number,
            currency=currency,
            units=command.units,
            price_micros=price.issue_micros,
        ),
    )


def _expiry(command: Earn, currency: Currency, now: datetime) -> datetime | None:
    if command.expires_at is not None:
        if currency.expiry_kind is not ExpiryKind.EXPLICIT or command.expires_at <= now:
            raise ExpiryNotAllowed(currency=currency.name, expire_time=command.expires_at.isoformat())
        return command.expires_at
    return currency.expiry_of_lot(now)
