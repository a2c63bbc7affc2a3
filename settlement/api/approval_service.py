"""The chapter of approval: submit, approve, reject, cancel."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from exchange.serving.checks import Violations
from settlement.api import wire
from settlement.api.calls import Calls, Context, Host
from settlement.approval.service import Approvals
from settlement.v1 import settlement_service_pb2 as pb


class Shown(NamedTuple):
    """Which run somebody has looked at, with which result, and what he says of it."""

    run_id: UUID
    digest: str
    reason: str


class ApprovalCalls(Calls):
    """What one person made, another checks."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._approvals = Approvals(host.database)

    async def SubmitRun(self, request: pb.SubmitRunRequest, context: Context) -> pb.SubmitRunResponse:
        shown = _shown(request)
        actor = await self._actor(context)
        run, replayed = await self._approvals.submit(shown.run_id, shown.digest, actor, shown.reason)
        return pb.SubmitRunResponse(run=wire.run_message(run), replayed=replayed)

    async def ApproveRun(self, request: pb.ApproveRunRequest, context: Context) -> pb.ApproveRunResponse:
        shown = _shown(request)
        actor = await self._actor(context)
        seen = request.acknowledge_shortfall
        run, replayed = await self._approvals.approve(
            shown.run_id, shown.digest, request.etag, actor, shown.reason, acknowledged=seen
        )
        return pb.ApproveRunResponse(run=wire.run_message(run), replayed=replayed)

    async def RejectRun(self, request: pb.RejectRunRequest, context: Context) -> pb.RejectRunResponse:
        shown = _shown(request, reason_min=1)
        actor = await self._actor(context)
        run, replayed = await self._approvals.reject(shown.run_id, shown.digest, request.etag, actor, shown.reason)
        return pb.RejectRunResponse(run=wire.run_message(run), replayed=replayed)

    async def CancelRun(self, request: pb.CancelRunRequest, context: Context) -> pb.CancelRunResponse:
        check = Violations()
        run_id = wire.run_id(check, "name", request.name)
        reason = check.text("reason", request.reason, 1, wire.REASON_MAX)
        check.raise_if_any()
        run, replayed = await self._approvals.cancel(run_id, await self._actor(context), reason)
        return pb.CancelRunResponse(run=wire.run_message(run), replayed=replayed)


def _shown(request: pb.SubmitRunRequest | pb.ApproveRunRequest | pb.RejectRunRequest, reason_min: int = 0) -> Shown:
    check = Violations()
    run_id = wire.run_id(check, "name", request.name)
    digest = check.digest("result_digest", request.result_digest)
    if not isinstance(request, pb.SubmitRunRequest):
        check.text("etag", request.etag, 1, wire.ETAG_MAX)
    reason = check.text("reason", request.reason, reason_min, wire.REASON_MAX)
    check.raise_if_any()
    return Shown(run_id, digest, reason)
