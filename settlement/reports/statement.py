"""A merchant's statement of a window: what it is owed and owes by kind, how that becomes its net, with whom. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from settlement.reports import borne, currencies, disputes
from settlement.reports.figures import CURRENCY, net_of, residue
from settlement.reports.lines import PairLine, lines_of
from settlement.reports.model import Cell, Column, Kind, Report, Table
from settlement.reports.settled import SettledWindow
from settlement.run.legal import counterparty, sentence
from settlement.run.model import CurrencyResult, Position

LABELS = {
    "earn": "Points awarded",
    "redeem": "Points redeemed",
    "discount": "Points taken as cash",
    "conversion": "Conversions",
    "spread": "Conversion spread",
    "fee": "Fees",
    "campaign": "Campaigns",
    "cash_out": "Points paid out",
    "cash_out_fee": "Handling fees",
    "breakage": "Shares of expired points",
    "promotion": "Promotions",
    "adjustment": "Adjustments",
    "reversal": "Reversals",
}
"""What people call each kind of obligation; a kind without a line here is called by its own name."""

_SIDES = ("creditor", "debtor")
LINE = (
    CURRENCY,
    Column("line", "Line"),
    Column("title", "What"),
    Column("receivable", "Receivable", Kind.MONEY),
    Column("payable", "Payable", Kind.MONEY),
    Column("items", "Items", Kind.WHOLE),
    Column("receivable_micros", "Receivable, exact", Kind.MICROS),
    Column("payable_micros", "Payable, exact", Kind.MICROS),
)


def merchant_statement(settled: SettledWindow, participant: str) -> Report:
    """The statement of a participant; one that had no part in the window gets one without lines."""
    name = settled.names.get(participant, participant)
    model = settled.run.configuration.legal_model
    about = [("participant", "Participant", participant), ("name", "Name", name), *settled.about]
    return Report(
        name="merchant-statement",
        title=f"Statement of {name}",
        about=about,
        as_of=settled.closed_at,
        tables=[
            _lines(settled, participant),
            _counterparties(settled, participant),
            _payments(settled, participant),
            *currencies.conversions(settled, [participant]),
            *residue(settled, [participant]),
            *disputes.tables(settled, participant),
            *borne.tables(settled, participant),
        ],
        notes=[
            sentence(model, settled.operator),
            "Each pair of participants is rounded once; the lines of its kinds sum to the rounded figure.",
            "Every line drills down to transfers: see the detail file, or ListObligations.",
            *currencies.note(settled),
            *borne.note(settled, participant),
        ],
    )


def position_of(one: CurrencyResult, participant: str) -> Position | None:
    """A participant's position in a currency; None: it had no part in it.

    Who bridges what others carry has a part, though nobody owed it anything: it pays now what it is owed later.
    """
    found = next((position for position in one.positions if position.participant == participant), None)
    if found is None and any(participant in (item.debtor, item.creditor) for item in one.carried):
        return Position(participant, receivable=0, payable=0, carried=0)
    return found


def _lines(settled: SettledWindow, participant: str) -> Table:
    rows: list[Sequence[Cell]] = []
    for one in settled.run.result:
        position = position_of(one, participant)
        if position is not None:
            rows += _lines_of(one, lines_of(one, settled.kinds), position)
            if less := borne.borne_by(settled, one.currency, participant):
                rows.append([one.currency, "borne", "of it borne of defaults", less, 0, None, None, None])
    return Table("lines", "Statement", LINE, rows)


def _lines_of(one: CurrencyResult, lines: Sequence[PairLine], position: Position) -> list[Sequence[Cell]]:
    name, code = position.participant, one.currency
    rows: list[Sequence[Cell]] = []
    for key, title in (("carried_in", "Carried in"), ("held_in", "Held, from before")):
        came = [sum(getattr(p, key) for p in one.pairs if getattr(p, side) == name) for side in _SIDES]
        if any(came):
            rows.append([code, key, title, *came, None, None, None])
    own = [line for line in lines if name in (line.debtor, line.creditor)]
    for kind in dict.fromkeys(line.kind for line in lines):
        of_kind = [line for line in own if line.kind == kind]
        if of_kind:
            rows.append(_line(code, kind, of_kind, name))
    adjusted = [sum(p.adjusted for p in one.pairs if getattr(p, side) == name) for side in _SIDES]
    if any(adjusted):
        rows.append([code, "adjusted", "Adjusted", *adjusted, None, None, None])
    rows += [[code, *line, None, None, None] for line in currencies.leg_lines(one, name)]
    held = (position.held_receivable, position.held_payable)
    total = (position.receivable + held[0], position.payable + held[1])
    rows.append([code, "total", "In all", *total, None, None, None])
    if any(held):
        rows.append([code, "held", "Held, not netted", *held, None, None, None])
    disputed = [
        sum(item.amount for item in one.held_items if item.dispute and getattr(item, side) == name) for side in _SIDES
    ]
    if any(disputed):
        rows.append([code, "disputed", "of it disputed", *disputed, None, None, None])
    receives, pays = net_of(position)
    rows.append([code, "net", "Net", receives, pays, None, None, None])
    carried = [sum(item.amount for item in one.carried if getattr(item, side) == name) for side in _SIDES]
    if any(carried):
        rows.append([code, "carried", "Carried to the next window", *carried, None, None, None])
    paid = [sum(p.amount for p in one.payments if getattr(p, side) == name) for side in ("payee", "payer")]
    rows.append([code, "paid", "To receive and to pay now", *paid, None, None, None])
    return rows


def _line(code: str, kind: str, lines: Sequence[PairLine], name: str) -> Sequence[Cell]:
    receivable = [line for line in lines if line.creditor == name]
    payable = [line for line in lines if line.debtor == name]
    return [
        code,
        kind,
        LABELS.get(kind, kind.replace("_", " ").capitalize()),
        sum(line.minor_units for line in receivable),
        sum(line.minor_units for line in payable),
        sum(line.obligations for line in lines),
        sum(line.micros for line in receivable),
        sum(line.micros for line in payable),
    ]


def _counterparties(settled: SettledWindow, participant: str) -> Table:
    columns = [CURRENCY, Column("counterparty", "Other side"), Column("legal_counterparty", "In law")]
    columns += [Column("receivable", "Receivable", Kind.MONEY), Column("payable", "Payable", Kind.MONEY)]
    columns += [Column("held", "of it held", Kind.MONEY), Column("obligations", "Items", Kind.WHOLE)]
    rows: list[list[Cell]] = []
    model = settled.run.configuration.legal_model
    for one in settled.run.result:
        pairs = [pair for pair in one.pairs if participant in (pair.debtor, pair.creditor)]
        others = sorted({name for pair in pairs for name in (pair.debtor, pair.creditor)} - {participant})
        for other in others:
            theirs = [pair for pair in pairs if other in (pair.debtor, pair.creditor)]
            rows.append(
                [
                    one.currency,
                    other,
                    counterparty(model, other, settled.operator),
                    sum(pair.gross for pair in theirs if pair.creditor == participant),
                    sum(pair.gross for pair in theirs if pair.debtor == participant),
                    sum(pair.held for pair in theirs),
                    sum(pair.obligations for pair in theirs),
                ]
            )
    return Table("counterparties", "With whom", columns, rows)


def _payments(settled: SettledWindow, participant: str) -> Table:
    columns = [CURRENCY, Column("payer", "From"), Column("payee", "To"), Column("amount", "Amount", Kind.MONEY)]
    rows: list[list[Cell]] = [
        [one.currency, payment.payer, payment.payee, payment.amount]
        for one in settled.run.result
        for payment in one.payments
        if participant in (payment.payer, payment.payee)
    ]
    return Table("payments", "Payments", columns, rows)
