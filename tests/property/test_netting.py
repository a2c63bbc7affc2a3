"""Laws every netting mode obeys. A mode is tested by being in MODES."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement.netting.direct import fewest_payments
from settlement.netting.model import NettingResult, Obligation, Terms
from settlement.netting.registry import MODES, Netting, net_all
from settlement.netting.rendering import to_json
from settlement.netting.setoff import largest_set_off
from settlement.netting.tally import tally

NAMES = "ABCDEFGH"
every_mode = pytest.mark.parametrize("net", MODES.values(), ids=MODES)
pairs = st.permutations([*NAMES[:5], "OPR"]).map(lambda names: (names[0], names[1]))
amounts = st.one_of(st.integers(1, 20), st.integers(1, 10**15))
terms = st.builds(Terms, minimum=st.one_of(st.just(0), st.integers(0, 50)))


@st.composite
def obligations(draw: st.DrawFn) -> list[Obligation]:
    """A window in one currency, some of it held."""
    rows = draw(st.lists(st.tuples(pairs, amounts, st.sampled_from([False, False, False, True])), max_size=20))
    return [Obligation(debtor, creditor, "CNY", amount, held=held) for (debtor, creditor), amount, held in rows]


def positions(moves: Iterator[tuple[str, str, int]]) -> dict[str, int]:
    """Receivable - payable by participant, by plain addition."""
    nets: Counter[str] = Counter()
    for debtor, creditor, amount in moves:
        nets[debtor] -= amount
        nets[creditor] += amount
    return {name: net for name, net in nets.items() if net}


def netted(net: Netting, window: Sequence[Obligation], agreed: Terms) -> NettingResult:
    """The window in one mode; a window without any item counts as one without items to net."""
    by_currency = tally(window or [Obligation("A", "B", "CNY", 1, held=True)])
    return net(by_currency["CNY"], agreed)


def as_plain(result: NettingResult) -> dict[str, object]:
    """The document of one currency as plain values, put together the simple way."""
    by_pair = {f"{c.debtor}>{c.creditor}": c.amount for c in result.carried}
    by_name = {name: result.nets[name] for c in result.carried for name in (c.debtor, c.creditor) if name != "OPR"}
    plain: dict[str, object] = {
        "gross": result.gross,
        "held": result.held,
        "bilateral": result.bilateral,
        "net_needed": result.net_needed,
        "pairs": {f"{debtor}>{creditor}": amount for (debtor, creditor), amount in result.pairs.items()},
        "nets": dict(result.nets),
        "payments": [{"from": p.payer, "to": p.payee, "amount": p.amount} for p in result.payments],
        "carried": by_name if result.clearing_account else by_pair,
    }
    if result.set_off:
        plain["cleared"] = result.set_off.cleared
        plain["remainder"] = {f"{a}>{b}": amount for (a, b), amount in result.set_off.remainder.items()}
        plain["certificate"] = dict(result.set_off.certificate)
    return plain


@pytest.mark.parametrize("mode", MODES)
@given(window=obligations(), agreed=terms)
def test_what_is_written_piece_by_piece_is_plain_json(mode: str, window: list[Obligation], agreed: Terms) -> None:
    """Byte for byte what a JSON library writes of the whole, names that need escaping included."""
    quoted = [replace(o, debtor=o.debtor + '"\\积', creditor=o.creditor) for o in window if o.debtor != "OPR"]

    results = net_all(tally(quoted), mode, agreed)

    whole = {result.currency: as_plain(result) for result in results}
    assert to_json(results) == json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


@every_mode
@given(window=obligations(), agreed=terms)
def test_payments_and_carried_items_leave_everybody_with_exactly_their_net(
    net: Netting, window: list[Obligation], agreed: Terms
) -> None:
    """Whatever the mode: same positions before and after, and they sum to zero."""
    result = netted(net, window, agreed)

    before = positions((o.debtor, o.creditor, o.amount) for o in window if not o.held)
    moves = [(p.payer, p.payee, p.amount) for p in result.payments]
    after = positions(iter(moves + [(c.debtor, c.creditor, c.amount) for c in result.carried]))
    assert before == after == result.nets
    assert sum(before.values()) == 0


@every_mode
@given(window=obligations(), agreed=terms)
def test_gross_is_offset_plus_left_plus_held(net: Netting, window: list[Obligation], agreed: Terms) -> None:
    """Nothing of what came in vanishes, and no mode leaves more to pay than came in or less than must move."""
    result = netted(net, window, agreed)

    if window:
        assert result.gross == sum(o.amount for o in window)
        assert result.held == sum(o.amount for o in window if o.held)
    assert result.gross == result.offset + result.left + result.held
    assert result.offset >= 0
    assert result.left >= result.net_needed


@every_mode
@given(window=obligations(), agreed=terms)
def test_nobody_pays_more_than_it_owed(net: Netting, window: list[Obligation], agreed: Terms) -> None:
    """Per participant too: payments and carried debts together stay within the debts that came in."""
    result = netted(net, window, agreed)

    owed: Counter[str] = Counter()
    for o in window:
        owed[o.debtor] += 0 if o.held else o.amount
    pays: Counter[str] = Counter()
    for payment in result.payments:
        pays[payment.payer] += payment.amount
    for item in result.carried:
        pays[item.debtor] += item.amount
    if result.clearing_account is not None:
        del pays[result.clearing_account]
    assert all(amount <= owed[name] for name, amount in pays.items())


@every_mode
@given(window=obligations(), agreed=terms)
def test_the_minimum_parts_what_is_paid_from_what_is_carried(
    net: Netting, window: list[Obligation], agreed: Terms
) -> None:
    """Paid is at least the minimum, carried is below it, and nothing is zero or to oneself."""
    result = netted(net, window, agreed)

    assert all(p.amount >= max(agreed.minimum, 1) and p.payer != p.payee for p in result.payments)
    assert all(0 < c.amount < agreed.minimum and c.debtor != c.creditor for c in result.carried)


@every_mode
@given(data=st.data(), window=obligations(), agreed=terms)
def test_the_order_of_the_rows_changes_no_byte(
    net: Netting, data: st.DataObject, window: list[Obligation], agreed: Terms
) -> None:
    """A second run of the same window, shuffled, is the same document."""
    shuffled = data.draw(st.permutations(window))

    assert to_json([netted(net, window, agreed)]) == to_json([netted(net, shuffled, agreed)])


@given(window=obligations())
def test_the_star_moves_what_must_move_and_no_more(window: list[Obligation]) -> None:
    """Into the clearing account, the operator's own net aside, goes exactly the sum of the debtors' nets."""
    result = netted(MODES["multilateral"], window, Terms())

    paid_in = sum(p.amount for p in result.payments if p.payee == "OPR")
    assert paid_in == sum(-net for name, net in result.nets.items() if net < 0 and name != "OPR")
    assert len(result.payments) <= len(result.nets)


@given(window=obligations())
def test_set_off_is_proved_maximal_and_brings_no_new_counterparty(window: list[Obligation]) -> None:
    """Each remainder lies on a debt that was there; the certificate's ceiling equals what was cleared."""
    result = netted(MODES["setoff"], window, Terms())

    owed: Counter[tuple[str, str]] = Counter()
    for o in window:
        owed[o.debtor, o.creditor] += 0 if o.held else o.amount
    assert result.set_off is not None
    assert all(0 < left <= owed[pair] for pair, left in result.set_off.remainder.items())
    assert result.set_off.cleared == result.offset
    pi = result.set_off.certificate
    assert sum(amount * max(0, 1 - (pi[d] - pi[c])) for (d, c), amount in owed.items()) == result.set_off.cleared


