"""Every no the exchange gives: a reason, the data that explains it, and a category.

A category knows nothing of gRPC; `exchange.serving.errors` maps each to one status. Reasons are those of
`exchange.v1.ErrorReason`, worked examples stand there, and a test holds the two lists together.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import ClassVar


class Category(enum.Enum):
    """What kind of no it is, which decides whether repeating the request can help."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    DENIED = "denied"
    NOT_FOUND = "not found"
    EXISTS = "exists"
    FAILED = "failed"
    ABORTED = "aborted"
    LIMIT = "limit"
    DEADLINE = "deadline"
    UNAVAILABLE = "unavailable"
    GONE = "gone"
    UNIMPLEMENTED = "unimplemented"


DEFINITE = frozenset({Category.DENIED, Category.NOT_FOUND, Category.FAILED})
"""Refusals that decide a request for ever: they are stored under its key. Malformed and undecided ones are not."""


class Refusal(Exception):
    """An expected no. Subclasses name the reason and category; keyword data is text a caller can act on.

    `data` values are strings: they travel as ErrorInfo metadata and are stored with the idempotency key. A quota that
    is used up says itself after how many milliseconds to ask again, `retry_after_ms`.
    """

    reason: ClassVar[str]
    category: ClassVar[Category]
    sentence: ClassVar[str]
    retry_after_ms: int | None = None

    def __init__(self, **data: object) -> None:
        self.data: dict[str, str] = {name: str(value) for name, value in data.items()}
        super().__init__(f"{self.sentence} {self.described()}".rstrip())

    def described(self) -> str:
        """The data as `name value` pairs for a person's eye; sorted, so that a stored refusal reads as it was given."""
        return ", ".join(f"{name} {value}" for name, value in sorted(self.data.items()))


class InvalidField(Refusal):
    """A field has a shape no request may have. `violations` maps proto paths to what is wrong, at most 50."""

    reason = "INVALID_FIELD"
    category = Category.INVALID
    sentence = "A field is not well formed:"

    def __init__(self, violations: Mapping[str, str]) -> None:
        assert violations, "a refusal names at least one field"
        self.violations = dict(list(violations.items())[:50])
        super().__init__(field=next(iter(self.violations)))

    def described(self) -> str:
        """What is wrong with each field."""
        return "; ".join(f"{path} {what}" for path, what in self.violations.items())


class MalformedMessage(Refusal):
    reason = "MALFORMED_MESSAGE"
    category = Category.INVALID
    sentence = "The bytes are no message of this method's type."


class InvalidPageToken(Refusal):
    reason = "INVALID_PAGE_TOKEN"
    category = Category.INVALID
    sentence = "The page token does not belong to this list with this filter:"


class CredentialMissing(Refusal):
    reason = "CREDENTIAL_MISSING"
    category = Category.UNAUTHENTICATED
    sentence = 'Send "authorization: Bearer KEY".'


class CredentialUnknown(Refusal):
    reason = "CREDENTIAL_UNKNOWN"
    category = Category.UNAUTHENTICATED
    sentence = "The credential is unknown, revoked or expired."


class MethodNotAllowed(Refusal):
    reason = "METHOD_NOT_ALLOWED"
    category = Category.DENIED
    sentence = "This caller may not call this method:"


class RoleMissing(Refusal):
    reason = "ROLE_MISSING"
    category = Category.DENIED
    sentence = "The merchant lacks a role:"


class NotTheIssuer(Refusal):
    reason = "NOT_THE_ISSUER"
    category = Category.DENIED
    sentence = "Only the issuer of one of the two currencies converts:"


class ResourceNotFound(Refusal):
    reason = "RESOURCE_NOT_FOUND"
    category = Category.NOT_FOUND
    sentence = "There is no such thing:"


class ResourceExists(Refusal):
    reason = "RESOURCE_EXISTS"
    category = Category.EXISTS
    sentence = "That is taken:"


class MerchantSuspended(Refusal):
    reason = "MERCHANT_SUSPENDED"
    category = Category.FAILED
    sentence = "A merchant is suspended:"


class CurrencySuspended(Refusal):
    reason = "CURRENCY_SUSPENDED"
    category = Category.FAILED
    sentence = "A currency is suspended:"


class InsufficientPoints(Refusal):
    reason = "INSUFFICIENT_POINTS"
    category = Category.FAILED
    sentence = "Too few points:"


class NoPrice(Refusal):
    reason = "NO_PRICE"
    category = Category.FAILED
    sentence = "The currency has no price now:"


class NoRate(Refusal):
    reason = "NO_RATE"
    category = Category.FAILED
    sentence = "No rate is effective:"


class BelowMinimum(Refusal):
    reason = "BELOW_MINIMUM"
    category = Category.FAILED
    sentence = "Less than the rate's minimum:"


class AboveMaximum(Refusal):
    reason = "ABOVE_MAXIMUM"
    category = Category.FAILED
    sentence = "More than the rate's maximum:"


class ConvertsToNothing(Refusal):
    reason = "CONVERTS_TO_NOTHING"
    category = Category.FAILED
    sentence = "After blocks and rounding nothing would be received:"


