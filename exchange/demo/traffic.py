"""Playing one round of the plan: most movements in bulk files of the merchants, some call by call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from exchange.client.caller import Refused, Stubs, refusal_in
from exchange.demo.concurrency import for_each, together
from exchange.demo.model import UNARY_EVERY, Planned, is_unary, reference_of
from exchange.demo.stage import Actors
from exchange.v1 import transfer_service_pb2 as transfers
from exchange.v1 import types_pb2 as types

_FILES_AT_ONCE = 4
_CALLS_AT_ONCE = 64
_FILE_ITEMS = 500
"""Files are cut between members at this size, so that a member's movements keep their order; the wire takes 1 000."""

Request = (
    transfers.EarnPointsRequest
    | transfers.RedeemPointsRequest
    | transfers.DiscountPointsRequest
    | transfers.ConvertPointsRequest
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a transfer, or the reason of a refusal."""

    transfer: types.Transfer | None
    replayed: bool
    reason: str
    message: str


Deliver = Callable[[Planned, Answer], None]


async def play_round(
    planned: Sequence[Planned], names: Sequence[str], lanes: Sequence[Stubs], actors: Actors, deliver: Deliver
) -> None:
    """Ask for every movement of a round and hand each answer on as it comes.

    Within a round a member is at one merchant only, so files and calls may run side by side.

    Args:
        planned: in the order of members.
        names: resource names of the members, by number.
        lanes: where to ask; calls of one member and items of one file take the same.
        actors: as whom.
        deliver: takes each movement with its answer.

    Raises:
        Refused: a whole file was refused.
    """
    calls = [list(own) for number, own in groupby(planned, lambda p: p.member) if is_unary(number)]
    files = list(_files([p for p in planned if not is_unary(p.member)]))

    async def call_by_call(own: Sequence[Planned]) -> None:
        stubs = lanes[own[0].member // UNARY_EVERY % len(lanes)]
        for movement in own:
            deliver(movement, await _call(movement, names[movement.member], stubs, actors))

    async def in_bulk(numbered: tuple[int, Sequence[Planned]]) -> None:
        number, file = numbered
        stubs = lanes[number % len(lanes)]
        request = transfers.BatchTransferRequest(items=[_item(movement) for movement in file])
        answer = await actors.merchants[file[0].merchant].ask(stubs.transfers.BatchTransfer, request)
        for movement, result in zip(file, answer.results, strict=True):
            deliver(movement, _answer_in(result))

    await together(
        for_each(calls, call_by_call, at_once=_CALLS_AT_ONCE),
        for_each(enumerate(files), in_bulk, at_once=_FILES_AT_ONCE),
    )


def _files(planned: Sequence[Planned]) -> Iterator[list[Planned]]:
    by_merchant: dict[str, list[Planned]] = {}
    for _, own in groupby(planned, lambda p: p.member):
        movements = list(own)
        file = by_merchant.setdefault(movements[0].merchant, [])
        file += movements
        if len(file) >= _FILE_ITEMS:
            yield by_merchant.pop(movements[0].merchant)
    yield from by_merchant.values()


async def _call(planned: Planned, name: str, stubs: Stubs, actors: Actors) -> Answer:
    caller = actors.merchants[planned.merchant]
    service = stubs.transfers
    answer: (
        transfers.EarnPointsResponse
        | transfers.RedeemPointsResponse
        | transfers.DiscountPointsResponse
        | transfers.ConvertPointsResponse
    )
    try:
        question = _request(planned)
        question.member = name
        match question:
            case transfers.EarnPointsRequest():
                answer = await caller.ask(service.EarnPoints, question)
            case transfers.RedeemPointsRequest():
                answer = await caller.ask(service.RedeemPoints, question)
            case transfers.DiscountPointsRequest():
                answer = await caller.ask(service.DiscountPoints, question)
            case transfers.ConvertPointsRequest():
                answer = await caller.ask(service.ConvertPoints, question)
    except Refused as refused:
        return Answer(None, replayed=False, reason=refused.reason, message=str(refused))
    return Answer(answer.transfer, answer.replayed, "", "")


def _item(planned: Planned) -> transfers.TransferItem:
    """One movement of a file; merchants' files name members as the merchant knows them."""
    match _request(planned):
        case transfers.EarnPointsRequest() as request:
            return transfers.TransferItem(earn=request)
        case transfers.RedeemPointsRequest() as request:
            return transfers.TransferItem(redeem=request)
        case transfers.DiscountPointsRequest() as request:
            return transfers.TransferItem(discount=request)
        case transfers.ConvertPointsRequest() as request:
            return transfers.TransferItem(convert=request)


def _request(planned: Planned) -> Request:
    key, whose = planned.request_id, reference_of(planned.member)
    points = types.PointsAmount(currency=f"currencies/{planned.currency}", units=planned.units)
    match planned.op:
        case "earn":
            return transfers.EarnPointsRequest(request_id=key, member_reference=whose, points=points)
        case "redeem":
            return transfers.RedeemPointsRequest(request_id=key, member_reference=whose, points=points)
        case "discount":
            return transfers.DiscountPointsRequest(request_id=key, member_reference=whose, points=points)
        case _:
            return transfers.ConvertPointsRequest(
                request_id=key, member_reference=whose, source=points, target_currency=f"currencies/{planned.target}"
            )


def _answer_in(result: transfers.TransferResult) -> Answer:
    if result.status.code == 0:
        return Answer(result.transfer, result.replayed, "", "")
    refused = refusal_in(result.status)
    return Answer(None, replayed=False, reason=refused.reason, message=str(refused))
