"""The chapter of disputes: who owes less than a transfer says, and what is adjusted for it."""

from __future__ import annotations

from uuid import UUID

from exchange.callers import Caller, CallerRole
from exchange.serving.checks import Violations
from exchange.serving.paging import filter_fingerprint, page_size
from settlement import exchange_directory
from settlement.api import dispute_wire, wire
from settlement.api.calls import Calls, Context, Host, actor
from settlement.disputes.service import Disputes, Wanted
from settlement.v1 import disputes_pb2 as pb

NEWEST = 2**62


class DisputeCalls(Calls):
    """One side claims, the other answers, finance decides."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._disputes = Disputes(host.database)

    async def OpenDispute(self, request: pb.OpenDisputeRequest, context: Context) -> pb.OpenDisputeResponse:
        check = Violations()
        claim = dispute_wire.claim(check, request)
        check.raise_if_any()
        caller, party = await self._party(context)
        dispute, replayed = await self._disputes.open(claim, party, actor(caller))
        return pb.OpenDisputeResponse(dispute=dispute_wire.message(dispute), replayed=replayed)

    async def AnswerDispute(self, request: pb.AnswerDisputeRequest, context: Context) -> pb.AnswerDisputeResponse:
        check = Violations()
        dispute_id = dispute_wire.dispute_id(check, "name", request.name)
        accepts = dispute_wire.accepts(check, request.answer)
        note = check.text("statement", request.statement, 0, wire.REASON_MAX)
        evidence = check.text("evidence", request.evidence, 0, dispute_wire.EVIDENCE_MAX)
        check.raise_if_any()
        caller, party = await self._party(context)
        dispute, replayed = await self._disputes.answer(
            dispute_id, party, actor(caller), accepts=accepts, note=note, evidence=evidence
        )
        return pb.AnswerDisputeResponse(dispute=dispute_wire.message(dispute), replayed=replayed)

    async def WithdrawDispute(self, request: pb.WithdrawDisputeRequest, context: Context) -> pb.WithdrawDisputeResponse:
        check = Violations()
        dispute_id = dispute_wire.dispute_id(check, "name", request.name)
        reason = check.text("reason", request.reason, 0, wire.REASON_MAX)
        check.raise_if_any()
        caller, party = await self._party(context)
        dispute, replayed = await self._disputes.withdraw(dispute_id, party, actor(caller), reason)
        return pb.WithdrawDisputeResponse(dispute=dispute_wire.message(dispute), replayed=replayed)

    async def AssignDispute(self, request: pb.AssignDisputeRequest, context: Context) -> pb.AssignDisputeResponse:
        check = Violations()
        dispute_id = dispute_wire.dispute_id(check, "name", request.name)
        owner = check.text("owner", request.owner, 1, dispute_wire.OWNER_MAX)
        check.raise_if_any()
        dispute, replayed = await self._disputes.assign(dispute_id, owner, await self._actor(context))
        return pb.AssignDisputeResponse(dispute=dispute_wire.message(dispute), replayed=replayed)

    async def GetDispute(self, request: pb.GetDisputeRequest, context: Context) -> pb.GetDisputeResponse:
        check = Violations()
        dispute_id = dispute_wire.dispute_id(check, "name", request.name)
        check.raise_if_any()
        caller = await self._caller(context)
        dispute = await self._disputes.read(dispute_id, caller.merchant_id)
        return pb.GetDisputeResponse(dispute=dispute_wire.message(dispute))

    async def ListDisputes(self, request: pb.ListDisputesRequest, context: Context) -> pb.ListDisputesResponse:
        check = Violations()
        window_no = int(check.resource_name("window", request.window, "windows") or 0) if request.window else None
        transfer = UUID(check.uuid_name("transfer", request.transfer, "transfers")) if request.transfer else None
        check.raise_if_any()
        caller, size = await self._caller(context), page_size(request.page_size)
        told = (request.window, request.transfer, str(request.waiting_only))
        bound = filter_fingerprint(caller.merchant_id or "", *told)
        wanted = Wanted(caller.merchant_id, window_no, transfer, request.waiting_only)
        before = self._before("disputes", bound, request.page_token)
        found = await self._disputes.page(wanted, before, size + 1)
        more = len(found) > size
        token = self._host.tokens.seal("disputes", bound, found[size - 1].order_no) if more else ""
        return pb.ListDisputesResponse(disputes=map(dispute_wire.message, found[:size]), next_page_token=token)

    async def ListSettlementAdjustments(
        self, request: pb.ListSettlementAdjustmentsRequest, context: Context
    ) -> pb.ListSettlementAdjustmentsResponse:
        check = Violations()
        window_no = int(check.resource_name("window", request.window, "windows") or 0) if request.window else None
        check.raise_if_any()
        caller, size = await self._caller(context), page_size(request.page_size)
        bound = filter_fingerprint(caller.merchant_id or "", request.window)
        before = self._before("settlement adjustments", bound, request.page_token)
        found = await self._disputes.adjustments(caller.merchant_id, window_no, before, size + 1)
        more = len(found) > size
        token = self._host.tokens.seal("settlement adjustments", bound, found[size - 1].order_no) if more else ""
        messages = map(dispute_wire.adjustment_message, found[:size])
        return pb.ListSettlementAdjustmentsResponse(adjustments=messages, next_page_token=token)

    def _before(self, name: str, bound: bytes, token: str) -> int:
        before = self._host.tokens.open(name, bound, token) if token else NEWEST
        assert isinstance(before, int)
        return before

    async def _party(self, context: Context) -> tuple[Caller, str]:
        """The caller, and the participant it acts for: the operator's people act for the operator."""
        caller = await self._caller(context)
        if caller.merchant_id is not None:
            return caller, caller.merchant_id
        assert caller.role is CallerRole.OPERATOR, f"{caller.role} acts for no participant"
        async with self._host.database.read() as connection:
            return caller, (await exchange_directory.coalition(connection)).operator