class DailyCapExceeded(Refusal):
    reason = "DAILY_CAP_EXCEEDED"
    category = Category.FAILED
    sentence = "The member's daily cap would be passed:"


class AmountOverflow(Refusal):
    reason = "AMOUNT_OVERFLOW"
    category = Category.FAILED
    sentence = "A figure would pass what 64 bits hold:"


class NegativeSpread(Refusal):
    reason = "NEGATIVE_SPREAD"
    category = Category.FAILED
    sentence = "The operator's part of a conversion would be negative:"


class RequestIdReused(Refusal):
    reason = "REQUEST_ID_REUSED"
    category = Category.FAILED
    sentence = "The request_id was used for another request:"


class RateOverlap(Refusal):
    reason = "RATE_OVERLAP"
    category = Category.FAILED
    sentence = "Two versions of a pair would hold at once:"


class SettlementCurrencyMismatch(Refusal):
    reason = "SETTLEMENT_CURRENCY_MISMATCH"
    category = Category.FAILED
    sentence = "The two currencies are priced in different money:"


class TooLate(Refusal):
    reason = "TOO_LATE"
    category = Category.FAILED
    sentence = "An instant lies before what may still be changed:"


class ExpiryNotAllowed(Refusal):
    reason = "EXPIRY_NOT_ALLOWED"
    category = Category.FAILED
    sentence = "This expiry cannot be given:"


class BatchNotApplied(Refusal):
    reason = "BATCH_NOT_APPLIED"
    category = Category.ABORTED
    sentence = "Another item of the atomic batch was refused:"


class ServerBusy(Refusal):
    reason = "SERVER_BUSY"
    category = Category.LIMIT
    sentence = "As much is waiting as the server takes:"


class DeadlinePassed(Refusal):
    reason = "DEADLINE_PASSED"
    category = Category.DEADLINE
    sentence = "The deadline passed; a request that was already taken may still be committed."


class ServerDraining(Refusal):
    reason = "SERVER_DRAINING"
    category = Category.UNAVAILABLE
    sentence = "The server is shutting down."


class DatabaseUnavailable(Refusal):
    reason = "DATABASE_UNAVAILABLE"
    category = Category.UNAVAILABLE
    sentence = "The database does not answer; the outcome is unknown."


class UnknownMethod(Refusal):
    reason = "UNKNOWN_METHOD"
    category = Category.UNIMPLEMENTED
    sentence = "There is no such method:"


class LedgerHalted(Refusal):
    reason = "LEDGER_HALTED"
    category = Category.UNAVAILABLE
    sentence = "No movements are taken while an inconsistency is looked into:"


class WindowState(Refusal):
    reason = "WINDOW_STATE"
    category = Category.FAILED
    sentence = "The window is not in the state this step needs:"


class HoldEnded(Refusal):
    reason = "HOLD_ENDED"
    category = Category.FAILED
    sentence = "The hold was captured or given back already:"


class HoldLapsed(Refusal):
    reason = "HOLD_LAPSED"
    category = Category.FAILED
    sentence = "The hold's time was over:"


class CaptureExceedsHold(Refusal):
    reason = "CAPTURE_EXCEEDS_HOLD"
    category = Category.FAILED
    sentence = "More than was reserved:"


class NotReversible(Refusal):
    reason = "NOT_REVERSIBLE"
    category = Category.FAILED
    sentence = "This transfer is not reversed, or only whole:"


class AlreadyReversed(Refusal):
    reason = "ALREADY_REVERSED"
    category = Category.FAILED
    sentence = "All of it was reversed before:"


class ReversalExceeds(Refusal):
    reason = "REVERSAL_EXCEEDS"
    category = Category.FAILED
    sentence = "More than is left of the original:"


class NoCashOut(Refusal):
    reason = "NO_CASH_OUT"
    category = Category.FAILED
    sentence = "The currency is not paid out in money:"


class NothingDue(Refusal):
    reason = "NOTHING_DUE"
    category = Category.ABORTED
    sentence = "No points of the account have reached their end:"


class QuoteExpired(Refusal):
    reason = "QUOTE_EXPIRED"
    category = Category.FAILED
    sentence = "The quote's time was over:"


class QuoteUsed(Refusal):
    reason = "QUOTE_USED"
    category = Category.FAILED
    sentence = "The quote was used before:"


class BelowMinTarget(Refusal):
    reason = "BELOW_MIN_TARGET"
    category = Category.FAILED
    sentence = "Fewer points would be received than there must be:"


class TooManyQuotes(Refusal):
    reason = "TOO_MANY_QUOTES"
    category = Category.LIMIT
    sentence = "As many of the merchant's quotes are open as may be:"

    def after(self, milliseconds: int) -> TooManyQuotes:
        """The same, saying when the first of them expires."""
        self.retry_after_ms = milliseconds
        return self


class InvalidCursor(Refusal):
    reason = "INVALID_CURSOR"
    category = Category.INVALID
    sentence = "The cursor is none of this exchange's:"


class CursorExpired(Refusal):
    reason = "CURSOR_EXPIRED"
    category = Category.GONE
    sentence = "What follows the cursor is kept no longer:"


