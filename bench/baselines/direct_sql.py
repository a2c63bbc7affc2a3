"""A conversion by one hand-written statement, called through the exchange's own server: the least a lone call can cost.

It stands on the very server that posts transfers, behind the same checks of credentials, limits and metrics, and
answers as many octets. The statement is pgbench's: two balances, the wide row and the key row, one commit. No rules, no
lots, no window totals, and no batch to wait for.
"""

import asyncio
import os
import uuid
from pathlib import Path
from typing import Any

import asyncpg
import grpc
from sqlalchemy.engine import make_url

from bench.noop.service import an_answer
from exchange.callers import CallerRole
from exchange.extensions import Extension
from exchange.v1 import transfer_service_pb2 as pb

SERVICE = "bench.v1.DirectSqlService"
METHOD = f"/{SERVICE}/Convert"
ADDRESS = "BENCH_DIRECT_URL"
"""The environment variable that tells where the hand-written tables are."""
MEMBERS = 5_000
UNITS_EACH = 30

_PARAMETERS = {
    ":member::integer": "$1::integer",
    ":received::bigint": "$2::bigint",
    "gen_random_uuid()::text": "$3::text",
}

Context = grpc.aio.ServicerContext[pb.ConvertPointsRequest, pb.ConvertPointsResponse]


def member_name(number: int) -> str:
    """The name of one of the members 1 to MEMBERS."""
    return f"members/{uuid.UUID(int=number)}"


def _statement() -> str:
    """What pgbench runs, with the request's values for its own."""
    script = Path(__file__).with_name("single_transfer.sql").read_text(encoding="utf-8")
    statement = "\n".join(line for line in script.splitlines() if not line.startswith(("--", "\\")))
    for theirs, ours in _PARAMETERS.items():
        assert theirs in statement, theirs
        statement = statement.replace(theirs, ours)
    return statement


class DirectSql:
    """The servicer; it connects at the first call, and calls take turns on one connection."""

    def __init__(self) -> None:
        self._statement = _statement()
        self._answer = an_answer(str(uuid.uuid4()))
        self._turn = asyncio.Lock()
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def convert(self, request: pb.ConvertPointsRequest, context: Context) -> pb.ConvertPointsResponse:
        """ConvertPoints of a member of the hand-written tables; FAILED_PRECONDITION when nothing was written."""
        member = uuid.UUID(request.member.removeprefix("members/")).int
        async with self._turn:
            if self._connection is None:
                address = make_url(os.environ[ADDRESS]).set(drivername="postgresql")
                self._connection = await asyncpg.connect(address.render_as_string(hide_password=False))
            received = request.source.units // UNITS_EACH
            done = await self._connection.execute(self._statement, member, received, request.request_id)
        if done != "INSERT 0 1":
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "nothing was written")
        return self._answer


def register(registry: Any, _api: object) -> None:
    """Add the service to a server."""
    method = grpc.unary_unary_rpc_method_handler(
        DirectSql().convert,
        request_deserializer=pb.ConvertPointsRequest.FromString,
        response_serializer=pb.ConvertPointsResponse.SerializeToString,
    )
    registry.add_registered_method_handlers(SERVICE, {"Convert": method})


extension = Extension(register=register, permissions={METHOD: frozenset({CallerRole.MERCHANT})})
