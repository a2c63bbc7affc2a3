"""SettlementService: wire in, use case, wire out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from exchange.api.pages import PageRequest, check_page, page_of
from exchange.callers import Caller
from exchange.refusals import ResourceNotFound
from exchange.serving.checks import Violations
from exchange.serving.paging import filter_fingerprint, page_size
from settlement import exchange_ledger
from settlement.api import reports_wire, wire
from settlement.api.approval_service import ApprovalCalls
from settlement.api.calls import Context, Host
from settlement.api.dispute_service import DisputeCalls
from settlement.api.funds_service import FundsCalls
from settlement.api.payments_service import PaymentCalls
from settlement.api.proposal_service import ProposalCalls
from settlement.api.reports_service import ReportCalls
from settlement.run.model import CurrencyResult, Run
from settlement.run.service import Runs
from settlement.v1 import settlement_service_pb2 as pb
from settlement.v1.settlement_service_pb2_grpc import SettlementServiceServicer
from settlement.windows.service import Windows

T = TypeVar("T")
NEWEST = 2**62


class RunPageRequest(PageRequest, Protocol):
    """A request for rows of a run."""

    run: str


class SettlementService(
    ApprovalCalls, ProposalCalls, PaymentCalls, FundsCalls, ReportCalls, DisputeCalls, SettlementServiceServicer
):
    """Finance runs it; merchants see what they are a party of."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._windows, self._runs = Windows(host.database), Runs(host.database)

    async def ListWindows(self, request: pb.ListWindowsRequest, context: Context) -> pb.ListWindowsResponse:
        await self._caller(context)
        size, bound = page_size(request.page_size), filter_fingerprint()
        before = self._host.tokens.open("windows", bound, request.page_token) if request.page_token else NEWEST
        assert isinstance(before, int)
        found = await self._windows.page(before, size + 1)
        more = len(found) > size
        token = self._host.tokens.seal("windows", bound, found[size - 1].window.window_no) if more else ""
        return pb.ListWindowsResponse(windows=map(wire.window_message, found[:size]), next_page_token=token)

    async def GetWindow(self, request: pb.GetWindowRequest, context: Context) -> pb.GetWindowResponse:
        number = _window_no(request.name)
        await self._caller(context)
        return pb.GetWindowResponse(window=wire.window_message(await self._windows.read(number)))

    async def CloseWindow(self, request: pb.CloseWindowRequest, context: Context) -> pb.CloseWindowResponse:
        number = _window_no(request.name)
        window, next_no, replayed = await self._windows.close(number, await self._actor(context))
        view = await self._windows.read(window.window_no)
        return pb.CloseWindowResponse(
            window=wire.window_message(view), next_window=f"windows/{next_no}", replayed=replayed
        )

    async def StartRun(self, request: pb.StartRunRequest, context: Context) -> pb.StartRunResponse:
        check = Violations()
        number = int(check.resource_name("window", request.window, "windows") or 0)
        asked = wire.asked(check, request.configuration)
        check.raise_if_any()
        run, replayed = await self._runs.start(number, asked, await self._actor(context))
        return pb.StartRunResponse(run=wire.run_message(run), replayed=replayed)

    async def GetRun(self, request: pb.GetRunRequest, context: Context) -> pb.GetRunResponse:
        run_id = _run_id(request.name, "name")
        await self._caller(context)
        return pb.GetRunResponse(run=wire.run_message(await self._runs.read(run_id)))

    async def ListNetPositions(
        self, request: pb.ListNetPositionsRequest, context: Context
    ) -> pb.ListNetPositionsResponse:
        caller, run = await self._run_of(request, "positions", context)
        rows = _rows(run, lambda one: [wire.position_message(one, row) for row in one.positions])
        seen = _seen(rows, caller, lambda row: (row.participant,))
        page, token = self._page(
            seen, lambda r: f"{r.currency_code} {r.participant}", request, "positions", caller, run
        )
        return pb.ListNetPositionsResponse(positions=page, next_page_token=token)

    async def ListPairTotals(self, request: pb.ListPairTotalsRequest, context: Context) -> pb.ListPairTotalsResponse:
        caller, run = await self._run_of(request, "pairs", context)
        rows = _rows(run, lambda one: [wire.pair_message(one.currency, row) for row in one.pairs])
        seen = _seen(rows, caller, lambda row: (row.debtor, row.creditor))
        page, token = self._page(
            seen, lambda r: f"{r.currency_code} {r.debtor} {r.creditor}", request, "pairs", caller, run
        )
        return pb.ListPairTotalsResponse(pairs=page, next_page_token=token)

    async def ListCarriedItems(
        self, request: pb.ListCarriedItemsRequest, context: Context
    ) -> pb.ListCarriedItemsResponse:
        caller, run = await self._run_of(request, "carried", context)
        rows = _rows(run, lambda one: wire.carried_messages(one, run.closed_on))
        seen = _seen(rows, caller, lambda row: (row.debtor, row.creditor))
        page, token = self._page(seen, wire.carried_key, request, "carried", caller, run)
        return pb.ListCarriedItemsResponse(items=page, next_page_token=token)

    async def ListPayments(self, request: pb.ListPaymentsRequest, context: Context) -> pb.ListPaymentsResponse:
        caller, run = await self._run_of(request, "payments", context)
        rows = _rows(run, lambda one: [wire.payment_message(one.currency, row) for row in one.payments])
        seen = _seen(rows, caller, lambda row: (row.payer, row.payee))
        page, token = self._page(
            seen, lambda r: f"{r.currency_code} {r.payer} {r.payee}", request, "payments", caller, run
        )
        return pb.ListPaymentsResponse(payments=page, next_page_token=token)

    async def ListObligations(self, request: pb.ListObligationsRequest, context: Context) -> pb.ListObligationsResponse:
        number, wanted = reports_wire.obligations_wanted(request)
        size = page_size(request.page_size)
        caller = await self._caller(context)
        party = wanted["party"] if caller.sees_all else caller.merchant_id
        is_hidden = request.merchant and wanted["party"] != party
        wanted["party"] = party
        bound = filter_fingerprint(str(number), *(str(wanted[name] or "") for name in sorted(wanted)))
        after = self._host.tokens.open("obligations", bound, request.page_token) if request.page_token else [0, 0]
        if is_hidden:
            raise ResourceNotFound(resource=request.merchant, field="merchant")
        assert isinstance(after, list)
        async with self._host.database.read() as connection:
            await exchange_ledger.read_window(connection, number, "window")
            place = (int(after[0]), int(after[1]))
            found = await exchange_ledger.entries(connection, number, **wanted, after=place, limit=size + 1)
        token = ""
        if len(found) > size:
            last = found[size - 1]
            token = self._host.tokens.seal("obligations", bound, [last.ledger_sequence, last.position])
        return pb.ListObligationsResponse(obligations=map(wire.entry_message, found[:size]), next_page_token=token)

    async def _run_of(self, request: RunPageRequest, name: str, context: Context) -> tuple[Caller, Run]:
        """The run whose rows are asked for, page by page."""
        run_id = _run_id(request.run, "run")
        caller = await self._caller(context)
        check_page(request, self._host.tokens, name, caller.merchant_id or "", str(run_id))
        run = await self._runs.read(run_id, "run")
        if not caller.sees_all and wire.merchant_name(str(caller.merchant_id)) not in _participants(run):
            raise ResourceNotFound(resource=request.run, field="run")
        return caller, run

    def _page(
        self, rows: Sequence[T], key: Callable[[T], str], request: PageRequest, name: str, caller: Caller, run: Run
    ) -> tuple[Sequence[T], str]:
        ordered = sorted(rows, key=key)
        return page_of(ordered, key, request, self._host.tokens, name, caller.merchant_id or "", str(run.run_id))


def _participants(run: Run) -> set[str]:
    return {wire.merchant_name(position.participant) for one in run.result for position in one.positions}


def _rows(run: Run, rows_of: Callable[[CurrencyResult], list[T]]) -> list[T]:
    return [row for one in run.result for row in rows_of(one)]


def _seen(rows: Iterable[T], caller: Caller, parties: Callable[[T], tuple[str, ...]]) -> list[T]:
    """A merchant sees rows it is a party of; everybody else who may call sees all."""
    if caller.sees_all:
        return list(rows)
    return [row for row in rows if wire.merchant_name(str(caller.merchant_id)) in parties(row)]


def _window_no(name: str) -> int | None:
    check = Violations()
    number = wire.window_no(check, "name", name)
    check.raise_if_any()
    return number


def _run_id(name: str, path: str) -> UUID:
    check = Violations()
    run_id = wire.run_id(check, path, name)
    check.raise_if_any()
    return run_id
