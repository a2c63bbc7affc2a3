"""`python -m bench.baselines.orm_service PORT URL`: conversions as one would write them first.

One SQLAlchemy session and one transaction for each request, rows locked with FOR UPDATE, everything inserted as mapped
objects, one commit. It is spared what the exchange does besides: no credentials, no lots, no expiry, no window totals,
no stored refusals. It creates its tables in an empty database, fills them, and says "ready" when it serves.
"""

import hashlib
import sys
import uuid

import grpc
import uvloop
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import aio
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import joinedload, selectinload

from bench.baselines.orm_model import (
    Account,
    Base,
    Currency,
    Debt,
    Entry,
    IdempotencyKey,
    Merchant,
    Movement,
    Rate,
    Window,
)
from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1 import types_pb2 as types

SERVICE = "bench.v1.OrmService"
METHOD = f"/{SERVICE}/Convert"
MEMBERS = 5_000
MERCHANTS = ("BN1", "BN2", "BN3", "BN4", "BN5")
_POOL_SIZE = 20
_OPERATOR = "OPR"
_GIVEN_UNITS = 10**12

Context = aio.ServicerContext[pb.ConvertPointsRequest, pb.ConvertPointsResponse]
Sessions = async_sessionmaker[AsyncSession]


class _Refused(Exception):
    """A business no: the transaction rolls back."""


def member_name(number: int) -> str:
    """The name of one of the members 0 to MEMBERS - 1."""
    return f"members/{_member_id(number)}"


def _member_id(number: int) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_OID, str(number))


