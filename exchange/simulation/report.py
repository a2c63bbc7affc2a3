"""Both sides of the days beside one another: as JSON for programs, as tables for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console, RenderableType

from exchange.client.amounts import money_text
from exchange.client.tables import table, titled
from exchange.directory.model import Directory
from exchange.money.currencies import micros_per_minor
from exchange.money.rounding import half_up
from exchange.simulation.model import Beside, Comparison

_ASSUMED = (
    "Everybody is taken to have asked for the same points again, whatever they owned by then; conversions for as many"
    " as were used."
)


def as_document(comparison: Comparison, directory: Directory) -> dict[str, Any]:
    """What `--json` prints.

    Keys: `movements`, `changed`, `dropped`; `refused` {reason: n}; `kept` {kind: n}; `points` {currency: {minted,
    burnt}}; `promotions` {promotion: points}, part of what was minted; `sponsors` {money: {merchant: pays}}, part of
    what it owes; `merchants` {money: {merchant: {owes, owed, net}}}; `pairs` {money: {"GRO>TEL": ...}}. Each figure is
    {actual, draft, change}; money is in micro-units.
    """
    pairs: dict[str, dict[str, Any]] = {}
    for pair in sorted(comparison.pairs, key=lambda pair: (pair[2], pair)):
        debtor, creditor = (directory.merchants[number].merchant_id for number in pair[:2])
        pairs.setdefault(pair[2], {})[f"{debtor}>{creditor}"] = _figure(comparison.between(pair))
    return {
        "movements": comparison.movements,
        "changed": comparison.changed,
        "dropped": comparison.dropped,
        "refused": dict(comparison.refused),
        "kept": dict(comparison.kept),
        "points": {
            code: {"minted": _figure(comparison.minted(number)), "burnt": _figure(comparison.burnt(number))}
            for code, number in _currencies(comparison, directory)
        },
        "promotions": {one: _figure(comparison.bonuses(one)) for one in comparison.promotions},
        "sponsors": {
            money: {
                name: _figure(comparison.sponsored((number, money)))
                for name, number in _sponsors(comparison, directory, money)
            }
            for money in sorted({money for _, money in comparison.sponsors})
        },
        "merchants": {
            money: {
                name: {
                    "owes": _figure(comparison.owes(number, money)),
                    "owed": _figure(comparison.is_owed(number, money)),
                    "net": _figure(comparison.net(number, money)),
                }
                for name, number in _merchants(comparison, directory, money)
            }
            for money in pairs
        },
        "pairs": pairs,
    }


def show(comparison: Comparison, directory: Directory, console: Console) -> None:
    """Print points and bonuses, then for each money what merchants owe, are owed and are left with; then the rest."""
    console.print(_points(comparison, directory))
    if comparison.promotions:
        console.print(_bonuses(comparison))
    for money in sorted({money for _, _, money in comparison.pairs}):
        console.print(_money(comparison, directory, money))
        if any(code == money for _, code in comparison.sponsors):
            console.print(_sponsored(comparison, directory, money))
    for line in _remarks(comparison):
        console.print(line, markup=False, soft_wrap=True)


def _points(comparison: Comparison, directory: Directory) -> RenderableType:
    points = table("currency", *_columns("minted", "burnt"))
    for code, number in _currencies(comparison, directory):
        minted, burnt = comparison.minted(number), comparison.burnt(number)
        points.add_row(code, *_points_texts(minted), *_points_texts(burnt))
    return titled("Points made and burnt", points)


def _bonuses(comparison: Comparison) -> RenderableType:
    bonuses = table("promotion", *_columns("bonus"))
    for one in comparison.promotions:
        bonuses.add_row(one, *_points_texts(comparison.bonuses(one)))
    return titled("Bonus points of each promotion, part of those made", bonuses)


def _sponsored(comparison: Comparison, directory: Directory, money: str) -> RenderableType:
    costs = table("sponsor", *_columns("pays"))
    for name, number in _sponsors(comparison, directory, money):
        costs.add_row(name, *_money_texts(comparison.sponsored((number, money)), money))
    return titled(f"Cost of each sponsor, part of what it owes, {money}", costs)


def _money(comparison: Comparison, directory: Directory, money: str) -> RenderableType:
    costs = table("merchant", *_columns("owes", "is owed", "net"))
    for name, number in _merchants(comparison, directory, money):
        figures = [of(number, money) for of in (comparison.owes, comparison.is_owed, comparison.net)]
        costs.add_row(name, *(text for figure in figures for text in _money_texts(figure, money)))
    return titled(f"Cost and net position of each merchant, {money}", costs)


def _remarks(comparison: Comparison) -> Iterator[str]:
    yield f"\n{comparison.movements:,} movements, {comparison.changed:,} of them with another outcome."
    if comparison.refused:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in comparison.refused.most_common())
        yield f"Would have been refused: {reasons}; following such a one: {comparison.dropped:,}."
    if comparison.kept:
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in comparison.kept.most_common())
        yield f"Taken over as they were: {kinds}."
    yield _ASSUMED


def _columns(*names: str) -> list[str]:
    return [column for name in names for column in (name, "draft", "change")]


def _figure(beside: Beside) -> dict[str, int]:
    return {"actual": beside.actual, "draft": beside.draft, "change": beside.change}


def _currencies(comparison: Comparison, directory: Directory) -> list[tuple[str, int]]:
    return sorted((directory.currencies[number].code, number) for number in comparison.currencies)


def _merchants(comparison: Comparison, directory: Directory, money: str) -> list[tuple[str, int]]:
    numbers = {number for *pair, code in comparison.pairs if code == money for number in pair}
    return sorted((directory.merchants[int(number)].merchant_id, int(number)) for number in numbers)


def _sponsors(comparison: Comparison, directory: Directory, money: str) -> list[tuple[str, int]]:
    numbers = (number for number, code in comparison.sponsors if code == money)
    return sorted((directory.merchants[number].merchant_id, number) for number in numbers)


def _points_texts(beside: Beside) -> list[str]:
    change = f"{beside.change:+,}" if beside.change else ""
    return [f"{beside.actual:,}", f"{beside.draft:,}", change]


def _money_texts(beside: Beside, money: str) -> list[str]:
    """To the minor unit, half up; settlement rounds each pair of a window, so its figures may differ by a few."""
    change = _minor(beside.change, money) if beside.change else ""
    return [_minor(beside.actual, money), _minor(beside.draft, money), f"+{change}" if beside.change > 0 else change]


def _minor(micros: int, money: str) -> str:
    minor = half_up(abs(micros), micros_per_minor(money))
    return money_text(-minor if micros < 0 else minor, money)
