"""The chapter of payments: bank details, files that instruct banks, what banks answer, exceptions."""

from __future__ import annotations

from exchange.api.pages import check_page, page_of
from exchange.refusals import ResourceNotFound
from exchange.serving.checks import Violations
from exchange.serving.paging import Position, filter_fingerprint, page_size
from settlement.api import payments_wire, wire
from settlement.api.calls import Calls, Context, Host
from settlement.bank_details.service import BankDetailsBook
from settlement.payments.answers import BankAnswers
from settlement.payments.exceptions import Exceptions
from settlement.payments.service import Instructing, Payments
from settlement.run.service import Runs
from settlement.v1 import payments_pb2 as pb


class PaymentCalls(Calls):
    """Money out and back."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._bank_details, self._payments = BankDetailsBook(host.database), Payments(host.database)
        self._answers, self._exceptions = BankAnswers(host.database), Exceptions(host.database)

    async def SetBankDetails(self, request: pb.SetBankDetailsRequest, context: Context) -> pb.SetBankDetailsResponse:
        check = Violations()
        merchant = check.resource_name("merchant", request.merchant, "merchants")
        currency = payments_wire.settlement_currency(check, "currency_code", request.currency_code)
        account = payments_wire.account(check, "account", request.account)
        check.raise_if_any()
        details, replayed = await self._bank_details.set(merchant, currency, account, await self._actor(context))
        return pb.SetBankDetailsResponse(bank_details=payments_wire.details_message(details), replayed=replayed)

    async def ConfirmBankDetails(
        self, request: pb.ConfirmBankDetailsRequest, context: Context
    ) -> pb.ConfirmBankDetailsResponse:
        check = Violations()
        merchant, currency, version = payments_wire.details_name(check, "name", request.name)
        check.raise_if_any()
        actor = await self._actor(context)
        details, replayed = await self._bank_details.confirm(merchant, currency, version, actor)
        return pb.ConfirmBankDetailsResponse(bank_details=payments_wire.details_message(details), replayed=replayed)

    async def ListBankDetails(self, request: pb.ListBankDetailsRequest, context: Context) -> pb.ListBankDetailsResponse:
        check = Violations()
        merchant = check.resource_name("merchant", request.merchant, "merchants") if request.merchant else None
        check.raise_if_any()
        size, bound = page_size(request.page_size), filter_fingerprint(request.merchant)
        after: Position = ["", "", 0]
        if request.page_token:
            after = self._host.tokens.open("bank details", bound, request.page_token)
        assert isinstance(after, list)
        await self._caller(context)
        place = (str(after[0]), str(after[1]), int(after[2]))
        found = await self._bank_details.page(merchant, place, size + 1)
        token = ""
        if len(found) > size:
            last = found[size - 1]
            token = self._host.tokens.seal("bank details", bound, [last.participant, last.currency, last.version])
        return pb.ListBankDetailsResponse(
            bank_details=map(payments_wire.details_message, found[:size]), next_page_token=token
        )

    async def ExportPayments(self, request: pb.ExportPaymentsRequest, context: Context) -> pb.ExportPaymentsResponse:
        check = Violations()
        run_id = wire.run_id(check, "run", request.run)
        digest = check.digest("result_digest", request.result_digest)
        chosen = payments_wire.format_name(check, "format", request.format)
        when = payments_wire.day(check, "execution_date", request.execution_date)
        check.raise_if_any()
        how = Instructing(await self._actor(context), chosen, when)
        files, replayed = await self._payments.export(run_id, digest, how)
        return pb.ExportPaymentsResponse(files=map(payments_wire.file_message, files), replayed=replayed)

    async def RetryPayments(self, request: pb.RetryPaymentsRequest, context: Context) -> pb.RetryPaymentsResponse:
        check = Violations()
        run_id = wire.run_id(check, "run", request.run)
        chosen = payments_wire.format_name(check, "format", request.format)
        when = payments_wire.day(check, "execution_date", request.execution_date)
        check.raise_if_any()
        files = await self._payments.retry(run_id, Instructing(await self._actor(context), chosen, when))
        return pb.RetryPaymentsResponse(files=map(payments_wire.file_message, files))

    async def ListPaymentFiles(
        self, request: pb.ListPaymentFilesRequest, context: Context
    ) -> pb.ListPaymentFilesResponse:
        check = Violations()
        run_id = wire.run_id(check, "run", request.run)
        check.raise_if_any()
        check_page(request, self._host.tokens, "payment files", str(run_id))
        await self._caller(context)
        files = map(payments_wire.file_message, await self._payments.files(run_id))
        page, token = page_of(
            list(files),
            lambda file: f"{file.currency_code} {file.batch:09}",
            request,
            self._host.tokens,
            "payment files",
            str(run_id),
        )
        return pb.ListPaymentFilesResponse(files=page, next_page_token=token)

    async def ReadPaymentFile(self, request: pb.ReadPaymentFileRequest, context: Context) -> pb.ReadPaymentFileResponse:
        check = Violations()
        name = payments_wire.bank_id(check, "name", request.name, "paymentFiles")
        offset = check.within("offset", request.offset, 0)
        check.raise_if_any()
        await self._caller(context)
        file, content = await self._payments.content(name)
        end = offset + payments_wire.PART_BYTES_MAX
        return pb.ReadPaymentFileResponse(
            file=payments_wire.file_message(file),
            content=content[offset:end],
            next_offset=end if end < len(content) else 0,
        )

    async def ListPaymentLegs(self, request: pb.ListPaymentLegsRequest, context: Context) -> pb.ListPaymentLegsResponse:
        check = Violations()
        run_id = wire.run_id(check, "run", request.run)
        check.raise_if_any()
        caller = await self._caller(context)
        bound = ("payment legs", caller.merchant_id or "", str(run_id))
        check_page(request, self._host.tokens, *bound)
        if not caller.sees_all:
            run = await Runs(self._host.database).read(run_id, "run")
            if caller.merchant_id not in {p.participant for one in run.result for p in one.positions}:
                raise ResourceNotFound(resource=request.run, field="run")
        seen = [
            payments_wire.leg_message(view)
            for view in await self._payments.legs(run_id)
            if caller.sees_all or caller.merchant_id in (view.leg.payer, view.leg.payee)
        ]
        page, token = page_of(seen, lambda leg: f"{leg.leg:09}", request, self._host.tokens, *bound)
        return pb.ListPaymentLegsResponse(legs=page, next_page_token=token)

    async def RecordBankMessage(
        self, request: pb.RecordBankMessageRequest, context: Context
    ) -> pb.RecordBankMessageResponse:
        check = Violations()
        if not request.content:
            check.say("content", "is required")
        check.raise_if_any()
        recorded, replayed = await self._answers.record(request.content, await self._actor(context))
        return payments_wire.recorded_message(recorded, replayed=replayed)

    async def ListPaymentExceptions(
        self, request: pb.ListPaymentExceptionsRequest, context: Context
    ) -> pb.ListPaymentExceptionsResponse:
        size, bound = page_size(request.page_size), filter_fingerprint(str(request.include_resolved))
        after = self._host.tokens.open("exceptions", bound, request.page_token) if request.page_token else 0
        assert isinstance(after, int)
        await self._caller(context)
        found = await self._exceptions.page(after, size + 1, ended=request.include_resolved)
        more = len(found) > size
        token = self._host.tokens.seal("exceptions", bound, found[size - 1].exception_no) if more else ""
        return pb.ListPaymentExceptionsResponse(
            exceptions=map(payments_wire.exception_message, found[:size]), next_page_token=token
        )

    async def ResolvePaymentException(
        self, request: pb.ResolvePaymentExceptionRequest, context: Context
    ) -> pb.ResolvePaymentExceptionResponse:
        check = Violations()
        number = payments_wire.exception_no(check, "name", request.name)
        payment = payments_wire.bank_id(check, "payment", request.payment, "payments") if request.payment else None
        note = payments_wire.note(check, "note", request.note)
        check.raise_if_any()
        actor = await self._actor(context)
        found, replayed = await self._exceptions.resolve(number, payment, note, actor)
        return pb.ResolvePaymentExceptionResponse(exception=payments_wire.exception_message(found), replayed=replayed)
