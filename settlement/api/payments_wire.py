"""Messages of payments: requests to values, values to messages."""

from __future__ import annotations

import re
from datetime import date

from exchange.money.currencies import MINOR_EXPONENT
from exchange.serving.checks import Violations
from exchange.serving.instants import timestamp
from settlement.api.wire import REASON_MAX, merchant_name
from settlement.bank_details.model import BankAccount, BankDetails, flaws
from settlement.payments.answers import Recorded
from settlement.payments.exceptions import PaymentException
from settlement.payments.files import PaymentFile
from settlement.payments.model import LegView
from settlement.v1 import payments_pb2 as pb

PART_BYTES_MAX = 1024 * 1024
_DETAILS = re.compile(r"merchants/([A-Za-z0-9_-]{1,32})/bankDetails/([A-Z]{3})/([1-9][0-9]{0,8})")
_BANK_ID = re.compile(r"[A-Za-z0-9./-]{1,35}")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

FORMAT_NAMES = {
    pb.PAYMENT_FORMAT_UNSPECIFIED: "pain001",
    pb.PAYMENT_FORMAT_PAIN001: "pain001",
    pb.PAYMENT_FORMAT_PACS029: "pacs029",
    pb.PAYMENT_FORMAT_CSV: "csv",
}
FORMAT_NUMBERS = {
    "pain001": pb.PAYMENT_FORMAT_PAIN001,
    "pacs029": pb.PAYMENT_FORMAT_PACS029,
    "csv": pb.PAYMENT_FORMAT_CSV,
}


def settlement_currency(check: Violations, path: str, code: str) -> str:
    """The code of a currency there is."""
    if code not in MINOR_EXPONENT:
        check.say(path, "is no ISO 4217 currency" if code else "is required")
    return code


def account(check: Violations, path: str, asked: pb.BankAccount) -> BankAccount:
    """An account that is well written."""
    fields = ("holder", "iban", "number", "bic", "clearing_system", "clearing_member")
    found = BankAccount(**{name: getattr(asked, name) for name in fields})
    for name, what in flaws(found):
        check.say(f"{path}.{name}", what)
    return found


def details_name(check: Violations, path: str, name: str) -> tuple[str, str, int]:
    """Merchant, currency and version in "merchants/GRO/bankDetails/CNY/3"."""
    match = _DETAILS.fullmatch(name)
    if match is None:
        form = 'is no name of the form "merchants/ID/bankDetails/CUR/VERSION"'
        check.say(path, form if name else "is required")
        return "", "", 0
    return match[1], match[2], int(match[3])


def bank_id(check: Violations, path: str, name: str, collection: str) -> str:
    """The id a bank knows a file or a payment by, in "paymentFiles/…" or "payments/…"."""
    prefix, _, found = name.partition("/")
    if prefix != collection or _BANK_ID.fullmatch(found) is None or "/" in found:
        check.say(path, f'is no name of the form "{collection}/ID"' if name else "is required")
    return found


def exception_no(check: Violations, path: str, name: str) -> int:
    """The number in "paymentExceptions/7"."""
    prefix, _, number = name.partition("/")
    if prefix != "paymentExceptions" or _NUMBER.fullmatch(number) is None:
        check.say(path, 'is no name of the form "paymentExceptions/NUMBER"' if name else "is required")
        return 0
    return int(number)


def format_name(check: Violations, path: str, number: int) -> str:
    """How files are to be written."""
    for known, name in FORMAT_NAMES.items():
        if known == number:
            return name
    check.say(path, f"is {number}, no value of the enum")
    return "pain001"


def day(check: Violations, path: str, text: str) -> date | None:
    """A day as "2026-03-02"; None when it is left out."""
    if not text:
        return None
    try:
        if _DAY.fullmatch(text) is not None:
            return date.fromisoformat(text)
    except ValueError:
        pass
    check.say(path, "is no day of the form 2026-03-02")
    return None


def note(check: Violations, path: str, text: str) -> str:
    """What somebody writes down for the record."""
    return check.text(path, text, 1, REASON_MAX)


def details_message(details: BankDetails) -> pb.BankDetails:
    """Bank details on the wire; only for those who may see accounts."""
    there = details.account
    return pb.BankDetails(
        name=details.name,
        account=pb.BankAccount(
            holder=there.holder,
            iban=there.iban,
            number=there.number,
            bic=there.bic,
            clearing_system=there.clearing_system,
            clearing_member=there.clearing_member,
        ),
        set_time=timestamp(details.set_at),
        set_by=details.set_by,
        confirm_time=timestamp(details.confirmed_at),
        confirmed_by=details.confirmed_by or "",
    )


def file_message(file: PaymentFile) -> pb.PaymentFile:
    """A file on the wire, without its content."""
    return pb.PaymentFile(
        name=file.name,
        run=f"runs/{file.run_id}",
        currency_code=file.currency,
        batch=file.batch_no,
        format=FORMAT_NUMBERS[file.format],
        execution_date=file.execution_date.isoformat(),
        create_time=timestamp(file.created_at),
        created_by=file.created_by,
        payment_count=file.payments,
        control_sum_minor_units=file.control_sum,
        sha256=file.sha256,
        size_bytes=file.bytes,
    )


def leg_message(view: LegView) -> pb.PaymentLeg:
    """A payment on the wire."""
    leg = view.leg
    return pb.PaymentLeg(
        leg=leg.leg_no,
        currency_code=leg.currency,
        payer=merchant_name(leg.payer),
        payee=merchant_name(leg.payee),
        minor_units=leg.minor_units,
        state=pb.PaymentLeg.State.Value(f"STATE_{view.state.name}"),
        attempt=view.attempt,
        payment=f"payments/{view.end_to_end_id}" if view.end_to_end_id else "",
        file=f"paymentFiles/{view.message_id}" if view.message_id else "",
        booked_date=view.booked_on.isoformat() if view.booked_on else "",
        reason=view.reason,
        borne_minor_units=view.borne,
    )


def recorded_message(recorded: Recorded, *, replayed: bool) -> pb.RecordBankMessageResponse:
    """What became of a bank's message, on the wire."""
    return pb.RecordBankMessageResponse(
        sha256=recorded.sha256,
        message_name=recorded.name,
        bank_message_id=recorded.bank_message_id,
        applied_count=recorded.applied,
        known_count=recorded.known,
        exception_count=recorded.exceptions,
        replayed=replayed,
    )


def exception_message(found: PaymentException) -> pb.PaymentException:
    """An exception on the wire."""
    return pb.PaymentException(
        name=found.name,
        kind=pb.PaymentException.Kind.Value(f"KIND_{found.kind}"),
        payment=f"payments/{found.end_to_end_id}" if found.end_to_end_id else "",
        said=found.said,
        bank_message_id=found.bank_message_id,
        bank_message_sha256=found.sha256,
        line=found.line_no,
        raise_time=timestamp(found.raised_at),
        resolve_time=timestamp(found.resolved_at),
        resolved_by=found.resolved_by or "",
        matched_payment=f"payments/{found.matched_to}" if found.matched_to else "",
        note=found.note or "",
    )
