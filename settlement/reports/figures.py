"""Finance's reports of a window: summary, net positions, bilateral matrix, ageing. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date

from settlement.reports import borne, currencies, disputes
from settlement.reports.model import Bar, Cell, Chart, Column, Kind, Report, Table
from settlement.reports.settled import SettledWindow
from settlement.run.legal import sentence
from settlement.run.model import CarryFigures, CurrencyResult, Position

CURRENCY = Column("currency", "Currency")
RESIDUE_ACCOUNT = "equity:rounding:residue"
"""Where what a pair's rounding leaves over goes: nobody is asked for it, and nothing of it is lost from sight."""
AGE_BANDS = ((0, 7), (8, 30), (31, 90), (91, None))
"""Days since an item was first left unpaid, both ends included; the last has none."""


def settlement_summary(settled: SettledWindow) -> Report:
    """The whole window on one page and its annexes: figures, positions with a chart, pairs, payments, what waits."""
    tables = [_totals(settled), _positions(settled), _pairs(settled), _payments(settled), _waiting(settled)]
    tables += [*currencies.conversions(settled), *currencies.rates(settled)]
    tables += [*residue(settled), *disputes.tables(settled), *borne.tables(settled)]
    return _report(settled, "settlement-summary", "Settlement summary", tables, charts(settled))


def net_positions(settled: SettledWindow) -> Report:
    """What each participant is owed or owes in all."""
    return _report(settled, "net-positions", "Net positions", [_positions(settled)], charts(settled))


def bilateral_matrix(settled: SettledWindow) -> Report:
    """For each currency who owes whom before set-off: debtors down, creditors across."""
    tables = [_matrix(one) for one in settled.run.result]
    return _report(settled, "bilateral-matrix", "Bilateral matrix", tables)


def ageing(settled: SettledWindow) -> Report:
    """What is carried or held, by how long it has been, counted to the window's cut-off."""
    columns = [CURRENCY, Column("because", "Because"), *(Column(f"days_{b}", f"{b} days", Kind.MONEY) for b in bands())]
    rows: list[list[Cell]] = []
    for one, items in ((one, [*one.carried, *one.held_items]) for one in settled.run.result):
        for because in sorted({item.because for item in items}):
            amounts = dict.fromkeys(bands(), 0)
            for item in items:
                if item.because == because:
                    amounts[_band(_age(item, settled.closed_on))] += item.amount
            rows.append([one.currency, because, *amounts.values()])
    by_band = Table("by_age", "By age", columns, rows)
    tables = [by_band, _waiting(settled), *disputes.tables(settled)]
    return _report(settled, "ageing", "Ageing of carried and held items", tables)


def residue(settled: SettledWindow, names: Collection[str] | None = None) -> list[Table]:
    """What the one rounding of each pair left over, on its account, as items of the pair; no table when it left none.

    names: only of pairs with one of them; None: of all.
    """
    columns = [CURRENCY, Column("account", "Account"), Column("debtor", "Debtor"), Column("creditor", "Creditor")]
    columns += [Column("micros", "Left over, exact", Kind.MICROS)]
    rows: list[list[Cell]] = [
        [one.currency, RESIDUE_ACCOUNT, item.debtor, item.creditor, item.micros]
        for one in settled.run.result
        for item in one.residue
        if names is None or {item.debtor, item.creditor} & set(names)
    ]
    return [Table("residue", "Left over by rounding", columns, rows)] if rows else []


def charts(settled: SettledWindow) -> list[Chart]:
    """A chart of positions for each currency, receivers first."""
    return [
        Chart(f"Net positions, {one.currency}", one.currency, [_bar(position) for position in _by_net(one)])
        for one in settled.run.result
        if one.positions
    ]


def bands() -> list[str]:
    """Names of the age bands: "0-7", "91+"."""
    return [f"{first}-{last}" if last is not None else f"{first}+" for first, last in AGE_BANDS]


def net_of(position: Position) -> tuple[int, int]:
    """What a participant is to receive in all, and what it is to pay; one of the two is 0."""
    net = position.receivable - position.payable
    return max(net, 0), max(-net, 0)


def _report(
    settled: SettledWindow, name: str, title: str, tables: Sequence[Table], pictures: Sequence[Chart] = ()
) -> Report:
    law = sentence(settled.run.configuration.legal_model, settled.operator)
    notes = [law, *currencies.note(settled)]
    return Report(name, title, settled.about, settled.closed_at, tables, pictures, notes)


