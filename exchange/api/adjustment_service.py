"""Adjustments on the wire: the methods of TransferService by which two persons put something right."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from grpc.aio import ServicerContext

from exchange.adjustment.model import Adjustment, Direction, Reason, Terms
from exchange.api.context import Api
from exchange.api.transfers_out import write_transfer
from exchange.api.wire import REQUEST_ID_CHARACTERS_MAX, member_key, points_of
from exchange.callers import Caller
from exchange.directory.model import Directory
from exchange.four_eyes import state_at
from exchange.ledger.model import OWN_REQUESTS, MemberKey, member_bucket
from exchange.serving.checks import NO_UUID, Violations, known_numbers
from exchange.serving.identity import caller_of
from exchange.serving.instants import timestamp
from exchange.serving.paging import filter_fingerprint, page_size
from exchange.v1 import transfer_service_pb2 as pb

NOTE_CHARACTERS_MAX = 500
STATES = known_numbers(pb.Adjustment.State)
DIRECTIONS = known_numbers(pb.Adjustment.Direction)
REASONS = known_numbers(pb.Adjustment.Reason)

Context: TypeAlias = ServicerContext[Any, Any]


class AdjustmentMethods:
    """Proposed by one person, approved by another."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def ProposeAdjustment(
        self, request: pb.ProposeAdjustmentRequest, context: Context
    ) -> pb.ProposeAdjustmentResponse:
        caller = caller_of(context)
        key, terms = _wanted(request, caller)
        directory = await self._api.directory(caller)
        async with self._api.database.read() as connection:
            member = (await self._api.members.find(connection, caller, key)).require_open()
        terms = replace(terms, bucket=member_bucket(member.member_id), member_id=member.member_id)
        adjustment, replayed = await self._api.adjustments.propose(caller, request.request_id, terms)
        message = adjustment_message(adjustment, directory, caller, adjustment.proposed_at)
        return pb.ProposeAdjustmentResponse(adjustment=message, replayed=replayed)

    async def ApproveAdjustment(
        self, request: pb.ApproveAdjustmentRequest, context: Context
    ) -> pb.ApproveAdjustmentResponse:
        caller, check = caller_of(context), Violations()
        digest = check.digest("digest", request.digest)
        adjustment_id, note = _about(request.name, request.note, check)
        await self._api.directory(caller)
        adjustment, receipt, replayed = await self._api.adjustments.approve(caller, adjustment_id, digest, note)
        directory = (await self._api.source.current()).directory
        message = adjustment_message(adjustment, directory, caller, receipt.transfer.occurred_at)
        response = pb.ApproveAdjustmentResponse(adjustment=message, replayed=replayed)
        write_transfer(response.transfer, receipt.transfer, directory, own=True)
        return response

    async def WithdrawAdjustment(
        self, request: pb.WithdrawAdjustmentRequest, context: Context
    ) -> pb.WithdrawAdjustmentResponse:
        caller = caller_of(context)
        adjustment_id, note = _about(request.name, request.note, Violations())
        directory = await self._api.directory(caller)
        adjustment, replayed = await self._api.adjustments.withdraw(caller, adjustment_id, note)
        message = adjustment_message(adjustment, directory, caller, adjustment.proposed_at)
        return pb.WithdrawAdjustmentResponse(adjustment=message, replayed=replayed)

    async def GetAdjustment(self, request: pb.GetAdjustmentRequest, context: Context) -> pb.GetAdjustmentResponse:
        caller = caller_of(context)
        adjustment_id, _ = _about(request.name, "", Violations())
        directory = await self._api.directory(caller)
        adjustment, now = await self._api.adjustments.find(caller, adjustment_id)
        return pb.GetAdjustmentResponse(adjustment=adjustment_message(adjustment, directory, caller, now))

    async def ListAdjustments(self, request: pb.ListAdjustmentsRequest, context: Context) -> pb.ListAdjustmentsResponse:
        caller, check = caller_of(context), Violations()
        state = check.known("state", request.state, STATES) if request.state else 0
        check.raise_if_any()
        size = page_size(request.page_size)
        bound = filter_fingerprint(caller.merchant_id or "", str(state))
        token, after = request.page_token, NO_UUID
        if token:
            after = str(self._api.tokens.open("adjustments", bound, token))
        found, now = await self._api.adjustments.page(caller, state, UUID(after), size + 1)
        # Read after the list: it knows every merchant and currency that is named there.
        directory = await self._api.directory(caller)
        more = len(found) > size
        token = self._api.tokens.seal("adjustments", bound, str(found[size - 1].adjustment_id)) if more else ""
        messages = [adjustment_message(adjustment, directory, caller, now) for adjustment in found[:size]]
        return pb.ListAdjustmentsResponse(adjustments=messages, next_page_token=token)


