"""Set-off along cycles: discharge as much as possible of existing debts, and bring nobody a new counterparty.

What is set off is a circulation: from each directed pair at most what it owes, and by each participant as much as
debtor as as creditor. The largest one is a minimum-cost flow, which OR-tools solves; the certificate is ours, so that
the proof does not rest on the solver.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from settlement.circulation import Arc, best_circulation
from settlement.netting.model import Gross, NettingResult, Pair, SetOff, Terms
from settlement.netting.rules import pay_by_pair


def net_setoff(gross: Gross, terms: Terms) -> NettingResult:
    """Clear the most that cycles of existing debts allow; what is left of each pair is paid as it was owed.

    A remainder below the minimum is carried between the same two. The result carries the proof that no set-off clears
    more; should it not hold, nothing is returned.

    Raises:
        AmountsTooLarge: a participant's debts or claims are too large for the solver.
    """
    cleared = largest_set_off(gross.pairs)
    remainder = {pair: amount - cleared[pair] for pair, amount in gross.pairs.items() if amount > cleared[pair]}
    total = sum(cleared.values())
    certificate = dict.fromkeys(gross.participants, 0) | potentials(gross.pairs, cleared)
    assert ceiling(gross.pairs, certificate) == total, "the certificate must prove the set-off maximal"
    return pay_by_pair(gross, terms, remainder, set_off=SetOff(total, remainder, certificate))


def largest_set_off(pairs: Mapping[Pair, int]) -> dict[Pair, int]:
    """How much of each pair to set off so that the sum is largest and every position stays as it was.

    Raises:
        AmountsTooLarge: a participant's debts or claims are too large for the solver.
    """
    ordered = sorted(pairs)
    return dict(zip(ordered, best_circulation([Arc(*pair, pairs[pair], gain=1) for pair in ordered]), strict=True))


def potentials(pairs: Mapping[Pair, int], cleared: Mapping[Pair, int]) -> dict[str, int]:
    """Whole numbers, the least of them 0, that prove a largest circulation largest.

    They are shortest distances where setting off one more unit of a pair is a step of -1 from debtor to creditor, and
    taking one back a step of +1 the other way. Were more to be gained there would be a cycle of negative length, on
    which distances never come to rest: that is asserted against, as the solver promised otherwise.
    """
    steps: dict[str, list[tuple[str, int]]] = {name: [] for pair in sorted(pairs) for name in pair}
    for (debtor, creditor), amount in sorted(pairs.items()):
        if cleared[debtor, creditor] < amount:
            steps[debtor].append((creditor, -1))
        if cleared[debtor, creditor] > 0:
            steps[creditor].append((debtor, 1))
    distance = dict.fromkeys(sorted(steps), 0)
    waiting = deque(distance)
    is_waiting = set(waiting)
    while waiting:
        here = waiting.popleft()
        is_waiting.remove(here)
        for there, length in steps[here]:
            reached = distance[here] + length
            if reached < distance[there]:
                assert reached > -len(distance), "a cycle is left that could still be set off"
                distance[there] = reached
                if there not in is_waiting:
                    is_waiting.add(there)
                    waiting.append(there)
    least = min(distance.values(), default=0)
    return {name: reached - least for name, reached in distance.items()}


def ceiling(pairs: Mapping[Pair, int], certificate: Mapping[str, int]) -> int:
    """What no set-off can exceed, whatever whole numbers the certificate gives the participants."""
    return sum(
        amount * max(0, 1 - (certificate[debtor] - certificate[creditor]))
        for (debtor, creditor), amount in pairs.items()
    )
