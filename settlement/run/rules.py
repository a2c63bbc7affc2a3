"""The calculation of a run: pure. Sums by directed pair, one rounding each, what came in, then a netting mode."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple, Protocol

from exchange.money.currencies import micros_per_minor
from exchange.money.rounding import half_up
from settlement.netting.model import Gross, NettingResult, Pair, Terms
from settlement.netting.registry import MODES
from settlement.netting.rules import set_off_by_pair
from settlement.run import carrying
from settlement.run.carrying import Age, Owed
from settlement.run.coming import Came, Fresh, came_of, excluded_of, undisputed
from settlement.run.exchanging import Exchange, Exchanged
from settlement.run.model import (
    CarryFigures,
    Configuration,
    CurrencyResult,
    PairFigures,
    PaymentFigures,
    Position,
    ResidueFigures,
)


class PairTotal(Protocol):
    """What the ledger says of a directed pair in a window."""

    @property
    def currency(self) -> str:
        """ISO 4217 code."""
        ...

    @property
    def debtor(self) -> str:
        """Who owes."""
        ...

    @property
    def creditor(self) -> str:
        """Who is owed."""
        ...

    @property
    def micros(self) -> int:
        """How much, exact, in micro-units."""
        ...

    @property
    def obligations(self) -> int:
        """How many obligations that is."""
        ...


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a run is made of.

    Attributes:
        window_no: the window.
        closed_on: the day it was cut off, in the coalition's time zone: ages are counted to it.
        totals: its obligations by directed pair.
        before: the result of the window before, whose carried and held items come in.
        configuration: what was asked.
        operator: whose clearing account stands in the middle.
    """

    window_no: int
    closed_on: date
    totals: Sequence[PairTotal]
    before: Sequence[CurrencyResult]
    configuration: Configuration
    operator: str

    @property
    def age(self) -> Age:
        """Of what is first left unpaid in this window."""
        return Age(self.window_no, self.closed_on.isoformat())


class Ready(NamedTuple):
    """One currency before conversion: `new` by pair, rounded; `owed` takes part in netting, `held_items` do not."""

    came: Came
    new: Mapping[Pair, int]
    owed: Owed
    held_items: list[CarryFigures]


def calculate(inputs: Inputs) -> list[CurrencyResult]:
    """Net a window: currencies by code, pairs and participants by name, whatever the order of the input."""
    fresh: dict[str, dict[Pair, Fresh]] = {}
    for one in inputs.totals:
        pairs = fresh.setdefault(one.currency, {})
        before = pairs.get((one.debtor, one.creditor), Fresh(0, 0))
        pairs[one.debtor, one.creditor] = Fresh(before.micros + one.micros, before.obligations + one.obligations)
    old = {one.currency: one for one in inputs.before if one.carried or one.held_items}
    codes = fresh.keys() | old.keys() | {one.currency for one in inputs.configuration.disputed.adjustments}
    ready = {
        code: _ready(code, came_of(code, fresh.get(code, {}), old.get(code), inputs.configuration), inputs)
        for code in sorted(codes)
    }
    exchanged = _exchanged(ready, inputs)
    nothing = Ready(Came({}, (), {}, (), (), (), ()), {}, Owed({}), [])
    return [
        _one_currency(code, ready.get(code, nothing), exchanged.get(code, Exchanged()), inputs)
        for code in sorted(ready.keys() | exchanged.keys())
    ]


def _ready(code: str, came: Came, inputs: Inputs) -> Ready:
    """Round, and part what takes part in netting from what is held."""
    configuration, unit = inputs.configuration, micros_per_minor(code)
    new = {pair: half_up(one.micros, unit) for pair, one in came.fresh.items()}
    held_items = list(came.kept_held)
    owed = carrying.lots_of(came.entering)
    for out in came.held_out:
        parties = tuple(sorted(excluded_of((out.debtor, out.creditor), configuration)))
        held_items.append(
            CarryFigures(out.debtor, out.creditor, out.amount, *inputs.age, "disputed", parties, out.dispute)
        )
    for pair, amount in undisputed(came, new):
        parties = tuple(sorted(excluded_of(pair, configuration)))
        if amount and parties:
            held_items.append(CarryFigures(*pair, amount, *inputs.age, "excluded", parties))
        elif amount:
            lots = owed.setdefault(pair, {})
            lots[inputs.age] = lots.get(inputs.age, 0) + amount
    held_items.sort(key=lambda item: (item[:5], item.because, item.dispute))
    return Ready(came, new, Owed(owed), held_items)


def _exchanged(ready: Mapping[str, Ready], inputs: Inputs) -> dict[str, Exchanged]:
    """What is converted: nothing leaves a currency that is not due."""
    configuration = inputs.configuration
    if configuration.fx is None:
        return {}
    exchange = Exchange(configuration.fx, inputs.operator, inputs.age)
    for code in sorted(ready.keys() - set(configuration.waiting)):
        exchange.convert(code, ready[code].owed)
    return exchange.by_currency


