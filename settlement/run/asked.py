"""What somebody asks of a run, and what it comes to with all that holds for the coalition. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from exchange.refusals import InvalidField
from settlement.fx.model import FxTerms
from settlement.netting.registry import DEFAULT_MODE
from settlement.proposals.model import Exclusions, Terms
from settlement.run.legal import BY_MODE, LegalModel, fits
from settlement.run.model import Configuration

CONVERTING_MODE = "multilateral"
"""Whose position is converted pays the operator in one currency and is paid by it in another."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was said of a run; what was not is taken from the coalition's terms.

    Attributes:
        mode: a netting mode; None: the terms'.
        legal_model: what it is in law; None: the terms' with the terms' mode, else the mode's own.
        minimums: by currency, before those of the terms; 0 is none.
        maximum_carry_days: likewise.
    """

    mode: str | None = None
    legal_model: LegalModel | None = None
    minimums: Mapping[str, int] = field(default_factory=dict)
    maximum_carry_days: Mapping[str, int] = field(default_factory=dict)


class Due(NamedTuple):
    """What a window was cut off for: the pay day of each currency that is due, and the currencies that are not."""

    pay_days: Mapping[str, date]
    waiting: tuple[str, ...]


def resolved(
    asked: Asked,
    terms: Terms | None,
    exclusions: Exclusions,
    due: Due,
    window_no: int,
    fx: FxTerms | None = None,
    suspended: Collection[str] = (),
) -> Configuration:
    """The configuration of a run.

    `fx`: what the terms say of currencies, with the set as it is now. `suspended`: who is suspended in the exchange,
    which excludes where the terms say so.

    Raises:
        InvalidField: the legal model does not go with the mode, or the mode with conversion.
    """
    mode = asked.mode or (terms.mode if terms else DEFAULT_MODE)
    own = terms.legal_model if terms and terms.mode == mode and asked.mode is None else BY_MODE[mode]
    model = asked.legal_model or own
    if not fits(model, mode):
        what = f"does not go with {mode} netting: nobody stands in the middle"
        raise InvalidField({"configuration.legal_model": what})
    if fx is not None and mode != CONVERTING_MODE:
        raise InvalidField({"configuration.mode": f"is {mode}, but conversion goes through the clearing account"})
    held = tuple(sorted(suspended)) if terms and terms.holds_suspended else ()
    return Configuration(
        mode=mode,
        legal_model=model,
        minimums={**(terms.minimums if terms else {}), **asked.minimums},
        maximum_carry_days={**(terms.maximum_carry_days if terms else {}), **asked.maximum_carry_days},
        excluded=tuple(sorted({*exclusions.names(), *held})),
        released=exclusions.released_in(window_no),
        chosen=exclusions.chosen_in(window_no),
        suspended=held,
        waiting=due.waiting,
        pay_dates=due.pay_days,
        fx=fx,
    )
