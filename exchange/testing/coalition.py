"""The coalition a sandbox comes with: a merchant for each part there is to play, and members to play it with."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from exchange.client.asynchronous import AsyncClient
from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import member_service_pb2 as members
from exchange.v1 import rate_service_pb2 as rates
from exchange.v1 import transfer_service_pb2 as transfers
from exchange.v1 import types_pb2 as types

DISCOUNT, REDEMPTION, EARNING, EXCHANGE = "DISCOUNT", "REDEMPTION", "EARNING", "EXCHANGE"
ROLES: Mapping[str, tuple[str, ...]] = {
    "GRO": (EARNING, DISCOUNT),
    "CAF": (EARNING, REDEMPTION),
    "TEL": (EARNING, DISCOUNT, REDEMPTION, EXCHANGE),
    "BNK": (EARNING, EXCHANGE),
    "AIR": (EARNING, REDEMPTION, EXCHANGE),
    "OFF": (EARNING, DISCOUNT, REDEMPTION),
}
"""A grocer, a café that is a cash agent, three issuers, and one that is suspended."""
CASH_AGENT, SUSPENDED = "CAF", "OFF"

_MONEY = "CNY"
_YEAR = types.ExpiryPolicy(kind=types.ExpiryPolicy.KIND_DAYS, days=365)
_PRICES: Mapping[str, types.Price] = {
    "TEL": types.Price(
        issue_micros=12_000,
        redeem_micros=10_000,
        conversion_in_micros=10_500,
        conversion_out_micros=10_000,
        cash_out_micros=8_000,
        cash_out_fee_bps=200,
    ),
    "BNK": types.Price(
        issue_micros=2_500, redeem_micros=2_000, conversion_in_micros=2_250, conversion_out_micros=2_000
    ),
    "AIR": types.Price(
        issue_micros=60_000, redeem_micros=50_000, conversion_in_micros=55_000, conversion_out_micros=50_000
    ),
}
_EXPIRY: Mapping[str, types.ExpiryPolicy] = {"AIR": _YEAR}
"""AIR's points end after a year; the others' do not."""
_RATES = (
    rates.Rate(
        source_currency="currencies/BNK",
        target_currency="currencies/AIR",
        source_units=30,
        target_units=1,
        block_units=3_000,
        minimum_units=6_000,
        fee_micros=100_000,
    ),
    rates.Rate(
        source_currency="currencies/TEL",
        target_currency="currencies/BNK",
        source_units=1,
        target_units=4,
        member_daily_cap_units=50_000,
    ),
)
MEMBERS: Mapping[str, Mapping[str, int]] = {
    "card-rich": {"TEL": 10_000_000_000, "BNK": 10_000_000_000, "AIR": 10_000_000_000},
    "card-1": {"TEL": 10_000, "BNK": 250_000, "AIR": 5_000},
    "card-empty": {},
}
"""Points by the members' references, which are the same at every merchant."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Secrets of API keys: the operator's, an auditor's, and those of merchants by id."""

    operator: str
    auditor: str
    merchants: Mapping[str, str]


async def build(address: str, operator_key: str) -> Keys:
    """Take the merchants in, publish prices and rates, and enroll the members.

    Raises:
        Refused: the server would not.
    """
    async with AsyncExitStack() as stack:
        operator = await stack.enter_async_context(AsyncClient(address, operator_key))
        secrets = {merchant: await _take_in(operator, merchant) for merchant in ROLES}
        for code, price in _PRICES.items():
            await _introduce(operator, code, price)
        for rate in _RATES:
            await operator.rates.PublishRate(rates.PublishRateRequest(rate=rate))
        clients = {
            merchant: await stack.enter_async_context(AsyncClient(address, secret))
            for merchant, secret in secrets.items()
        }
        await asyncio.gather(*(enroll(clients, reference, points) for reference, points in MEMBERS.items()))
        suspended = directory.SuspendMerchantRequest(name=f"merchants/{SUSPENDED}")
        await operator.directory.SuspendMerchant(suspended)
        return Keys(operator_key, await _key(operator, directory.CALLER_ROLE_AUDITOR), secrets)


async def enroll(clients: Mapping[str, AsyncClient], reference: str, points: Mapping[str, int]) -> str:
    """A new member, linked by every merchant, with points the issuers award; its resource name."""
    first, *others = clients.values()
    enrolled = await first.members.EnrollMember(members.EnrollMemberRequest(reference=reference))
    name = enrolled.member.name
    for other in others:
        await other.members.LinkMember(members.LinkMemberRequest(member=name, reference=reference))
    for code, units in points.items():
        award = types.PointsAmount(currency=f"currencies/{code}", units=units)
        await clients[code].transfers.EarnPoints(transfers.EarnPointsRequest(member=name, points=award))
    return name


async def _take_in(operator: AsyncClient, merchant: str) -> str:
    roles = [types.MerchantRole.Value(f"MERCHANT_ROLE_{role}") for role in ROLES[merchant]]
    wanted = types.Merchant(name=f"merchants/{merchant}", roles=roles, cash_agent=merchant == CASH_AGENT)
    await operator.directory.CreateMerchant(directory.CreateMerchantRequest(merchant=wanted))
    return await _key(operator, directory.CALLER_ROLE_MERCHANT, wanted.name)


async def _key(operator: AsyncClient, role: directory.CallerRole.ValueType, merchant: str = "") -> str:
    key = directory.ApiKey(caller_role=role, merchant=merchant, display_name="sandbox")
    return (await operator.directory.IssueApiKey(directory.IssueApiKeyRequest(api_key=key))).secret


async def _introduce(operator: AsyncClient, code: str, price: types.Price) -> None:
    currency = types.Currency(
        name=f"currencies/{code}",
        issuer=f"merchants/{code}",
        settlement_currency=_MONEY,
        expiry=_EXPIRY.get(code),
    )
    await operator.directory.CreateCurrency(directory.CreateCurrencyRequest(currency=currency))
    await operator.directory.PublishPrice(directory.PublishPriceRequest(currency=currency.name, price=price))
