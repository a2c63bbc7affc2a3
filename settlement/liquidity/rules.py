"""Settling a queue at one moment: all of it if the funds allow, else what a way of choosing says.

Everything settles simultaneously: what a participant receives pays what it owes in the same breath, and only what it
has in the end must not be negative. So a ring of debts needs no funds at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from settlement.liquidity.model import Choice, LiquidityResult, Queue
from settlement.netting.model import Obligation

Way = Callable[[Sequence[Obligation], Mapping[str, int]], Choice]
"""Free items and funds to a choice, asked only when the funds do not reach for all of them."""


def settle(queue: Queue, way: Way, *, divided: bool) -> LiquidityResult:
    """What settles now, what stays, and what everybody has then.

    divided: whether the way may settle items in part, which decides how the result is written.
    """
    free = queue.free
    everything = {item.id: item.amount for item in free}
    reaches = not short(balances(queue.items, everything, queue.funds))
    choice = Choice(everything, sum(everything.values())) if reaches else way(free, queue.funds)
    settled = {item.id: choice.settled[item.id] for item in queue.items if choice.settled.get(item.id)}
    left = {item.id: item.amount - settled.get(item.id, 0) for item in queue.items}
    after = balances(queue.items, settled, queue.funds)
    assert not short(after), f"nobody may end below zero: {short(after)}"
    assert min(left.values(), default=0) >= 0, "no item settles for more than its amount"
    assert not any(item.held and item.id in settled for item in queue.items), "held items do not settle"
    return LiquidityResult(
        currency=queue.currency,
        gross=sum(item.amount for item in queue.items),
        settled=settled,
        unsettled={item: amount for item, amount in left.items() if amount},
        balances=after,
        ceiling=choice.ceiling,
        divided=divided,
    )


def balances(items: Sequence[Obligation], settled: Mapping[str, int], funds: Mapping[str, int]) -> dict[str, int]:
    """Funds + received - paid of everybody with items or funds, in name order."""
    after = dict(funds)
    for item in items:
        amount = settled.get(item.id, 0)
        after[item.debtor] = after.get(item.debtor, 0) - amount
        after[item.creditor] = after.get(item.creditor, 0) + amount
    return dict(sorted(after.items()))


def short(after: Mapping[str, int]) -> dict[str, int]:
    """Who is below zero, and by how much."""
    return {name: -balance for name, balance in after.items() if balance < 0}
