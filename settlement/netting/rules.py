"""The arithmetic every mode shares, and the three modes that need no search: gross, bilateral, multilateral."""

from __future__ import annotations

from collections.abc import Mapping

from settlement.netting.model import Carry, Gross, NettingResult, Pair, Payment, SetOff, Terms


def net_gross(gross: Gross, terms: Terms) -> NettingResult:
    """No set-off: each debtor pays each creditor all it owes it; a directed pair below the minimum is carried."""
    return pay_by_pair(gross, terms, gross.pairs)


def net_bilateral(gross: Gross, terms: Terms) -> NettingResult:
    """Each pair sets off what it owes one another and the difference is paid; one below the minimum is carried."""
    return pay_by_pair(gross, terms, set_off_by_pair(gross.pairs))


def net_multilateral(gross: Gross, terms: Terms) -> NettingResult:
    """A star: net debtors pay the operator's clearing account, which pays net creditors.

    A participant with |net| below the minimum is carried against the clearing account: it owes the operator, or the
    operator owes it. So the operator bridges what debtors carry with its own money and keeps what creditors carry,
    and its payments and carried items together still leave it with exactly its own net. That net itself needs no
    payment, being what stays in the account, and is never carried.
    """
    debtors: list[Payment] = []
    creditors: list[Payment] = []
    carried: list[Carry] = []
    operator = terms.operator
    for name, net in net_positions(gross.pairs).items():
        if name == operator:
            continue
        pair = (name, operator) if net < 0 else (operator, name)
        if not terms.pays(pair, abs(net)):
            carried.append(Carry(*pair, abs(net)))
        else:
            (debtors if net < 0 else creditors).append(Payment(*pair, abs(net)))
    return summarise(gross, (*debtors, *creditors), tuple(carried), clearing_account=operator, by_position=True)


def set_off_by_pair(pairs: Mapping[Pair, int]) -> dict[Pair, int]:
    """What is left of each pair, in the direction it is left in; pairs that come to zero are left out."""
    left: dict[Pair, int] = {}
    for (debtor, creditor), amount in pairs.items():
        difference = amount - pairs.get((creditor, debtor), 0)
        if difference > 0:
            left[debtor, creditor] = difference
    return dict(sorted(left.items()))


def net_positions(pairs: Mapping[Pair, int]) -> dict[str, int]:
    """Receivable - payable by participant, in name order; zero is left out. The sum is zero."""
    nets: dict[str, int] = {}
    for (debtor, creditor), amount in pairs.items():
        nets[debtor] = nets.get(debtor, 0) - amount
        nets[creditor] = nets.get(creditor, 0) + amount
    assert sum(nets.values()) == 0, "positions must sum to zero"
    return {name: net for name, net in sorted(nets.items()) if net}


def pay_by_pair(
    gross: Gross, terms: Terms, owed: Mapping[Pair, int], *, set_off: SetOff | None = None, by_position: bool = False
) -> NettingResult:
    """Pay what is owed by directed pair; what is below the minimum is carried between the same two."""
    payments = tuple(Payment(*pair, amount) for pair, amount in owed.items() if terms.pays(pair, amount))
    carried = tuple(Carry(*pair, amount) for pair, amount in owed.items() if not terms.pays(pair, amount))
    return summarise(gross, payments, carried, set_off=set_off, by_position=by_position)


def summarise(
    gross: Gross,
    payments: tuple[Payment, ...],
    carried: tuple[Carry, ...],
    *,
    clearing_account: str | None = None,
    set_off: SetOff | None = None,
    by_position: bool = False,
) -> NettingResult:
    """Put what a mode decided beside the figures that are the same in every mode.

    Payments and carried items must leave everybody with their net: a mode that breaks this is a programming error.
    """
    held = sum(gross.held.values())
    pairs = set_off_by_pair(gross.pairs)
    nets = net_positions(gross.pairs)
    assert positions_left_by(payments, carried) == nets, "payments and carried items must add up to the positions"
    return NettingResult(
        currency=gross.currency,
        gross=sum(gross.pairs.values()) + held,
        held=held,
        bilateral=sum(pairs.values()),
        net_needed=sum(net for net in nets.values() if net > 0),
        pairs=pairs,
        nets=nets,
        payments=payments,
        carried=carried,
        clearing_account=clearing_account,
        set_off=set_off,
        by_position=by_position,
    )


def positions_left_by(payments: tuple[Payment, ...], carried: tuple[Carry, ...]) -> dict[str, int]:
    """Received - paid + still to receive - still to pay by participant; zero is left out."""
    moved: dict[Pair, int] = {}
    legs = [((p.payer, p.payee), p.amount) for p in payments] + [((c.debtor, c.creditor), c.amount) for c in carried]
    for pair, amount in legs:
        moved[pair] = moved.get(pair, 0) + amount
    return net_positions(moved)
