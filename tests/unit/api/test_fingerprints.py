"""The digest of a request's business fields: kept with its key for ever, so the same from release to release."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from exchange.api import wire
from exchange.callers import Caller, CallerRole
from exchange.ledger.model import Command
from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1 import types_pb2 as types

GROCER = Caller(CallerRole.MERCHANT, "key", merchant_no=3, merchant_id="GRO")
ADA = "members/01900000-0000-7000-8000-00000000a0da"
FIRST = "transfers/01900000-0000-7000-8000-000000000001"
QUOTE = "quotes/01900000-0000-7000-8000-000000000002"
SOME = types.PointsAmount(currency="currencies/TEL", units=1200)
AIR = "currencies/AIR"


@pytest.mark.parametrize(
    ("parse", "request_", "digest"),
    [
        (
            wire.to_earn,
            pb.EarnPointsRequest(
                member=ADA, points=SOME, reference="receipt 7", expire_time=Timestamp(seconds=1_900_000_000)
            ),
            "7f45da015de71344790a513d6c9600ee",
        ),
        (
            wire.to_earn,
            pb.EarnPointsRequest(member_reference="ada", spend=types.Spend(rule="earnRules/till", minor_units=995)),
            "35728992d7e47c160044ddc4940aefcf",
        ),
        (
            wire.to_redeem,
            pb.RedeemPointsRequest(member_reference="ada", points=SOME),
            "cfdbd909e2f79d0ac87a664c91a07a9b",
        ),
        (
            wire.to_hold,
            pb.HoldPointsRequest(member=ADA, points=SOME, lifetime=Duration(seconds=90, nanos=500_000_000)),
            "8033382130dd1245b373fbc3a61889d0",
        ),
        (
            wire.to_convert,
            pb.ConvertPointsRequest(member=ADA, source=SOME, target_currency=AIR),
            "e394304a2886eb0b32bc8380058b3e2b",
        ),
        (
            wire.to_convert,
            pb.ConvertPointsRequest(member=ADA, source=SOME, target_currency=AIR, min_target_units=7, tier="gold"),
            "e54519f41170cd967d7d69cc7c28709f",
        ),
        (wire.to_convert, pb.ConvertPointsRequest(member=ADA, quote=QUOTE), "57c627a924a6a1910d7305134403e63e"),
        (wire.to_capture, pb.CaptureHoldRequest(hold=FIRST, units=5), "51abf420f37204a519108628aa63f9bf"),
        (wire.to_release, pb.VoidHoldRequest(hold=FIRST), "26737f4e86c2f487b8dde4c76c39dd1d"),
        (
            wire.to_reverse,
            pb.ReverseTransferRequest(original=FIRST, retained=pb.Retained(kept=1, total=3)),
            "14f3b7c3b8113cf27d6200ca1b8ab321",
        ),
    ],
)
def test_a_fingerprint_is_what_it_always_was(
    parse: Callable[[Any, Caller], Command], request_: Message, digest: str
) -> None:
    """Another one, and a request said again after an upgrade would be another body under the same key."""
    request_.request_id = "r-1"  # type: ignore[attr-defined]

    assert parse(request_, GROCER).fingerprint.hex() == digest
