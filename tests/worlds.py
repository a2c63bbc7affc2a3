"""Coalitions for tests, built through the public wire in the language of the trade.

    async with a_server(database_url) as server, a_world(server.address, server.operator_secret) as world:
        gro = await world.merchant("GRO", EARNING, DISCOUNT)
        tel = await world.merchant("TEL", EXCHANGE)
        await world.currency("TEL", issuer=tel, issue=12_000, redeem=10_000)
        ada = await world.member("ada", linked_to=[gro, tel])
        await gro.earn(ada, "500 TEL")

A world needs no database of its own: one test file shares a server and a world, and each test enrolls its own members.
Calls are made once, without retries: a refusal leaves as grpc's own AioRpcError. Requests stand in `tests.movements`
and `tests.publications`, the server in `tests.servers`; a server process will do as well.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import aio

from exchange.client.caller import Stubs
from exchange.v1 import directory_service_pb2 as directory_pb
from exchange.v1 import member_service_pb2 as member_pb
from exchange.v1 import rate_service_pb2 as rate_pb
from exchange.v1 import sandbox_service_pb2 as sandbox_pb
from exchange.v1 import transfer_service_pb2 as transfer_pb
from exchange.v1 import types_pb2 as types
from tests.movements import FIELDS, Member, Movement, a_conversion, a_discount, a_redemption, an_earn, item
from tests.publications import PRICE_FIELDS, a_promotion, a_rate

DISCOUNT = types.MERCHANT_ROLE_DISCOUNT
REDEMPTION = types.MERCHANT_ROLE_REDEMPTION
EARNING = types.MERCHANT_ROLE_EARNING
EXCHANGE = types.MERCHANT_ROLE_EXCHANGE
GENERAL = types.MERCHANT_ROLE_GENERAL
EVERY_ROLE = (DISCOUNT, REDEMPTION, EARNING, EXCHANGE)

CALL_SECONDS_MAX = 30.0
RECEIVE_BYTES_MAX = 64 * 1024 * 1024

Question = TypeVar("Question")
Answer = TypeVar("Answer")


def instant(text_or_moment: str | datetime) -> Timestamp:
    """A moment on the wire: "2026-03-01T09:00:00+08:00"."""
    moment = text_or_moment
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    assert moment.tzinfo is not None, f"{moment} could be anywhere on earth"
    stamp = Timestamp()
    stamp.FromDatetime(moment.astimezone(UTC))
    return stamp


class Party:
    """Whoever calls with one credential.

    Attributes:
        name: resource name of the merchant, "merchants/GRO"; of others the empty text.
        secret: of its API key.
        key: resource name of that key.
    """

    def __init__(self, stubs: Stubs, secret: str, name: str = "", key: str = "") -> None:
        self.stubs, self.secret, self.name, self.key = stubs, secret, name, key
        self.metadata = (("authorization", f"Bearer {secret}"),)

    async def ask(self, method: aio.UnaryUnaryMultiCallable[Question, Answer], question: Question) -> Answer:
        """The answer, or AioRpcError."""
        return await method(question, metadata=self.metadata, timeout=CALL_SECONDS_MAX)

    def at(self, channel: aio.Channel) -> Self:
        """The same caller on another channel: another connection, or another server process."""
        return type(self)(Stubs(channel), self.secret, self.name, self.key)


class Merchant(Party):
    """A merchant's system. Movements take members by name; `fields` are further fields of the request."""

    async def post(self, movement: Movement) -> Any:
        """Ask for a movement by its unary method; the answer has `transfer` and `replayed`."""
        stubs = self.stubs.transfers
        methods: dict[str, Any] = {
            "earn": stubs.EarnPoints,
            "redeem": stubs.RedeemPoints,
            "discount": stubs.DiscountPoints,
            "convert": stubs.ConvertPoints,
            "campaign": stubs.UseInCampaign,
            "cash_out": stubs.CashOutPoints,
            "hold": stubs.HoldPoints,
            "capture": stubs.CaptureHold,
            "void": stubs.VoidHold,
            "reverse": stubs.ReverseTransfer,
        }
        return await self.ask(methods[FIELDS[type(movement)]], movement)

    async def earn(
        self, member: Member, amount: str, key: str | None = None, **fields: Any
    ) -> transfer_pb.EarnPointsResponse:
        """Award points: "500 TEL"."""
        return await self.ask(self.stubs.transfers.EarnPoints, an_earn(member, amount, key, **fields))

    async def redeem(
        self, member: Member, amount: str, key: str | None = None, **fields: Any
    ) -> transfer_pb.RedeemPointsResponse:
        """Take points for goods."""
        return await self.ask(self.stubs.transfers.RedeemPoints, a_redemption(member, amount, key, **fields))

    async def discount(
        self, member: Member, amount: str, key: str | None = None, **fields: Any
    ) -> transfer_pb.DiscountPointsResponse:
        """Take points as cash."""
        return await self.ask(self.stubs.transfers.DiscountPoints, a_discount(member, amount, key, **fields))

    async def convert(
        self, member: Member, amount: str, target: str, key: str | None = None, **fields: Any
    ) -> transfer_pb.ConvertPointsResponse:
        """Turn points into another currency: `convert(ada, "100 000 BNK", "AIR")`."""
        return await self.ask(self.stubs.transfers.ConvertPoints, a_conversion(member, amount, target, key, **fields))

    async def quote(
        self, member: Member, source: str, target: str, *, seconds: int = 600, **fixed: int
    ) -> rate_pb.Quote:
        """Ask for a quote: `quote(ada, "BNK", "AIR", source_units=100_000)`, or target_units."""
        request = rate_pb.CreateQuoteRequest(
            member=member.name,
            source_currency=f"currencies/{source}",
            target_currency=f"currencies/{target}",
            lifetime=Duration(seconds=seconds),
            **fixed,  # type: ignore[arg-type]  # one of the two choices
        )
        return (await self.ask(self.stubs.rates.CreateQuote, request)).quote

    async def batch(self, *movements: Movement, atomic: bool = False) -> Sequence[transfer_pb.TransferResult]:
        """Make movements at once; one result each, in their order."""
        mode = transfer_pb.BatchTransferRequest.Mode
        request = transfer_pb.BatchTransferRequest(
            items=map(item, movements), mode=mode.MODE_ATOMIC if atomic else mode.MODE_INDEPENDENT
        )
        return (await self.ask(self.stubs.transfers.BatchTransfer, request)).results

    async def balances(self, member: Member) -> dict[str, int]:
        """Spendable points by currency code: {"TEL": 500}."""
        answer = await self.ask(self.stubs.members.ListBalances, member_pb.ListBalancesRequest(member=member.name))
        return {balance.currency.removeprefix("currencies/"): balance.available_units for balance in answer.balances}


