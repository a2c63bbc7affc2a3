"""Direct payments between participants, as few as can be.

Net positions that sum to zero among themselves can be settled among themselves, and k participants then need k - 1
payments; so the fewest payments come from splitting everybody into as many zero-sum groups as possible. That is found
exactly for small coalitions, and by paying the largest first for large ones.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from settlement.netting.model import Gross, NettingResult, Pair, Terms
from settlement.netting.rules import net_positions, pay_by_pair

EXACT_PARTICIPANTS_MAX = 20
"""Beyond it the exact search, whose work doubles with each participant, would take seconds (20: 0.7 s)."""


def net_direct(gross: Gross, terms: Terms) -> NettingResult:
    """Net debtors pay net creditors directly; a payment below the minimum is carried between its two parties."""
    return pay_by_pair(gross, terms, fewest_payments(net_positions(gross.pairs)), by_position=True)


def fewest_payments(nets: Mapping[str, int]) -> dict[Pair, int]:
    """What each debtor pays each creditor, in name order, so that all of these positions come to zero.

    nets: non-zero positions that sum to zero. The number of payments is the least possible as long as no more than
    EXACT_PARTICIPANTS_MAX participants are left once exactly opposite positions have been matched, and always less
    than the number of participants.
    """
    matched, rest = _match_opposites(nets)
    groups = zero_sum_groups(rest) if len(rest) <= EXACT_PARTICIPANTS_MAX else [rest]
    payments = matched
    for group in groups:
        payments |= _pay_largest_first(group)
    return dict(sorted(payments.items()))


def zero_sum_groups(nets: Mapping[str, int]) -> list[dict[str, int]]:
    """Split positions that sum to zero into as many zero-sum groups as possible.

    best[chosen] is the most zero-sum groups one can close while taking the chosen participants one after the other;
    the last participant is left out of the choice, for the group that takes it closes by itself.
    """
    names = sorted(nets)
    if not names:
        return []
    choosable = len(names) - 1
    sums = _sums_of_subsets([nets[name] for name in names[:choosable]])
    best = bytearray(len(sums))
    for chosen in range(1, len(sums)):
        most = 0
        bits = chosen
        while bits:
            lowest = bits & -bits
            most = max(most, best[chosen ^ lowest])
            bits ^= lowest
        best[chosen] = most + (sums[chosen] == 0)
    return _trace_back(nets, names, sums, best)


def _trace_back(
    nets: Mapping[str, int], names: Sequence[str], sums: Sequence[int], best: bytearray
) -> list[dict[str, int]]:
    groups = [{names[-1]: nets[names[-1]]}]
    chosen = len(sums) - 1
    while chosen:
        if sums[chosen] == 0:
            groups.append({})
        before = best[chosen] - (sums[chosen] == 0)
        taken = next(i for i in range(len(names)) if chosen >> i & 1 and best[chosen ^ (1 << i)] == before)
        groups[-1][names[taken]] = nets[names[taken]]
        chosen ^= 1 << taken
    return groups


def _sums_of_subsets(amounts: Sequence[int]) -> list[int]:
    sums = [0]
    for amount in amounts:
        sums += [amount + rest for rest in sums]
    return sums


def _match_opposites(nets: Mapping[str, int]) -> tuple[dict[Pair, int], dict[str, int]]:
    """Let exactly opposite positions pay each other: some best split always has them as groups of two."""
    debtors: dict[int, list[str]] = {}
    for name in sorted(nets, reverse=True):
        if nets[name] < 0:
            debtors.setdefault(-nets[name], []).append(name)
    payments: dict[Pair, int] = {}
    rest = dict(nets)
    for creditor in sorted(nets):
        waiting = debtors.get(nets[creditor])
        if waiting:
            debtor = waiting.pop()
            payments[debtor, creditor] = rest.pop(creditor)
            del rest[debtor]
    return payments, rest


def _pay_largest_first(nets: Mapping[str, int]) -> dict[Pair, int]:
    """The largest debtor pays the largest creditor, again and again; ties go by name. Each closes one."""
    debtors = [(net, name) for name, net in nets.items() if net < 0]
    creditors = [(-net, name) for name, net in nets.items() if net > 0]
    heapq.heapify(debtors)
    heapq.heapify(creditors)
    payments: dict[Pair, int] = {}
    while debtors:
        owing, debtor = heapq.heappop(debtors)
        due, creditor = heapq.heappop(creditors)
        amount = min(-owing, -due)
        payments[debtor, creditor] = amount
        if -owing > amount:
            heapq.heappush(debtors, (owing + amount, debtor))
        if -due > amount:
            heapq.heappush(creditors, (due + amount, creditor))
    return payments
