"""The table of who may call what, held against the protos."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from google.protobuf.descriptor import FileDescriptor

import exchange.v1
import settlement.v1
from exchange.callers import CallerRole
from exchange.serving.permissions import PERMISSIONS


def _methods() -> set[str]:
    """Full names of every method in the generated code."""
    methods = set()
    for package in (exchange.v1, settlement.v1):
        for module in pkgutil.iter_modules(package.__path__):
            if module.name.endswith("_service_pb2"):
                file: FileDescriptor = importlib.import_module(f"{package.__name__}.{module.name}").DESCRIPTOR
                for service in file.services_by_name.values():
                    methods |= {f"/{service.full_name}/{method.name}" for method in service.methods}
    return methods


def test_every_method_has_a_row() -> None:
    """A method without one is refused to everybody: somebody forgot to say who may call it."""
    assert sorted(_methods() - PERMISSIONS.keys()) == []


def test_every_row_has_a_method() -> None:
    """A row that no method answers to is a misspelt one."""
    assert sorted(PERMISSIONS.keys() - _methods()) == []


def test_every_row_lets_somebody_in() -> None:
    """A method nobody may call would not be there."""
    assert all(PERMISSIONS.values())


def test_only_merchants_move_points() -> None:
    """The merchant that acts is the one the credential names, so nobody else can act."""
    moving = {"EarnPoints", "RedeemPoints", "DiscountPoints", "ConvertPoints", "BatchTransfer"}

    assert {name: PERMISSIONS[f"/exchange.v1.TransferService/{name}"] for name in moving} == dict.fromkeys(
        moving, frozenset({CallerRole.MERCHANT})
    )


@pytest.mark.parametrize(
    ("role", "verbs"),
    [(CallerRole.AUDITOR, ()), (CallerRole.FINANCE_CHECKER, ("Approve", "Reject", "Confirm", "Resolve"))],
)
def test_who_only_looks_may_change_nothing(role: CallerRole, verbs: tuple[str, ...]) -> None:
    """Auditors get, list, read and watch; checkers say yes or no to what others made besides."""
    allowed = {method.rpartition("/")[2] for method, roles in PERMISSIONS.items() if role in roles}

    assert {name for name in allowed if not name.startswith(("Get", "List", "Read", "Watch", "Check", *verbs))} == set()
