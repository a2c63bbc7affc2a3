"""Pro rata: who cannot pay all it owes pays the same fraction of each of its debts.

The fractions are the greatest for which this holds for everybody at once, when each pays out all it has and receives
(the clearing vector of Eisenberg and Noe). They are worked out to far more digits than amounts have; amounts are then
rounded to whole minor units, up or down, so that nobody ends below zero and the most settles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Context, Decimal, localcontext

from settlement.circulation import Arc, best_circulation
from settlement.liquidity.divisible import SOURCE, pair_totals
from settlement.liquidity.model import Choice
from settlement.netting.model import Obligation, Pair

DIGITS = 60
"""Of every figure between amounts and rounding. Nothing is ever subtracted on the way, so nearly all of them hold."""

NEGLIGIBLE = Decimal("1e-20")
"""Minor units: far above what DIGITS leave uncertain, far below what could ever add up to one."""


def settle_pro_rata(items: Sequence[Obligation], funds: Mapping[str, int]) -> Choice:
    """Settle of every item its debtor's fraction, to within one minor unit by item and by directed pair.

    Within a pair the units left over by rounding down go to the items with the largest remainders, ties by file order.
    """
    owed = pair_totals(items)
    fractions = clearing_fractions(owed, funds)
    left = round_by_pair(owed, fractions, funds)
    settled: dict[str, int] = {}
    remainders: dict[Pair, list[tuple[Decimal, int, str]]] = {}
    for place, item in enumerate(items):
        whole, remainder = _split(item.amount, fractions[item.debtor])
        settled[item.id] = whole
        remainders.setdefault((item.debtor, item.creditor), []).append((-remainder, place, item.id))
        left[item.debtor, item.creditor] -= whole
    for pair, units in left.items():
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


def round_by_pair(
    owed: Mapping[Pair, int], fractions: Mapping[str, Decimal], funds: Mapping[str, int]
) -> dict[Pair, int]:
    """Whole amounts by pair, each next to its exact one, that leave nobody below zero and sum to the most.

    There is always such a rounding: up or down is a flow of one unit or none, and where a flow in fractions fits
    whole limits, one in whole numbers does.
    """
    split = {pair: _split(amount, fractions[pair[0]]) for pair, amount in owed.items()}
    rounded = {pair: whole for pair, (whole, _) in split.items()}
    open_pairs = [pair for pair, (_, remainder) in split.items() if remainder]
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


def _split(amount: int, fraction: Decimal) -> tuple[int, Decimal]:
    """The whole units of a fraction of an amount, and the remainder; a negligible one is none."""
    with localcontext(Context(prec=DIGITS)):
        exact = amount * fraction
        nearest = exact.to_integral_value()
        if abs(exact - nearest) < NEGLIGIBLE:
            return int(nearest), Decimal(0)
        return int(exact), exact - int(exact)


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
