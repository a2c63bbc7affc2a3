"""Requests for quotes to values, and quotes to messages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from exchange.api.wire import NANOS_PER_SECOND, member_key
from exchange.callers import Caller
from exchange.directory.model import Directory
from exchange.ledger.model import MemberKey
from exchange.ledger.quote import Quote
from exchange.quotes.model import Wanted
from exchange.serving.checks import Violations
from exchange.serving.instants import timestamp
from exchange.v1 import rate_service_pb2 as pb
from exchange.v1 import types_pb2 as types

LIFETIME: Final = timedelta(minutes=10)
LIFETIME_SECONDS_MAX: Final = 3_600


def to_wanted(request: pb.CreateQuoteRequest, caller: Caller) -> tuple[MemberKey, Wanted]:
    """What a merchant wants quoted, and for whom.

    Raises:
        InvalidField: names every field that is not well formed.
    """
    check = Violations()
    key = member_key(request, caller, check)
    source = check.resource_name("source_currency", request.source_currency, "currencies")
    target = check.resource_name("target_currency", request.target_currency, "currencies")
    if source and source == target:
        check.say("target_currency", "is the source currency")
    fixed = request.WhichOneof("fixed")
    if fixed is None:
        check.say("fixed", "is required: source_units or target_units")
    units = 0 if fixed is None else check.positive(fixed, getattr(request, fixed))
    lifetime = _lifetime(request, check)
    tier = check.tier("tier", request.tier)
    check.raise_if_any()
    return key, Wanted(source, target, units, fixed == "target_units", lifetime, tier)


def _lifetime(request: pb.CreateQuoteRequest, check: Violations) -> timedelta:
    if not request.HasField("lifetime"):
        return LIFETIME
    asked = request.lifetime
    seconds = check.within("lifetime", asked.seconds, 1, LIFETIME_SECONDS_MAX - (asked.nanos > 0))
    if not 0 <= asked.nanos < NANOS_PER_SECOND:
        check.say("lifetime", "has nanos beyond a second")
    return timedelta(seconds=seconds, microseconds=asked.nanos // 1000)


def quote_message(quote: Quote, directory: Directory, now: datetime) -> pb.Quote:
    """A quote as it stands at an instant."""
    terms = quote.terms
    source, target = directory.currencies[terms.source_no], directory.currencies[terms.target_no]
    state = pb.Quote.STATE_OPEN if now < quote.expires_at else pb.Quote.STATE_EXPIRED
    return pb.Quote(
        name=quote.name,
        merchant=directory.merchants[quote.merchant_no].name,
        member=f"members/{quote.member_id}",
        rate=f"rates/{terms.rate_id}",
        used=types.PointsAmount(currency=source.name, units=terms.used_units),
        received=types.PointsAmount(currency=target.name, units=terms.received_units),
        conversion_out_price_micros=terms.out_price_micros,
        conversion_in_price_micros=terms.in_price_micros,
        fee=types.MoneyAmount(currency_code=source.settlement_currency, micros=terms.fee_micros),
        create_time=timestamp(quote.created_at),
        expire_time=timestamp(quote.expires_at),
        state=state if quote.transfer_id is None else pb.Quote.STATE_USED,
        transfer="" if quote.transfer_id is None else f"transfers/{quote.transfer_id}",
    )