class OrmService:
    """The servicer. `sessions` makes one session for each request."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def convert(self, request: pb.ConvertPointsRequest, context: Context) -> pb.ConvertPointsResponse:
        """ConvertPoints, for the issuer of the source currency."""
        key = IdempotencyKey(
            merchant=_code(request.source.currency),
            request_id=request.request_id,
            fingerprint=hashlib.sha256(request.SerializeToString(deterministic=True)).digest(),
        )
        try:
            async with self._sessions.begin() as session:
                key.movement = await _convert(session, request)
                session.add(key)
        except IntegrityError:
            return await self._replay(key, context)
        except _Refused as refused:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(refused))
        return _answer(key.movement, replayed=False)

    async def _replay(self, key: IdempotencyKey, context: Context) -> pb.ConvertPointsResponse:
        """The key has been used: the same request gets the same answer."""
        async with self._sessions() as session:
            movement = joinedload(IdempotencyKey.movement)
            known = await session.get_one(
                IdempotencyKey,
                (key.merchant, key.request_id),
                options=[movement.options(selectinload(Movement.entries), selectinload(Movement.debts))],
            )
        if known.fingerprint != key.fingerprint:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "request_id reused")
        return _answer(known.movement, replayed=True)


async def _convert(session: AsyncSession, request: pb.ConvertPointsRequest) -> Movement:
    """The conversion with its entries and debts, not yet flushed; the balances are changed."""
    member_id = uuid.UUID(request.member.removeprefix("members/"))
    pair = _code(request.source.currency), _code(request.target_currency)
    rate = await session.get(Rate, pair, options=[joinedload(Rate.source), joinedload(Rate.target)])
    if rate is None:
        raise _Refused("no rate")
    window = (await session.scalars(select(Window).where(Window.open))).one()
    accounts = {
        account.currency: account
        for account in await session.scalars(
            select(Account)
            .where(Account.member_id == member_id, Account.currency.in_(pair))
            .order_by(Account.member_id, Account.currency)
            .with_for_update()
        )
    }
    asked = request.source.units - request.source.units % rate.block_units
    received = asked * rate.target_units // rate.source_units
    used = -(-received * rate.source_units // rate.target_units)
    if received == 0 or len(accounts) != len(pair) or accounts[pair[0]].balance < used:
        raise _Refused("not enough points")
    source, target = (accounts[code] for code in pair)
    source.balance -= used
    source.sequence += 1
    target.balance += received
    target.sequence += 1
    return Movement(
        id=uuid.uuid4(),
        merchant=rate.source.issuer,
        member_id=member_id,
        request_id=request.request_id,
        window_id=window.id,
        source=rate.source_code,
        used=used,
        target=rate.target_code,
        received=received,
        entries=_entries(source, used, target, received),
        debts=_debts(rate, used, received),
    )


def _entries(source: Account, used: int, target: Account, received: int) -> list[Entry]:
    sides = (
        (source.member_id, source, True, used),
        (None, source, False, used),
        (None, target, True, received),
        (target.member_id, target, False, received),
    )
    return [
        Entry(
            member_id=member_id,
            currency=account.currency,
            account_sequence=account.sequence if member_id else 0,
            debit=debit,
            units=units,
        )
        for member_id, account, debit, units in sides
    ]


def _debts(rate: Rate, used: int, received: int) -> list[Debt]:
    owed = received * rate.target.in_micros
    kinds = types.Obligation
    rows = (
        (kinds.KIND_CONVERSION, rate.target.issuer, owed, received, rate.target.in_micros),
        (kinds.KIND_SPREAD, _OPERATOR, used * rate.source.out_micros - owed, 0, 0),
        (kinds.KIND_FEE, _OPERATOR, rate.fee_micros, 0, 0),
    )
    return [
        Debt(
            kind=kind,
            debtor=rate.source.issuer,
            creditor=creditor,
            micros=micros,
            points_units=points,
            price_micros=price,
        )
        for kind, creditor, micros, points, price in rows
    ]


def _code(currency: str) -> str:
    return currency.removeprefix("currencies/")


def _answer(movement: Movement, *, replayed: bool) -> pb.ConvertPointsResponse:
    event_time = Timestamp()
    event_time.FromDatetime(movement.created_at)
    return pb.ConvertPointsResponse(
        replayed=replayed,
        transfer=types.Transfer(
            name=f"transfers/{movement.id}",
            kind=types.Transfer.KIND_CONVERT,
            merchant=f"merchants/{movement.merchant}",
            member=f"members/{movement.member_id}",
            request_id=movement.request_id,
            event_time=event_time,
            ledger_sequence=movement.sequence,
            window=f"windows/{movement.window_id}",
            legs=[_leg(entry) for entry in movement.entries],
            obligations=[_obligation(debt) for debt in movement.debts],
            used=_points(movement.source, movement.used),
            received=_points(movement.target, movement.received),
        ),
    )


def _points(code: str, units: int) -> types.PointsAmount:
    return types.PointsAmount(currency=f"currencies/{code}", units=units)


def _leg(entry: Entry) -> types.PointsLeg:
    leg = types.PointsLeg
    return leg(
        account=leg.ACCOUNT_CIRCULATION if entry.member_id is None else leg.ACCOUNT_MEMBER,
        side=leg.SIDE_DEBIT if entry.debit else leg.SIDE_CREDIT,
        points=_points(entry.currency, entry.units),
        account_sequence=entry.account_sequence,
    )


def _obligation(debt: Debt) -> types.Obligation:
    return types.Obligation(
        kind=types.Obligation.Kind.ValueType(debt.kind),
        debtor=f"merchants/{debt.debtor}",
        creditor=f"merchants/{debt.creditor}",
        amount=types.MoneyAmount(currency_code="CNY", micros=debt.micros),
        points_units=debt.points_units,
        price_micros=debt.price_micros,
    )


async def fill(sessions: Sessions) -> None:
    """A ring of merchants, each converting into its neighbour's currency, and members with points of all."""
    ring = list(zip(MERCHANTS, MERCHANTS[1:] + MERCHANTS[:1], strict=True))
    async with sessions.begin() as session:
        session.add_all([Merchant(code=code) for code in (*MERCHANTS, _OPERATOR)])
        session.add(Window(open=True))
        await session.flush()
        session.add_all([Currency(code=code, issuer=code, in_micros=55_000, out_micros=2_000) for code in MERCHANTS])
        await session.flush()
        for source, target in ring:
            session.add(
                Rate(source_code=source, target_code=target, source_units=30, target_units=1, block_units=30,
                     fee_micros=1_000)
            )  # fmt: skip
        for number in range(MEMBERS):
            session.add_all(
                [
                    Account(member_id=_member_id(number), currency=code, balance=_GIVEN_UNITS, sequence=0)
                    for code in MERCHANTS
                ]
            )


async def serve(port: int, url: str) -> None:
    """Create, fill, serve until killed."""
    engine = create_async_engine(url, pool_size=_POOL_SIZE, max_overflow=0)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    await fill(sessions)
    server = aio.server(options=[("grpc.so_reuseport", 0), ("grpc.max_concurrent_streams", 100)])
    method = grpc.unary_unary_rpc_method_handler(
        OrmService(sessions).convert,
        request_deserializer=pb.ConvertPointsRequest.FromString,
        response_serializer=pb.ConvertPointsResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Convert": method}),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    print("ready", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2]))
