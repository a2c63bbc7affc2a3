"""The journal of a window. Pure.

In each participant's books obligations arise against each other participant, are set off into one account,
`coalition:settlement`, and leave it again as payments due and as items that wait; banks' bookings then clear what was
due. So that account, and those against other participants, end at zero in every entity: what is left is what is due,
what waits, and income and expense by kind. What a creditor bears of a default leaves what is due and stays a claim.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from settlement.journal.model import JournalEntry, PaymentEvent, Posting
from settlement.reports.lines import PairLine, lines_of
from settlement.reports.settled import Borne, SettledWindow
from settlement.run.model import CarryFigures, CurrencyResult, ExchangeLeg, PairFigures

SETTLEMENT = "assets:coalition:settlement"
CONVERSION = "equity:conversion"
"""What one currency gave and another took: an entry in each, never one across two."""
FX_DIFFERENCE = "fx_difference"


class _Books(NamedTuple):
    """Whose books, of which window and currency, on which day."""

    window_no: int
    entity: str
    currency: str
    on: date

    def entry(self, step: str, text: str, postings: Iterable[Posting]) -> Iterator[JournalEntry]:
        """An entry of these books; without postings none."""
        kept = [posting for posting in postings if posting.debit or posting.credit]
        if kept:
            name = f"W{self.window_no}-{self.currency}-{self.entity}-{step}"
            described = f"windows/{self.window_no}: {text}"
            yield JournalEntry(name, self.on, self.entity, self.currency, described, kept)


def journal_of(settled: SettledWindow, events: Sequence[PaymentEvent]) -> list[JournalEntry]:
    """Every entry of a window by currency and participant in the order things happen, then banks' bookings."""
    entries: list[JournalEntry] = []
    for one in settled.run.result:
        lines = lines_of(one, settled.kinds)
        names = {name for pair in one.pairs for name in (pair.debtor, pair.creditor)}
        names |= {name for payment in one.payments for name in (payment.payer, payment.payee)}
        names |= {name for item in (*one.carried, *one.held_items) for name in (item.debtor, item.creditor)}
        names |= {name for leg in one.legs for name in (leg.debtor, leg.creditor)}
        for name in sorted(names):
            books = _Books(settled.run.window_no, name, one.currency, settled.closed_on)
            entries += _window(books, one, lines)
    for less in settled.borne:
        entries += _borne(settled.run.window_no, less)
    for event in events:
        entries += [_booked(event, entity) for entity in (event.payer, event.payee)]
    return entries


def _window(books: _Books, one: CurrencyResult, lines: Sequence[PairLine]) -> Iterator[JournalEntry]:
    pairs = [pair for pair in one.pairs if books.entity in (pair.debtor, pair.creditor)]
    own = [line for line in lines if books.entity in (line.debtor, line.creditor)]
    yield from books.entry("opening", "carried and held in", _opening(books.entity, pairs))
    yield from books.entry("obligations", "obligations", (p for line in own for p in _arisen(books.entity, line)))
    yield from books.entry("adjustments", "adjustments", (p for pair in pairs for p in _adjusted(books.entity, pair)))
    yield from books.entry("setoff", "set-off", _set_off(books.entity, pairs))
    yield from books.entry("held", "held", _waiting(books.entity, one.held_items, between=True))
    yield from books.entry("converted", "converted", _converted(books.entity, one.legs))
    yield from books.entry("carried", "carried", _waiting(books.entity, one.carried, between=False))
    yield from books.entry("due", "payments due", _due(books.entity, one))


def _opening(entity: str, pairs: Sequence[PairFigures]) -> Iterator[Posting]:
    """What waited takes its place among what is owed."""
    for pair in pairs:
        amount = pair.carried_in + pair.held_in
        if entity == pair.debtor:
            yield Posting(f"liabilities:waiting:{pair.creditor}", amount, 0)
            yield Posting(f"liabilities:coalition:{pair.creditor}", 0, amount)
        else:
            yield Posting(f"assets:coalition:{pair.debtor}", amount, 0)
            yield Posting(f"assets:waiting:{pair.debtor}", 0, amount)


def _arisen(entity: str, line: PairLine) -> Iterator[Posting]:
    if entity == line.debtor:
        yield Posting(f"expenses:points:{line.kind}", line.minor_units, 0)
        yield Posting(f"liabilities:coalition:{line.creditor}", 0, line.minor_units)
    else:
        yield Posting(f"assets:coalition:{line.debtor}", line.minor_units, 0)
        yield Posting(f"revenues:points:{line.kind}", 0, line.minor_units)