class World:
    """A coalition under construction, seen by its operator."""

    def __init__(self, stubs: Stubs, operator_secret: str) -> None:
        self.stubs = stubs
        self.operator = Party(stubs, operator_secret)
        self._numbers = itertools.count(1)

    async def merchant(
        self, merchant_id: str, *roles: types.MerchantRole.ValueType, cash_agent: bool = False
    ) -> Merchant:
        """Take a merchant in and give it a key; without roles it is a general one."""
        wanted = types.Merchant(name=f"merchants/{merchant_id}", roles=roles or [GENERAL], cash_agent=cash_agent)
        request = directory_pb.CreateMerchantRequest(merchant=wanted)
        taken_in = await self.operator.ask(self.stubs.directory.CreateMerchant, request)
        return await self.key_of(taken_in.merchant)

    async def key_of(self, merchant: types.Merchant | Merchant) -> Merchant:
        """A further key of a merchant's."""
        secret, key = await self._issue(directory_pb.CALLER_ROLE_MERCHANT, merchant.name)
        return Merchant(self.stubs, secret, merchant.name, key)

    async def party(self, role: directory_pb.CallerRole.ValueType, holder: str | None = None) -> Party:
        """A caller that is no merchant: operator, finance, auditor. `holder`: left out, somebody new; "", nobody."""
        person = f"person-{next(self._numbers)}" if holder is None else holder
        secret, key = await self._issue(role, "", person)
        return Party(self.stubs, secret, "", key)

    async def auditor(self) -> Party:
        """Whoever reads everything and changes nothing."""
        return await self.party(directory_pb.CALLER_ROLE_AUDITOR)

    async def currency(self, code: str, issuer: Merchant, *, money: str = "CNY", **terms: Any) -> str:
        """Let a merchant issue a currency; answers its resource name.

        Args:
            code: "TEL".
            issuer: who.
            money: ISO 4217 code of its prices.
            terms: prices as `price` takes them (none: it has no price yet), and fields of Currency.
        """
        prices = {name: terms.pop(name) for name in PRICE_FIELDS.keys() & terms.keys()}
        wanted = types.Currency(name=f"currencies/{code}", issuer=issuer.name, settlement_currency=money, **terms)
        request = directory_pb.CreateCurrencyRequest(currency=wanted)
        await self.operator.ask(self.stubs.directory.CreateCurrency, request)
        if prices:
            await self.price(code, **prices)
        return wanted.name

    async def price(self, code: str, *, effective: str | datetime | None = None, **micros: int) -> types.Price:
        """Publish what a point costs from an instant on, else from now: see `PRICE_FIELDS`; micro-units."""
        price = types.Price(
            effective_time=None if effective is None else instant(effective),
            **{PRICE_FIELDS[name]: figure for name, figure in micros.items()},  # type: ignore[arg-type]
        )
        request = directory_pb.PublishPriceRequest(currency=f"currencies/{code}", price=price)
        return (await self.operator.ask(self.stubs.directory.PublishPrice, request)).price

    async def rate(self, source: str, target: str, ratio: str, **terms: Any) -> rate_pb.Rate:
        """Publish a rate: `rate("BNK", "AIR", "30:1", block_units=3_000)`; `terms` are further fields of Rate."""
        rate = a_rate(source, target, ratio, **terms)
        return (await self.operator.ask(self.stubs.rates.PublishRate, rate_pb.PublishRateRequest(rate=rate))).rate

    async def promotion(
        self,
        name: str,
        what: str,
        *,
        at: Merchant | None = None,
        sponsors: Mapping[Any, int] | None = None,
        **terms: Any,
    ) -> directory_pb.Promotion:
        """Begin a promotion: on awards, `promotion("K1", "AIR", at=caf, bonus_bps=10_000)`, or a pair, `"BNK>TEL"`.

        Args:
            name: its id.
            what: the currency, or the pair.
            at: whose awards; left out: everybody's.
            sponsors: share of each in basis points.
            terms: further fields of Promotion.
        """
        request = directory_pb.CreatePromotionRequest(promotion=a_promotion(name, what, at, sponsors, **terms))
        return (await self.operator.ask(self.stubs.directory.CreatePromotion, request)).promotion

    async def member(self, label: str, linked_to: Sequence[Merchant]) -> Member:
        """Enroll a person with the first merchant and link it to the others, everywhere by one reference of its own."""
        reference = f"{label}-{next(self._numbers)}"
        first, *others = linked_to
        enrolled = await first.ask(first.stubs.members.EnrollMember, member_pb.EnrollMemberRequest(reference=reference))
        name = enrolled.member.name
        for other in others:
            link = member_pb.LinkMemberRequest(member=name, reference=reference)
            await other.ask(other.stubs.members.LinkMember, link)
        return Member(name, reference)

    async def suspend(self, merchant: Merchant) -> None:
        """Stop a merchant."""
        request = directory_pb.SuspendMerchantRequest(name=merchant.name)
        await self.operator.ask(self.stubs.directory.SuspendMerchant, request)

    async def now(self) -> datetime:
        """What time it is for the coalition."""
        answer = await self.operator.ask(self.stubs.sandbox.GetClock, sandbox_pb.GetClockRequest())
        return answer.time.ToDatetime(UTC)

    async def set_clock(self, moment: str | datetime) -> None:
        """Move the coalition's clock; backwards only before anything has moved."""
        request = sandbox_pb.SetClockRequest(time=instant(moment))
        await self.operator.ask(self.stubs.sandbox.SetClock, request)

    async def _issue(self, role: directory_pb.CallerRole.ValueType, merchant: str, holder: str = "") -> tuple[str, str]:
        key = directory_pb.ApiKey(caller_role=role, merchant=merchant, holder=holder)
        request = directory_pb.IssueApiKeyRequest(api_key=key)
        issued = await self.operator.ask(self.stubs.directory.IssueApiKey, request)
        return issued.secret, issued.api_key.name


@asynccontextmanager
async def a_channel(address: str) -> AsyncIterator[aio.Channel]:
    """A connection of its own: without the option all channels of a process to one address share a connection."""
    options = [("grpc.max_receive_message_length", RECEIVE_BYTES_MAX), ("grpc.use_local_subchannel_pool", 1)]
    async with aio.insecure_channel(address, options=options) as channel:
        yield channel


@asynccontextmanager
async def a_world(address: str, operator_secret: str) -> AsyncIterator[World]:
    """The coalition that a server serves, for whoever holds an operator's key."""
    async with a_channel(address) as channel:
        yield World(Stubs(channel), operator_secret)
