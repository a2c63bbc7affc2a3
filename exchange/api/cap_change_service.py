"""Changes of net debit caps on the wire: the methods of LimitService that take two persons."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from grpc.aio import ServicerContext

from exchange.api.context import Api
from exchange.api.limit_wire import REASON_MAX, exposure_message, merchant_and_currency
from exchange.api.wire import REQUEST_ID_CHARACTERS_MAX
from exchange.four_eyes import state_at
from exchange.limits.changes.model import Asked, CapChange
from exchange.limits.changes.service import Seen
from exchange.serving.checks import NO_UUID, Violations, known_numbers
from exchange.serving.identity import caller_of
from exchange.serving.instants import timestamp
from exchange.serving.paging import filter_fingerprint, page_size
from exchange.v1 import limit_service_pb2 as pb

STATES = known_numbers(pb.NetDebitCapChange.State)

Context: TypeAlias = ServicerContext[Any, Any]


class CapChangeMethods:
    """Proposed by one person, approved by another."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def ProposeNetDebitCap(
        self, request: pb.ProposeNetDebitCapRequest, context: Context
    ) -> pb.ProposeNetDebitCapResponse:
        check = Violations()
        request_id = check.text("request_id", request.request_id, 1, REQUEST_ID_CHARACTERS_MAX)
        merchant_id, currency_code = merchant_and_currency(check, request)
        reason = check.text("reason", request.reason, 1, REASON_MAX)
        cap_micros = check.within("cap_micros", request.cap_micros, 0)
        chosen = request.WhichOneof("after")
        if chosen is None:
            check.say("after", "is required: cap_micros or no_cap")
        if chosen == "no_cap" and not request.no_cap:
            check.say("no_cap", "is true, or not given")
        check.raise_if_any()
        asked = Asked(
            merchant=merchant_id,
            currency_code=currency_code,
            cap_micros=None if chosen == "no_cap" else cap_micros,
            reason=reason,
        )
        caller = caller_of(context)
        await self._api.directory(caller)
        seen, replayed = await self._api.cap_changes.propose(caller, request_id, asked)
        return pb.ProposeNetDebitCapResponse(change=change_message(*seen), replayed=replayed)

    async def ApproveNetDebitCap(
        self, request: pb.ApproveNetDebitCapRequest, context: Context
    ) -> pb.ApproveNetDebitCapResponse:
        check, caller = Violations(), caller_of(context)
        digest = check.digest("digest", request.digest)
        change_id, note = _about(check, request.name, request.note)
        await self._api.directory(caller)
        seen, position, replayed = await self._api.cap_changes.approve(caller, change_id, digest, note)
        exposure = None if position is None else exposure_message(position)
        return pb.ApproveNetDebitCapResponse(change=change_message(*seen), exposure=exposure, replayed=replayed)

    async def WithdrawNetDebitCap(
        self, request: pb.WithdrawNetDebitCapRequest, context: Context
    ) -> pb.WithdrawNetDebitCapResponse:
        caller = caller_of(context)
        change_id, note = _about(Violations(), request.name, request.note)
        await self._api.directory(caller)
        seen, replayed = await self._api.cap_changes.withdraw(caller, change_id, note)
        return pb.WithdrawNetDebitCapResponse(change=change_message(*seen), replayed=replayed)

    async def GetNetDebitCapChange(
        self, request: pb.GetNetDebitCapChangeRequest, context: Context
    ) -> pb.GetNetDebitCapChangeResponse:
        change_id, _ = _about(Violations(), request.name, "")
        await self._api.directory(caller_of(context))
        seen: Seen = await self._api.cap_changes.find(change_id)
        return pb.GetNetDebitCapChangeResponse(change=change_message(*seen))

    async def ListNetDebitCapChanges(
        self, request: pb.ListNetDebitCapChangesRequest, context: Context
    ) -> pb.ListNetDebitCapChangesResponse:
        check = Violations()
        state = check.known("state", request.state, STATES) if request.state else 0
        check.raise_if_any()
        size, bound = page_size(request.page_size), filter_fingerprint("", str(state))
        after = NO_UUID
        if request.page_token:
            after = str(self._api.tokens.open("cap changes", bound, request.page_token))
        await self._api.directory(caller_of(context))
        found, now = await self._api.cap_changes.page(state, UUID(after), size + 1)
        more = len(found) > size
        token = self._api.tokens.seal("cap changes", bound, str(found[size - 1].change_id)) if more else ""
        messages = [change_message(change, now) for change in found[:size]]
        return pb.ListNetDebitCapChangesResponse(changes=messages, next_page_token=token)


def _about(check: Violations, name: str, note: str) -> tuple[UUID, str]:
    change_id = UUID(check.uuid_name("name", name, "netDebitCapChanges"))
    note = check.text("note", note, 0, REASON_MAX)
    check.raise_if_any()
    return change_id, note


def change_message(change: CapChange, now: datetime) -> pb.NetDebitCapChange:
    """A change on the wire, at an instant."""
    asked = change.asked
    message = pb.NetDebitCapChange(
        name=change.name,
        merchant=f"merchants/{asked.merchant}",
        currency_code=asked.currency_code,
        before_micros=change.before_micros,
        reason=asked.reason,
        digest=change.digest(),
        state=state_at(change, now),  # type: ignore[arg-type]
        proposer=change.proposed_person,
        propose_time=timestamp(change.proposed_at),
        expire_time=timestamp(change.expires_at),
        decider=change.decided_person or change.decided_by,
        decide_time=timestamp(change.decided_at),
        decision_note=change.decision_note,
    )
    if asked.cap_micros is None:
        message.no_cap = True
    else:
        message.cap_micros = asked.cap_micros
    return message
