"""Which rule decides which command. A new movement is a room with a pure rule, and a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from exchange.adjustment.model import Credit, Debit
from exchange.adjustment.rules import credit, debit
from exchange.campaign.model import UseInCampaign
from exchange.campaign.rules import use_in_campaign
from exchange.cashout.model import CashOut
from exchange.cashout.rules import cash_out
from exchange.closing.model import Void
from exchange.closing.rules import void
from exchange.conversion.model import Convert
from exchange.conversion.rules import convert
from exchange.discount.model import Discount
from exchange.discount.rules import discount
from exchange.earning.model import Earn
from exchange.earning.rules import earn
from exchange.expiry.model import Expire
from exchange.expiry.rules import expire
from exchange.external.model import CallOff, Complete
from exchange.external.rules import call_off, complete, require_kept_here, require_moves_here
from exchange.holds.model import Capture, Hold, Release
from exchange.holds.rules import capture, hold, release
from exchange.ledger.facts import MemberFacts
from exchange.ledger.model import Command, Posting
from exchange.rates.model import Coalition
from exchange.redemption.model import Redeem
from exchange.redemption.rules import redeem
from exchange.reversal.model import Reverse
from exchange.reversal.rules import reverse

RULES: Final[dict[type[Command], Callable[[Any, MemberFacts, Coalition], Posting]]] = {
    Earn: earn,
    Redeem: redeem,
    Discount: discount,
    Convert: convert,
    UseInCampaign: use_in_campaign,
    CashOut: cash_out,
    Hold: hold,
    Capture: capture,
    Release: release,
    Reverse: reverse,
    Expire: expire,
    Credit: credit,
    Debit: debit,
    Complete: complete,
    CallOff: call_off,
    Void: void,
}


def decide(command: Command, facts: MemberFacts, coalition: Coalition) -> Posting:
    """Decide a command by its rule.

    Raises:
        Refusal: the rule's no.
    """
    if not coalition.keepers:
        return RULES[type(command)](command, facts, coalition)
    require_kept_here(command, coalition)
    posting = RULES[type(command)](command, facts, coalition)
    require_moves_here(posting, coalition)
    return posting