@given(st.dictionaries(pairs.filter(lambda pair: set(pair) <= set("ABCD")), st.integers(1, 2), max_size=6))
def test_set_off_agrees_with_trying_every_circulation(owed: dict[tuple[str, str], int]) -> None:
    """On windows small enough to try everything, nothing better is found."""
    best = 0
    for amounts_tried in itertools.product(*(range(amount + 1) for amount in owed.values())):
        flow = zip(owed, amounts_tried, strict=True)
        if not positions((d, c, amount) for (d, c), amount in flow):
            best = max(best, sum(amounts_tried))

    assert sum(largest_set_off(owed).values()) == best


@given(st.lists(st.integers(-6, 6).filter(bool), min_size=1, max_size=6))
def test_direct_needs_no_more_payments_than_the_best_split_allows(positions_drawn: list[int]) -> None:
    """Against every way to split the participants: n less the most zero-sum groups there can be."""
    nets = dict(zip(NAMES, positions_drawn, strict=False))
    rest = sum(positions_drawn)
    if rest:
        nets[NAMES[len(positions_drawn)]] = -rest

    payments = fewest_payments(nets)

    most_groups = max(
        (len(split) for split in splits(list(nets)) if all(sum(nets[n] for n in g) == 0 for g in split)), default=0
    )
    assert len(payments) == len(nets) - most_groups
    assert positions((d, c, amount) for (d, c), amount in payments.items()) == nets


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(-(10**18), 10**18).filter(bool), min_size=1, max_size=60))
def test_direct_always_needs_fewer_payments_than_participants(positions_drawn: list[int]) -> None:
    """Beyond the exact search too."""
    nets = {f"M{number:02}": amount for number, amount in enumerate(positions_drawn)}
    rest = sum(positions_drawn)
    if rest:
        nets["Z"] = -rest

    payments = fewest_payments(nets)

    assert len(payments) < len(nets)
    assert positions((d, c, amount) for (d, c), amount in payments.items()) == nets


@given(obligations(), st.sampled_from(sorted(MODES)))
def test_a_currency_nets_the_same_alone_and_beside_another(window: list[Obligation], mode: str) -> None:
    """Another currency's items never touch it."""
    other = [Obligation(o.creditor, o.debtor, "JPY", o.amount, held=o.held) for o in window]

    alone = net_all(tally(window), mode, Terms())
    beside = net_all(tally([*window, *other]), mode, Terms())

    assert [r for r in beside if r.currency == "CNY"] == alone


def splits(names: list[str]) -> Iterator[list[list[str]]]:
    """Every way to split names into groups."""
    if not names:
        yield []
        return
    first, *others = names
    for split in splits(others):
        yield [[first], *split]
        for index in range(len(split)):
            yield [*split[:index], [first, *split[index]], *split[index + 1 :]]
