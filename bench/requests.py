"""The requests of each scenario, serialised before the clock starts. Every request_id is new unless said otherwise."""

import random
import uuid
from collections.abc import Callable, Iterator

import grpc
from google.protobuf.duration_pb2 import Duration

from bench.baselines import direct_sql, orm_service
from bench.load import frames
from bench.load.plan import Lane
from bench.world import BLOCK_UNITS, Party
from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from exchange.v1.transfer_service_pb2_grpc import TransferServiceStub

_BLOCKS_MAX = 10
_ITEMS_MAX = 1_000
_HELD_SECONDS = 86_400

Build = Callable[[Party, int], list[bytes]]
"""So many serialised requests of one merchant."""

_draw = random.Random()


def lanes(parties: list[Party], build: Build, count: int, *, connections: int = 1) -> tuple[Lane, ...]:
    """So many connections for each merchant, with `count` requests over all of them."""
    each = count // (len(parties) * connections)
    return tuple(Lane(build(party, each), party.secret) for party in parties for _ in range(connections))


def converts(party: Party, count: int) -> list[bytes]:
    """ConvertPoints into the neighbour's currency."""
    return [_convert(party).SerializeToString() for _ in range(count)]


def earns(party: Party, count: int) -> list[bytes]:
    """EarnPoints of the neighbour's currency."""
    return [
        pb.EarnPointsRequest(request_id=_key(), member=_member(party), points=_few(party.neighbour)).SerializeToString()
        for _ in range(count)
    ]


def redeems(party: Party, count: int) -> list[bytes]:
    """RedeemPoints of the neighbour's currency."""
    return [
        pb.RedeemPointsRequest(
            request_id=_key(), member=_member(party), points=_few(party.neighbour)
        ).SerializeToString()
        for _ in range(count)
    ]


def holds(party: Party, count: int) -> list[bytes]:
    """HoldPoints of the neighbour's currency."""
    return [_hold(party).SerializeToString() for _ in range(count)]


def held_by_all(port: int, parties: list[Party], count: int, *, connections: int = 2) -> tuple[Lane, ...]:
    """Hold points for every merchant, `count` times over all, and give the requests that capture each hold whole.

    Over so many connections for each, as the other calls come: fewer would not let as many be under way.
    """
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = TransferServiceStub(channel)
        captures = {party.secret: _captures(stub, party, count // len(parties)) for party in parties}
    return tuple(
        Lane(bodies[place::connections], secret) for secret, bodies in captures.items() for place in range(connections)
    )


def _captures(stub: TransferServiceStub, party: Party, count: int) -> list[bytes]:
    bodies: list[bytes] = []
    while len(bodies) < count:
        items = [pb.TransferItem(hold=_hold(party)) for _ in range(_ITEMS_MAX)]
        answer = stub.BatchTransfer(
            pb.BatchTransferRequest(items=items), metadata=(("authorization", f"Bearer {party.secret}"),)
        )
        bodies += [
            pb.CaptureHoldRequest(request_id=_key(), hold=result.transfer.name).SerializeToString()
            for result in answer.results
        ]
    return bodies


def with_duplicates(share: float) -> Build:
    """Conversions of which this share says again what was said before: half of them the one just before."""

    def build(party: Party, count: int) -> list[bytes]:
        said: list[bytes] = []
        for fresh in converts(party, count):
            if said and _draw.random() < share:
                said.append(said[-1] if _draw.random() < 0.5 else _draw.choice(said))
            else:
                said.append(fresh)
        return said

    return build


def batches(size: int) -> Build:
    """BatchTransfer of `size` conversions; `count` counts conversions."""

    def build(party: Party, count: int) -> list[bytes]:
        return [
            pb.BatchTransferRequest(
                items=[pb.TransferItem(convert=_convert(party)) for _ in range(size)]
            ).SerializeToString()
            for _ in range(-(-count // size))
        ]

    return build


def streams(size: int) -> Build:
    """Streams of `size` conversions each, as gRPC frames them; `count` counts conversions."""

    def build(party: Party, count: int) -> list[bytes]:
        return [
            b"".join(
                frames.grpc_message(
                    pb.StreamTransfersRequest(item=pb.TransferItem(convert=_convert(party))).SerializeToString()
                )
                for _ in range(size)
            )
            for _ in range(-(-count // size))
        ]

    return build


def orm_lanes(connections: int, count: int) -> tuple[Lane, ...]:
    """Conversions as the ORM service's own members and merchants know them."""
    return tuple(Lane(list(_orm_converts(count // connections))) for _ in range(connections))


def _orm_converts(count: int) -> Iterator[bytes]:
    names = [orm_service.member_name(number) for number in range(orm_service.MEMBERS)]
    ring = orm_service.MERCHANTS
    for _ in range(count):
        place = _draw.randrange(len(ring))
        source, target = ring[place], ring[(place + 1) % len(ring)]
        yield pb.ConvertPointsRequest(
            request_id=_key(),
            member=_draw.choice(names),
            source=types.PointsAmount(currency=f"currencies/{source}", units=_blocks()),
            target_currency=f"currencies/{target}",
        ).SerializeToString()


def directly(party: Party, count: int) -> list[bytes]:
    """Conversions as the hand-written tables know their members."""
    return [
        pb.ConvertPointsRequest(
            request_id=_key(),
            member=direct_sql.member_name(_draw.randint(1, direct_sql.MEMBERS)),
            source=types.PointsAmount(currency=party.currency, units=_blocks()),
            target_currency=party.neighbour,
        ).SerializeToString()
        for _ in range(count)
    ]


def replayed_of(answer: bytes) -> dict[str, int]:
    """Whether a ConvertPointsResponse is a replay, to be summed up."""
    return {"replayed": int(pb.ConvertPointsResponse.FromString(answer).replayed)}


def items_of(answer: bytes) -> dict[str, int]:
    """How many items of a BatchTransferResponse were done and how many refused, to be summed up."""
    results = pb.BatchTransferResponse.FromString(answer).results
    done = sum(result.status.code == 0 for result in results)
    return {"items": done, "items refused": len(results) - done}


def streamed_of(answer: bytes) -> dict[str, int]:
    """The same of a stream's answers."""
    results = [pb.StreamTransfersResponse.FromString(one).result for one in frames.grpc_messages(answer)]
    done = sum(result.status.code == 0 for result in results)
    return {"items": done, "items refused": len(results) - done}


def _hold(party: Party) -> pb.HoldPointsRequest:
    return pb.HoldPointsRequest(
        request_id=_key(), member=_member(party), points=_few(party.neighbour), lifetime=Duration(seconds=_HELD_SECONDS)
    )


def _convert(party: Party) -> pb.ConvertPointsRequest:
    return pb.ConvertPointsRequest(
        request_id=_key(),
        member=_member(party),
        source=types.PointsAmount(currency=party.currency, units=_blocks()),
        target_currency=party.neighbour,
    )


def _key() -> str:
    return str(uuid.UUID(int=_draw.getrandbits(128)))


def _member(party: Party) -> str:
    return _draw.choice(party.members)


def _blocks() -> int:
    return _draw.randint(1, _BLOCKS_MAX) * BLOCK_UNITS


def _few(currency: str) -> types.PointsAmount:
    return types.PointsAmount(currency=currency, units=_draw.randint(1, 100))
