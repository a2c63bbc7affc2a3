from __future__ import annotations

from exchange.cashout.model import CashOut
from exchange.directory.model import MerchantRole
from exchange.directory.pricing import owed, owed_micros
from exchange.ledger.facts import MemberFacts
from exchange.ledger.legs import debited
from exchange.ledger.model import ObligationKind, Posting
from exchange.money.limits import BASIS_POINTS
from exchange.money.rounding import half_up
from exchange.rates.model import Coalition
from exchange.refusals import NoCashOut, RoleMissing


def cash_out(command: CashOut, facts: MemberFacts, coalition: Coalition) -> Posting:
    """Burn points; the issuer owes the agent points x cash-out price and the handling fee on that value.

    Raises:
        RoleMissing: the merchant is no redemption merchant, or no cash agent.
        NoCashOut: the currency has no cash-out price.
        MerchantSuspended, CurrencySuspended, ResourceNotFound, NoPrice, InsufficientPoints, AmountOverflow: as a
            redemption.
    """
    directory = coalition.directory
    agent = directory.merchants[command.merchant_no]
    currency = directory.currency(command.currency, "points.currency")
    issuer = directory.merchants[currency.issuer_no]
    agent.require_active()
    agent.require_role(MerchantRole.REDEMPTION)
    if not agent.cash_agent:
        raise RoleMissing(merchant=agent.name, role="CASH_AGENT")
    currency.require_active()
    issuer.require_active()
    price = currency.price_at(facts.now, "cash-out")
    if not price.cash_out_micros:
        raise NoCashOut(currency=currency.name)
    taken = facts.accounts[currency.number].take(currency.code, command.units)
    # The fee is rounded to the micro-unit, half up: there is nothing smaller to owe.
    fee_micros = half_up(command.units * price.cash_out_micros * price.cash_out_fee_bps, BASIS_POINTS)
    return Posting(
        legs=debited(currency.number, taken),
        obligations=owed(
            ObligationKind.CASH_OUT,
            debtor_no=issuer.number,
            creditor_no=agent.number,
            currency=currency,
            units=command.units,
            price_micros=price.cash_out_micros,
        )
        + owed_micros(
            ObligationKind.CASH_OUT_FEE,
            debtor_no=issuer.number,
            creditor_no=agent.number,
            currency=currency,
            micros=fee_micros,
        ),
    )
