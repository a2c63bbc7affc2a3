"""The one written form of each kind of document, and reading it back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from datetime import date
from typing import Any

from settlement.calendar.model import Calendar, Convention, CurrencyCalendar, Frequency
from settlement.defaults import content as defaults
from settlement.defaults.model import DefaultDeclaration, DefaultRecovery
from settlement.defaults.write_off_model import DefaultWriteOff
from settlement.disputes import content as disputes
from settlement.disputes.model import AgreedAdjustment, DisputeDecision, DisputePolicy
from settlement.exits import content as exits
from settlement.exits.model import ParticipantExit
from settlement.funds import content as funds
from settlement.funds.model import FundsMovement, FundsTerms
from settlement.fx.content import fx_choice, fx_set, plain_fx_choice, plain_fx_set
from settlement.fx.model import FxSet
from settlement.proposals.model import (
    Content,
    Exclusion,
    Exclusions,
    Kind,
    Release,
    SpecialClosing,
    Terms,
    Tier,
    Tiers,
)
from settlement.run.legal import LegalModel


def written(content: Content) -> str:
    """A document as text: the same document gives the same bytes."""
    return json.dumps(plain(content), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def read(kind: Kind, text: str) -> Content:
    """A document read back."""
    return READERS[kind](json.loads(text))


def kind_of(content: Content) -> Kind:
    """What a document is about."""
    return KINDS[type(content)]


def plain(content: Content) -> dict[str, Any]:
    """A document as plain values, lists in an order of their own."""
    match content:
        case Terms():
            return {
                "mode": content.mode,
                "legal_model": content.legal_model.value,
                "minimums": dict(content.minimums),
                "maximum_carry_days": dict(content.maximum_carry_days),
                **({"fx": plain_fx_choice(content.fx)} if content.fx else {}),
                **({"holds_suspended": True} if content.holds_suspended else {}),
            }
        case Tiers():
            names = ("currency", "from", "checkers")
            return {"tiers": [dict(zip(names, tier, strict=True)) for tier in sorted(content.tiers)]}
        case Exclusions():
            return {
                "excluded": [one._asdict() for one in sorted(content.excluded)],
                "released": [_plain_release(one) for one in sorted(content.released)],
            }
        case Calendar():
            by_code = sorted(content.currencies, key=lambda one: one.currency)
            return {"currencies": [_plain_calendar(one) for one in by_code]}
        case SpecialClosing():
            return {"window_no": content.window_no, "currencies": sorted(content.currencies)}
        case _:
            return WRITERS[type(content)](content)


def _plain_release(one: Release) -> dict[str, Any]:
    """What chooses among the items stands in it only where it does."""
    return {name: value for name, value in one._asdict().items() if value or name in ("participant", "window_no")}


def _plain_calendar(one: CurrencyCalendar) -> dict[str, Any]:
    values = {**asdict(one), "frequency": one.frequency.value, "convention": one.convention.value}
    for name in ("closed", "open"):
        values[name] = [day.isoformat() for day in sorted(values[name])]
    return values


def _terms(values: Mapping[str, Any]) -> Terms:
    fx = fx_choice(values["fx"]) if "fx" in values else None
    return Terms(**{**values, "legal_model": LegalModel(values["legal_model"]), "fx": fx})


def _tiers(values: Mapping[str, Any]) -> Tiers:
    return Tiers([Tier(one["currency"], one["from"], one["checkers"]) for one in values["tiers"]])


def _exclusions(values: Mapping[str, Any]) -> Exclusions:
    return Exclusions([Exclusion(**one) for one in values["excluded"]], [Release(**one) for one in values["released"]])


def _calendar(values: Mapping[str, Any]) -> Calendar:
    return Calendar(tuple(_currency_calendar(one) for one in values["currencies"]))


def _currency_calendar(values: Mapping[str, Any]) -> CurrencyCalendar:
    kinds: dict[str, Callable[[Any], Any]] = {
        "frequency": Frequency,
        "convention": Convention,
        "holidays": tuple,
        "closed": lambda days: tuple(map(date.fromisoformat, days)),
        "open": lambda days: tuple(map(date.fromisoformat, days)),
    }
    known = [field.name for field in fields(CurrencyCalendar)]
    return CurrencyCalendar(**{name: kinds.get(name, lambda value: value)(values[name]) for name in known})


KINDS: Mapping[type, Kind] = {
    Terms: Kind.TERMS,
    Tiers: Kind.TIERS,
    Exclusions: Kind.EXCLUSIONS,
    Calendar: Kind.CALENDAR,
    SpecialClosing: Kind.SPECIAL_CLOSING,
    FundsTerms: Kind.FUNDS_TERMS,
    FundsMovement: Kind.FUNDS_MOVEMENT,
    DefaultDeclaration: Kind.DEFAULT_DECLARATION,
    FxSet: Kind.FX_SET,
    ParticipantExit: Kind.PARTICIPANT_EXIT,
    DisputePolicy: Kind.DISPUTE_POLICY,
    DisputeDecision: Kind.DISPUTE_DECISION,
    AgreedAdjustment: Kind.ADJUSTMENT,
    DefaultRecovery: Kind.DEFAULT_RECOVERY,
    DefaultWriteOff: Kind.DEFAULT_WRITE_OFF,
}
WRITERS: Mapping[type, Callable[[Any], dict[str, Any]]] = {
    FundsTerms: funds.plain_terms,
    FundsMovement: funds.plain_movement,
    DefaultDeclaration: defaults.plain,
    FxSet: plain_fx_set,
    ParticipantExit: exits.plain,
    DisputePolicy: disputes.plain,
    DisputeDecision: disputes.plain,
    AgreedAdjustment: disputes.plain,
    DefaultRecovery: defaults.plain_recovery,
    DefaultWriteOff: defaults.plain_write_off,
}
"""How documents of other rooms are written."""
READERS: Mapping[Kind, Callable[[Mapping[str, Any]], Content]] = {
    Kind.TERMS: _terms,
    Kind.TIERS: _tiers,
    Kind.EXCLUSIONS: _exclusions,
    Kind.CALENDAR: _calendar,
    Kind.SPECIAL_CLOSING: lambda values: SpecialClosing(**values),
    Kind.FUNDS_TERMS: funds.terms_of,
    Kind.FUNDS_MOVEMENT: funds.movement_of,
    Kind.DEFAULT_DECLARATION: defaults.declaration_of,
    Kind.FX_SET: fx_set,
    Kind.PARTICIPANT_EXIT: exits.exit_of,
    Kind.DISPUTE_POLICY: disputes.policy_of,
    Kind.DISPUTE_DECISION: disputes.decision_of,
    Kind.ADJUSTMENT: disputes.adjustment_of,
    Kind.DEFAULT_RECOVERY: defaults.recovery_of,
    Kind.DEFAULT_WRITE_OFF: defaults.write_off_of,
}
