"""Quotes given to BNK, and the request to convert by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from exchange.callers import Caller, CallerRole
from exchange.conversion.model import Convert
from exchange.ledger.model import MemberKey
from exchange.ledger.quote import Quote
from exchange.quotes.model import Wanted
from tests.integration.ledger.ledgers import Ledger
from tests.unit.rules.rulebook import MERCHANT_NO, convert

BNK = Caller(CallerRole.MERCHANT, "certificates/test", MERCHANT_NO["BNK"], "BNK")
MINUTE = timedelta(minutes=1)


async def a_quote(
    server: Ledger, member: UUID, units: int = 3_000, *, lifetime: timedelta = MINUTE, into: str = "AIR"
) -> Quote:
    """What BNK is promised for so many of the member's BNK in AIR, or another currency."""
    key = MemberKey(MERCHANT_NO["BNK"], member, None)
    return await server.api.quotes.give(BNK, key, Wanted("BNK", into, units, is_target=False, lifetime=lifetime))


def by(quote: Quote, *, key: str | None = None, by: str = "BNK", trial: bool = False) -> Convert:
    """The request to convert what a quote says."""
    asked = convert("1 BNK", "", by=by, key=key, member_id=quote.member_id, trial=trial)
    return replace(asked, currency="", units=0, quote=quote.quote_id, fingerprint=quote.quote_id.bytes)
