"""Setting the demo's stage through the API: merchants, currencies, prices, rates, keys, members and their links."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

from google.protobuf.timestamp_pb2 import Timestamp

from exchange.client.caller import Caller, Stubs
from exchange.demo.concurrency import for_each
from exchange.demo.model import Member, World
from exchange.demo.published import SETTLEMENT_CURRENCY, PublishedRate, programmes
from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import member_service_pb2 as members_pb
from exchange.v1 import rate_service_pb2 as rates_pb
from exchange.v1 import sandbox_service_pb2 as sandbox_pb
from exchange.v1 import types_pb2 as types

OFFSET = timedelta(hours=8)
_ZONE = timezone(OFFSET)
_CALLS_AT_ONCE = 64
_ROOM_BEFORE = timedelta(days=1)
"""The clock runs while we publish: what takes effect first must still lie ahead when its turn comes."""


@dataclass(frozen=True, slots=True)
class Actors:
    """Everybody who calls: merchants by id, and finance."""

    merchants: Mapping[str, Caller]
    finance_maker: Caller


async def build(world: World, stubs: Stubs, operator: Caller) -> Actors:
    """Found the coalition a day before its first rate takes effect, and publish everything ahead of time.

    Raises:
        Refused: the server would not.
    """
    beginning = min(rate.begins for rate in world.rates)
    await operator.ask(
        stubs.sandbox.SetClock, sandbox_pb.SetClockRequest(time=_timestamp(instant(beginning) - _ROOM_BEFORE))
    )
    for participant in world.participants.values():
        merchant = types.Merchant(
            name=f"merchants/{participant.id}",
            display_name=participant.title,
            roles=sorted(types.MerchantRole.Value(f"MERCHANT_ROLE_{role}") for role in participant.roles),
        )
        await operator.ask(stubs.directory.CreateMerchant, directory.CreateMerchantRequest(merchant=merchant))
    for code in programmes(world.rates):
        await _introduce(code, world, beginning, stubs, operator)
    for rate in world.rates:
        await operator.ask(stubs.rates.PublishRate, rates_pb.PublishRateRequest(rate=_rate(rate)))
    return Actors(
        {name: await _actor(stubs, operator, directory.CALLER_ROLE_MERCHANT, name) for name in world.participants},
        await _actor(stubs, operator, directory.CALLER_ROLE_FINANCE_MAKER),
    )


async def set_clock(stubs: Stubs, operator: Caller, to: datetime) -> None:
    """Move the coalition's clock.

    Raises:
        Refused: it would run backwards.
    """
    await operator.ask(stubs.sandbox.SetClock, sandbox_pb.SetClockRequest(time=_timestamp(to)))


async def enroll(
    members: Sequence[Member],
    visits: Mapping[int, Sequence[str]],
    lanes: Sequence[Stubs],
    actors: Actors,
    advance: Callable[[], None],
) -> list[str]:
    """Enroll each member at its home and link it to the other merchants it visits; resource names by number.

    Raises:
        Refused: the server would not.
    """
    names = [""] * len(members)

    async def one(member: Member) -> None:
        stubs = lanes[member.number % len(lanes)]
        request = members_pb.EnrollMemberRequest(reference=member.reference)
        enrolled = await actors.merchants[member.home].ask(stubs.members.EnrollMember, request)
        names[member.number] = enrolled.member.name
        for place in visits.get(member.number, ()):
            link = members_pb.LinkMemberRequest(member=enrolled.member.name, reference=member.reference)
            await actors.merchants[place].ask(stubs.members.LinkMember, link)
        advance()

    await for_each(members, one, at_once=_CALLS_AT_ONCE)
    return names


def instant(day: date, hour: int = 0) -> datetime:
    """A full hour of a day where the coalition lives."""
    return datetime.combine(day, time(hour), _ZONE)


async def _introduce(code: str, world: World, beginning: date, stubs: Stubs, operator: Caller) -> None:
    currency = types.Currency(
        name=f"currencies/{code}",
        issuer=f"merchants/{code}",
        display_name=world.participants[code].title,
        settlement_currency=SETTLEMENT_CURRENCY,
    )
    await operator.ask(stubs.directory.CreateCurrency, directory.CreateCurrencyRequest(currency=currency))
    prices = world.prices[code]
    price = types.Price(
        effective_time=_timestamp(instant(beginning)),
        issue_micros=prices.issue,
        redeem_micros=prices.redeem,
        conversion_in_micros=prices.conversion_in,
        conversion_out_micros=prices.conversion_out,
    )
    request = directory.PublishPriceRequest(currency=currency.name, price=price)
    await operator.ask(stubs.directory.PublishPrice, request)


async def _actor(stubs: Stubs, operator: Caller, role: directory.CallerRole.ValueType, merchant: str = "") -> Caller:
    name = f"merchants/{merchant}" if merchant else ""
    key = directory.ApiKey(caller_role=role, merchant=name, display_name="demo")
    issued = await operator.ask(stubs.directory.IssueApiKey, directory.IssueApiKeyRequest(api_key=key))
    return Caller(issued.secret)


def _rate(rate: PublishedRate) -> rates_pb.Rate:
    return rates_pb.Rate(
        source_currency=f"currencies/{rate.source.code}",
        target_currency=f"currencies/{rate.target.code}",
        source_units=rate.source_units,
        target_units=rate.target_units,
        block_units=rate.block,
        minimum_units=rate.minimum,
        bonus_every_units=rate.bonus_every,
        bonus_units=rate.bonus_points,
        fee_per_point_micros=rate.fee_per_point,
        fee_cap_micros=rate.fee_cap,
        effective_time=_timestamp(instant(rate.begins)),
        end_time=_timestamp(instant(rate.ends)) if rate.ends is not None else None,
    )


def _timestamp(at: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(at)
    return message
