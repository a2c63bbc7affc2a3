"""Taking points from a member, for goods or as cash: the same movement under two roles."""

from __future__ import annotations

from exchange.directory.model import Directory, MerchantRole
from exchange.directory.pricing import owed
from exchange.ledger.facts import MemberFacts
from exchange.ledger.legs import debited
from exchange.ledger.model import MemberCommand, ObligationKind, Posting


def accept(
    command: MemberCommand, facts: MemberFacts, directory: Directory, *, role: MerchantRole, kind: ObligationKind
) -> Posting:
    """Spend lots nearest expiry first; the issuer owes the acceptor points x redeem price, itself nothing."""
    acceptor = directory.merchants[command.merchant_no]
    currency = directory.currency(command.currency, "points.currency")
    issuer = directory.merchants[currency.issuer_no]
    acceptor.require_active()
    acceptor.require_role(role)
    currency.require_active()
    issuer.require_active()
    price = currency.price_at(facts.now, "redeem")
    taken = facts.accounts[currency.number].take(currency.code, command.units)
    return Posting(
        legs=debited(currency.number, taken),
        obligations=owed(
            kind,
            debtor_no=issuer.number,
            creditor_no=acceptor.number,
            currency=currency,
            units=command.units,
            price_micros=price.redeem_micros,
        ),
    )
