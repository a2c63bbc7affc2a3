"""What a merchant is told of the movements it asked for, as the bytes of responses.

Written when their batch has been committed and all of it is still at hand: a moment later each call wakes up by itself
and finds only bytes to send. The guard sends bytes as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Generic, TypeVar

from google.protobuf.message import Message
from librt.strings import BytesWriter

from exchange.api.message_bytes import key, write_bytes, write_number
from exchange.api.promotion_wire import write_bonuses
from exchange.api.transfers_out import is_plain, plain_bytes, write_transfer
from exchange.ledger.decision import Outcome
from exchange.ledger.model import Receipt, TransferKind
from exchange.rates.model import Coalition
from exchange.refusals import Refusal
from exchange.serving.errors import fault_status, status_of
from exchange.serving.telemetry import report_incident
from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1 import types_pb2 as types

R = TypeVar("R", bound=Message)

_STATUS: Final = key(pb.TransferResult, "status")
_TRANSFER: Final = key(pb.TransferResult, "transfer")
_REPLAYED: Final = key(pb.TransferResult, "replayed")
_RESULTS: Final = key(pb.BatchTransferResponse, "results")
_STREAMED: Final = key(pb.StreamTransfersResponse, "result")
_OK: Final = b""
"""An OK status is one whose code is 0, but it is there."""


class Answer(Generic[R]):
    """Writes the responses of one method that asks for one movement.

    Args:
        response: their type, with the fields `transfer` and `replayed`.
    """

    def __init__(self, response: type[R]) -> None:
        self._transfer, self._replayed = key(response, "transfer"), key(response, "replayed")

    def write(self, outcomes: Sequence[Outcome], coalition: Coalition) -> bytes | R:
        """The response to one movement.

        Raises:
            Refusal: it was refused; whatever else came of it instead of a receipt.
        """
        return self._written(outcomes, coalition)

    def _written(self, outcomes: Sequence[Outcome], coalition: Coalition) -> bytes:
        (outcome,) = outcomes
        if not isinstance(outcome, Receipt):
            raise outcome
        writer = BytesWriter()
        write_bytes(writer, self._transfer, _own_transfer(outcome, coalition))
        if outcome.replayed:
            write_number(writer, self._replayed, 1)
        return writer.getvalue()


class ConvertAnswer(Answer[pb.ConvertPointsResponse]):
    """Of ConvertPoints: with an issuer that keeps balances itself it is only begun, and there is more to say."""

    def write(self, outcomes: Sequence[Outcome], coalition: Coalition) -> bytes | pb.ConvertPointsResponse:
        """The response; as a message when the conversion was begun, to be completed."""
        written = self._written(outcomes, coalition)
        (outcome,) = outcomes
        if isinstance(outcome, Receipt):
            transfer = outcome.transfer
            if transfer.kind == TransferKind.CONVERSION_BEGUN and transfer.transfer_id is not None:
                return pb.ConvertPointsResponse.FromString(written)
        return written


def batch_response(
    places: Sequence[int], outcomes: Sequence[Outcome], before: Mapping[int, Outcome], coalition: Coalition
) -> bytes:
    """The response to a batch.

    Args:
        places: of the items that were posted.
        outcomes: of those, in the same order.
        before: outcomes of the other items by place.
        coalition: names what the transfers speak of.
    """
    by_place = {**before, **dict(zip(places, outcomes, strict=True))}
    writer = BytesWriter()
    for place in range(len(by_place)):
        write_bytes(writer, _RESULTS, _result(by_place[place], coalition))
    return writer.getvalue()


def streamed_responses(outcomes: Sequence[Outcome], coalition: Coalition) -> list[bytes]:
    """The responses to items of a stream."""
    responses = []
    for outcome in outcomes:
        writer = BytesWriter()
        write_bytes(writer, _STREAMED, _result(outcome, coalition))
        responses.append(writer.getvalue())
    return responses


def _result(outcome: Outcome, coalition: Coalition) -> bytes:
    writer = BytesWriter()
    if isinstance(outcome, Receipt):
        write_bytes(writer, _STATUS, _OK)
        write_bytes(writer, _TRANSFER, _own_transfer(outcome, coalition))
        if outcome.replayed:
            write_number(writer, _REPLAYED, 1)
    else:
        status = status_of(outcome) if isinstance(outcome, Refusal) else fault_status(report_incident(outcome))
        write_bytes(writer, _STATUS, status.SerializeToString())
    return writer.getvalue()


def _own_transfer(receipt: Receipt, coalition: Coalition) -> bytes:
    """A movement as the merchant that asked for it sees it."""
    transfer = receipt.transfer
    if is_plain(transfer) and not receipt.bonuses:
        return plain_bytes(transfer, coalition.directory, own=True, names_member=True)
    message = types.Transfer()
    write_transfer(message, transfer, coalition.directory, own=True)
    write_bonuses(message, receipt.bonuses, coalition)
    return message.SerializeToString()
