"""The catalogue of reasons, the code's refusals and these tests hold one another complete."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.refusals import Category, InvalidField, Refusal, StoredRefusal
from exchange.rehearsal.amounts import AMOUNTS, amount_forcing
from exchange.serving.errors import STATUS_CODES
from exchange.v1.error_reason_pb2 import ErrorReason
from settlement import refusals as settlements_own
from tests.contract.refusals import catalogue

ROOT = Path(__file__).parents[2]
PREFIX = "ERROR_REASON_"
NAMES = [name.removeprefix(PREFIX) for name in ErrorReason.DESCRIPTOR.values_by_name]
REASONS = [name for name in NAMES if name != "UNSPECIFIED"]
# No caller meets them, and no test can: each with why.
NEVER_MET = {"NOTHING_DUE": "the exchange's own work of ending points is its only caller"}
# Said by the server itself and not by a refusal.
NO_REFUSAL = {"INTERNAL_FAULT": "a fault is an exception nobody expected"}


def provoked() -> set[str]:
    """Every reason that some test here is marked to meet."""
    sources = "\n".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    return set(re.findall(r'@pytest\.mark\.provokes\("(\w+)"\)\n', sources))


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_provoked_through_the_wire(reason: str) -> None:
    """A new reason without a test that meets it has no contract."""
    assert (reason in provoked()) != (reason in NEVER_MET)


def test_no_test_says_it_meets_what_there_is_not() -> None:
    """A reason that was renamed would leave its test behind."""
    assert provoked() <= set(REASONS)


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_says_its_status_and_its_data(reason: str) -> None:
    """A status there is, then a sentence; metadata in braces, or that there is none."""
    documented = catalogue()[reason]

    assert documented.code in {code.name for code in STATUS_CODES.values()} | {"INTERNAL"}


@pytest.mark.parametrize(
    "reason",
    [kind.reason for kind in Refusal.__subclasses__() if kind.__module__ == Refusal.__module__ and kind.reason],
)
def test_a_sandbox_can_force_every_reason(reason: str) -> None:
    """Of the exchange's own, each by an amount of its own."""
    assert AMOUNTS[amount_forcing(reason)].reason == reason


def refusals() -> dict[str, type[Refusal]]:
    """Refusals of the code by reason; the one read back from the ledger borrows another's."""
    assert settlements_own.WrongState in Refusal.__subclasses__(), "those of the downstream are known once imported"
    return {refusal.reason: refusal for refusal in Refusal.__subclasses__() if refusal is not StoredRefusal}


def test_code_and_catalogue_know_the_same_reasons() -> None:
    """Neither has one the other lacks."""
    assert refusals().keys() | NO_REFUSAL.keys() == set(REASONS)
    assert not refusals().keys() & NO_REFUSAL.keys()


@pytest.mark.parametrize("reason", [reason for reason in REASONS if reason not in NO_REFUSAL])
def test_a_refusals_category_is_the_status_its_reason_documents(reason: str) -> None:
    """By the one table from category to status."""
    category = refusals()[reason].category

    assert STATUS_CODES[category].name == catalogue()[reason].code


def test_what_a_refusal_is_given_is_what_its_reason_tells() -> None:
    """Wherever the code refuses: all that is always told, and nothing that no catalogue has."""
    kinds = {kind.__name__: reason for reason, kind in refusals().items() if kind is not InvalidField}
    given = [(where, kinds[name], names) for where, name, names in calls() if name in kinds]

    wrong = []
    for where, reason, names in given:
        said = catalogue()[reason]
        if not said.metadata <= names <= said.metadata | said.sometimes:
            wrong.append(f"{where}: {reason} is given {sorted(names)}, not {sorted(said.metadata)}")

    assert {reason for _, reason, _ in given} > {"NO_PRICE", "WRONG_STATE"}, "the code is read"
    assert not wrong, "\n".join(wrong)


def calls() -> Iterator[tuple[str, str, frozenset[str]]]:
    """Every call of the code with its arguments' names: where it stands, and what is called.

    What is unpacked into a call is left to the tests that meet the refusal: all they meet is held to the catalogue too.
    """
    for room in ("exchange", "settlement"):
        # A client is given what was told; generated code refuses nothing.
        for path in (path for path in (ROOT / room).rglob("*.py") if not {"client", "v1"} & set(path.parts)):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                    name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                    names = frozenset(one.arg for one in node.keywords if one.arg is not None)
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", name, names


def test_waiting_helps_where_the_catalogue_says_so() -> None:
    """RetryInfo comes with what is full or away, and with nothing else."""
    waiting = {
        reason for reason, refusal in refusals().items() if refusal.category in {Category.LIMIT, Category.UNAVAILABLE}
    }

    assert waiting == {reason for reason, documented in catalogue().items() if documented.retry}


def test_a_refusal_of_fields_names_no_more_than_fifty() -> None:
    """A status must stay small."""
    refused = InvalidField({f"items[{n}]": "is wrong" for n in range(200)})

    assert len(refused.violations) == 50
