"""The coalition the measurements play in, made through the public gRPC API like any other.

A ring of merchants: each issues a currency that converts into its neighbour's at 30:1 with a fee, so that every
conversion leaves three obligations. Each has members of its own, with points of both currencies.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from exchange.client.caller import Caller, Stubs
from exchange.client.channel import connected
from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import member_service_pb2 as members
from exchange.v1 import rate_service_pb2 as rates
from exchange.v1 import transfer_service_pb2 as transfers
from exchange.v1 import types_pb2 as types

OPERATOR = "OPR"
TIME_ZONE = "Asia/Shanghai"
BLOCK_UNITS = 30
_MERCHANTS = ("BN1", "BN2", "BN3", "BN4", "BN5")
MEMBERS_EACH = 1_000
_GIVEN_UNITS = 1_000_000_000
_CALLS_AT_ONCE = 64
_OK = 0

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Party:
    """A merchant as the load generator plays it."""

    merchant: str
    secret: str
    currency: str
    """What it issues; its members hold plenty."""
    neighbour: str
    """What it converts into, earns and redeems; its members hold plenty of that too."""
    members: tuple[str, ...]


async def build(port: int, operator_secret: str, *, members_each: int = MEMBERS_EACH) -> list[Party]:
    """Make the coalition on a server that has none yet; each merchant gets so many members, at most 1 000."""
    operator = Caller(operator_secret)
    async with connected(f"127.0.0.1:{port}") as channel:
        stubs = Stubs(channel)
        for code in _MERCHANTS:
            await _take_in(stubs, operator, code)
        for code, neighbour in _ring():
            rate = rates.Rate(
                source_currency=f"currencies/{code}",
                target_currency=f"currencies/{neighbour}",
                source_units=30,
                target_units=1,
                block_units=BLOCK_UNITS,
                fee_micros=1_000,
            )
            await operator.ask(stubs.rates.PublishRate, rates.PublishRateRequest(rate=rate))
        return [await _party(stubs, operator, code, neighbour, members_each) for code, neighbour in _ring()]


def _ring() -> list[tuple[str, str]]:
    return list(zip(_MERCHANTS, _MERCHANTS[1:] + _MERCHANTS[:1], strict=True))


async def _take_in(stubs: Stubs, operator: Caller, code: str) -> None:
    """A merchant with three roles, its currency and prices."""
    merchant = types.Merchant(
        name=f"merchants/{code}",
        roles=[types.MERCHANT_ROLE_EARNING, types.MERCHANT_ROLE_REDEMPTION, types.MERCHANT_ROLE_EXCHANGE],
    )
    await operator.ask(stubs.directory.CreateMerchant, directory.CreateMerchantRequest(merchant=merchant))
    currency = types.Currency(name=f"currencies/{code}", issuer=merchant.name, settlement_currency="CNY")
    await operator.ask(stubs.directory.CreateCurrency, directory.CreateCurrencyRequest(currency=currency))
    price = types.Price(
        issue_micros=2_500, redeem_micros=2_000, conversion_in_micros=55_000, conversion_out_micros=2_000
    )
    publication = directory.PublishPriceRequest(currency=currency.name, price=price)
    await operator.ask(stubs.directory.PublishPrice, publication)


async def _party(stubs: Stubs, operator: Caller, code: str, neighbour: str, members_each: int) -> Party:
    """The merchant's key, its members, and their points."""
    key = directory.ApiKey(caller_role=directory.CALLER_ROLE_MERCHANT, merchant=f"merchants/{code}")
    issued = await operator.ask(stubs.directory.IssueApiKey, directory.IssueApiKeyRequest(api_key=key))
    caller = Caller(issued.secret)
    enrolled = await _all(
        caller.ask(stubs.members.EnrollMember, members.EnrollMemberRequest(reference=f"{code}-{number}"))
        for number in range(members_each)
    )
    names = tuple(answer.member.name for answer in enrolled)
    for currency in (code, neighbour):
        award = [_earn(member, f"currencies/{currency}") for member in names]
        answer = await caller.ask(stubs.transfers.BatchTransfer, transfers.BatchTransferRequest(items=award))
        refused = [result.status for result in answer.results if result.status.code != _OK]
        assert not refused, f"members got no points: {refused[0]}"
    return Party(f"merchants/{code}", issued.secret, f"currencies/{code}", f"currencies/{neighbour}", names)


def _earn(member: str, currency: str) -> transfers.TransferItem:
    points = types.PointsAmount(currency=currency, units=_GIVEN_UNITS)
    return transfers.TransferItem(
        earn=transfers.EarnPointsRequest(request_id=str(uuid.uuid4()), member=member, points=points)
    )


async def _all(calls: Iterable[Awaitable[Answer]]) -> list[Answer]:
    """Every answer, in order, with a limited number of calls under way."""
    room = asyncio.Semaphore(_CALLS_AT_ONCE)

    async def one(call: Awaitable[Answer]) -> Answer:
        async with room:
            return await call

    return await asyncio.gather(*(one(call) for call in calls))
