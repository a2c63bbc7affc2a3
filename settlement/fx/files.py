"""A set of rates as a document, the one that is also proposed: YAML or JSON, fields as on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from settlement.fx.model import FxRate, FxSet
from settlement.fx.rules import problems
from settlement.yaml_documents import BadDocument, read_plain

FIELDS = {"name": "", "version": 0, "base_currency_code": "", "rates": ()}
RATE_FIELDS = {
    "from_currency_code": "",
    "to_currency_code": "",
    "numerator": 0,
    "denominator": 0,
    "source": "",
    "as_of_date": "",
}
"""Fields with what leaving them out means."""


@dataclass(eq=False)
class BadFxFile(Exception):
    """A document that is no set of rates: which, where in it, and what is wrong."""

    file: str
    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.file}: {self.field} {self.problem}".replace("  ", " ")


def read_fx(path: Path) -> FxSet:
    """A set of rates from a file.

    Raises:
        BadFxFile: it is none, or one that could not be proposed.
        OSError: it cannot be read.
    """
    name = path.name
    try:
        document = read_plain(path)
    except BadDocument as wrong:
        raise BadFxFile(name, "", str(wrong)) from wrong
    values = _mapping(name, "", document, FIELDS)
    listed = values["rates"]
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        raise BadFxFile(name, "rates", "is no list")
    rates = [_mapping(name, f"rates[{place}]", one, RATE_FIELDS) for place, one in enumerate(listed)]
    fx = FxSet(
        values["name"],
        values["version"],
        values["base_currency_code"],
        tuple(FxRate(*(one[field] for field in RATE_FIELDS)) for one in rates),
    )
    for field, problem in problems(fx):
        raise BadFxFile(name, field, problem)
    return fx


def _mapping(file: str, path: str, found: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a mapping, each of the kind that leaving it out would give; whole numbers are never guessed."""
    if not isinstance(found, dict):
        raise BadFxFile(file, path, "is no mapping of fields")
    unknown = [str(name) for name in found if name not in fields]
    if unknown:
        raise BadFxFile(file, f"{path}.{unknown[0]}".lstrip("."), f"is unknown; there are {', '.join(fields)}")
    values: dict[str, Any] = {}
    for name, left_out in fields.items():
        value = found.get(name, left_out)
        if not isinstance(left_out, tuple) and type(value) is not type(left_out):
            kind = "whole number" if isinstance(left_out, int) else "text"
            raise BadFxFile(file, f"{path}.{name}".lstrip("."), f"is no {kind}")
        values[name] = value
    return values
