"""Pro rata: who cannot pay all it owes pays the same fraction of each of its debts.

The fractions are the greatest for which this holds for everybody at once, when each pays out all it has and receives
(the clearing vector of Eisenberg and Noe). They are worked out to far more digits than amounts have; amounts are then
rounded to whole minor units, up or down, so that nobody ends below zero and the most settles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Context, Decimal, localcontext
from typing import NamedTuple

from settlement.circulation import Arc, best_circulation
from settlement.liquidity.divisible import SOURCE, pair_totals
from settlement.liquidity.model import Choice
from settlement.netting.model import Obligation, Pair

DIGITS = 60
"""Of every figure between amounts and rounding. Nothing is ever subtracted on the way, so nearly all of them hold."""

NEGLIGIBLE = Decimal("1e-20")
"""Minor units: far above what DIGITS leave uncertain, far below what could ever add up to one."""


class Share(NamedTuple):
    """The fraction of an amount: whole units, and what is left of one, which is nothing or more than NEGLIGIBLE."""

    whole: int
    remainder: Decimal


def settle_pro_rata(items: Sequence[Obligation], funds: Mapping[str, int]) -> Choice:
    """Settle of every item its debtor's fraction, to within one minor unit by item and by directed pair.

    Within a pair the units left over by rounding down go to the items with the largest remainders, ties by file order.
    """
    fractions = clearing_fractions(pair_totals(items), funds)
    settled: dict[str, int] = {}
    remainders: dict[Pair, list[tuple[Decimal, int, str]]] = {}
    wholes: dict[Pair, int] = {}
    for place, item in enumerate(items):
        pair, share = (item.debtor, item.creditor), _split(item.amount, fractions[item.debtor])
        settled[item.id] = share.whole
        wholes[pair] = wholes.get(pair, 0) + share.whole
        open_items = remainders.setdefault(pair, [])
        if share.remainder:
            open_items.append((-share.remainder, place, item.id))
    shares = {pair: _summed(wholes[pair], [-left for left, _, _ in remainders[pair]]) for pair in sorted(wholes)}
    for pair, amount in round_by_pair(shares, funds).items():
        units = amount - wholes[pair]
        assert 0 <= units <= len(remainders[pair]), "as many units are left over as there are items to take them"
        for _, _, item_id in sorted(remainders[pair])[:units]:
            settled[item_id] += 1
    return Choice(settled, sum(settled.values()))


def clearing_fractions(owed: Mapping[Pair, int], funds: Mapping[str, int]) -> dict[str, Decimal]:
    """The fraction of its debts each debtor pays: 1 for who can pay in full, in name order.

    Starts with everybody paying in full. Whoever then cannot is put among the short, who pay out exactly what they
    have and receive; that may leave others short in turn, until nobody new is.
    """
    with localcontext(Context(prec=DIGITS)):
        payable: dict[str, int] = {}
        for (debtor, _), amount in owed.items():
            payable[debtor] = payable.get(debtor, 0) + amount
        fractions = dict.fromkeys(sorted(payable), Decimal(1))
        short: set[str] = set()
        while True:
            means = {name: Decimal(funds.get(name, 0)) for name in fractions}
            for (debtor, creditor), amount in owed.items():
                if creditor in means:
                    means[creditor] += amount * fractions[debtor]
            newly = {name for name in fractions if means[name] + NEGLIGIBLE < payable[name]} - short
            if not newly:
                return fractions
            short |= newly
            for name, payout in _payouts(sorted(short), owed, payable, funds).items():
                fractions[name] = payout / payable[name]


def round_by_pair(shares: Mapping[Pair, Share], funds: Mapping[str, int]) -> dict[Pair, int]:
    """Whole amounts by pair, each next to its exact one, that leave nobody below zero and sum to the most.

    There is always such a rounding: up or down is a flow of one unit or none, and where a flow in fractions fits
    whole limits, one in whole numbers does.
    """
    rounded = {pair: share.whole for pair, share in shares.items()}
    open_pairs = [pair for pair, share in shares.items() if share.remainder]
    rest = dict(funds)
    for (debtor, creditor), amount in rounded.items():
        rest[debtor] = rest.get(debtor, 0) - amount
        rest[creditor] = rest.get(creditor, 0) + amount
    arcs = [Arc(*pair, 1, gain=1) for pair in open_pairs]
    worth_more_than_all_units = len(open_pairs) + 1
    for name in sorted(_named(open_pairs)):
        arcs.append(Arc(SOURCE, name, min(max(0, rest[name]), len(open_pairs)), gain=0))
        arcs.append(Arc(name, SOURCE, max(0, -rest[name]), gain=worth_more_than_all_units))
        arcs.append(Arc(name, SOURCE, len(open_pairs), gain=0))
    for pair, units in zip(open_pairs, best_circulation(arcs), strict=False):
        rounded[pair] += units
    return rounded


def _split(amount: int, fraction: Decimal) -> Share:
    with localcontext(Context(prec=DIGITS)):
        return _snapped(amount * fraction, NEGLIGIBLE)


def _summed(whole: int, remainders: Sequence[Decimal]) -> Share:
    """The share of several items together, which is theirs and no other: so that what a pair gets fits its items."""
    with localcontext(Context(prec=DIGITS)):
        rest = _snapped(sum(remainders, start=Decimal(0)), NEGLIGIBLE * (len(remainders) + 1))
        return Share(whole + rest.whole, rest.remainder)


def _snapped(exact: Decimal, negligible: Decimal) -> Share:
    nearest = exact.to_integral_value()
    if abs(exact - nearest) < negligible:
        return Share(int(nearest), Decimal(0))
    return Share(int(exact), exact - int(exact))


def _payouts(
    short: Sequence[str], owed: Mapping[Pair, int], payable: Mapping[str, int], funds: Mapping[str, int]
) -> dict[str, Decimal]:
    """What each of the short pays out: its funds and what it receives, where all others pay in full.

    One after the other is taken out of the circle: what reaches it is passed on to the rest at once, in the shares it
    would pay them. The last depends on nobody, and back from there each payout follows. This is elimination with
    positive figures only, so a circle that hardly loses anything at each turn is as exact as any other.
    """
    inflow = {name: Decimal(funds.get(name, 0)) for name in short}
    outside = dict.fromkeys(short, Decimal(0))
    shares: dict[str, dict[str, Decimal]] = {name: {} for name in short}
    for (debtor, creditor), amount in owed.items():
        if debtor in shares and creditor in shares:
            shares[debtor][creditor] = Decimal(amount) / payable[debtor]
        elif debtor in shares:
            outside[debtor] += Decimal(amount) / payable[debtor]
        elif creditor in shares:
            inflow[creditor] += amount
    taken_out: list[tuple[str, dict[str, Decimal], Decimal]] = []
    for name in short:
        row = shares.pop(name)
        row.pop(name, None)
        passed_on = outside[name] + sum(row.values())
        assert passed_on, "a closed circle that owes nobody outside it cannot be short"
        reaching = {payer: theirs.pop(name) for payer, theirs in shares.items() if name in theirs}
        for creditor, share in row.items():
            part = share / passed_on
            inflow[creditor] += inflow[name] * part
            for payer, reached in reaching.items():
                shares[payer][creditor] = shares[payer].get(creditor, Decimal(0)) + reached * part
        for payer, reached in reaching.items():
            outside[payer] += reached * outside[name] / passed_on
        taken_out.append((name, reaching, passed_on))
    payouts: dict[str, Decimal] = {}
    for name, reaching, passed_on in reversed(taken_out):
        received = inflow[name] + sum(payouts[payer] * share for payer, share in reaching.items())
        payouts[name] = received / passed_on
    return payouts


def _named(pairs: Iterable[Pair]) -> set[str]:
    return {name for pair in pairs for name in pair}
