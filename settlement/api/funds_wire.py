"""Messages of funds: documents to values, values to messages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from exchange.money.currencies import MINOR_EXPONENT
from exchange.serving.checks import Violations, known_numbers
from exchange.serving.instants import timestamp
from settlement.api.payments_wire import day
from settlement.api.wire import merchant_name
from settlement.funds.model import (
    AT_BANK,
    BPS,
    NOTES,
    ONLY_TAKEN_FROM,
    CurrencyTerms,
    FundsMovement,
    FundsTerms,
    Liquidity,
    LiquidityCheck,
    Posted,
    Purpose,
    Residual,
    Way,
)
from settlement.funds.service import FundsView
from settlement.v1 import funds_pb2 as pb

REFERENCE_MAX = 64
MINOR_UNITS_MAX = 10**15
"""Of one movement: thousands of them still sum to an int64."""
CAP_BPS_MAX = 100_000
CURRENCIES_MAX = 200

PURPOSES = {one: pb.FundsPurpose.Value(f"FUNDS_PURPOSE_{one.name}") for one in Purpose}
PURPOSE_OF: dict[int, Purpose] = {number: one for one, number in PURPOSES.items() if one not in AT_BANK | NOTES}
WAYS = {
    Way.DEPOSIT: pb.FundsMovement.WAY_DEPOSIT,
    Way.WITHDRAWAL: pb.FundsMovement.WAY_WITHDRAWAL,
}
WAY_OF: dict[int, Way] = {number: one for one, number in WAYS.items()}
DEMANDS = {one: pb.LiquidityDemand.Value(f"LIQUIDITY_DEMAND_{one.name}") for one in Liquidity}
DEMAND_OF: dict[int, Liquidity] = {number: one for one, number in DEMANDS.items()} | {0: Liquidity.SHOW}
RESIDUALS = {one: pb.ResidualLoss.Value(f"RESIDUAL_LOSS_{one.name}") for one in Residual}
RESIDUAL_OF: dict[int, Residual] = {number: one for one, number in RESIDUALS.items()} | {0: Residual.OPEN}


def terms(check: Violations, asked: pb.FundsTerms, path: str) -> FundsTerms:
    """What somebody proposes to agree about funds."""
    found: list[CurrencyTerms] = []
    if len(asked.currencies) > CURRENCIES_MAX:
        check.say(f"{path}.currencies", f"has more than {CURRENCIES_MAX}")
        return FundsTerms()
    for place, one in enumerate(asked.currencies):
        here = f"{path}.currencies[{place}]"
        _known(check, f"{here}.liquidity", one.liquidity, DEMAND_OF)
        _known(check, f"{here}.residual", one.residual, RESIDUAL_OF)
        currency = _currency(check, f"{here}.currency_code", one.currency_code)
        if any(currency == other.currency for other in found):
            check.say(f"{here}.currency_code", "stands there twice")
        found.append(
            CurrencyTerms(
                currency=currency,
                liquidity=DEMAND_OF.get(one.liquidity, Liquidity.SHOW),
                collateral_pays=one.collateral_pays,
                cap_bps=check.within(f"{here}.cap_bps", one.cap_bps, 0, CAP_BPS_MAX),
                contribution_cap_bps=check.within(f"{here}.contribution_cap_bps", one.contribution_cap_bps, 0, BPS),
                residual=RESIDUAL_OF.get(one.residual, Residual.OPEN),
                cap_binds=one.cap_binds,
            )
        )
    return FundsTerms(found)


def movement(check: Violations, asked: pb.FundsMovement, path: str) -> FundsMovement:
    """Money somebody says came, or is to leave."""
    way = check.known(f"{path}.way", asked.way, known_numbers(pb.FundsMovement.Way))
    number = check.known(f"{path}.purpose", asked.purpose, frozenset(PURPOSE_OF))
    found = WAY_OF.get(way, Way.DEPOSIT)
    purpose = PURPOSE_OF.get(number, Purpose.PREFUNDING)
    if purpose in ONLY_TAKEN_FROM and found is Way.DEPOSIT:
        check.say(f"{path}.purpose", "is only ever taken from: defaults and recoveries fill it")
    return FundsMovement(
        way=found,
        participant=check.resource_name(f"{path}.participant", asked.participant, "merchants"),
        purpose=purpose,
        currency=_currency(check, f"{path}.currency_code", asked.currency_code),
        minor_units=check.positive(f"{path}.minor_units", asked.minor_units, MINOR_UNITS_MAX),
        reference=check.text(f"{path}.reference", asked.reference, 1, REFERENCE_MAX),
        value_date=value_date(check, f"{path}.value_date", asked.value_date),
    )


def value_date(check: Violations, path: str, text: str) -> date:
    """A day that must be said."""
    found = day(check, path, text)
    if not text:
        check.say(path, "is required")
    return found or date.min


def _currency(check: Violations, path: str, code: str) -> str:
    if code not in MINOR_EXPONENT:
        check.say(path, "is no ISO 4217 currency" if code else "is required")
    return code


def _known(check: Violations, path: str, number: int, values: dict[int, Liquidity] | dict[int, Residual]) -> None:
    if number not in values:
        check.say(path, f"is {number}, no value of the enum")


def terms_message(found: FundsTerms) -> pb.FundsTerms:
    """Terms on the wire."""
    return pb.FundsTerms(
        currencies=[
            pb.CurrencyFundsTerms(
                currency_code=one.currency,
                liquidity=DEMANDS[one.liquidity],
                collateral_pays=one.collateral_pays,
                cap_bps=one.cap_bps,
                contribution_cap_bps=one.contribution_cap_bps,
                residual=RESIDUALS[one.residual],
                cap_binds=one.cap_binds,
            )
            for one in found.currencies
        ]
    )


def movement_message(one: FundsMovement) -> pb.FundsMovement:
    """A movement on the wire."""
    return pb.FundsMovement(
        way=WAYS[one.way],
        participant=merchant_name(one.participant),
        purpose=PURPOSES[one.purpose],
        currency_code=one.currency,
        minor_units=one.minor_units,
        reference=one.reference,
        value_date=one.value_date.isoformat(),
    )


def balance_messages(view: FundsView, participant: str | None) -> list[pb.FundsBalance]:
    """Balances of one participant, or of all."""
    return [
        pb.FundsBalance(
            currency_code=currency,
            participant=merchant_name(account.participant),
            purpose=PURPOSES[account.purpose],
            minor_units=amount,
        )
        for (currency, account), amount in sorted(view.book.items())
        if participant in {None, account.participant}
    ]


def cover_messages(view: FundsView, participant: str | None) -> list[pb.FundsCover]:
    """What participants owe or may come to owe, beside what covers it."""
    return [
        pb.FundsCover(
            currency_code=one.currency,
            participant=merchant_name(one.participant),
            exposure_minor_units=one.exposure,
            cover_minor_units=one.cover,
            cap_minor_units=one.cap,
        )
        for one in view.covers(participant)
    ]


def posting_message(one: Posted, *, told_actor: bool) -> pb.FundsPosting:
    """A line of the book on the wire; merchants are not told who decided it."""
    posting = one.posting
    return pb.FundsPosting(
        posting=one.posting_no,
        proposal=f"proposals/{one.proposal_id}",
        currency_code=posting.currency,
        debit_participant=merchant_name(posting.debit.participant),
        debit_purpose=PURPOSES[posting.debit.purpose],
        credit_participant=merchant_name(posting.credit.participant),
        credit_purpose=PURPOSES[posting.credit.purpose],
        minor_units=posting.minor_units,
        reference=one.reference,
        value_date=one.value_date.isoformat(),
        time=timestamp(one.at),
        actor=one.actor if told_actor else "",
    )


def check_messages(checks: Iterable[LiquidityCheck]) -> list[pb.LiquidityCheck]:
    """A run against the funds of those who pay."""
    return [
        pb.LiquidityCheck(
            currency_code=one.currency,
            demand=DEMANDS[one.demands],
            to_pay_minor_units=one.to_pay,
            payments_minor_units=one.payments,
            settles_now_minor_units=one.settles_now,
            missing_minor_units=one.missing,
            shortfalls=[
                pb.Shortfall(
                    participant=merchant_name(short.participant),
                    to_pay_minor_units=short.to_pay,
                    available_minor_units=short.available,
                )
                for short in one.shortfalls
            ],
        )
        for one in checks
    ]
