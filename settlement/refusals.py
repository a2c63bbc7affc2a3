"""The noes of settlement's own steps. Their reasons stand in `exchange.v1.ErrorReason` with all others."""

from __future__ import annotations

from exchange.refusals import Category, DigestMismatch, PersonUnknown, Refusal, SamePerson, WrongState

__all__ = [
    "BankDetailsMissing",
    "BankMessageUnreadable",
    "ClaimExceeds",
    "DigestMismatch",
    "DisputePeriodOver",
    "EtagMismatch",
    "ExecutionDateOver",
    "ExitNotZero",
    "ExposureUncovered",
    "FormatMismatch",
    "FundsInsufficient",
    "FxRateMissing",
    "LiquidityShort",
    "NotDue",
    "PaymentMismatch",
    "PersonUnknown",
    "RecountMismatch",
    "RecoveryExceeds",
    "SamePerson",
    "WriteOffExceeds",
    "WrongParty",
    "WrongState",
]


class EtagMismatch(Refusal):
    """Its reason explains it."""

    reason = "ETAG_MISMATCH"
    category = Category.ABORTED
    sentence = "Something happened to it since it was looked at:"


class BankDetailsMissing(Refusal):
    """Its reason explains it."""

    reason = "BANK_DETAILS_MISSING"
    category = Category.FAILED
    sentence = "Nobody confirmed where they are paid:"


class FormatMismatch(Refusal):
    """Its reason explains it."""

    reason = "FORMAT_MISMATCH"
    category = Category.FAILED
    sentence = "Not in this format:"


class BankMessageUnreadable(Refusal):
    """Its reason explains it."""

    reason = "BANK_MESSAGE_UNREADABLE"
    category = Category.FAILED
    sentence = "No bank's message that can be read:"


class PaymentMismatch(Refusal):
    """Its reason explains it."""

    reason = "PAYMENT_MISMATCH"
    category = Category.FAILED
    sentence = "The line is not this payment's:"


class NotDue(Refusal):
    """Its reason explains it."""

    reason = "NOT_DUE"
    category = Category.FAILED
    sentence = "The calendar says later, and nobody gave leave to close off it:"


class FundsInsufficient(Refusal):
    """Its reason explains it."""

    reason = "FUNDS_INSUFFICIENT"
    category = Category.FAILED
    sentence = "There is less than is to be taken:"


class ExposureUncovered(Refusal):
    """Its reason explains it."""

    reason = "EXPOSURE_UNCOVERED"
    category = Category.FAILED
    sentence = "What would be left does not cover what is owed:"


class LiquidityShort(Refusal):
    """Its reason explains it."""

    reason = "LIQUIDITY_SHORT"
    category = Category.FAILED
    sentence = "Those who pay have not enough with the clearing house:"


class RecountMismatch(Refusal):
    """Its reason explains it."""

    reason = "RECOUNT_MISMATCH"
    category = Category.FAILED
    sentence = "The transfers say another thing than the run:"


class FxRateMissing(Refusal):
    """Its reason explains it."""

    reason = "FX_RATE_MISSING"
    category = Category.FAILED
    sentence = "The set has no rate this way, nor through its base:"


class ExitNotZero(Refusal):
    """Its reason explains it."""

    reason = "EXIT_NOT_ZERO"
    category = Category.FAILED
    sentence = "Something is left between it and the coalition:"


class ClaimExceeds(Refusal):
    """Its reason explains it."""

    reason = "CLAIM_EXCEEDS"
    category = Category.FAILED
    sentence = "More than is left to claim:"


class DisputePeriodOver(Refusal):
    """Its reason explains it."""

    reason = "DISPUTE_PERIOD_OVER"
    category = Category.FAILED
    sentence = "It is too late to dispute this:"


class WrongParty(Refusal):
    """Its reason explains it."""

    reason = "WRONG_PARTY"
    category = Category.DENIED
    sentence = "The step is the other side's to take:"


class WriteOffExceeds(Refusal):
    """Its reason explains it."""

    reason = "WRITE_OFF_EXCEEDS"
    category = Category.FAILED
    sentence = "More than is claimed and borne by somebody:"


class RecoveryExceeds(Refusal):
    """Its reason explains it."""

    reason = "RECOVERY_EXCEEDS"
    category = Category.FAILED
    sentence = "More than is still claimed of the defaulter:"


class ExecutionDateOver(Refusal):
    """Its reason explains it."""

    reason = "EXECUTION_DATE_OVER"
    category = Category.FAILED
    sentence = "No bank pays on a day that is over:"
