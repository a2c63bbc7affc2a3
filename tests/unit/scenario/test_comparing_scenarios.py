"""How expected and actual figures are held against each other."""

from exchange.client.settlement import NettedWindow, PairTotal, Position
from exchange.scenario.comparison import differences
from exchange.scenario.model import Expectation, ExpectedConversion, ExpectedWindow
from exchange.scenario.outcomes import Converted, Day, Outcome, Played


def window(pairs: dict[tuple[str, str], int], nets: dict[str, int]) -> NettedWindow:
    """A netted window of these pairs and nets, in minor units."""
    return NettedWindow(
        window="windows/1",
        run="runs/1",
        digest="",
        pairs={pair: PairTotal(amount * 10_000, amount, amount) for pair, amount in pairs.items()},
        positions={name: Position(max(net, 0), max(-net, 0), net, 0) for name, net in nets.items()},
        payments=(),
        gross=sum(pairs.values()),
        paid=sum(net for net in nets.values() if net > 0),
        obligation_count=len(pairs),
    )


def day(*windows: NettedWindow) -> Day:
    """What came of a day: Ada has 20 TEL, c1 turned 300 into 10, and r1 took 5 back."""
    return Day((), windows, {"ada": {"TEL": 20}}, {"c1": Converted(300, 10)}, {"r1": 5})


def test_zero_pairs_and_nets_may_be_left_out_on_either_side() -> None:
    """A pair expected at zero that never came up is no difference, nor is a net of zero nobody named."""
    closed = window({("A", "B"): 5}, {"A": -5, "B": 5, "C": 0})
    expected = ExpectedWindow(9, pairs={("A", "B"): 5, ("B", "A"): 0}, nets={"A": -5, "B": 5}, gross=5, paid=5)

    assert differences(Expectation(windows=(expected,)), day(closed)) == []


def test_every_figure_that_differs_is_named_with_both_values() -> None:
    """Also one the window has and the file does not name."""
    closed = window({("A", "B"): 5, ("B", "C"): 7}, {"A": -5, "B": -2, "C": 7})
    expected = ExpectedWindow(9, pairs={("A", "B"): 6}, nets={"A": -5, "C": 7}, gross=6, paid=7)

    assert differences(Expectation(windows=(expected,)), day(closed)) == [
        "window 1 (line 9): pair A>B expected 6, got 5",
        "window 1 (line 9): pair B>C expected 0, got 7",
        "window 1 (line 9): net B expected 0, got -2",
        "window 1 (line 9): gross expected 6, got 12",
    ]


def test_figures_the_file_does_not_give_are_not_compared() -> None:
    """A window of which only the gross is given may have any pairs."""
    closed = window({("A", "B"): 5}, {"A": -5, "B": 5})

    assert differences(Expectation(windows=(ExpectedWindow(9, gross=5),)), day(closed)) == []
    assert differences(Expectation(), day(closed)) == []


def test_windows_too_few_and_too_many_are_differences() -> None:
    """Windows are compared in order of closing, all of them."""
    closed = window({}, {})
    expected = ExpectedWindow(9)

    assert differences(Expectation(windows=(expected, expected)), day(closed)) == [
        "window 2 (line 9): expected, but only 1 closed"
    ]
    assert differences(Expectation(windows=()), day(closed)) == ["window 1: closed, but the file expects only 0"]


def test_balances_and_conversions_are_compared_where_given() -> None:
    """A member or currency that never came up holds nothing; a key without a conversion is told as that."""
    expect = Expectation(
        balances={("ada", "TEL"): 20, ("ada", "AIR"): 0, ("bob", "TEL"): 1},
        balance_lines={("ada", "TEL"): 3, ("ada", "AIR"): 3, ("bob", "TEL"): 4},
        converted={"c1": ExpectedConversion(5, 300, 11), "c2": ExpectedConversion(6, None, None)},
    )

    assert differences(expect, day()) == [
        "balance of bob in TEL (line 4): expected 1, got 0",
        "conversion c1 (line 5): received expected 11, got 10",
        "conversion c2 (line 6): expected, but none was made under this key",
    ]


def test_reversals_are_compared_where_given() -> None:
    """By the key of the reversing event."""
    expect = Expectation(reversed={"r1": 6, "r2": 1}, reversed_lines={"r1": 7, "r2": 8})

    assert differences(expect, day()) == [
        "reversal r1 (line 7): expected 6, got 5",
        "reversal r2 (line 8): expected, but none was made under this key",
    ]
    assert differences(Expectation(reversed={"r1": 5}, reversed_lines={"r1": 7}), day()) == []


def test_an_event_that_went_wrong_is_a_difference() -> None:
    """Even when the file expects nothing else."""
    played = Played(1, 7, "earn", "", Outcome.REFUSED, difference="event 1 (line 7): earn refused")

    assert differences(Expectation(), Day((played,), (), {})) == ["event 1 (line 7): earn refused"]
