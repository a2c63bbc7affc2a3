"""Quotes of BNK into AIR, and the request to convert by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from exchange.conversion.model import Convert
from exchange.ledger.facts import MemberFacts
from exchange.ledger.ids import new_id
from exchange.ledger.quote import Quote, Terms
from exchange.quotes.rules import terms_for, terms_reaching
from exchange.rates.model import Coalition, Rate
from tests.unit.rules.conversions import BNK_TO_AIR
from tests.unit.rules.rulebook import ADA, MERCHANT_NO, NOON, SECOND, coalition, convert, member, rate

AGREED = rate(*BNK_TO_AIR, block=3_000, fee=100_000)


def quoted(units: int, agreed: Rate = AGREED, *, reaching: bool = False, world: Coalition | None = None) -> Terms:
    """Terms of BNK into AIR at noon."""
    world = world or coalition(agreed)
    source, target = (world.directory.currency(code) for code in ("BNK", "AIR"))
    return (terms_reaching if reaching else terms_for)(source, target, world, NOON, units)


def a_quote(terms: Terms, *, to: str = "BNK", ends: timedelta = SECOND, used_by: UUID | None = None) -> Quote:
    """A quote for ada, given an hour before noon; it ends a second after noon unless said otherwise."""
    return Quote(new_id(), MERCHANT_NO[to], ADA, terms, NOON - timedelta(hours=1), NOON + ends, used_by)


def by(quote: Quote, *, by: str = "BNK") -> Convert:
    """The request to convert what a quote says."""
    return replace(convert("1 BNK", "", by=by), currency="", units=0, quote=quote.quote_id)


def knowing(quote: Quote, bnk: int = 10**6) -> MemberFacts:
    """Ada with so many BNK and the quote."""
    facts = member(BNK=bnk)
    facts.notes.quotes[quote.quote_id] = quote
    return facts