class RoundTripGains(Refusal):
    reason = "ROUND_TRIP_GAINS"
    category = Category.FAILED
    sentence = "Converting round in a circle would return more points than it took:"


class RateOutOfBounds(Refusal):
    reason = "RATE_OUT_OF_BOUNDS"
    category = Category.FAILED
    sentence = "A figure lies outside the coalition's bounds:"


class SupersedesMismatch(Refusal):
    reason = "SUPERSEDES_MISMATCH"
    category = Category.FAILED
    sentence = "What is to be superseded is of another pair or tier, or over by then:"


class TooManyDrafts(Refusal):
    reason = "TOO_MANY_DRAFTS"
    category = Category.FAILED
    sentence = "So many drafts wait for approval already:"


class SecondPersonNeeded(Refusal):
    reason = "SECOND_PERSON_NEEDED"
    category = Category.DENIED
    sentence = "Nobody publishes this alone:"


class WrongState(Refusal):
    reason = "WRONG_STATE"
    category = Category.FAILED
    sentence = "It is not in the state this step needs:"


class DigestMismatch(Refusal):
    reason = "DIGEST_MISMATCH"
    category = Category.FAILED
    sentence = "What was looked at is not what is there:"


class SamePerson(Refusal):
    reason = "SAME_PERSON"
    category = Category.DENIED
    sentence = "Who made it does not check it:"


class PersonUnknown(Refusal):
    reason = "PERSON_UNKNOWN"
    category = Category.DENIED
    sentence = "The credential does not say who holds it:"


class NotOwnCurrency(Refusal):
    reason = "NOT_OWN_CURRENCY"
    category = Category.DENIED
    sentence = "A merchant adjusts points it issues, at its own cost:"


class MemberClosed(Refusal):
    reason = "MEMBER_CLOSED"
    category = Category.FAILED
    sentence = "The membership was closed: nothing moves any more."


class ProposalLapsed(Refusal):
    reason = "PROPOSAL_LAPSED"
    category = Category.FAILED
    sentence = "Nobody decided in time:"


class TransferRetired(Refusal):
    reason = "TRANSFER_RETIRED"
    category = Category.FAILED
    sentence = "It is in an archive, no longer in the ledger, so it can be neither shown, repeated nor reversed here:"


class StateTooOld(Refusal):
    reason = "STATE_TOO_OLD"
    category = Category.UNAVAILABLE
    sentence = "What can be read does not have that transfer:"


class NetDebitCapExceeded(Refusal):
    reason = "NET_DEBIT_CAP_EXCEEDED"
    category = Category.FAILED
    sentence = "A merchant would come to owe more than its net debit cap:"


class CapRaise(Refusal):
    reason = "CAP_RAISE"
    category = Category.DENIED
    sentence = "Nobody lets a merchant owe more alone:"


class MemberLimitExceeded(Refusal):
    reason = "MEMBER_LIMIT_EXCEEDED"
    category = Category.FAILED
    sentence = "More points than a member may be given, or use, on a day:"


class IssuanceLimitExceeded(Refusal):
    reason = "ISSUANCE_LIMIT_EXCEEDED"
    category = Category.FAILED
    sentence = "More points of a currency than may be made on a day:"


class ExternallyKept(Refusal):
    reason = "EXTERNALLY_KEPT"
    category = Category.FAILED
    sentence = "The issuer keeps the balances of this currency itself:"


class NotLinkedToIssuer(Refusal):
    reason = "NOT_LINKED_TO_ISSUER"
    category = Category.FAILED
    sentence = "The issuer that keeps the balances itself has not linked the member:"


class BalancesNotEmpty(Refusal):
    reason = "BALANCES_NOT_EMPTY"
    category = Category.FAILED
    sentence = "Members hold points of the currency here:"


class InstructionContradicted(Refusal):
    reason = "INSTRUCTION_CONTRADICTED"
    category = Category.FAILED
    sentence = "The opposite was said of the instruction before:"


class CallRateExceeded(Refusal):
    reason = "CALL_RATE_EXCEEDED"
    category = Category.LIMIT
    sentence = "The merchant calls more often than it may:"

    def after(self, milliseconds: int) -> CallRateExceeded:
        """The same, saying when there will be room."""
        self.retry_after_ms = milliseconds
        return self


class TooManyCalls(Refusal):
    reason = "TOO_MANY_CALLS"
    category = Category.LIMIT
    sentence = "As many of the merchant's calls are under way as may be:"


class ReturnRateExceeded(Refusal):
    reason = "RETURN_RATE_EXCEEDED"
    category = Category.FAILED
    sentence = "The points would be worth more of the money spent than the merchant's band allows:"


class StoredRefusal(Refusal):
    """The first answer to a request_id, read back from the ledger to be given again."""

    reason = ""
    category = Category.FAILED
    sentence = ""

    def __init__(self, reason: str, category: Category, data: Mapping[str, str]) -> None:
        original = next(c for c in Refusal.__subclasses__() if c.__dict__.get("reason") == reason)
        self.reason, self.category, self.sentence = reason, category, original.sentence  # type: ignore[misc]
        super().__init__(**data)
