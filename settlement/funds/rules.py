"""What the book takes: from which account to which, and how much may go. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from settlement.circulation import AmountsTooLarge
from settlement.funds.model import (
    AT_BANK,
    COVERING,
    DEBITS_GROW,
    NOTES,
    OF_ANYBODY,
    OF_OPERATOR,
    Account,
    Book,
    CurrencyTerms,
    FundsMovement,
    FundsTerms,
    LiquidityCheck,
    Posting,
    Purpose,
    Shortfall,
    Way,
)
from settlement.liquidity.model import Queue
from settlement.liquidity.registry import WAYS
from settlement.liquidity.rules import settle
from settlement.netting.model import Obligation
from settlement.run.model import CurrencyResult


def posting_of(movement: FundsMovement, operator: str) -> Posting:
    """A deposit debits the bank account its purpose lies on, a withdrawal credits it: no money changes sides."""
    at_bank = Account(operator, bank_account_of(movement.purpose))
    owed = Account(movement.participant, movement.purpose)
    debit, credit = (at_bank, owed) if movement.way is Way.DEPOSIT else (owed, at_bank)
    return Posting(movement.way, movement.currency, debit, credit, movement.minor_units)


def bank_account_of(purpose: Purpose) -> Purpose:
    """Where money of a purpose lies: only what is the operator's alone is on its own account."""
    return Purpose.OWN_ACCOUNT if purpose is Purpose.OPERATOR_OWN else Purpose.CLEARING_ACCOUNT


def flaw_of_owner(movement: FundsMovement, operator: str) -> str | None:
    """What is wrong with whose money it is said to be; None: nothing."""
    if movement.purpose in OF_ANYBODY:
        return None
    if (movement.purpose in OF_OPERATOR) != (movement.participant == operator):
        return "is the operator's" if movement.purpose in OF_OPERATOR else "is a participant's, and not the operator's"
    return None


def posted(book: Book, postings: Sequence[Posting]) -> dict[tuple[str, Account], int]:
    """The book after some postings; balances may come out below 0, which the caller looks at."""
    after = dict(book)
    for one in postings:
        for account, debited in ((one.debit, True), (one.credit, False)):
            grows = debited == (account.purpose in DEBITS_GROW)
            key = (one.currency, account)
            after[key] = after.get(key, 0) + (one.minor_units if grows else -one.minor_units)
    return after


def balance(book: Book, currency: str, participant: str, *purposes: Purpose) -> int:
    """What somebody has for these purposes."""
    return sum(book.get((currency, Account(participant, purpose)), 0) for purpose in purposes)


def covers(book: Book, currency: str, participant: str, exposure: int) -> bool:
    """Whether prefunding and collateral reach for what a participant owes or may owe."""
    return balance(book, currency, participant, *COVERING) >= exposure


def cap(book: Book, terms: CurrencyTerms, participant: str) -> int:
    """A participant's net debit cap: what it may owe at most, by what it left with the clearing house."""
    return balance(book, terms.currency, participant, *COVERING) * terms.cap_bps // 10_000


def binding_caps(book: Book, terms: FundsTerms) -> dict[tuple[str, str], int]:
    """By currency and participant, the caps the exchange is to hold: of all who ever left anything to cover debts."""
    return {
        (currency, account.participant): cap(book, terms.of(currency), account.participant)
        for currency, account in book
        if account.purpose in COVERING and terms.of(currency).cap_binds
    }


def available(book: Book, terms: CurrencyTerms, participant: str, operator: str) -> int:
    """What somebody can pay with at this moment."""
    if participant == operator:
        return balance(book, terms.currency, operator, Purpose.OPERATOR_OWN)
    purposes = COVERING if terms.collateral_pays else (Purpose.PREFUNDING,)
    return balance(book, terms.currency, participant, *purposes)


def liquidity(result: Sequence[CurrencyResult], book: Book, terms: FundsTerms, operator: str) -> list[LiquidityCheck]:
    """Every currency of a run against the funds of those who pay; everything moves at the same moment."""
    return [_checked(one, book, terms.of(one.currency), operator) for one in result]


def _checked(one: CurrencyResult, book: Book, terms: CurrencyTerms, operator: str) -> LiquidityCheck:
    items = [
        Obligation(p.payer, p.payee, one.currency, p.amount, id=str(number))
        for number, p in enumerate(one.payments, start=1)
    ]
    net = net_payments(one)
    funds = {name: available(book, terms, name, operator) for name in net}
    queue = Queue(one.currency, items, funds)
    try:
        now = settle(queue, WAYS["divisible"], divided=True)
    except AmountsTooLarge:
        # More than the solver takes: a share of every debt can settle, if not the most.
        now = settle(queue, WAYS["pro-rata"], divided=True)
    short = [Shortfall(name, amount, funds[name]) for name, amount in sorted(net.items()) if amount > funds[name]]
    return LiquidityCheck(
        currency=one.currency,
        demands=terms.liquidity,
        to_pay=sum(amount for amount in net.values() if amount > 0),
        payments=sum(item.amount for item in items),
        settles_now=now.settled_value,
        shortfalls=short,
    )


def net_payments(one: CurrencyResult) -> dict[str, int]:
    """What everybody pays more than it receives in a run's payments; below 0: receives more."""
    net: dict[str, int] = {}
    for payment in one.payments:
        net[payment.payer] = net.get(payment.payer, 0) + payment.amount
        net[payment.payee] = net.get(payment.payee, 0) - payment.amount
    return net


def unsound(book: Book) -> list[str]:
    """What is wrong with a book: accounts below 0, banks that do not hold what is owed, losses nobody claims."""
    found = [f"{currency} {account.participant} {account.purpose.lower()} is below 0"
             for (currency, account), amount in sorted(book.items()) if amount < 0]  # fmt: skip
    for currency, (held, owed) in sorted(sides(book).items()):
        found += [
            f"{currency} {at_bank.lower()} has {held.get(at_bank, 0)} and owes {owed.get(at_bank, 0)}"
            for at_bank in sorted(AT_BANK)
            if held.get(at_bank, 0) != owed.get(at_bank, 0)
        ]
    for currency in sorted({currency for currency, _ in book}):
        borne, claimed = _noted(book, currency)
        if borne != claimed:
            found.append(f"{currency} {borne} is borne of defaults and {claimed} claimed")
    return found


def _noted(book: Book, currency: str) -> tuple[int, int]:
    """What is borne of defaults, and what is claimed for it."""
    notes = [(one.purpose, amount) for (code, one), amount in book.items() if code == currency and one.purpose in NOTES]
    borne = sum(amount for purpose, amount in notes if purpose in DEBITS_GROW)
    return borne, sum(amount for _, amount in notes) - borne


Side = Mapping[Purpose, int]


def sides(book: Book) -> dict[str, tuple[Side, Side]]:
    """By currency: what lies on each bank account, and what is owed of it. They are equal while money is kept apart."""
    found: dict[str, tuple[dict[Purpose, int], dict[Purpose, int]]] = {}
    for (currency, account), amount in book.items():
        held, owed = found.setdefault(currency, ({}, {}))
        if account.purpose in NOTES:
            continue
        if account.purpose in AT_BANK:
            held[account.purpose] = held.get(account.purpose, 0) + amount
        else:
            where = bank_account_of(account.purpose)
            owed[where] = owed.get(where, 0) + amount
    return dict(found)