def _adjusted(entity: str, pair: PairFigures) -> Iterator[Posting]:
    """What is owed beside what transfers say; the other way round it takes back what they said."""
    if entity == pair.debtor:
        yield Posting("expenses:adjustments", pair.adjusted, 0)
        yield Posting(f"liabilities:coalition:{pair.creditor}", 0, pair.adjusted)
    else:
        yield Posting(f"assets:coalition:{pair.debtor}", pair.adjusted, 0)
        yield Posting("revenues:adjustments", 0, pair.adjusted)


def _set_off(entity: str, pairs: Sequence[PairFigures]) -> Iterator[Posting]:
    """What takes part in netting leaves the accounts of each other participant for one."""
    net = 0
    for pair in pairs:
        amount = pair.gross - pair.held
        if entity == pair.debtor:
            yield Posting(f"liabilities:coalition:{pair.creditor}", amount, 0)
            net -= amount
        else:
            yield Posting(f"assets:coalition:{pair.debtor}", 0, amount)
            net += amount
    yield Posting(SETTLEMENT, max(net, 0), max(-net, 0))


def _converted(entity: str, legs: Sequence[ExchangeLeg]) -> Iterator[Posting]:
    """What left for another currency or came from one, and what rounding item by item made of it."""
    for leg in legs:
        if entity == leg.debtor:
            yield Posting("expenses:fx_difference" if leg.because == FX_DIFFERENCE else CONVERSION, leg.amount, 0)
            yield Posting(SETTLEMENT, 0, leg.amount)
        elif entity == leg.creditor:
            yield Posting(SETTLEMENT, leg.amount, 0)
            yield Posting("revenues:fx_difference" if leg.because == FX_DIFFERENCE else CONVERSION, 0, leg.amount)


def _waiting(entity: str, items: Sequence[CarryFigures], *, between: bool) -> Iterator[Posting]:
    """Items that wait: out of what is owed `between` participants when held, out of the net when carried."""
    for item in items:
        if entity == item.debtor:
            yield Posting(f"liabilities:coalition:{item.creditor}" if between else SETTLEMENT, item.amount, 0)
            yield Posting(f"liabilities:waiting:{item.creditor}", 0, item.amount)
        elif entity == item.creditor:
            yield Posting(f"assets:waiting:{item.debtor}", item.amount, 0)
            yield Posting(f"assets:coalition:{item.debtor}" if between else SETTLEMENT, 0, item.amount)


def _due(entity: str, one: CurrencyResult) -> Iterator[Posting]:
    for payment in one.payments:
        if entity == payment.payer:
            yield Posting(SETTLEMENT, payment.amount, 0)
            yield Posting(f"liabilities:payments:{payment.payee}", 0, payment.amount)
        elif entity == payment.payee:
            yield Posting(f"assets:payments:{payment.payer}", payment.amount, 0)
            yield Posting(SETTLEMENT, 0, payment.amount)


def _borne(window_no: int, less: Borne) -> Iterator[JournalEntry]:
    """What a creditor is paid less: it claims it of the defaulter, who owes it to the creditor and not for the run."""
    direct = less.payer == less.defaulter
    owed_to = less.creditor if direct else less.payer
    sides = {
        less.creditor: (f"assets:claims:{less.defaulter}", f"assets:payments:{less.payer}"),
        less.defaulter: (f"liabilities:payments:{owed_to}", f"liabilities:claims:{less.creditor}"),
    }
    if not direct:
        sides[less.payer] = (f"liabilities:payments:{less.creditor}", f"assets:payments:{less.defaulter}")
    for entity, (debit, credit) in sorted(sides.items()):
        books = _Books(window_no, entity, less.currency, less.on)
        postings = [Posting(debit, less.amount, 0), Posting(credit, 0, less.amount)]
        yield from books.entry(f"borne-{less.defaulter}-{less.creditor}", f"default of {less.defaulter}", postings)


def _booked(event: PaymentEvent, entity: str) -> JournalEntry:
    """A bank's booking in the books of one side; what comes back turns it round."""
    amount = event.minor_units
    if entity == event.payer:
        sides = [(f"liabilities:payments:{event.payee}", amount, 0), ("assets:bank", 0, amount)]
    else:
        sides = [("assets:bank", amount, 0), (f"assets:payments:{event.payer}", 0, amount)]
    if event.returned:
        sides = [(account, credit, debit) for account, debit, credit in sides]
    step = "returned" if event.returned else "settled"
    return JournalEntry(
        external_id=f"{event.end_to_end_id}-{entity}-{step}",
        on=event.booked_on,
        entity=entity,
        currency=event.currency,
        text=f"{event.end_to_end_id}: {step}",
        postings=[Posting(*side) for side in sides],
    )
