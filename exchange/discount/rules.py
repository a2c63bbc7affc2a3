from __future__ import annotations

from exchange.directory.acceptance import accept
from exchange.directory.model import MerchantRole
from exchange.discount.model import Discount
from exchange.ledger.facts import MemberFacts
from exchange.ledger.model import ObligationKind, Posting
from exchange.rates.model import Coalition


def discount(command: Discount, facts: MemberFacts, coalition: Coalition) -> Posting:
    """Take points as cash: the issuer owes the accepting merchant points x redeem price.

    Raises:
        RoleMissing: the merchant is no discount merchant.
        MerchantSuspended, CurrencySuspended: it, the issuer or the currency is.
        ResourceNotFound: no such currency.
        NoPrice: the currency has none yet.
        InsufficientPoints: fewer points are spendable than asked.
        AmountOverflow: the money would pass 64 bits.
    """
    return accept(command, facts, coalition.directory, role=MerchantRole.DISCOUNT, kind=ObligationKind.DISCOUNT)
