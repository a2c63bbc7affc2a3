"""The one written form of a set of rates and of how a run converts, and reading them back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from settlement.fx.model import Basis, FxChoice, FxRate, FxSet, FxTerms


def plain_fx_set(fx: FxSet) -> dict[str, Any]:
    """A set as plain values, rates by currencies: their order in the document does not matter."""
    return {
        "name": fx.name,
        "version": fx.version,
        "base": fx.base,
        "rates": [one._asdict() for one in sorted(fx.rates)],
    }


def fx_set(plain: Mapping[str, Any]) -> FxSet:
    """A set read back."""
    rates = tuple(FxRate(**one) for one in plain["rates"])
    return FxSet(plain["name"], plain["version"], plain["base"], rates)


def plain_fx_choice(choice: FxChoice) -> dict[str, Any]:
    """What was agreed about currencies, as plain values."""
    return {"fx_set": choice.fx_set, "basis": choice.basis.value, "into": dict(sorted(choice.into.items()))}


def fx_choice(plain: Mapping[str, Any]) -> FxChoice:
    """The same read back."""
    return FxChoice(plain["fx_set"], Basis(plain["basis"]), plain["into"])


def plain_fx_terms(terms: FxTerms) -> dict[str, Any]:
    """How a run converts, with every rate it may use, as plain values."""
    return {
        "set": plain_fx_set(terms.fx),
        "digest": terms.digest,
        "basis": terms.basis.value,
        "into": dict(sorted(terms.into.items())),
    }


def fx_terms(plain: Mapping[str, Any]) -> FxTerms:
    """The same read back."""
    return FxTerms(fx_set(plain["set"]), plain["digest"], Basis(plain["basis"]), plain["into"])
