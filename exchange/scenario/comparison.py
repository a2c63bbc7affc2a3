"""Expected against actual: every difference as one sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from exchange.client.settlement import NettedWindow
from exchange.scenario.model import Expectation, ExpectedWindow
from exchange.scenario.outcomes import Day


def differences(expect: Expectation, day: Day) -> list[str]:
    """What did not come out as the file says, in the order of the file; empty when all did."""
    return [
        *(played.difference for played in day.played if played.difference),
        *_windows(expect, day),
        *_balances(expect, day),
        *_converted(expect, day),
        *_reversed(expect, day),
    ]


def _windows(expect: Expectation, day: Day) -> Iterator[str]:
    if expect.windows is None:
        return
    for number, expected in enumerate(expect.windows, start=1):
        where = f"window {number} (line {expected.line})"
        if number > len(day.windows):
            yield f"{where}: expected, but only {len(day.windows)} closed"
        else:
            yield from _window(where, expected, day.windows[number - 1])
    for number in range(len(expect.windows) + 1, len(day.windows) + 1):
        yield f"window {number}: closed, but the file expects only {len(expect.windows)}"


def _window(where: str, expected: ExpectedWindow, actual: NettedWindow) -> Iterator[str]:
    if expected.pairs is not None:
        wanted = {f"pair {debtor}>{creditor}": amount for (debtor, creditor), amount in expected.pairs.items()}
        found = {f"pair {debtor}>{creditor}": total.gross for (debtor, creditor), total in actual.pairs.items()}
        yield from _figures(where, wanted, found)
    if expected.nets is not None:
        wanted = {f"net {name}": net for name, net in expected.nets.items()}
        found = {f"net {name}": position.net for name, position in actual.positions.items()}
        yield from _figures(where, wanted, found)
    if expected.gross is not None:
        yield from _figures(where, {"gross": expected.gross}, {"gross": actual.gross})
    if expected.paid is not None:
        yield from _figures(where, {"paid": expected.paid}, {"paid": actual.paid})


def _figures(where: str, wanted: Mapping[str, int], found: Mapping[str, int]) -> Iterator[str]:
    """Every figure that differs; one that is not named is zero."""
    for name in [*wanted, *sorted(found.keys() - wanted.keys())]:
        if wanted.get(name, 0) != found.get(name, 0):
            yield f"{where}: {name} expected {wanted.get(name, 0)}, got {found.get(name, 0)}"


def _balances(expect: Expectation, day: Day) -> Iterator[str]:
    for (member, currency), points in expect.balances.items():
        found = day.balances.get(member, {}).get(currency, 0)
        if found != points:
            line = expect.balance_lines[member, currency]
            yield f"balance of {member} in {currency} (line {line}): expected {points}, got {found}"


def _converted(expect: Expectation, day: Day) -> Iterator[str]:
    for key, expected in expect.converted.items():
        where = f"conversion {key} (line {expected.line})"
        found = day.converted.get(key)
        if found is None:
            yield f"{where}: expected, but none was made under this key"
            continue
        for name, wanted, got in (
            ("used", expected.used, found.used),
            ("received", expected.received, found.received),
        ):
            if wanted is not None and wanted != got:
                yield f"{where}: {name} expected {wanted}, got {got}"


def _reversed(expect: Expectation, day: Day) -> Iterator[str]:
    for key, points in expect.reversed.items():
        where = f"reversal {key} (line {expect.reversed_lines[key]})"
        found = day.reversed.get(key)
        if found is None:
            yield f"{where}: expected, but none was made under this key"
        elif found != points:
            yield f"{where}: expected {points}, got {found}"
