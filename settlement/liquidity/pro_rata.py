"""Pro rata: who cannot pay all it owes pays the same fraction of each of its debts.

The fractions are the greatest for which this holds for everybody at once, when each pays out all it has and receives
(the clearing vector of Eisenberg and Noe). They are worked out exactly, as ratios of whole numbers; amounts are then
rounded to whole minor units, up or down, so that nobody ends below zero and the most settles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from settlement.circulation import Arc, best_circulation
from settlement.liquidity.divisible import SOURCE, pair_totals
from settlement.liquidity.model import Choice
from settlement.netting.model import Obligation, Pair


def settle_pro_rata(items: Sequence[Obligation], funds: Mapping[str, int]) -> Choice:
    """Settle of every item its debtor's fraction, to within one minor unit by item and by directed pair.

    Within a pair the units left over by rounding down go to the items with the largest remainders, ties by file order.
    """
    owed = pair_totals(items)
    fractions = clearing_fractions(owed, funds)
    by_pair = round_by_pair(owed, fractions, funds)
    settled: dict[str, int] = {}
    remainders: dict[Pair, list[tuple[Fraction, int, str]]] = {}
    for place, item in enumerate(items):
        exact = item.amount * fractions[item.debtor]
        settled[item.id] = int(exact)
        remainders.setdefault((item.debtor, item.creditor), []).append((int(exact) - exact, place, item.id))
        by_pair[item.debtor, item.creditor] -= settled[item.id]
    for pair, units in by_pair.items():
        for _, _, item_id in sorted(remainders[pair])[:units]:
            settled[item_id] += 1
    return Choice(settled, sum(settled.values()))


def clearing_fractions(owed: Mapping[Pair, int], funds: Mapping[str, int]) -> dict[str, Fraction]:
    """The fraction of its debts each debtor pays: 1 for who can pay in full, in name order.

    Starts with everybody paying in full. Whoever then cannot is put among the short, whose fractions are set so that
    each pays out exactly what it has; that may leave others short in turn, until nobody new is.
    """
    debtors = sorted({debtor for debtor, _ in owed})
    payable = {name: sum(amount for (debtor, _), amount in owed.items() if debtor == name) for name in debtors}
    fractions = dict.fromkeys(debtors, Fraction(1))
    while True:
        means = {name: Fraction(funds.get(name, 0)) for name in debtors}
        for (debtor, creditor), amount in owed.items():
            if creditor in means:
                means[creditor] += amount * fractions[debtor]
        short = [name for name in debtors if means[name] < payable[name] or fractions[name] < 1]
        if all(fractions[name] < 1 for name in short):
            return fractions
        fractions |= _fractions_of_the_short(short, payable, owed, funds)


def round_by_pair(
    owed: Mapping[Pair, int], fractions: Mapping[str, Fraction], funds: Mapping[str, int]
) -> dict[Pair, int]:
    """Whole amounts by pair, each next to its exact one, that leave nobody below zero and sum to the most.

    There is always such a rounding: up or down is a flow of one unit or none, and where a flow in fractions fits
    whole limits, one in whole numbers does.
    """
    exact = {pair: amount * fractions[pair[0]] for pair, amount in owed.items()}
    rounded = {pair: int(amount) for pair, amount in exact.items()}
    open_pairs = [pair for pair in owed if exact[pair].denominator > 1]
    rest = dict(funds)
    for (debtor, creditor), amount in rounded.items():
        rest[debtor] = rest.get(debtor, 0) - amount
        rest[creditor] = rest.get(creditor, 0) + amount
    arcs = [Arc(*pair, 1, gain=1) for pair in open_pairs]
    worth_more_than_all_units = len(open_pairs) + 1
    needed = 0
    for name in sorted({name for pair in open_pairs for name in pair}):
        needed += max(0, -rest[name])
        arcs.append(Arc(SOURCE, name, min(max(0, rest[name]), len(open_pairs)), gain=0))
        arcs.append(Arc(name, SOURCE, max(0, -rest[name]), gain=worth_more_than_all_units))
        arcs.append(Arc(name, SOURCE, len(open_pairs), gain=0))
    flow = best_circulation(arcs)
    filled = sum(units for arc, units in zip(arcs, flow, strict=True) if arc.gain == worth_more_than_all_units)
    assert filled == needed, "a rounding that leaves nobody below zero always exists"
    for pair, units in zip(open_pairs, flow, strict=False):
        rounded[pair] += units
    return rounded


def _fractions_of_the_short(
    short: Sequence[str], payable: Mapping[str, int], owed: Mapping[Pair, int], funds: Mapping[str, int]
) -> dict[str, Fraction]:
    """Fractions at which each of the short pays out its funds and what it receives, all others paying in full.

    One equation each: payable x own fraction - sum of (owed to it x fraction of that debtor) over the short = funds +
    what the others owe it. Solved by elimination in whole numbers, where every division comes out even (Bareiss).
    No pivot is ever zero: nobody's debts to the short exceed its debts, and no closed circle of them can be short.
    """
    place = {name: row for row, name in enumerate(short)}
    size = len(short)
    rows = [[0] * size + [funds.get(name, 0)] for name in short]
    for name, at in place.items():
        rows[at][at] = payable[name]
    for (debtor, creditor), amount in owed.items():
        if creditor in place:
            column = place.get(debtor, size)
            rows[place[creditor]][column] += amount if column == size else -amount
    previous = 1
    for step in range(size):
        pivot = rows[step]
        assert pivot[step], "the short pay somebody outside their circle, or have funds"
        for row in rows[:step] + rows[step + 1 :]:
            factor = row[step]
            row[:] = [(pivot[step] * a - factor * b) // previous for a, b in zip(row, pivot, strict=True)]
        previous = pivot[step]
    return {name: Fraction(rows[at][size], rows[at][at]) for name, at in place.items()}
