"""The `expect` part of a scenario file."""

from __future__ import annotations

from collections.abc import Mapping

from exchange.scenario.model import Expectation, ExpectedConversion, ExpectedWindow
from exchange.scenario.names import Names
from exchange.scenario.sections import Section


def read_expectation(root: Section, names: Names) -> Expectation:
    """What the file expects; nothing when it does not say.

    Raises:
        BadScenario: an unknown key, a wrong value or an undeclared name.
    """
    if not root.has("expect"):
        root.skip("expect")
        return Expectation()
    part = root.section("expect")
    windows = tuple(_window(window, names) for window in part.sections("windows")) if part.has("windows") else None
    part.skip("windows")
    balances, balance_lines = _balances(part, names)
    converted = _converted(part)
    reversed_points, reversed_lines = _reversed(part)
    part.finish()
    return Expectation(windows, balances, balance_lines, converted, reversed_points, reversed_lines)


def _window(part: Section, names: Names) -> ExpectedWindow:
    window = ExpectedWindow(
        line=part.line,
        pairs=_pairs(part.section("pairs"), names) if part.has("pairs") else None,
        nets=_nets(part.section("nets"), names) if part.has("nets") else None,
        gross=part.whole("gross") if part.has("gross") else None,
        paid=part.whole("paid") if part.has("paid") else None,
    )
    for key in ("pairs", "nets", "gross", "paid"):
        part.skip(key)
    part.finish()
    return window


def _pairs(part: Section, names: Names) -> Mapping[tuple[str, str], int]:
    pairs: dict[tuple[str, str], int] = {}
    for key in part.names():
        debtor, arrow, creditor = (word.strip() for word in key.partition(">"))
        if not arrow or not debtor or not creditor:
            part.wrong(key, 'must be a pair such as "GRO>TEL": who owes, and whom')
        names.require_participant(part, key, debtor)
        names.require_participant(part, key, creditor)
        if (debtor, creditor) in pairs:
            part.wrong(key, "stands twice")
        pairs[debtor, creditor] = part.whole(key, least=0)
    return pairs


def _nets(part: Section, names: Names) -> Mapping[str, int]:
    for key in part.names():
        names.require_participant(part, key, key)
    return {key: part.whole(key) for key in part.names()}


def _balances(expect: Section, names: Names) -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], int]]:
    balances: dict[tuple[str, str], int] = {}
    lines: dict[tuple[str, str], int] = {}
    members = expect.section("balances") if expect.has("balances") else None
    expect.skip("balances")
    for member in members.names() if members else ():
        assert members is not None
        part = members.section(member)
        for currency in part.names():
            names.require_currency(part, currency, currency)
            lines[member, currency] = part.line_of(currency)
            balances[member, currency] = part.whole(currency)
    return balances, lines


def _converted(expect: Section) -> dict[str, ExpectedConversion]:
    converted: dict[str, ExpectedConversion] = {}
    keys = expect.section("converted") if expect.has("converted") else None
    expect.skip("converted")
    for key in keys.names() if keys else ():
        assert keys is not None
        part = keys.section(key)
        converted[key] = ExpectedConversion(
            line=part.line,
            used=part.whole("used") if part.has("used") else None,
            received=part.whole("received") if part.has("received") else None,
        )
        part.skip("used")
        part.skip("received")
        part.finish()
    return converted


def _reversed(expect: Section) -> tuple[dict[str, int], dict[str, int]]:
    keys = expect.section("reversed") if expect.has("reversed") else None
    expect.skip("reversed")
    if keys is None:
        return {}, {}
    lines = {key: keys.line_of(key) for key in keys.names()}
    return {key: keys.whole(key, least=0) for key in lines}, lines
