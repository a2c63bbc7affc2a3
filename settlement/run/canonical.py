"""The one written form of a result, its digest, and reading it back. No identifiers and no times of work in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any

from settlement.fx.content import fx_terms, plain_fx_terms
from settlement.fx.model import Converted
from settlement.run.legal import BY_MODE, LegalModel
from settlement.run.model import (
    Adjusted,
    CarryFigures,
    Chosen,
    Configuration,
    CurrencyResult,
    Disputed,
    ExchangeLeg,
    HeldOut,
    PairFigures,
    PaymentFigures,
    Position,
    ResidueFigures,
)
from settlement.run.rules import Inputs

ROWS: Mapping[str, Any] = {
    "pairs": PairFigures,
    "positions": Position,
    "payments": PaymentFigures,
    "carried_in": CarryFigures,
    "carried": CarryFigures,
    "held_in": CarryFigures,
    "held_items": CarryFigures,
    "residue": ResidueFigures,
    "converted": Converted,
    "legs": ExchangeLeg,
}
"""Lists of a currency's result, by the kind of their rows."""
UNSAID: Mapping[str, object] = {"dispute": "", "adjusted": 0}
"""Figures that stand in a row only where there is something to say: rows of before say nothing of them."""
LACKING: Mapping[str, Any] = {"held": 0, "pay_date": None, "certificate": {}}
"""What results did not have at first."""
ONLY_WITH_FX = frozenset({"converted", "legs"})
"""Lists a result has only where something was converted: all others read as they always did."""


def written(configuration: Configuration) -> dict[str, Any]:
    """A configuration as plain values in a fixed order; a minimum of 0 is none."""
    return {
        "mode": configuration.mode,
        "legal_model": configuration.legal_model.value,
        "minimums": {code: least for code, least in sorted(configuration.minimums.items()) if least},
        "maximum_carry_days": {code: days for code, days in sorted(configuration.maximum_carry_days.items()) if days},
        "excluded": list(configuration.excluded),
        "released": list(configuration.released),
        **_held_or_released(configuration),
        "waiting": list(configuration.waiting),
        "pay_dates": {code: day.isoformat() for code, day in sorted(configuration.pay_dates.items())},
        **({"fx": plain_fx_terms(configuration.fx)} if configuration.fx else {}),
        **_disputed(configuration.disputed),
    }


def _held_or_released(configuration: Configuration) -> dict[str, Any]:
    """What is chosen of held items, and who is held because of a suspension; nothing where there is none."""
    chosen = [{name: value for name, value in one._asdict().items() if value} for one in configuration.chosen]
    lists = {"released_items": chosen, "suspended": list(configuration.suspended)}
    return {name: values for name, values in lists.items() if values}


def _disputed(disputed: Disputed) -> dict[str, Any]:
    """What disputes and adjustments make of a window; nothing where there are none."""
    lists = {
        "held_out": [one._asdict() for one in disputed.held_out],
        "released_disputes": list(disputed.released),
        "adjustments": [one._asdict() for one in disputed.adjustments],
    }
    return {name: values for name, values in lists.items() if values}


def configuration_of(plain: Mapping[str, Any]) -> Configuration:
    """A configuration read back."""
    return Configuration(
        mode=plain["mode"],
        legal_model=LegalModel(plain.get("legal_model", BY_MODE[plain["mode"]])),
        minimums=plain["minimums"],
        maximum_carry_days=plain.get("maximum_carry_days", {}),
        excluded=tuple(plain.get("excluded", ())),
        released=tuple(plain.get("released", ())),
        chosen=tuple(Chosen(**one) for one in plain.get("released_items", ())),
        suspended=tuple(plain.get("suspended", ())),
        waiting=tuple(plain.get("waiting", ())),
        pay_dates={code: date.fromisoformat(day) for code, day in plain.get("pay_dates", {}).items()},
        fx=fx_terms(plain["fx"]) if "fx" in plain else None,
        disputed=Disputed(
            tuple(HeldOut(**one) for one in plain.get("held_out", ())),
            tuple(plain.get("released_disputes", ())),
            tuple(Adjusted(**one) for one in plain.get("adjustments", ())),
        ),
    )


def plain(one: CurrencyResult) -> dict[str, Any]:
    """One currency's result as plain values in a fixed order."""
    values = {field.name: getattr(one, field.name) for field in fields(one)}
    values = {name: value for name, value in values.items() if value or name not in ONLY_WITH_FX}
    return {name: [_row(row) for row in value] if name in ROWS else value for name, value in values.items()}


def _row(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row._asdict().items() if name not in UNSAID or value != UNSAID[name]}


def canonical(inputs: Inputs, before: str | None, result: Sequence[CurrencyResult]) -> bytes:
    """The one written form of a result: no identifiers, no times of work, no order of arrival in it.

    Args:
        inputs: what it was made of.
        before: digest of the run whose carried items came in; None for the first window.
        result: from `calculate`.
    """
    document = {
        "window": inputs.window_no,
        **written(inputs.configuration),
        "before": before,
        "currencies": [plain(one) for one in result],
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def digest_of(document: bytes) -> str:
    """SHA-256 of a canonical result, hexadecimal."""
    return hashlib.sha256(document).hexdigest()


def parsed(text: str, closed_on: date) -> list[CurrencyResult]:
    """A canonical result read back. `closed_on`: the age of what was carried when results did not tell ages yet."""
    document = json.loads(text)
    ageless = {"since_window": document["window"], "since": closed_on.isoformat(), "because": "minimum"}
    found = []
    for one in document["currencies"]:
        lists = {
            name: [kind(**({**ageless, **row} if kind is CarryFigures else row)) for row in one.get(name, ())]
            for name, kind in ROWS.items()
        }
        found.append(CurrencyResult(**{**LACKING, **one, **lists}))
    return found
