from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from exchange.directory.bands import judged
from exchange.directory.model import Currency, Directory, ExpiryKind, MerchantRole
from exchange.directory.pricing import owed
from exchange.earning.model import Earn
from exchange.ledger.facts import MemberFacts
from exchange.ledger.legs import credited
from exchange.ledger.making import a_new_lot
from exchange.ledger.model import ObligationKind, Posting, Spend
from exchange.money.limits import INT64_MAX
from exchange.promotions.rules import add_bonuses
from exchange.rates.model import Coalition
from exchange.refusals import AmountOverflow, ExpiryNotAllowed, ResourceNotFound, ReturnRateExceeded


def earn(command: Earn, facts: MemberFacts, coalition: Coalition) -> Posting:
    """Make a new lot for the member; the earning merchant owes the issuer points x issue price, itself nothing.

    Promotions that are on add their bonuses, each a lot beside it. An earn by spend may make no points at all: then it
    only carries what was spent.

    Raises:
        RoleMissing: the merchant is no earning merchant.
        MerchantSuspended, CurrencySuspended: it, the issuer or the currency is.
        ResourceNotFound: no such currency, or no such earn rule of this merchant.
        NoPrice: the currency has none yet.
        ExpiryNotAllowed: an expiry the policy does not take, or one that has passed.
        AmountOverflow: the balance or the money would pass 64 bits.
        ReturnRateExceeded: the rule gives more of the money spent than the merchant's band allows.
    """
    directory = coalition.directory
    merchant = directory.merchants[command.merchant_no]
    currency, units, spend = _points(command, facts, directory)
    issuer = directory.merchants[currency.issuer_no]
    merchant.require_active()
    merchant.require_role(MerchantRole.EARNING)
    currency.require_active()
    issuer.require_active()
    price = currency.price_at(facts.now, "issue")
    if merchant.number in directory.return_bands:
        _require_band(command, currency, facts.now, directory)
    expires_at = _expiry(command, currency, facts.now, coalition.time_zone)
    if not units:
        return Posting(legs=[], spend=spend)
    account = facts.accounts[currency.number]
    account.require_room(units)

    lot = a_new_lot(currency.number, units, merchant.number, price.issue_micros, expires_at)
    posting = Posting(
        legs=credited(lot, account),
        new_lots=[lot],
        spend=spend,
        obligations=owed(
            ObligationKind.EARN,
            debtor_no=merchant.number,
            creditor_no=issuer.number,
            currency=currency,
            units=units,
            price_micros=price.issue_micros,
        ),
    )
    promotions = coalition.promotions_on(command, facts.now)
    return add_bonuses(posting, promotions, facts, directory) if promotions else posting


def _points(command: Earn, facts: MemberFacts, directory: Directory) -> tuple[Currency, int, Spend | None]:
    """How many points of what, and for an earn by spend what is carried after it."""
    if command.spend_rule is None:
        return directory.currency(command.currency, "points.currency"), command.units, None
    rule = directory.earn_rules.get(command.spend_rule)
    if rule is None or rule.merchant_no != command.merchant_no:
        raise ResourceNotFound(resource=f"earnRules/{command.spend_rule}", field="spend.rule")
    carried = facts.notes.carried.get(rule.rule_id, 0) if rule.carry_remainder else 0
    counted = carried + command.spend_minor
    # Below zero is spend that was given back after it had made points: it is made up for before anything earns.
    full, left = divmod(counted, rule.per_minor_units) if counted > 0 else (0, counted)
    units = full * rule.points_units
    if units > INT64_MAX:
        raise AmountOverflow(figure="points", spent=command.spend_minor, rule=rule.name)
    currency = directory.currencies[rule.currency_no]
    return currency, units, Spend(rule.rule_id, command.spend_minor, left if rule.carry_remainder else 0)


def _require_band(command: Earn, currency: Currency, now: datetime, directory: Directory) -> None:
    rule = directory.earn_rules.get(command.spend_rule or "")
    over = rule and judged(rule, currency, directory.return_bands[command.merchant_no], now)
    if rule and over and over.is_refused:
        raise ReturnRateExceeded(rule=rule.name, rate_bps=over.rate_bps, max_bps=over.max_bps)


def _expiry(command: Earn, currency: Currency, now: datetime, time_zone: ZoneInfo) -> datetime | None:
    if command.expires_at is not None:
        if currency.expiry_kind is not ExpiryKind.EXPLICIT or command.expires_at <= now:
            raise ExpiryNotAllowed(currency=currency.name, expire_time=command.expires_at.isoformat())
        return command.expires_at
    return currency.expiry_of_lot(now, time_zone)
