"""The chapter of reports: files of what was settled, part by part."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from exchange.callers import Caller
from exchange.refusals import InvalidField, ResourceNotFound
from exchange.serving.checks import Violations
from settlement.api import reports_wire, wire
from settlement.api.calls import Calls, Context, Host
from settlement.proofs.service import Proofs
from settlement.reports.detail import detail
from settlement.reports.formats.registry import FORMATS, Format
from settlement.reports.model import Report
from settlement.reports.service import Reports
from settlement.run.service import Runs
from settlement.v1 import reports_pb2 as pb


class ReportCalls(Calls):
    """What finance, merchants and auditors receive."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._reports = Reports(host.database)
        self._proofs = Proofs(host.database)

    async def ReadReport(self, request: pb.ReadReportRequest, context: Context) -> AsyncIterator[pb.ReadReportResponse]:
        check = Violations()
        run_id = wire.run_id(check, "run", request.run)
        kind = reports_wire.report_kind(check, "kind", request.kind)
        chosen = reports_wire.report_format(check, "format", request.format, kind)
        check.raise_if_any()
        await self._caller(context)
        is_journal = kind == reports_wire.JOURNAL
        report = await (self._reports.journal(run_id) if is_journal else self._reports.of_window(kind, run_id))
        async for part in _parts(report, chosen, _window_of(report)):
            yield pb.ReadReportResponse(part=part)

    async def ReadStatement(
        self, request: pb.ReadStatementRequest, context: Context
    ) -> AsyncIterator[pb.ReadStatementResponse]:
        check = Violations()
        run_id = wire.run_id(check, "run", request.run)
        merchant = check.resource_name("merchant", request.merchant, "merchants") if request.merchant else ""
        chosen = reports_wire.report_format(check, "format", request.format)
        check.raise_if_any()
        caller = await self._caller(context)
        merchant = _whose(merchant, caller)
        if not caller.sees_all:
            run = await Runs(self._host.database).read(run_id, "run")
            if merchant not in {position.participant for one in run.result for position in one.positions}:
                raise ResourceNotFound(resource=request.run, field="run")
        report = await self._reports.merchant_statement(run_id, merchant)
        async for part in _parts(report, chosen, f"{_window_of(report)}-{merchant}"):
            yield pb.ReadStatementResponse(part=part)

    async def ReadStatementDetail(
        self, request: pb.ReadStatementDetailRequest, context: Context
    ) -> AsyncIterator[pb.ReadStatementDetailResponse]:
        check = Violations()
        number = int(check.resource_name("window", request.window, "windows") or 0)
        merchant = check.resource_name("merchant", request.merchant, "merchants") if request.merchant else ""
        check.raise_if_any()
        merchant = _whose(merchant, await self._caller(context))
        pieces = detail(self._host.database, number, merchant)
        async for part in reports_wire.streamed(f"W{number}-{merchant}-detail.csv", pieces):
            yield pb.ReadStatementDetailResponse(part=part)

    async def ReadStatementProof(
        self, request: pb.ReadStatementProofRequest, context: Context
    ) -> AsyncIterator[pb.ReadStatementProofResponse]:
        check = Violations()
        number = int(check.resource_name("window", request.window, "windows") or 0)
        merchant = check.resource_name("merchant", request.merchant, "merchants") if request.merchant else ""
        check.raise_if_any()
        merchant = _whose(merchant, await self._caller(context))
        content = await self._proofs.proof(number, merchant)
        for part in reports_wire.parts(f"W{number}-{merchant}-proof.json", FORMATS["json"].media_type, content):
            yield pb.ReadStatementProofResponse(part=part)

    async def ReadLiability(
        self, request: pb.ReadLiabilityRequest, context: Context
    ) -> AsyncIterator[pb.ReadLiabilityResponse]:
        check = Violations()
        last = int(check.resource_name("window", request.window, "windows") or 0)
        named = request.first_window
        first = int(check.resource_name("first_window", named, "windows") or 0) if named else last
        if first > last > 0:
            check.say("first_window", "is after the last one")
        chosen = reports_wire.report_format(check, "format", request.format)
        check.raise_if_any()
        await self._caller(context)
        async for part in _parts(await self._reports.liability(first, last), chosen, f"W{last}"):
            yield pb.ReadLiabilityResponse(part=part)

    async def ReadBreakage(
        self, request: pb.ReadBreakageRequest, context: Context
    ) -> AsyncIterator[pb.ReadBreakageResponse]:
        check = Violations()
        currency = check.resource_name("currency", request.currency, "currencies")
        last = int(check.resource_name("window", request.window, "windows") or 0)
        chosen = reports_wire.report_format(check, "format", request.format)
        check.raise_if_any()
        await self._caller(context)
        async for part in _parts(await self._reports.breakage(currency, last), chosen, f"W{last}-{currency}"):
            yield pb.ReadBreakageResponse(part=part)


async def _parts(report: Report, chosen: Format, prefix: str) -> AsyncIterator[pb.ReportPart]:
    """A report as a file. It is written on a thread of its own: a page of charts must not hold other calls up."""
    content = await asyncio.to_thread(chosen.render, report)
    for part in reports_wire.parts(f"{prefix}-{report.name}.{chosen.suffix}", chosen.media_type, content):
        yield part


def _window_of(report: Report) -> str:
    """W12, of what it is about."""
    return "W" + next(value for key, _, value in report.about if key == "window").removeprefix("windows/")


def _whose(merchant: str, caller: Caller) -> str:
    """Whose statement is read: a merchant's own, unless it may see all."""
    if caller.sees_all and not merchant:
        raise InvalidField({"merchant": "is required of whoever is no merchant"})
    if not caller.sees_all and merchant not in {"", caller.merchant_id}:
        raise ResourceNotFound(resource=f"merchants/{merchant}", field="merchant")
    return merchant or str(caller.merchant_id)
