"""A declared default, and what comes back of one, in their one written form, and read back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from settlement.defaults.model import DefaultDeclaration, DefaultRecovery, Layer, Loss, Reduction, Take, Waterfall
from settlement.defaults.write_off_model import DefaultWriteOff
from settlement.funds.model import Account, Posting, Purpose, Way


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
    """One currency as plain values. Reductions stand in it only where creditors may bear something."""
    reductions = None if fall.reductions is None else [one._asdict() for one in fall.reductions]
    return {
        "currency": fall.currency,
        "loss": fall.loss,
        "takes": [take._asdict() for take in fall.takes],
        "allocated": dict(fall.allocated),
        "open": fall.open,
        **({} if reductions is None else {"reductions": reductions}),
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
                reductions=[Reduction(**one) for one in fall["reductions"]] if "reductions" in fall else None,
            )
            for fall in values["currencies"]
        ],
    )


def plain_recovery(one: DefaultRecovery) -> dict[str, Any]:
    """A recovery as plain values. The database reads these names, as those of a default."""
    return {
        "participant": one.participant,
        "window_no": one.window_no,
        "currency": one.currency,
        "minor_units": one.minor_units,
        "reference": one.reference,
        "value_date": one.value_date.isoformat(),
        "claimed": one.claimed,
        "postings": [plain_posting(posting) for posting in one.postings],
        **({"revived": [loss._asdict() for loss in one.revived]} if one.revived else {}),
    }


def plain_write_off(one: DefaultWriteOff) -> dict[str, Any]:
    """A write-off as plain values. The database reads these names, as those of a default."""
    return {
        "participant": one.participant,
        "window_no": one.window_no,
        "currency": one.currency,
        "minor_units": one.minor_units,
        "claimed": one.claimed,
        "losses": [loss._asdict() for loss in one.losses],
        "postings": [plain_posting(posting) for posting in one.postings],
    }


def write_off_of(values: Mapping[str, Any]) -> DefaultWriteOff:
    """A write-off read back; its postings follow from its losses."""
    return DefaultWriteOff(
        participant=values["participant"],
        window_no=values["window_no"],
        currency=values["currency"],
        minor_units=values["minor_units"],
        claimed=values["claimed"],
        losses=[_loss_of(loss) for loss in values["losses"]],
    )


def recovery_of(values: Mapping[str, Any]) -> DefaultRecovery:
    """A recovery read back."""
    return DefaultRecovery(
        participant=values["participant"],
        window_no=values["window_no"],
        currency=values["currency"],
        minor_units=values["minor_units"],
        reference=values["reference"],
        value_date=date.fromisoformat(values["value_date"]),
        claimed=values["claimed"],
        postings=[_posting_of(line) for line in values["postings"]],
        revived=[_loss_of(loss) for loss in values.get("revived", ())],
    )


def _loss_of(values: Mapping[str, Any]) -> Loss:
    return Loss(values["participant"], Purpose(values["purpose"]), values["minor_units"])


def _posting_of(line: Mapping[str, Any]) -> Posting:
    return Posting(
        Way(line["way"]),
        line["currency"],
        Account(line["debit_participant"], Purpose(line["debit_purpose"])),
        Account(line["credit_participant"], Purpose(line["credit_purpose"])),
        line["minor_units"],
    )
