from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from exchange.adjustment.model import Adjustment, Credit, Debit, Direction, Terms
from exchange.callers import Caller
from exchange.directory.model import Directory
from exchange.directory.pricing import owed
from exchange.expiry.rules import breakage
from exchange.four_eyes import require_second_person, require_waiting
from exchange.ledger.facts import MemberFacts
from exchange.ledger.legs import credited, debited
from exchange.ledger.model import NewLot, ObligationKind, Posting
from exchange.rates.model import Coalition
from exchange.refusals import NotOwnCurrency, PersonUnknown


def credit(command: Credit, facts: MemberFacts, coalition: Coalition) -> Posting:
    """Make a new lot; who pays for it owes the issuer points x issue price in force, and the issuer itself nothing.

    No promotion adds to it, and no role is needed: two persons have answered for it.

    Raises:
        ResourceNotFound: no such currency.
        MerchantSuspended, CurrencySuspended: the issuer, the funder or the currency is.
        NoPrice: the currency has none yet.
        AmountOverflow: the balance or the money would pass 64 bits.
    """
    directory = coalition.directory
    currency = directory.currency(command.currency, "points.currency")
    issuer, funder = directory.merchants[currency.issuer_no], directory.merchants[command.funder_no]
    currency.require_active()
    issuer.require_active()
    funder.require_active()
    price = currency.price_at(facts.now, "issue").issue_micros
    account = facts.accounts[currency.number]
    account.require_room(command.units)
    ends_at = currency.expiry_of_lot(facts.now, coalition.time_zone)
    lot = NewLot(currency.number, command.units, funder.number, price, ends_at)
    return Posting(
        legs=credited(lot, account),
        new_lots=[lot],
        obligations=owed(
            ObligationKind.ADJUSTMENT,
            debtor_no=funder.number,
            creditor_no=issuer.number,
            currency=currency,
            units=command.units,
            price_micros=price,
        ),
    )


def debit(command: Debit, facts: MemberFacts, coalition: Coalition) -> Posting:
    """End points, nearest expiry first, as if they had ended unused: funders get the currency's share of breakage.

    Raises:
        ResourceNotFound: no such currency.
        MerchantSuspended, CurrencySuspended: the issuer or the currency is.
        InsufficientPoints: fewer points are spendable than asked; what is reserved stays reserved.
        AmountOverflow: a share would pass 64 bits.
    """
    directory = coalition.directory
    currency = directory.currency(command.currency, "points.currency")
    currency.require_active()
    directory.merchants[currency.issuer_no].require_active()
    taken = facts.accounts[currency.number].take(currency.code, command.units)
    return Posting(
        legs=debited(currency.number, taken),
        obligations=breakage(taken, currency, facts, coalition),
        unused=True,
    )


def proposed(terms: Terms, caller: Caller, directory: Directory) -> Terms:
    """What a caller may propose, with the names as the directory spells them.

    The issuer adjusts points of its own currency at its own cost; the operator any, and says who pays if it is not the
    issuer.

    Raises:
        PersonUnknown: the operator's credential names nobody, so that nobody could tell who else may approve.
        ResourceNotFound: no such currency or funder.
        MerchantSuspended: the proposing merchant is.
        NotOwnCurrency: it does not issue the currency, or lets another merchant pay.
    """
    if caller.merchant_no is None and caller.person is None:
        raise PersonUnknown(credential=caller.credential)
    currency = directory.currency(terms.currency, "points.currency")
    issuer = directory.merchants[currency.issuer_no]
    funder = directory.merchant(terms.funder, "funder") if terms.funder else issuer
    if caller.merchant_no is not None:
        directory.merchants[caller.merchant_no].require_active()
        if {issuer.number, funder.number} != {caller.merchant_no}:
            raise NotOwnCurrency(merchant=directory.merchants[caller.merchant_no].name, currency=currency.name)
    funded_by = funder.merchant_id if terms.direction is Direction.CREDIT else ""
    return replace(terms, currency=currency.code, funder=funded_by)


def require_approvable(adjustment: Adjustment, caller: Caller, digest: str, now: datetime) -> None:
    """Somebody else than the proposer approves exactly what was proposed, in time.

    Raises:
        WrongState, ProposalLapsed: see `require_waiting`.
        PersonUnknown: the approver's credential names nobody.
        SamePerson: it names who proposed it.
        DigestMismatch: other terms were approved.
    """
    require_waiting(adjustment, now)
    require_second_person(
        caller,
        digest,
        resource=adjustment.name,
        proposed_by=adjustment.proposed_person,
        proposed=adjustment.terms.digest(),
    )
