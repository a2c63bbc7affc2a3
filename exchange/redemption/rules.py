from __future__ import annotations

from exchange.directory.acceptance import accept
from exchange.directory.model import MerchantRole
from exchange.ledger.facts import MemberFacts
from exchange.ledger.model import ObligationKind, Posting
from exchange.rates.model import Coalition
from exchange.redemption.model import Redeem


def redeem(command: Redeem, facts: MemberFacts, coalition: Coalition) -> Posting:
    """Take points for goods: the issuer owes the accepting merchant points x redeem price.

    Raises:
        RoleMissing: the merchant is no redemption merchant.
        MerchantSuspended, CurrencySuspended: it, the issuer or the currency is.
        ResourceNotFound: no such currency.
        NoPrice: the currency has none yet.
        InsufficientPoints: fewer points are spendable than asked.
        AmountOverflow: the money would pass 64 bits.
    """
    return accept(command, facts, coalition.directory, role=MerchantRole.REDEMPTION, kind=ObligationKind.REDEEM)
