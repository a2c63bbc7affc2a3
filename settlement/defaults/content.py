"""A declared default in its one written form, and read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from settlement.defaults.model import DefaultDeclaration, Layer, Take, Waterfall
from settlement.funds.model import Posting


def plain(one: DefaultDeclaration) -> dict[str, Any]:
    """A default as plain values. The database reads `postings`: it lets through these lines, and no others."""
    return {
        "participant": one.participant,
        "window_no": one.window_no,
        "result_digest": one.result_digest,
        "currencies": [plain_waterfall(fall) for fall in one.waterfalls],
        "postings": [plain_posting(posting) for posting in one.postings],
    }


def plain_waterfall(fall: Waterfall) -> dict[str, Any]:
    """One currency as plain values."""
    return {
        "currency": fall.currency,
        "loss": fall.loss,
        "takes": [take._asdict() for take in fall.takes],
        "allocated": dict(fall.allocated),
        "open": fall.open,
    }


def plain_posting(one: Posting) -> dict[str, Any]:
    """A line of the book as plain values."""
    return {
        "way": one.way.value,
        "currency": one.currency,
        "debit_participant": one.debit.participant,
        "debit_purpose": one.debit.purpose.value,
        "credit_participant": one.credit.participant,
        "credit_purpose": one.credit.purpose.value,
        "minor_units": one.minor_units,
    }


def declaration_of(values: Mapping[str, Any]) -> DefaultDeclaration:
    """A default read back; its postings follow from its layers."""
    return DefaultDeclaration(
        participant=values["participant"],
        window_no=values["window_no"],
        result_digest=values["result_digest"],
        waterfalls=[
            Waterfall(
                currency=fall["currency"],
                loss=fall["loss"],
                takes=[Take(**{**take, "layer": Layer(take["layer"])}) for take in fall["takes"]],
                allocated=fall["allocated"],
                open=fall["open"],
            )
            for fall in values["currencies"]
        ],
    )
