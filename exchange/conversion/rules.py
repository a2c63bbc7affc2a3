from __future__ import annotations

from exchange.conversion.model import Convert
from exchange.external.rules import begin
from exchange.ledger.facts import MemberFacts
from exchange.ledger.legs import credited, debited
from exchange.ledger.making import a_new_lot
from exchange.ledger.model import DailyUse, Posting
from exchange.ledger.quote import Terms
from exchange.promotions.rules import add_bonuses
from exchange.quotes.rules import obligations, require_parties, terms_for
from exchange.rates.model import Coalition
from exchange.refusals import (
    BelowMinTarget,
    DailyCapExceeded,
    InsufficientPoints,
    QuoteExpired,
    QuoteUsed,
    ResourceNotFound,
)


def convert(command: Convert, facts: MemberFacts, coalition: Coalition) -> Posting:
    """Burn what the rate uses at the source, mint what it gives at the target as a new lot.

    By the terms of the quote the command names, else by those in force. Who owes whom: `quotes.rules.obligations`.
    Promotions that are on add their bonuses, each a lot beside what the rate gives. A conversion with a currency whose
    issuer keeps the balances itself is only begun: `external.rules.begin`.

    Raises:
        RoleMissing, NotTheIssuer, MerchantSuspended, CurrencySuspended: see `quotes.rules.require_parties`.
        ResourceNotFound: no such currency, or no such quote for this merchant and member.
        QuoteUsed, QuoteExpired: the quote was taken, or its time is over: at the very instant of expiry it is.
        NoPrice, NoRate, BelowMinimum, AboveMaximum, ConvertsToNothing, NegativeSpread: see `quotes.rules.terms_for`.
        BelowMinTarget: it would give less than the merchant says it must.
        DailyCapExceeded: the rate's cap for a member and day.
        InsufficientPoints: fewer points are spendable than asked, or than the quote uses.
        AmountOverflow: a balance or money would pass 64 bits.
        ExternallyKept, NotLinkedToIssuer: see `external.rules.begin`.
    """
    terms = _terms_in_force(command, facts, coalition) if command.quote is None else _terms_quoted(command, facts)
    directory = coalition.directory
    source, target = directory.currencies[terms.source_no], directory.currencies[terms.target_no]
    if command.quote is not None:
        require_parties(command.merchant_no, directory, source, target)
    keepers = coalition.keepers
    if keepers and (source.number in keepers or target.number in keepers):
        return begin(command, terms, _daily_use(terms, facts, coalition), command.tier, facts, coalition)
    needed = command.units or terms.used_units
    account = facts.accounts[terms.source_no]
    if account.spendable < needed:
        raise InsufficientPoints(currency=source.name, available=account.spendable, requested=needed)
    daily_use = _daily_use(terms, facts, coalition)
    facts.accounts[terms.target_no].require_room(terms.received_units)
    lot = a_new_lot(
        terms.target_no,
        terms.received_units,
        source.issuer_no,
        terms.in_price_micros,
        target.expiry_of_lot(facts.now, coalition.time_zone),
    )
    posting = Posting(
        legs=debited(terms.source_no, account.take(source.code, terms.used_units))
        + credited(lot, facts.accounts[terms.target_no]),
        new_lots=[lot],
        obligations=obligations(terms, directory),
        rate_id=terms.rate_id,
        daily_use=daily_use,
        quote_id=command.quote,
        tier=command.tier,
    )
    promotions = coalition.promotions_converting(terms.source_no, terms.target_no, facts.now)
    return add_bonuses(posting, promotions, facts, directory) if promotions else posting


def _terms_in_force(command: Convert, facts: MemberFacts, coalition: Coalition) -> Terms:
    directory = coalition.directory
    source = directory.currency(command.currency, "source.currency")
    target = directory.currency(command.target, "target_currency")
    require_parties(command.merchant_no, directory, source, target)
    terms = terms_for(source, target, coalition, facts.now, command.units, command.tier)
    if terms.received_units < command.min_target_units:
        raise BelowMinTarget(
            received=terms.received_units, min_target=command.min_target_units, rate=f"rates/{terms.rate_id}"
        )
    return terms


def _terms_quoted(command: Convert, facts: MemberFacts) -> Terms:
    assert command.quote is not None
    quote = facts.notes.quotes.get(command.quote)
    if quote is None or not quote.is_for(command.merchant_no, facts.member_id):
        raise ResourceNotFound(resource=f"quotes/{command.quote}", field="quote")
    if quote.transfer_id is not None:
        raise QuoteUsed(quote=quote.name, transfer=f"transfers/{quote.transfer_id}")
    if quote.expires_at <= facts.now:
        raise QuoteExpired(quote=quote.name, expired=quote.expires_at.isoformat())
    return quote.terms


def _daily_use(terms: Terms, facts: MemberFacts, coalition: Coalition) -> DailyUse | None:
    """The cap is the pair's and the day's: what was used under another version today counts, capped or not."""
    pair, cap = (terms.source_no, terms.target_no), terms.member_daily_cap_units
    if not cap and pair not in coalition.capped_since:
        return None
    before = facts.notes.daily_used.get(pair, 0)
    if cap and before + terms.used_units > cap:
        raise DailyCapExceeded(cap=cap, used=before, requested=terms.used_units, rate=f"rates/{terms.rate_id}")
    return DailyUse(*pair, facts.today, before + terms.used_units)