def _totals(settled: SettledWindow) -> Table:
    figures = (
        ("gross", "Owed in all"),
        ("held", "Held"),
        ("bilateral", "Left by pair"),
        ("net", "Net"),
        ("paid", "Paid"),
    )
    columns = [CURRENCY, *(Column(key, title, Kind.MONEY) for key, title in figures)]
    columns += [Column("obligations", "Obligations", Kind.WHOLE), Column("pay_date", "Pay day", Kind.DAY)]
    rows = [
        [one.currency, one.gross, one.held, one.bilateral, one.net, one.paid, one.obligations, _day(one.pay_date)]
        for one in settled.run.result
    ]
    return Table("totals", "Totals", columns, rows)


def _positions(settled: SettledWindow) -> Table:
    figures = (
        ("receivable", "Receivable"),
        ("payable", "Payable"),
        ("net_receive", "Receives"),
        ("net_pay", "Pays"),
        ("carried", "Carried"),
        ("held_receivable", "Held, receivable"),
        ("held_payable", "Held, payable"),
    )
    columns = [CURRENCY, Column("participant", "Participant"), Column("name", "Name")]
    columns += [Column(key, title, Kind.MONEY) for key, title in figures]
    rows: list[list[Cell]] = [
        [
            one.currency,
            p.participant,
            settled.names.get(p.participant, p.participant),
            p.receivable,
            p.payable,
            *net_of(p),
            p.carried,
            p.held_receivable,
            p.held_payable,
        ]
        for one in settled.run.result
        for p in one.positions
    ]
    return Table("positions", "Net positions", columns, rows)


def _pairs(settled: SettledWindow) -> Table:
    columns = [CURRENCY, Column("debtor", "Debtor"), Column("creditor", "Creditor")]
    columns += [Column("micros", "Exact", Kind.MICROS), Column("gross", "Owed", Kind.MONEY)]
    columns += [Column("carried_in", "of it carried in", Kind.MONEY), Column("net", "Left by pair", Kind.MONEY)]
    columns += [Column("obligations", "Obligations", Kind.WHOLE)]
    rows: list[list[Cell]] = [
        [one.currency, p.debtor, p.creditor, p.micros, p.gross, p.carried_in, p.net, p.obligations]
        for one in settled.run.result
        for p in one.pairs
    ]
    return Table("pairs", "Directed pairs", columns, rows)


def _payments(settled: SettledWindow) -> Table:
    columns = [CURRENCY, Column("payer", "From"), Column("payee", "To"), Column("amount", "Amount", Kind.MONEY)]
    rows: list[list[Cell]] = [
        [one.currency, p.payer, p.payee, p.amount] for one in settled.run.result for p in one.payments
    ]
    return Table("payments", "Payments", columns, rows)


def _waiting(settled: SettledWindow) -> Table:
    columns = [CURRENCY, Column("debtor", "Debtor"), Column("creditor", "Creditor"), Column("because", "Because")]
    columns += [Column("since_window", "Since window", Kind.WHOLE), Column("since", "Since", Kind.DAY)]
    columns += [Column("days", "Days", Kind.WHOLE), Column("amount", "Amount", Kind.MONEY)]
    rows: list[list[Cell]] = [
        [
            one.currency,
            item.debtor,
            item.creditor,
            item.because,
            item.since_window,
            date.fromisoformat(item.since),
            _age(item, settled.closed_on),
            item.amount,
        ]
        for one in settled.run.result
        for item in (*one.carried, *one.held_items)
    ]
    return Table("waiting", "Carried and held", columns, rows)


def _matrix(one: CurrencyResult) -> Table:
    names = [position.participant for position in one.positions]
    owed = {(pair.debtor, pair.creditor): pair.gross for pair in one.pairs}
    columns = [CURRENCY, Column("debtor", "Debtor"), *(Column(name, name, Kind.MONEY) for name in names)]
    columns += [Column("total", "In all", Kind.MONEY)]

    def row(debtor: str) -> Iterator[Cell]:
        amounts = [owed.get((debtor, creditor), 0) for creditor in names]
        yield from (one.currency, debtor, *(amount or None for amount in amounts), sum(amounts))

    rows: list[list[Cell]] = [list(row(name)) for name in names]
    received = [sum(owed.get((debtor, creditor), 0) for debtor in names) for creditor in names]
    rows.append([one.currency, "in all", *received, sum(received)])
    return Table(f"matrix_{one.currency}", f"Who owes whom, {one.currency}", columns, rows)


def _by_net(one: CurrencyResult) -> list[Position]:
    return sorted(one.positions, key=lambda p: (p.payable - p.receivable, p.participant))


def _bar(position: Position) -> Bar:
    return Bar(position.participant, *net_of(position))


def _age(item: CarryFigures, closed_on: date) -> int:
    return (closed_on - date.fromisoformat(item.since)).days


def _band(days: int) -> str:
    places = [place for place, (_, last) in enumerate(AGE_BANDS) if last is None or days <= last]
    return bands()[places[0]]


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
