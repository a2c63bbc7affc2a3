"""A settlement that is approved and ready to be paid, moved through the wire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import payments_pb2 as payments
from settlement.v1 import settlement_service_pb2 as pb
from tests.banks import DAY, Order, orders
from tests.contract.settled import Finance, finance_of, move_period_a
from tests.worlds import Party, World

ACCOUNTS = {
    "OPR": payments.BankAccount(
        holder="Coalition Operator", number="622200000001", clearing_system="CNAPS", clearing_member="102100099996"
    ),
    "AIR": payments.BankAccount(holder="Air 航空", iban="DE89370400440532013000", bic="COBADEFFXXX"),
    "BNK": payments.BankAccount(holder="Bank", iban="GB29NWBK60161331926819", bic="NWBKGB2L"),
    "CAF": payments.BankAccount(
        holder="Café & Co", number="622200000004", clearing_system="CNAPS", clearing_member="105100000017"
    ),
    "GRO": payments.BankAccount(holder="Grocer", iban="FR1420041010050500013M02606", bic="BNPAFRPP"),
    "TEL": payments.BankAccount(
        holder="Telecom", number="622200000006", clearing_system="CNAPS", clearing_member="104100000004"
    ),
}


@dataclass(frozen=True, slots=True)
class Treasury:
    """Finance with people to set bank details, approve and pay.

    Attributes:
        finance: the coalition's finance.
        setter: an operator who sets bank details.
        payer: a maker who exports.
    """

    finance: Finance
    setter: Party
    payer: Party

    @property
    def stub(self) -> Any:
        """SettlementService."""
        return self.finance.stub

    async def set(self, merchant: str, account: payments.BankAccount | None = None) -> payments.BankDetails:
        """Set where a merchant is paid in yuan; nobody has confirmed it."""
        request = payments.SetBankDetailsRequest(
            merchant=f"merchants/{merchant}", currency_code="CNY", account=account or ACCOUNTS[merchant]
        )
        details: payments.BankDetails = (await self.setter.ask(self.stub.SetBankDetails, request)).bank_details
        return details

    async def know(self, *merchants: str) -> None:
        """Set where merchants are paid, and have it confirmed."""
        for merchant in merchants or ACCOUNTS:
            await self.confirm(await self.set(merchant))

    async def confirm(self, details: payments.BankDetails) -> None:
        """Confirm bank details as the checker."""
        request = payments.ConfirmBankDetailsRequest(name=details.name)
        await self.finance.checker.ask(self.stub.ConfirmBankDetails, request)

    async def approved(self, window: str = "windows/1", **configuration: Any) -> pb.Run:
        """A run of a closed window that two people put their names to."""
        run = (await self.finance.start(window, **configuration)).run
        return await self.finance.approve(await self.finance.submit(run))

    async def export(self, run: pb.Run, by: Party | None = None, **how: Any) -> payments.ExportPaymentsResponse:
        """Instruct a run."""
        how = {"execution_date": DAY, **how}
        request = payments.ExportPaymentsRequest(run=run.name, result_digest=run.result_digest, **how)
        answer: payments.ExportPaymentsResponse = await (by or self.payer).ask(self.stub.ExportPayments, request)
        return answer

    async def retry(self, run: pb.Run, **how: Any) -> list[payments.PaymentFile]:
        """Try again what failed for good."""
        how = {"execution_date": "2026-03-05", **how}
        request = payments.RetryPaymentsRequest(run=run.name, **how)
        return list((await self.payer.ask(self.stub.RetryPayments, request)).files)

    async def content(self, file: payments.PaymentFile, by: Party | None = None) -> bytes:
        """What a file says."""
        whole = b""
        offset = -1
        while offset:
            request = payments.ReadPaymentFileRequest(name=file.name, offset=max(offset, 0))
            part = await (by or self.payer).ask(self.stub.ReadPaymentFile, request)
            whole, offset = whole + part.content, part.next_offset
        return whole

    async def instructed(self, window: str = "windows/1") -> tuple[pb.Run, dict[tuple[str, str], Order]]:
        """An approved run of which a bank has the file: its payments by payer and payee."""
        run = await self.approved(window)
        (file,) = (await self.export(run)).files
        return run, await self.ordered(file)

    async def ordered(self, file: payments.PaymentFile) -> dict[tuple[str, str], Order]:
        """The payments a bank finds in a pain.001, by payer and payee."""
        names = {account.iban or account.number: merchant for merchant, account in ACCOUNTS.items()}
        told = orders(await self.content(file))
        return {(names[order.payer_account], names[order.payee_account]): order for order in told}

    async def record(self, content: bytes) -> payments.RecordBankMessageResponse:
        """Hand over what a bank sent."""
        request = payments.RecordBankMessageRequest(content=content)
        answer: payments.RecordBankMessageResponse = await self.payer.ask(self.stub.RecordBankMessage, request)
        return answer

    async def legs(self, run: pb.Run, by: Party | None = None) -> dict[tuple[str, str], payments.PaymentLeg]:
        """How far a run's payments are, by payer and payee."""
        request = payments.ListPaymentLegsRequest(run=run.name, page_size=1_000)
        legs = (await (by or self.payer).ask(self.stub.ListPaymentLegs, request)).legs
        return {(leg.payer.removeprefix("merchants/"), leg.payee.removeprefix("merchants/")): leg for leg in legs}

    async def states(self, run: pb.Run) -> dict[tuple[str, str], str]:
        """The states of a run's payments, without their prefix."""
        names = payments.PaymentLeg.State.Name
        return {pair: names(leg.state).removeprefix("STATE_") for pair, leg in (await self.legs(run)).items()}

    async def exceptions(self, *, ended: bool = False) -> list[payments.PaymentException]:
        """What waits for somebody, or (`ended`) ever did."""
        request = payments.ListPaymentExceptionsRequest(include_resolved=ended)
        return list((await self.finance.checker.ask(self.stub.ListPaymentExceptions, request)).exceptions)

    async def resolve(
        self, found: payments.PaymentException, payment: str = "", note: str = "looked at", by: Party | None = None
    ) -> payments.ResolvePaymentExceptionResponse:
        """End an exception."""
        request = payments.ResolvePaymentExceptionRequest(name=found.name, payment=payment, note=note)
        caller = by or self.finance.checker
        answer: payments.ResolvePaymentExceptionResponse = await caller.ask(self.stub.ResolvePaymentException, request)
        return answer


async def treasury_of(world: World, *, closed: bool = True) -> Treasury:
    """A coalition that had the rulebook's period A in its first window; it is known where all are paid.

    Its clock stands at the day that the tests' bank books on.
    """
    await world.set_clock(f"{DAY}T09:00:00+08:00")
    finance = await finance_of(world)
    await move_period_a(finance)
    if closed:
        await finance.close("windows/1")
    treasury = Treasury(
        finance=finance,
        setter=await world.party(directory.CALLER_ROLE_OPERATOR),
        payer=await world.party(directory.CALLER_ROLE_FINANCE_MAKER),
    )
    await treasury.know()
    return treasury
