from __future__ import annotations

from exchange.campaign.model import UseInCampaign
from exchange.directory.acceptance import accept
from exchange.directory.model import MerchantRole
from exchange.ledger.facts import MemberFacts
from exchange.ledger.model import ObligationKind, Posting
from exchange.rates.model import Coalition


def use_in_campaign(command: UseInCampaign, facts: MemberFacts, coalition: Coalition) -> Posting:
    """Take points for taking part: the issuer owes the merchant points x redeem price, as for goods.

    Raises:
        RoleMissing: the merchant is no redemption merchant.
        MerchantSuspended, CurrencySuspended, ResourceNotFound, NoPrice, InsufficientPoints, AmountOverflow: as a
            redemption.
    """
    role = MerchantRole.REDEMPTION
    return accept(command, facts, coalition.directory, role=role, kind=ObligationKind.CAMPAIGN)
