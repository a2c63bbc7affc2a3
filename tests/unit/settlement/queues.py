"""Queues of items that wait for funds: in words, or drawn at random."""

from __future__ import annotations

import random

from settlement.liquidity.model import LiquidityResult, Queue
from settlement.liquidity.registry import settle_all
from settlement.netting.model import Obligation


def queue(items: str, funds: str = "") -> Queue:
    """Items `A>B 50` numbered from 1, funds `A 10`; both separated by commas."""
    obligations = []
    for number, item in enumerate(items.split(", "), start=1):
        pair, amount, *held = item.split()
        debtor, creditor = pair.split(">")
        obligations.append(Obligation(debtor, creditor, "CNY", int(amount), str(number), bool(held)))
    available = [line.split() for line in funds.split(", ") if line]
    return Queue("CNY", obligations, {name: int(amount) for name, amount in available})


def settle(way: str, items: str, funds: str = "") -> LiquidityResult:
    """A queue in words, settled."""
    return settle_all([queue(items, funds)], way)[0]


def starved(items: int, participants: int, share: str, digits_min: int, digits_max: int) -> Queue:
    """Random amounts between two powers of ten; everybody has a share of what it owes."""
    chance = random.Random(f"cents/{items}/{participants}/{share}/2")
    names = [f"P{number:02}" for number in range(participants)]
    obligations = []
    for number in range(items):
        debtor, creditor = chance.sample(names, 2)
        obligations.append(
            Obligation(debtor, creditor, "CNY", int(10 ** chance.uniform(digits_min, digits_max)), str(number))
        )
    owes = {name: sum(item.amount for item in obligations if item.debtor == name) for name in names}
    return Queue("CNY", obligations, {name: int(owed * float(share)) for name, owed in owes.items()})