def _wanted(request: pb.ProposeAdjustmentRequest, caller: Caller) -> tuple[MemberKey, Terms]:
    """How the member is named, and the terms, whose member is not looked up yet.

    Raises:
        InvalidField: names every field that is not well formed.
    """
    check = Violations()
    request_id = check.text("request_id", request.request_id, 1, REQUEST_ID_CHARACTERS_MAX)
    if request_id.startswith(OWN_REQUESTS):
        check.say("request_id", f'begins with "{OWN_REQUESTS}", which the exchange keeps for itself')
    key = member_key(request, caller, check)
    if caller.merchant_no is None and request.WhichOneof("member_key") == "member_reference":
        check.say("member_reference", "is a merchant's own: name the member")
    code, units = points_of(request.points, check)
    direction = Direction(check.known("direction", request.direction, DIRECTIONS))
    reason = Reason(check.known("reason", request.reason, REASONS))
    note = check.text("note", request.note, 1, NOTE_CHARACTERS_MAX)
    funder = check.resource_name("funder", request.funder, "merchants") if request.funder else ""
    if funder and direction is Direction.DEBIT:
        check.say("funder", "is for points given")
    check.raise_if_any()
    return key, Terms(
        bucket=0,
        member_id=UUID(NO_UUID),
        currency=code,
        direction=direction,
        units=units,
        reason=reason,
        note=note,
        funder=funder,
    )


def _about(name: str, note: str, check: Violations) -> tuple[UUID, str]:
    adjustment_id = UUID(check.uuid_name("name", name, "adjustments"))
    note = check.text("note", note, 0, NOTE_CHARACTERS_MAX)
    check.raise_if_any()
    return adjustment_id, note


def adjustment_message(adjustment: Adjustment, directory: Directory, caller: Caller, now: datetime) -> pb.Adjustment:
    """An adjustment on the wire, as a caller may see it at an instant."""
    terms = adjustment.terms
    message = pb.Adjustment(
        name=adjustment.name,
        member=f"members/{terms.member_id}",
        direction=terms.direction,  # type: ignore[arg-type]
        reason=terms.reason,  # type: ignore[arg-type]
        note=terms.note,
        funder=f"merchants/{terms.funder}" if terms.funder else "",
        digest=terms.digest(),
        state=state_at(adjustment, now),  # type: ignore[arg-type]
        merchant="" if adjustment.merchant_no is None else directory.merchants[adjustment.merchant_no].name,
        proposer=adjustment.proposed_person or adjustment.proposed_by,
        propose_time=timestamp(adjustment.proposed_at),
        expire_time=timestamp(adjustment.expires_at),
        decider=(adjustment.decided_person or adjustment.decided_by) if caller.sees_all else "",
        decide_time=timestamp(adjustment.decided_at),
        decision_note=adjustment.decision_note,
        transfer="" if adjustment.transfer_id is None else f"transfers/{adjustment.transfer_id}",
        refusal=adjustment.refusal,
    )
    message.points.currency, message.points.units = f"currencies/{terms.currency}", terms.units
    return message
