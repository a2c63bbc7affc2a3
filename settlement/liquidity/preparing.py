"""What is left to choose among whole items once everything that is certain is settled or put aside.

Four things need no search. Who can pay all it owes without receiving anything pays all of it. What is more than its
debtor has and could ever receive never settles, nor what comes out even in no combination. And debtors none of whose
items reach another short debtor have nothing to do with each other: each such part of the queue is a choice of its own,
in the largest unit its amounts share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import gcd

from settlement.liquidity.combinations import listed
from settlement.liquidity.divisible import most_by_pair, pair_totals
from settlement.liquidity.program import Limit, Program
from settlement.netting.model import Obligation


def prepare(items: Sequence[Obligation], funds: Mapping[str, int]) -> tuple[list[Obligation], list[Program]]:
    """The items that settle in some best choice whatever becomes of the rest, and what is to be chosen among.

    The order of the items makes no difference to either, if they have ids.

    Raises:
        AmountsTooLarge: the items to be chosen among sum to more than the solver can take.
    """
    certain: list[Obligation] = []
    waiting = sorted(items, key=lambda item: (item.debtor, item.creditor, item.amount, item.id))
    has = dict(funds)
    while True:
        owes, due = _sums(waiting)
        solvent = {debtor for debtor, owed in owes.items() if owed <= has.get(debtor, 0)}
        sure = [item for item in waiting if item.debtor in solvent]
        reach = {debtor: has.get(debtor, 0) + due.get(debtor, 0) for debtor in owes.keys() - solvent}
        open_still = [item for item in waiting if item.amount <= reach.get(item.debtor, 0)]
        for item in sure:
            has[item.debtor] -= item.amount
            has[item.creditor] = has.get(item.creditor, 0) + item.amount
        certain += sure
        if len(open_still) < len(waiting):
            waiting = open_still
            continue
        parts = [listed(_program(part, has)) for part in _parts(waiting)]
        impossible = {item.id for program, lots in parts for lot in lots for item in program.lots[lot]}
        if not impossible:
            return certain, [program for program, _ in parts]
        waiting = [item for item in waiting if item.id not in impossible]


def _sums(items: Iterable[Obligation]) -> tuple[dict[str, int], dict[str, int]]:
    """What everybody owes, and what is due to everybody."""
    owes: dict[str, int] = {}
    due: dict[str, int] = {}
    for item in items:
        owes[item.debtor] = owes.get(item.debtor, 0) + item.amount
        due[item.creditor] = due.get(item.creditor, 0) + item.amount
    return owes, due


def _parts(items: Sequence[Obligation]) -> list[list[Obligation]]:
    """The items split so that no debtor in one part receives from another; parts and items in the order given."""
    debtors = {item.debtor for item in items}
    part = {debtor: debtor for debtor in debtors}

    def named(debtor: str) -> str:
        while part[debtor] != debtor:
            part[debtor] = part[part[debtor]]
            debtor = part[debtor]
        return debtor

    for item in items:
        if item.creditor in debtors:
            part[named(item.creditor)] = named(item.debtor)
    parts: dict[str, list[Obligation]] = {}
    for item in items:
        parts.setdefault(named(item.debtor), []).append(item)
    return list(parts.values())


def _program(items: Sequence[Obligation], funds: Mapping[str, int]) -> Program:
    unit = gcd(*(item.amount for item in items))
    alike: dict[tuple[str, str, int], list[Obligation]] = {}
    for item in items:
        alike.setdefault((item.debtor, item.creditor, item.amount), []).append(item)
    weights: dict[str, dict[int, int]] = {debtor: {} for debtor, _, _ in alike}
    for number, (debtor, creditor, amount) in enumerate(alike):
        weights[debtor][number] = amount // unit
        if creditor in weights:
            weights[creditor][number] = -(amount // unit)
    limits = [Limit(debtor, theirs, funds.get(debtor, 0) // unit) for debtor, theirs in weights.items()]
    return Program(
        lots=list(alike.values()),
        amounts=[amount // unit for _, _, amount in alike],
        limits=limits,
        unit=unit,
        ceiling=sum(most_by_pair(pair_totals(items), funds).values()) // unit,
    )
