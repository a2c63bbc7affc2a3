"""The end of a membership: a part of MemberService."""

from __future__ import annotations

from typing import Any, TypeAlias
from uuid import UUID

from grpc.aio import ServicerContext

from exchange.api.context import Api
from exchange.api.promotion_wire import messages_of
from exchange.directory.members import Member
from exchange.ledger.model import MemberKey
from exchange.serving.checks import Violations
from exchange.serving.identity import caller_of
from exchange.serving.instants import timestamp
from exchange.v1 import member_service_pb2 as pb
from exchange.v1 import types_pb2 as types

REASON_CHARACTERS_MAX = 500

Context: TypeAlias = ServicerContext[Any, Any]


class ClosingMethods:
    """A part of MemberService, in a file of its own."""

    _api: Api

    async def CloseMember(self, request: pb.CloseMemberRequest, context: Context) -> pb.CloseMemberResponse:
        caller, check = caller_of(context), Violations()
        member_id = UUID(check.uuid_name("member", request.member, "members"))
        reason = check.text("reason", request.reason, 1, REASON_CHARACTERS_MAX)
        check.raise_if_any()
        await self._api.directory(caller)
        voided, replayed = await self._api.closings.close(caller, member_id, reason)
        coalition = await self._api.coalition(caller)
        async with self._api.database.read() as connection:
            member = await self._api.members.find(connection, caller, MemberKey(0, member_id, None))
            transfers = await messages_of(connection, voided, coalition, caller)
        return pb.CloseMemberResponse(member=member_message(member), transfers=transfers, replayed=replayed)


def member_message(member: Member) -> types.Member:
    """A member as a caller that may see it is told."""
    return types.Member(
        name=member.name,
        reference=member.reference or "",
        create_time=timestamp(member.created_at),
        close_time=timestamp(member.closed_at),
    )
