"""Messages of defaults: what is said of one to values, what follows to messages."""

from __future__ import annotations

from exchange.serving.checks import Violations
from settlement.api.wire import merchant_name
from settlement.defaults.model import DefaultDeclaration, Layer, Waterfall
from settlement.v1 import funds_pb2 as pb

LAYERS = {one: pb.LayerTake.Layer.Value(f"LAYER_{one.name}") for one in Layer}


def declaration(check: Violations, asked: pb.DefaultDeclaration, path: str) -> DefaultDeclaration:
    """Who does not pay which window; what follows is for the use case to work out."""
    participant = check.resource_name(f"{path}.participant", asked.participant, "merchants")
    return DefaultDeclaration(participant, int(check.resource_name(f"{path}.window", asked.window, "windows") or 0))


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
    )
