"""Directory messages: requests to values, values to messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from google.protobuf.duration_pb2 import Duration

from exchange.directory.model import (
    Credential,
    Currency,
    Directory,
    EarnRule,
    ExpiryKind,
    Merchant,
    MerchantRole,
    Price,
)
from exchange.directory.service import NewCurrency, NewPrice
from exchange.money.currencies import MINOR_EXPONENT
from exchange.money.limits import BASIS_POINTS
from exchange.serving.checks import Violations, known_numbers
from exchange.serving.instants import timestamp
from exchange.v1 import directory_service_pb2 as pb
from exchange.v1 import types_pb2 as types

DISPLAY_NAME_MAX = 120
REASON_MAX = 500
EXPIRY_DAYS_MAX = 36_500
GRACE_MONTHS_MAX = 120
ROLE_NUMBERS = known_numbers(types.MerchantRole)
CALLER_NUMBERS = known_numbers(pb.CallerRole)
EXPIRY_NUMBERS = known_numbers(types.ExpiryPolicy.Kind)


class Reasoned(Protocol):
    """A request that names something and says why."""

    name: str
    reason: str


def id_of(name: str, collection: str) -> str:
    """The id of a required name."""
    check = Violations()
    found = check.resource_name("name", name, collection)
    check.raise_if_any()
    return found


def reasoned(request: Reasoned, collection: str) -> tuple[str, str]:
    """The id named and the reason given."""
    check = Violations()
    found = check.resource_name("name", request.name, collection)
    reason = check.text("reason", request.reason, 0, REASON_MAX)
    check.raise_if_any()
    return found, reason


def roles_of(check: Violations, roles: Sequence[int], path: str) -> list[MerchantRole]:
    """At least one role, none twice."""
    if not roles:
        check.say(path, "is required")
    if len(set(roles)) != len(roles):
        check.say(path, "names a role twice")
    known = [check.known(f"{path}[{place}]", role, ROLE_NUMBERS) for place, role in enumerate(roles)]
    return [MerchantRole(role) for role in known]


def new_currency(wanted: types.Currency) -> NewCurrency:
    """A currency to issue.

    Raises:
        InvalidField: names every field that is not well formed.
    """
    check = Violations()
    code = check.resource_name("currency.name", wanted.name, "currencies")
    money = check.currency_code("currency.settlement_currency", wanted.settlement_currency)
    if money not in MINOR_EXPONENT and not check.found.get("currency.settlement_currency"):
        check.say("currency.settlement_currency", "is no ISO 4217 currency")
    kind = wanted.expiry.kind or types.ExpiryPolicy.KIND_NONE
    check.known("currency.expiry.kind", kind, EXPIRY_NUMBERS)
    by_days = kind in {types.ExpiryPolicy.KIND_DAYS, types.ExpiryPolicy.KIND_INACTIVITY}
    least, most = (1, EXPIRY_DAYS_MAX) if by_days else (0, 0)
    by_year = int(kind == types.ExpiryPolicy.KIND_FISCAL_YEAR)
    asked, path = wanted.expiry, "currency.expiry"
    new = NewCurrency(
        code=code,
        issuer_id=check.resource_name("currency.issuer", wanted.issuer, "merchants"),
        display_name=check.text("currency.display_name", wanted.display_name, 0, DISPLAY_NAME_MAX) or code,
        settlement_currency=money,
        expiry_kind=kind,
        expiry_days=check.within("currency.expiry.days", wanted.expiry.days, least, most),
        breakage_share_bps=check.within("currency.breakage_share_bps", wanted.breakage_share_bps, 0, BASIS_POINTS),
        negative_balances=wanted.negative_balances,
        fiscal_year_end_month=check.within(
            f"{path}.fiscal_year_end_month", asked.fiscal_year_end_month, by_year, 12 * by_year
        ),
        fiscal_year_end_day=check.within(
            f"{path}.fiscal_year_end_day", asked.fiscal_year_end_day, by_year, 31 * by_year
        ),
        grace_months=check.within(f"{path}.grace_months", asked.grace_months, 0, GRACE_MONTHS_MAX * by_year),
    )
    check.raise_if_any()
    return new


def new_price(check: Violations, wanted: types.Price) -> NewPrice:
    """A price to publish."""
    at = check.instant("price.effective_time", wanted.effective_time) if wanted.HasField("effective_time") else None
    return NewPrice(
        effective_at=at,
        issue_micros=check.within("price.issue_micros", wanted.issue_micros, 0),
        redeem_micros=check.within("price.redeem_micros", wanted.redeem_micros, 0),
        conversion_in_micros=check.within("price.conversion_in_micros", wanted.conversion_in_micros, 0),
        conversion_out_micros=check.within("price.conversion_out_micros", wanted.conversion_out_micros, 0),
        cash_out_micros=check.within("price.cash_out_micros", wanted.cash_out_micros, 0),
        cash_out_fee_bps=check.within("price.cash_out_fee_bps", wanted.cash_out_fee_bps, 0, BASIS_POINTS),
    )


def merchant_message(merchant: Merchant) -> types.Merchant:
    """A merchant on the wire."""
    state = types.Merchant.STATE_SUSPENDED if merchant.suspended else types.Merchant.STATE_ACTIVE
    return types.Merchant(
        name=merchant.name,
        display_name=merchant.display_name,
        roles=sorted(merchant.roles),  # type: ignore[arg-type]
        cash_agent=merchant.cash_agent,
        state=state,
        create_time=timestamp(merchant.created_at),
    )


def currency_message(currency: Currency, directory: Directory) -> types.Currency:
    """A currency on the wire."""
    expiry = types.ExpiryPolicy(kind=currency.expiry_kind)  # type: ignore[arg-type]
    if currency.expiry_kind in {ExpiryKind.DAYS, ExpiryKind.INACTIVITY}:
        expiry.days = currency.expiry_days
    if currency.expiry_kind is ExpiryKind.FISCAL_YEAR:
        expiry.fiscal_year_end_month = currency.fiscal_year_end_month
        expiry.fiscal_year_end_day = currency.fiscal_year_end_day
        expiry.grace_months = currency.grace_months
    external = directory.external_ledgers.get(currency.number)
    return types.Currency(
        external_answer_timeout=None if external is None else Duration(seconds=external.answer_seconds),
        name=currency.name,
        issuer=directory.merchants[currency.issuer_no].name,
        display_name=currency.display_name,
        settlement_currency=currency.settlement_currency,
        expiry=expiry,
        breakage_share_bps=currency.breakage_share_bps,
        negative_balances=currency.negative_balances,
        state=types.Currency.STATE_SUSPENDED if currency.suspended else types.Currency.STATE_ACTIVE,
        create_time=timestamp(currency.created_at),
    )


def price_message(price: Price, code: str) -> types.Price:
    """A price on the wire."""
    return types.Price(
        name=f"currencies/{code}/prices/{price.price_no}",
        effective_time=timestamp(price.effective_at),
        issue_micros=price.issue_micros,
        redeem_micros=price.redeem_micros,
        conversion_in_micros=price.conversion_in_micros,
        conversion_out_micros=price.conversion_out_micros,
        cash_out_micros=price.cash_out_micros,
        cash_out_fee_bps=price.cash_out_fee_bps,
        publish_time=timestamp(price.published_at),
    )


def key_message(credential: Credential, directory: Directory) -> pb.ApiKey:
    """A key on the wire, without its secret."""
    merchant_no = credential.merchant_no
    return pb.ApiKey(
        name=credential.name,
        caller_role=credential.role,  # type: ignore[arg-type]
        merchant=directory.merchants[merchant_no].name if merchant_no is not None else "",
        display_name=credential.display_name,
        expire_time=timestamp(credential.expires_at),
        revoke_time=timestamp(credential.revoked_at),
        create_time=timestamp(credential.created_at),
        holder=credential.holder or "",
    )


def new_earn_rule(wanted: pb.EarnRule) -> tuple[EarnRule, str, str]:
    """An earn rule to make, its merchant's id and its currency's code.

    Raises:
        InvalidField: names every field that is not well formed.
    """
    check = Violations()
    rule = EarnRule(
        rule_id=check.resource_name("earn_rule.name", wanted.name, "earnRules"),
        merchant_no=0,
        currency_no=0,
        per_minor_units=check.positive("earn_rule.per_minor_units", wanted.per_minor_units),
        points_units=check.positive("earn_rule.points_units", wanted.points_units),
        carry_remainder=wanted.carry_remainder,
    )
    merchant_id = check.resource_name("earn_rule.merchant", wanted.merchant, "merchants")
    code = check.resource_name("earn_rule.currency", wanted.currency, "currencies")
    check.raise_if_any()
    return rule, merchant_id, code


def earn_rule_message(rule: EarnRule, directory: Directory) -> pb.EarnRule:
    """An earn rule on the wire."""
    return pb.EarnRule(
        name=rule.name,
        merchant=directory.merchants[rule.merchant_no].name,
        currency=directory.currencies[rule.currency_no].name,
        per_minor_units=rule.per_minor_units,
        points_units=rule.points_units,
        carry_remainder=rule.carry_remainder,
    )
