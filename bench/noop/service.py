"""A gRPC method that reads a ConvertPointsRequest, writes a ConvertPointsResponse of real size, and does nothing else.

It can be added to any server, so that the very server that posts transfers also tells what a call costs without them.
"""

import uuid
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from exchange.callers import CallerRole
from exchange.extensions import Extension
from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1 import types_pb2 as types

SERVICE = "bench.v1.NoopService"
METHOD = f"/{SERVICE}/Convert"

_MEMBER = types.PointsLeg.ACCOUNT_MEMBER
_CIRCULATION = types.PointsLeg.ACCOUNT_CIRCULATION
_DEBIT = types.PointsLeg.SIDE_DEBIT
_CREDIT = types.PointsLeg.SIDE_CREDIT


def an_answer(request_id: str) -> pb.ConvertPointsResponse:
    """What a real conversion answers: four legs, three obligations, every name filled."""
    source = types.PointsAmount(currency="currencies/BN1", units=300)
    target = types.PointsAmount(currency="currencies/BN2", units=10)
    lot = f"lots/{uuid.uuid4()}"
    issuer, other, operator = "merchants/BN1", "merchants/BN2", "merchants/OPR"
    owed = types.Obligation
    return pb.ConvertPointsResponse(
        transfer=types.Transfer(
            name=f"transfers/{uuid.uuid4()}",
            kind=types.Transfer.KIND_CONVERT,
            merchant=issuer,
            member=f"members/{uuid.uuid4()}",
            request_id=request_id,
            event_time=Timestamp(seconds=1_790_000_000, nanos=123_456_000),
            ledger_sequence=1_234_567,
            window="windows/12",
            legs=[
                types.PointsLeg(account=_MEMBER, side=_DEBIT, points=source, lot=lot, account_sequence=17),
                types.PointsLeg(account=_CIRCULATION, side=_CREDIT, points=source),
                types.PointsLeg(account=_CIRCULATION, side=_DEBIT, points=target),
                types.PointsLeg(account=_MEMBER, side=_CREDIT, points=target, lot=lot, account_sequence=9),
            ],
            obligations=[
                owed(kind=owed.KIND_CONVERSION, debtor=issuer, creditor=other, amount=_money(550_000), points_units=10,
                     price_micros=55_000),
                owed(kind=owed.KIND_SPREAD, debtor=issuer, creditor=operator, amount=_money(50_000)),
                owed(kind=owed.KIND_FEE, debtor=issuer, creditor=operator, amount=_money(1_000)),
            ],
            rate=f"rates/{uuid.uuid4()}",
            used=source,
            received=target,
        )
    )  # fmt: skip


def _money(micros: int) -> types.MoneyAmount:
    return types.MoneyAmount(currency_code="CNY", micros=micros)


_ANSWER = an_answer(str(uuid.uuid4()))


async def _convert(
    _request: pb.ConvertPointsRequest,
    _context: "grpc.aio.ServicerContext[pb.ConvertPointsRequest, pb.ConvertPointsResponse]",
) -> pb.ConvertPointsResponse:
    return _ANSWER


def register(registry: Any, _api: object) -> None:
    """Add the service to a server. Both messages are parsed and serialised on every call."""
    method = grpc.unary_unary_rpc_method_handler(
        _convert,
        request_deserializer=pb.ConvertPointsRequest.FromString,
        response_serializer=pb.ConvertPointsResponse.SerializeToString,
    )
    registry.add_registered_method_handlers(SERVICE, {"Convert": method})


extension = Extension(register=register, permissions={METHOD: frozenset({CallerRole.MERCHANT})})
"""How the exchange's own server takes it in: `service_extensions` names this."""
