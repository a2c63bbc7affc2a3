"""Messages of defaults and recoveries: what is said of one to values, what follows to messages."""

from __future__ import annotations

from exchange.serving.checks import Violations
from settlement.api.fields import currency
from settlement.api.funds_wire import MINOR_UNITS_MAX, PURPOSES, REFERENCE_MAX, value_date
from settlement.api.wire import merchant_name
from settlement.defaults.model import Claim, DefaultDeclaration, DefaultRecovery, Layer, Waterfall
from settlement.defaults.write_off_model import DefaultWriteOff
from settlement.funds.model import Way
from settlement.v1 import funds_pb2 as pb

LAYERS = {one: pb.LayerTake.Layer.Value(f"LAYER_{one.name}") for one in Layer}


def declaration(check: Violations, asked: pb.DefaultDeclaration, path: str) -> DefaultDeclaration:
    """Who does not pay which window; what follows is for the use case to work out."""
    participant = check.resource_name(f"{path}.participant", asked.participant, "merchants")
    return DefaultDeclaration(participant, int(check.resource_name(f"{path}.window", asked.window, "windows") or 0))


def recovery(check: Violations, asked: pb.DefaultRecovery, path: str) -> DefaultRecovery:
    """What somebody says came back; who is repaid is for the use case to work out."""
    return DefaultRecovery(
        participant=check.resource_name(f"{path}.participant", asked.participant, "merchants"),
        window_no=int(check.resource_name(f"{path}.window", asked.window, "windows") or 0),
        currency=currency(check, f"{path}.currency_code", asked.currency_code),
        minor_units=check.positive(f"{path}.minor_units", asked.minor_units, MINOR_UNITS_MAX),
        reference=check.text(f"{path}.reference", asked.reference, 1, REFERENCE_MAX),
        value_date=value_date(check, f"{path}.value_date", asked.value_date),
    )


def write_off(check: Violations, asked: pb.DefaultWriteOff, path: str) -> DefaultWriteOff:
    """What somebody says is claimed no more; whose loss that is is for the use case to work out."""
    return DefaultWriteOff(
        participant=check.resource_name(f"{path}.participant", asked.participant, "merchants"),
        window_no=int(check.resource_name(f"{path}.window", asked.window, "windows") or 0),
        currency=currency(check, f"{path}.currency_code", asked.currency_code),
        minor_units=check.positive(f"{path}.minor_units", asked.minor_units, MINOR_UNITS_MAX),
    )


def message(one: DefaultDeclaration) -> pb.DefaultDeclaration:
    """A default on the wire, with who stands in."""
    return pb.DefaultDeclaration(
        participant=merchant_name(one.participant),
        window=f"windows/{one.window_no}",
        result_digest=one.result_digest,
        waterfalls=map(_waterfall, one.waterfalls),
    )


def _waterfall(fall: Waterfall) -> pb.Waterfall:
    return pb.Waterfall(
        currency_code=fall.currency,
        loss_minor_units=fall.loss,
        takes=[
            pb.LayerTake(
                layer=LAYERS[take.layer],
                participant=merchant_name(take.participant),
                holds_minor_units=take.holds,
                at_most_minor_units=take.at_most,
                taken_minor_units=take.taken,
            )
            for take in fall.takes
        ],
        allocated_minor_units={merchant_name(name): amount for name, amount in fall.allocated.items()},
        open_minor_units=fall.open,
        reductions=[
            pb.PaymentReduction(
                leg=one.leg_no,
                participant=merchant_name(one.participant),
                from_attempt=one.from_attempt,
                minor_units=one.minor_units,
            )
            for one in fall.reductions or ()
        ],
    )


def recovery_message(one: DefaultRecovery) -> pb.DefaultRecovery:
    """A recovery on the wire, with who is repaid."""
    return pb.DefaultRecovery(
        participant=merchant_name(one.participant),
        window=f"windows/{one.window_no}",
        currency_code=one.currency,
        minor_units=one.minor_units,
        reference=one.reference,
        value_date=one.value_date.isoformat(),
        claimed_minor_units=one.claimed,
        repayments=[
            pb.Repayment(
                participant=merchant_name(posting.credit.participant),
                purpose=PURPOSES[posting.credit.purpose],
                minor_units=posting.minor_units,
            )
            for posting in one.postings
            if posting.way is Way.RECOVERY
        ],
        revived_minor_units=sum(loss.minor_units for loss in one.revived),
    )


def write_off_message(one: DefaultWriteOff) -> pb.DefaultWriteOff:
    """A write-off on the wire, with whose loss is final by it."""
    return pb.DefaultWriteOff(
        participant=merchant_name(one.participant),
        window=f"windows/{one.window_no}",
        currency_code=one.currency,
        minor_units=one.minor_units,
        claimed_minor_units=one.claimed,
        losses=[
            pb.DefaultLoss(
                participant=merchant_name(loss.participant),
                purpose=PURPOSES[loss.purpose],
                minor_units=loss.minor_units,
            )
            for loss in one.losses
        ],
    )


def claim_message(one: Claim, *, told_stakes: bool) -> pb.DefaultClaim:
    """A claim on the wire; a defaulter is not told who bears it."""
    stakes = [
        pb.DefaultStake(
            participant=merchant_name(stake.participant),
            purpose=PURPOSES[stake.purpose],
            borne_minor_units=stake.borne,
            repaid_minor_units=stake.repaid,
            written_off_minor_units=stake.written_off,
        )
        for stake in one.stakes
        if stake.borne
    ]
    return pb.DefaultClaim(
        participant=merchant_name(one.participant),
        window=f"windows/{one.window_no}",
        currency_code=one.currency,
        loss_minor_units=one.loss,
        claimed_minor_units=one.claimed,
        recovered_minor_units=one.recovered,
        remaining_minor_units=one.remaining,
        missing_minor_units=one.missing,
        written_off_minor_units=one.written_off,
        stakes=stakes if told_stakes else (),
    )