def _one_currency(code: str, ready: Ready, exchanged: Exchanged, inputs: Inputs) -> CurrencyResult:
    came, new, held_items = ready.came, ready.new, ready.held_items
    owed = _gross(code, ready.owed, held_items)
    everything = exchanged.beside(ready.owed)
    gross = _gross(code, everything, held_items)
    netted, carried = _netted(gross, everything, inputs)
    left = set_off_by_pair(owed.pairs)
    pairs = _pairs(came, new, owed, left)
    return CurrencyResult(
        currency=code,
        gross=sum(owed.pairs.values()) + netted.held,
        held=netted.held,
        bilateral=sum(left.values()),
        net=netted.net_needed,
        paid=sum(p.amount for p in netted.payments if netted.clearing_account != p.payer),
        obligations=sum(one.obligations for one in came.fresh.values()),
        pay_date=_pay_date(code, inputs.configuration),
        pairs=pairs,
        positions=_positions(pairs, gross, carried, netted.clearing_account),
        payments=[PaymentFigures(p.payer, p.payee, p.amount) for p in netted.payments],
        carried_in=sorted(came.carried_in),
        carried=carried,
        held_in=sorted(came.held_in),
        held_items=held_items,
        residue=_residue(came.fresh, new, micros_per_minor(code)),
        certificate=netted.set_off.certificate if netted.set_off else {},
        converted=exchanged.converted,
        legs=exchanged.legs,
    )


def _gross(code: str, owed: Owed, held_items: Sequence[CarryFigures]) -> Gross:
    pairs = {pair: sum(lots.values()) for pair, lots in sorted(owed.pairs.items())}
    held = {pair: sum(lots.values()) for pair, lots in sorted(carrying.lots_of(held_items).items())}
    return Gross(code, pairs, held)


def _netted(gross: Gross, owed: Owed, inputs: Inputs) -> tuple[NettingResult, list[CarryFigures]]:
    """What the mode makes of it, and what it carries by age; what has waited too long is paid however small."""
    configuration = inputs.configuration
    if gross.currency in configuration.waiting:
        everything = Terms(1 + sum(gross.pairs.values()), inputs.operator)
        return MODES["gross"](gross, everything), carrying.waiting(owed)
    net = MODES[configuration.mode]
    terms = Terms(configuration.minimums.get(gross.currency, 0), inputs.operator)
    netted = net(gross, terms)
    days_max = configuration.maximum_carry_days.get(gross.currency, 0)
    while days_max and (old := carrying.too_old(netted, owed, inputs.closed_on, days_max)):
        # Paying one item leaves another the newer part of what its debtor owed: look again until none is too old.
        terms = replace(terms, forced=terms.forced | old)
        netted = net(gross, terms)
    return netted, carrying.aged(netted, owed)


def _pay_date(code: str, configuration: Configuration) -> str | None:
    day = configuration.pay_dates.get(code)
    return day.isoformat() if day else None


def _pairs(came: Came, new: Mapping[Pair, int], gross: Gross, left: Mapping[Pair, int]) -> list[PairFigures]:
    found = []
    for pair in sorted(new.keys() | gross.pairs.keys() | gross.held.keys()):
        fresh = came.fresh.get(pair, Fresh(0, 0))
        adjusted = came.adjusted.get(pair, 0)
        carried_in, held_in = carrying.total(came.carried_in, pair), carrying.total(came.held_in, pair)
        found.append(
            PairFigures(
                *pair,
                micros=fresh.micros,
                gross=new.get(pair, 0) + carried_in + held_in + adjusted,
                carried_in=carried_in,
                net=left.get(pair, 0),
                obligations=fresh.obligations,
                held_in=held_in,
                held=gross.held.get(pair, 0),
                adjusted=adjusted,
            )
        )
    return found


def _positions(
    pairs: Iterable[PairFigures], gross: Gross, carried: Iterable[CarryFigures], clearing_account: str | None
) -> list[Position]:
    waits: dict[str, int] = {}
    for item in carried:
        for name in (item.debtor, item.creditor):
            if name != clearing_account:
                waits[name] = waits.get(name, 0) + item.amount
    return [
        Position(
            participant=name,
            receivable=_sum_of(gross.pairs, name, side=1),
            payable=_sum_of(gross.pairs, name, side=0),
            carried=waits.get(name, 0),
            held_receivable=_sum_of(gross.held, name, side=1),
            held_payable=_sum_of(gross.held, name, side=0),
        )
        for name in sorted({name for pair in pairs for name in pair[:2]} | set(gross.participants))
    ]


def _sum_of(pairs: Mapping[Pair, int], name: str, side: int) -> int:
    return sum(amount for pair, amount in pairs.items() if pair[side] == name)


def _residue(fresh: Mapping[Pair, Fresh], new: Mapping[Pair, int], unit: int) -> list[ResidueFigures]:
    """Rounded down, the debtor keeps the rest; rounded up, the creditor has been given it."""
    found = []
    for pair, one in sorted(fresh.items()):
        left = one.micros - new[pair] * unit
        if left > 0:
            found.append(ResidueFigures(*pair, left))
        elif left < 0:
            found.append(ResidueFigures(pair[1], pair[0], -left))
    return found
