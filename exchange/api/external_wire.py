"""Externally kept currencies on the wire: requests to values, values to messages."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from google.protobuf.duration_pb2 import Duration

from exchange.api.directory_wire import REASON_MAX
from exchange.api.wire import NANOS_PER_SECOND, REFERENCE_CHARACTERS_MAX
from exchange.callers import Caller
from exchange.directory.model import Directory
from exchange.external.model import Answer, Conversion, Instruction, InstructionKind, Outcome
from exchange.ledger.ids import parsed_id
from exchange.serving.checks import Violations, known_numbers
from exchange.serving.instants import timestamp
from exchange.v1 import external_ledger_service_pb2 as pb
from exchange.v1 import transfer_service_pb2 as transfers
from exchange.v1 import types_pb2 as types

ANSWER_SECONDS = 60
ANSWER_SECONDS_MAX = 86_400
WAIT_SECONDS_MAX = 20
OUTCOMES = known_numbers(types.InstructionOutcome)


def to_ledger(request: pb.SetExternalLedgerRequest) -> tuple[str, int]:
    """Which currency its issuer is to keep, and how many seconds it has to answer.

    Raises:
        InvalidField: names every field that is not well formed.
    """
    check = Violations()
    code = check.resource_name("currency", request.currency, "currencies")
    seconds = ANSWER_SECONDS
    if request.HasField("answer_timeout"):
        seconds = check.within("answer_timeout", request.answer_timeout.seconds, 1, ANSWER_SECONDS_MAX)
        if request.answer_timeout.nanos:
            check.say("answer_timeout", "is no whole number of seconds")
    check.raise_if_any()
    return code, seconds


def to_answer(request: pb.AcknowledgeInstructionRequest) -> tuple[UUID, Answer]:
    """What an issuer's system says of which instruction.

    Raises:
        InvalidField: names every field that is not well formed.
    """
    check = Violations()
    instruction_id = parsed_id(check.uuid_name("name", request.name, "instructions"))
    outcome = Outcome(check.known("outcome", request.outcome, OUTCOMES))
    reference = check.text("reference", request.reference, 0, REFERENCE_CHARACTERS_MAX)
    reason = check.text("reason", request.reason, 0, REASON_MAX)
    if reason and outcome is Outcome.APPLIED:
        check.say("reason", "goes with INSTRUCTION_OUTCOME_REJECTED")
    check.raise_if_any()
    return instruction_id, Answer(outcome, reference or None, reason or None)


def wait_seconds(request: transfers.ConvertPointsRequest) -> float:
    """How long to wait for a conversion to end.

    Raises:
        InvalidField: no such time.
    """
    asked, check = request.external_wait, Violations()
    seconds = check.within("external_wait", asked.seconds, 1, WAIT_SECONDS_MAX - (asked.nanos > 0))
    if not 0 <= asked.nanos < NANOS_PER_SECOND:
        check.say("external_wait", "has nanos beyond a second")
    check.raise_if_any()
    return seconds + asked.nanos / NANOS_PER_SECOND


def may_see(caller: Caller, conversion: Conversion, directory: Directory) -> bool:
    """Whoever asked for it, the issuers of its currencies, and all that are no merchants."""
    issuers = {directory.currencies[number].issuer_no for number in (conversion.source_no, conversion.target_no)}
    return caller.sees_all or caller.merchant_no == conversion.merchant_no or caller.merchant_no in issuers


def conversion_message(
    conversion: Conversion, directory: Directory, now: datetime, caller: Caller
) -> types.ExternalConversion:
    """A conversion as it stands at an instant, for a caller that may see it.

    Whoever asked for it and whoever is instructed have linked the member; to the other issuer its name is not told.
    """
    names_member = caller.sees_all or caller.merchant_no in {conversion.merchant_no, conversion.issuer_no}
    source, target = directory.currencies[conversion.source_no], directory.currencies[conversion.target_no]
    return types.ExternalConversion(
        name=conversion.name,
        state=conversion.state,  # type: ignore[arg-type]  # numbered alike
        merchant=directory.merchants[conversion.merchant_no].name,
        member=f"members/{conversion.member_id}" if names_member else "",
        external_currency=directory.currencies[conversion.external_no].name,
        used=types.PointsAmount(currency=source.name, units=conversion.used_units),
        received=types.PointsAmount(currency=target.name, units=conversion.received_units),
        rate=f"rates/{conversion.rate_id}",
        conversion_out_price_micros=conversion.out_price_micros,
        conversion_in_price_micros=conversion.in_price_micros,
        fee=types.MoneyAmount(currency_code=source.settlement_currency, micros=conversion.fee_micros),
        instruction=f"instructions/{conversion.conversion_id}",
        outcome=conversion.outcome or 0,  # type: ignore[arg-type]  # numbered alike
        issuer_reference=conversion.answer_reference or "",
        issuer_reason=conversion.answer_reason or "",
        transfer="" if conversion.transfer_id is None else f"transfers/{conversion.transfer_id}",
        create_time=timestamp(conversion.created_at),
        answer_time=timestamp(conversion.answered_at),
        end_time=timestamp(conversion.ended_at),
        age=_duration((conversion.ended_at or now) - conversion.created_at),
        queries=conversion.queries,
        contradict_time=timestamp(conversion.contradicted_at),
    )


def instruction_message(told: Instruction, directory: Directory) -> pb.Instruction:
    """An instruction as its issuer's system gets it."""
    conversion = told.conversion
    is_query = told.kind is InstructionKind.QUERY
    return pb.Instruction(
        name=told.name,
        kind=told.kind,  # type: ignore[arg-type]  # numbered alike
        conversion=conversion.name,
        member_reference=conversion.member_reference,
        points=types.PointsAmount(
            currency=directory.currencies[conversion.external_no].name, units=conversion.external_units
        ),
        subject=f"instructions/{conversion.conversion_id}" if is_query else "",
        create_time=timestamp(told.created_at),
        outcome=conversion.outcome or 0,  # type: ignore[arg-type]  # numbered alike
    )


def _duration(span: timedelta) -> Duration:
    duration = Duration()
    duration.FromTimedelta(max(span, timedelta(0)))
    return duration
