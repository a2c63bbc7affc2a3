from __future__ import annotations

from exchange.closing.model import Void
from exchange.expiry.rules import breakage
from exchange.ledger.facts import MemberFacts
from exchange.ledger.legs import debited, forgiven
from exchange.ledger.model import Posting
from exchange.rates.model import Coalition
from exchange.refusals import NothingDue


def void(command: Void, facts: MemberFacts, coalition: Coalition) -> Posting:
    """Burn every lot, whenever it would have ended, and let go what the member owes.

    The issuer owes funders the currency's share of the original issue price, as of points that end by their policy. A
    suspended issuer or currency makes no difference: nothing is promised to anybody.

    Raises:
        NothingDue: nothing is left, or something is still reserved and has to be given back first.
        AmountOverflow: a share would pass 64 bits.
    """
    currency = coalition.directory.currency(command.currency)
    account = facts.accounts[currency.number]
    ending = [(lot, lot.remaining) for lot in map(account.known.__getitem__, account.whole or ()) if lot.remaining]
    if account.held or not (ending or account.overdrawn):
        raise NothingDue(currency=currency.name)
    legs = debited(currency.number, ending) if ending else []
    if account.overdrawn:
        legs += forgiven(currency.number, account.overdrawn)
    return Posting(
        legs=legs,
        obligations=breakage(ending, currency, facts, coalition),
        unused=True,
        is_activity=False,
    )
