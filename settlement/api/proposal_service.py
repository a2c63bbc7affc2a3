"""The chapter of proposals: what holds until changed, every change under four eyes; and the dates that come of it."""

from __future__ import annotations

import asyncio
from uuid import UUID

from exchange.serving.checks import Violations
from exchange.serving.instants import timestamp
from exchange.serving.paging import filter_fingerprint, page_size
from settlement.api import proposal_wire, wire
from settlement.api.calls import Calls, Context, Host
from settlement.calendar.model import CutOff
from settlement.proposals.service import Proposals
from settlement.v1 import settlement_service_pb2 as pb
from settlement.windows.service import Windows

NEWEST = 2**62
COUNT_DEFAULT, COUNT_MAX = 5, 50


class ProposalCalls(Calls):
    """One person proposes, another decides."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._proposals = Proposals(host.database)
        self._dates = Windows(host.database)

    async def ProposeChange(self, request: pb.ProposeChangeRequest, context: Context) -> pb.ProposeChangeResponse:
        check = Violations()
        # Books of holidays are read when a calendar first names them, which takes a while.
        content = await asyncio.to_thread(proposal_wire.content, check, request.proposal)
        reason = check.text("reason", request.reason, 0, wire.REASON_MAX)
        check.raise_if_any()
        assert content is not None
        proposal, replayed = await self._proposals.propose(content, await self._actor(context), reason)
        return pb.ProposeChangeResponse(proposal=proposal_wire.message(proposal), replayed=replayed)

    async def ApproveProposal(self, request: pb.ApproveProposalRequest, context: Context) -> pb.ApproveProposalResponse:
        proposal_id, reason = _decided(request, reason_min=0)
        actor = await self._actor(context)
        proposal, replayed = await self._proposals.approve(proposal_id, request.digest, actor, reason)
        return pb.ApproveProposalResponse(proposal=proposal_wire.message(proposal), replayed=replayed)

    async def RejectProposal(self, request: pb.RejectProposalRequest, context: Context) -> pb.RejectProposalResponse:
        proposal_id, reason = _decided(request, reason_min=1)
        actor = await self._actor(context)
        proposal, replayed = await self._proposals.reject(proposal_id, request.digest, actor, reason)
        return pb.RejectProposalResponse(proposal=proposal_wire.message(proposal), replayed=replayed)

    async def WithdrawProposal(
        self, request: pb.WithdrawProposalRequest, context: Context
    ) -> pb.WithdrawProposalResponse:
        proposal_id, reason = _decided(request, reason_min=1)
        proposal, replayed = await self._proposals.withdraw(proposal_id, await self._actor(context), reason)
        return pb.WithdrawProposalResponse(proposal=proposal_wire.message(proposal), replayed=replayed)

    async def GetProposal(self, request: pb.GetProposalRequest, context: Context) -> pb.GetProposalResponse:
        check = Violations()
        proposal_id = UUID(check.uuid_name("name", request.name, "proposals"))
        check.raise_if_any()
        await self._caller(context)
        return pb.GetProposalResponse(proposal=proposal_wire.message(await self._proposals.read(proposal_id)))

    async def ListProposals(self, request: pb.ListProposalsRequest, context: Context) -> pb.ListProposalsResponse:
        check = Violations()
        if request.kind and request.kind not in proposal_wire.KINDS:
            check.say("kind", f"is {request.kind}, no value of the enum")
        check.raise_if_any()
        size = page_size(request.page_size)
        bound = filter_fingerprint(str(request.kind), str(request.waiting_only))
        tokens = self._host.tokens
        before = tokens.open("proposals", bound, request.page_token) if request.page_token else NEWEST
        assert isinstance(before, int)
        await self._caller(context)
        kind = proposal_wire.KINDS.get(request.kind)
        found = await self._proposals.page(kind, waiting=request.waiting_only, before=before, limit=size + 1)
        token = tokens.seal("proposals", bound, found[size - 1][0]) if len(found) > size else ""
        messages = [proposal_wire.message(proposal) for _, proposal in found[:size]]
        return pb.ListProposalsResponse(proposals=messages, next_page_token=token)

    async def ListCutOffs(self, request: pb.ListCutOffsRequest, context: Context) -> pb.ListCutOffsResponse:
        check = Violations()
        count = check.within("count", request.count, 0, COUNT_MAX) or COUNT_DEFAULT
        check.raise_if_any()
        await self._caller(context)
        return pb.ListCutOffsResponse(cut_offs=map(_cut_off, await self._dates.upcoming(count)))


def _cut_off(one: CutOff) -> pb.CutOff:
    return pb.CutOff(currency_code=one.currency, time=timestamp(one.at), pay_date=one.pay_day.isoformat())


def _decided(
    request: pb.ApproveProposalRequest | pb.RejectProposalRequest | pb.WithdrawProposalRequest, reason_min: int
) -> tuple[UUID, str]:
    check = Violations()
    proposal_id = UUID(check.uuid_name("name", request.name, "proposals"))
    if not isinstance(request, pb.WithdrawProposalRequest):
        check.digest("digest", request.digest)
    reason = check.text("reason", request.reason, reason_min, wire.REASON_MAX)
    check.raise_if_any()
    return proposal_id, reason
