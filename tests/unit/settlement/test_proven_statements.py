"""What may stand in a proven statement beside what the ledger proves: it must still be one story."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from settlement.proofs.offline import Untrue, check
from settlement.reports.settled import Borne, SettledWindow
from settlement.run.model import Adjusted, Configuration, Disputed, HeldOut
from tests.property.test_proven_statements import statements
from tests.unit.settlement.settlements import owed, settled_window

Forge = Callable[[Any], object]


def told(settled: SettledWindow, name: str) -> tuple[Any, Any, str]:
    """Somebody's statement, its proof and the head."""
    (found,) = (one for one in statements(settled) if one[1]["participant"] == name)
    return found


def line(statement: Any, name: str) -> Any:
    """A line by its name."""
    return next(one for one in statement["lines"] if one["line"] == name)


def more(statement: Any, *names: str) -> None:
    """Each line says a fen more, on the side it has something on."""
    for name in names:
        row = line(statement, name)
        row["receivable" if row["receivable"] else "payable"] += 1


def refused(settled: SettledWindow, name: str, forge: Forge) -> None:
    """The statement is true as it is, and is not when it is forged."""
    statement, proof, head = told(settled, name)
    assert check(statement, proof, head) == len(proof["items"]["leaves"])

    forge(statement)
    with pytest.raises(Untrue):
        check(statement, proof, head)


@pytest.mark.parametrize(
    "forge",
    [
        lambda statement: statement["lines"].clear(),
        lambda statement: statement["lines"].remove(line(statement, "carried")),
        lambda statement: statement["payments"].clear(),
        lambda statement: statement["payments"][0].update(amount=31),
        lambda statement: more(statement, "carried", "paid"),
    ],
    ids=["no lines", "nothing carried", "no payments", "a larger payment", "more carried and paid"],
)
def test_who_bridges_what_others_carry_proves_exactly_that(forge: Forge) -> None:
    """A and C owe B 0.30, each less than the minimum: nobody owed the operator, which pays B and is owed by them."""
    agreed = Disputed(adjustments=(Adjusted("1-0", "C", "B", "CNY", 1, "agreed"),))
    terms = Configuration(minimums={"CNY": 30}, disputed=agreed)

    refused(settled_window([owed("A", "B", "earn", 285_000, unit=1)], terms), "OPR", forge)


@pytest.mark.parametrize(
    "forge",
    [
        lambda statement: more(statement, "disputed"),
        lambda statement: statement["lines"].remove(line(statement, "disputed")),
        lambda statement: statement.pop("disputed"),
        lambda statement: statement["disputed"][0].update(amount=21),
        lambda statement: statement["disputed"][0].update(debtor="C"),
        lambda statement: (line(statement, "disputed").update(payable=21), statement["disputed"][0].update(amount=21)),
    ],
    ids=["more", "no line", "no table", "a larger row", "a row of another", "more than is held"],
)
def test_what_is_disputed_is_told_once(forge: Forge) -> None:
    """Of what A owes B 0.20 is held out for a dispute: line and table say so, and it is no more than is held."""
    terms = Configuration(disputed=Disputed(held_out=(HeldOut("1-0", "A", "B", "CNY", 20),)))

    refused(settled_window([owed("A", "B", "earn", 100)], terms), "A", forge)


@pytest.mark.parametrize(
    "forge",
    [
        lambda statement: statement.pop("adjustments"),
        lambda statement: statement["adjustments"][0].update(amount=4),
        lambda statement: statement["adjustments"][0].update(creditor="A"),
    ],
    ids=["no table", "another amount", "the other way"],
)
def test_what_is_adjusted_is_told_row_by_row(forge: Forge) -> None:
    """A owes B 0.05 beside what the ledger says."""
    agreed = Disputed(adjustments=(Adjusted("1-0", "A", "B", "CNY", 5, "agreed"),))

    refused(settled_window([owed("A", "B", "earn", 100)], Configuration(disputed=agreed)), "B", forge)


@pytest.mark.parametrize(
    "forge",
    [
        lambda statement: more(statement, "borne"),
        lambda statement: statement["lines"].remove(line(statement, "borne")),
        lambda statement: statement["borne"].clear(),
        lambda statement: statement["borne"][0].update(amount=39),
        lambda statement: statement["borne"][0].update(creditor="C"),
    ],
    ids=["more", "no line", "no rows", "a smaller row", "a row of another"],
)
@pytest.mark.parametrize("name", ["B", "OPR"])
def test_what_is_borne_of_a_default_is_told_once(name: str, forge: Forge) -> None:
    """By a creditor, and by the operator out of what it keeps while it carries what B is owed."""
    terms = Configuration(minimums={"CNY": 60})
    window = settled_window([owed("A", "B", "earn", 50), owed("A", "C", "earn", 150)], terms)
    bears = replace(window, borne=[Borne("CNY", "A", name, "OPR", 40, date(2026, 4, 9))])

    refused(bears, name, forge)
