"""The chapter of funds: who left how much with the clearing house, and whether it reaches for a run."""

from __future__ import annotations

from exchange.callers import Caller
from exchange.refusals import ResourceNotFound
from exchange.serving.checks import Violations
from exchange.serving.paging import filter_fingerprint, page_size
from settlement import exchange_directory
from settlement.api import default_wire, funds_wire, wire
from settlement.api.calls import Calls, Context, Host
from settlement.funds.service import Funds
from settlement.v1 import funds_pb2 as pb

NEWEST = 2**62


class FundsCalls(Calls):
    """Reading funds; what changes them is proposed."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._funds = Funds(host.database)

    async def ListFunds(self, request: pb.ListFundsRequest, context: Context) -> pb.ListFundsResponse:
        named = _participant(request.participant)
        caller = await self._caller(context)
        whose = await self._whose(caller, named)
        view = await self._funds.view()
        claims = [
            default_wire.claim_message(one, told_stakes=caller.sees_all)
            for one in view.claims_about(whose)
            if caller.sees_all or one.participant == whose
        ]
        return pb.ListFundsResponse(
            balances=funds_wire.balance_messages(view, whose),
            covers=funds_wire.cover_messages(view, whose),
            claims=claims,
        )

    async def ListFundsPostings(
        self, request: pb.ListFundsPostingsRequest, context: Context
    ) -> pb.ListFundsPostingsResponse:
        named = _participant(request.participant)
        caller = await self._caller(context)
        size, bound = page_size(request.page_size), filter_fingerprint(caller.merchant_id or "", request.participant)
        tokens = self._host.tokens
        before = tokens.open("funds", bound, request.page_token) if request.page_token else NEWEST
        assert isinstance(before, int)
        whose = await self._whose(caller, named)
        found = await self._funds.page(whose, before, size + 1)
        token = tokens.seal("funds", bound, found[size - 1].posting_no) if len(found) > size else ""
        messages = [funds_wire.posting_message(one, told_actor=caller.sees_all) for one in found[:size]]
        return pb.ListFundsPostingsResponse(postings=messages, next_page_token=token)

    async def CheckLiquidity(self, request: pb.CheckLiquidityRequest, context: Context) -> pb.CheckLiquidityResponse:
        check = Violations()
        run_id = wire.run_id(check, "run", request.run)
        check.raise_if_any()
        await self._caller(context)
        _, checks = await self._funds.check(run_id)
        return pb.CheckLiquidityResponse(checks=funds_wire.check_messages(checks))

    async def _whose(self, caller: Caller, named: str | None) -> str | None:
        """Whose funds a caller is told; None: everybody's. A merchant is told of nobody else that there is one."""
        if not caller.sees_all:
            if named not in {None, caller.merchant_id}:
                raise ResourceNotFound(resource=f"merchants/{named}", field="participant")
            return caller.merchant_id
        if named is not None:
            async with self._host.database.read() as connection:
                await exchange_directory.require_merchant(connection, named, "participant")
        return named


def _participant(name: str) -> str | None:
    if not name:
        return None
    check = Violations()
    found = check.resource_name("participant", name, "merchants")
    check.raise_if_any()
    return found
