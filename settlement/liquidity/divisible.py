"""The most that can settle when an item may settle in part: a flow from the funds along the debts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from settlement.circulation import Arc, best_circulation
from settlement.liquidity.model import Choice
from settlement.netting.model import Obligation, Pair

SOURCE = ""
"""Where funds come from and what is not used returns to; no participant has an empty name."""


def settle_divisible(items: Sequence[Obligation], funds: Mapping[str, int]) -> Choice:
    """Settle as much value as possible. Within a directed pair earlier items go first.

    Raises:
        AmountsTooLarge: the items sum to more than the solver can take.
    """
    owed = pair_totals(items)
    waiting = most_by_pair(owed, funds)
    settled: dict[str, int] = {}
    value = sum(waiting.values())
    for item in items:
        pair = (item.debtor, item.creditor)
        settled[item.id] = min(item.amount, waiting[pair])
        waiting[pair] -= settled[item.id]
    return Choice(settled, value)


def pair_totals(items: Sequence[Obligation]) -> dict[Pair, int]:
    """What is owed by directed pair, in name order."""
    totals: dict[Pair, int] = {}
    for item in items:
        pair = (item.debtor, item.creditor)
        totals[pair] = totals.get(pair, 0) + item.amount
    return dict(sorted(totals.items()))


def most_by_pair(owed: Mapping[Pair, int], funds: Mapping[str, int]) -> dict[Pair, int]:
    """How much of each pair settles when the sum is largest; also an upper limit for items taken whole.

    Raises:
        AmountsTooLarge: the pairs sum to more than the solver can take.
    """
    payable: dict[str, int] = {}
    receivable: dict[str, int] = {}
    for (debtor, creditor), amount in owed.items():
        payable[debtor] = payable.get(debtor, 0) + amount
        receivable[creditor] = receivable.get(creditor, 0) + amount
    arcs = [Arc(*pair, amount, gain=1) for pair, amount in owed.items()]
    for name in sorted({*payable, *receivable}):
        usable = min(funds.get(name, 0), payable.get(name, 0))
        arcs.append(Arc(SOURCE, name, usable, gain=0))
        arcs.append(Arc(name, SOURCE, usable + receivable.get(name, 0), gain=0))
    return dict(zip(owed, best_circulation(arcs), strict=False))
