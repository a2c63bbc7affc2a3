"""Documents about funds in their one written form, and read back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from settlement.funds.model import CurrencyTerms, FundsMovement, FundsTerms, Liquidity, Purpose, Residual, Way


def plain_movement(one: FundsMovement) -> dict[str, Any]:
    """A movement as plain values. The database reads these names: it lets through what was approved, and no more."""
    return {
        "way": one.way.value,
        "participant": one.participant,
        "purpose": one.purpose.value,
        "currency": one.currency,
        "minor_units": one.minor_units,
        "reference": one.reference,
        "value_date": one.value_date.isoformat(),
    }


def movement_of(values: Mapping[str, Any]) -> FundsMovement:
    """A movement read back."""
    return FundsMovement(
        way=Way(values["way"]),
        participant=values["participant"],
        purpose=Purpose(values["purpose"]),
        currency=values["currency"],
        minor_units=values["minor_units"],
        reference=values["reference"],
        value_date=date.fromisoformat(values["value_date"]),
    )


def plain_terms(terms: FundsTerms) -> dict[str, Any]:
    """Terms as plain values, by code. The database reads these names: it holds what they demand of an approval."""
    return {
        "currencies": [
            {
                "currency": one.currency,
                "liquidity": one.liquidity.value,
                "collateral_pays": one.collateral_pays,
                "cap_bps": one.cap_bps,
                "contribution_cap_bps": one.contribution_cap_bps,
                "residual": one.residual.value,
                "cap_binds": one.cap_binds,
            }
            for one in sorted(terms.currencies, key=lambda one: one.currency)
        ]
    }


def terms_of(values: Mapping[str, Any]) -> FundsTerms:
    """Terms read back."""
    return FundsTerms(
        [
            CurrencyTerms(**{**one, "liquidity": Liquidity(one["liquidity"]), "residual": Residual(one["residual"])})
            for one in values["currencies"]
        ]
    )
