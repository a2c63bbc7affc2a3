"""An exception for each reason of `exchange.v1.ErrorReason`, its metadata as attributes.

Written by docs/catalogue.py from protos/exchange/v1/error_reason.proto: do not edit. docs/errors.md tells what to do.
"""

from __future__ import annotations

from exchange.client.errors import Definite, Refused, Undecided


class InvalidField(Definite):
    """INVALID_ARGUMENT. A field has a shape no request may have; BadRequest names it."""

    FOR = "INVALID_FIELD"

    field: str


class MalformedMessage(Definite):
    """INVALID_ARGUMENT. The bytes are no message of the method's type."""

    FOR = "MALFORMED_MESSAGE"


class CredentialMissing(Definite):
    """UNAUTHENTICATED. No credential came with the call: send "authorization: Bearer KEY"."""

    FOR = "CREDENTIAL_MISSING"


class CredentialUnknown(Definite):
    """UNAUTHENTICATED. The key or certificate is unknown, revoked or expired."""

    FOR = "CREDENTIAL_UNKNOWN"


class MethodNotAllowed(Definite):
    """PERMISSION_DENIED. The caller's kind may not call this method."""

    FOR = "METHOD_NOT_ALLOWED"

    method: str
    caller_role: str


class RoleMissing(Definite):
    """PERMISSION_DENIED. The merchant lacks a role."""

    FOR = "ROLE_MISSING"

    merchant: str
    role: str


class NotTheIssuer(Definite):
    """PERMISSION_DENIED. Only the issuer of one of the two currencies converts, and proposes rates between them."""

    FOR = "NOT_THE_ISSUER"

    merchant: str
    source: str
    target: str


class ResourceNotFound(Definite):
    """NOT_FOUND. There is no such thing, or it is none of the caller's business."""

    FOR = "RESOURCE_NOT_FOUND"

    resource: str
    field: str


class ResourceExists(Definite):
    """ALREADY_EXISTS. The name or reference is taken."""

    FOR = "RESOURCE_EXISTS"

    resource: str
    reference: str
    effective_time: str


class MerchantSuspended(Definite):
    """FAILED_PRECONDITION. A merchant of the movement is suspended."""

    FOR = "MERCHANT_SUSPENDED"

    merchant: str


class CurrencySuspended(Definite):
    """FAILED_PRECONDITION. A currency of the movement is suspended."""

    FOR = "CURRENCY_SUSPENDED"

    currency: str


class InsufficientPoints(Definite):
    """FAILED_PRECONDITION. Too few spendable points."""

    FOR = "INSUFFICIENT_POINTS"

    currency: str
    available: int
    requested: int


class NoPrice(Definite):
    """FAILED_PRECONDITION. The currency has no price at this instant."""

    FOR = "NO_PRICE"

    currency: str
    price: str
    at: str


class NoRate(Definite):
    """FAILED_PRECONDITION. No rate is effective for the pair at this instant."""

    FOR = "NO_RATE"

    source: str
    target: str


class BelowMinimum(Definite):
    """FAILED_PRECONDITION. Less than the rate's minimum."""

    FOR = "BELOW_MINIMUM"

    requested: int
    minimum: int
    rate: str


class AboveMaximum(Definite):
    """FAILED_PRECONDITION. More than the rate's maximum."""

    FOR = "ABOVE_MAXIMUM"

    requested: int
    maximum: int
    rate: str


class ConvertsToNothing(Definite):
    """FAILED_PRECONDITION. After blocks and rounding nothing would be received."""

    FOR = "CONVERTS_TO_NOTHING"

    requested: int
    block: int
    rate: str


class DailyCapExceeded(Definite):
    """FAILED_PRECONDITION. The member's daily cap of the rate would be passed."""

    FOR = "DAILY_CAP_EXCEEDED"

    cap: int
    used: int
    requested: int
    rate: str


class AmountOverflow(Definite):
    """FAILED_PRECONDITION. A figure would pass what 64 bits hold, as when a member would own more than 2^63-1 points."""

    FOR = "AMOUNT_OVERFLOW"

    figure: str
    balance: int
    credit: int
    debit: int
    points: int
    price_micros: int
    micros: int
    spent: int
    rule: str
    requested: int
    rate: str
    currency: str
    minor_units: int


class NegativeSpread(Definite):
    """FAILED_PRECONDITION. The operator's part of a conversion would be negative."""

    FOR = "NEGATIVE_SPREAD"

    source: str
    target: str
    out_micros: int
    in_micros: int
    since: str


class RequestIdReused(Definite):
    """FAILED_PRECONDITION. The request_id was used for another request."""

    FOR = "REQUEST_ID_REUSED"


class RateOverlap(Definite):
    """FAILED_PRECONDITION. Two versions of a pair would hold at once."""

    FOR = "RATE_OVERLAP"

    source: str
    target: str
    overlaps: str


class SettlementCurrencyMismatch(Definite):
    """FAILED_PRECONDITION. The two currencies are priced in different money."""

    FOR = "SETTLEMENT_CURRENCY_MISMATCH"

    source: str
    target: str


class TooLate(Definite):
    """FAILED_PRECONDITION. An instant lies before what may still be changed."""

    FOR = "TOO_LATE"

    field: str
    earliest: str


class ExpiryNotAllowed(Definite):
    """FAILED_PRECONDITION. An expiry was given to a currency whose policy does not take one, or it has passed."""

    FOR = "EXPIRY_NOT_ALLOWED"

    currency: str
    expire_time: str


class BatchNotApplied(Undecided):
    """ABORTED. Another item of an atomic batch was refused; this one was not decided and its key is unused."""

    FOR = "BATCH_NOT_APPLIED"

    item: int


class ServerBusy(Undecided):
    """RESOURCE_EXHAUSTED. The server has as much waiting as it takes; nothing was begun."""

    FOR = "SERVER_BUSY"

    limit: int


class DeadlinePassed(Undecided):
    """DEADLINE_EXCEEDED. The caller's deadline passed; if the request was already taken, it may still be committed."""

    FOR = "DEADLINE_PASSED"


class ServerDraining(Undecided):
    """UNAVAILABLE. The server is shutting down."""

    FOR = "SERVER_DRAINING"


class DatabaseUnavailable(Undecided):
    """UNAVAILABLE. The database does not answer; the outcome is unknown."""

    FOR = "DATABASE_UNAVAILABLE"


class InternalFault(Undecided):
    """INTERNAL. A fault of ours; the incident id finds it in our logs."""

    FOR = "INTERNAL_FAULT"

    incident: str


class WindowState(Definite):
    """FAILED_PRECONDITION. The window is not in the state the step needs."""

    FOR = "WINDOW_STATE"

    window: str
    state: str
    needed: str


class InvalidPageToken(Definite):
    """INVALID_ARGUMENT. The page token is not one of this list with this filter."""

    FOR = "INVALID_PAGE_TOKEN"

    field: str


class UnknownMethod(Definite):
    """UNIMPLEMENTED. There is no such method."""

    FOR = "UNKNOWN_METHOD"

    method: str


class LedgerHalted(Undecided):
    """UNAVAILABLE. The coalition stopped taking movements because an inconsistency was found."""

    FOR = "LEDGER_HALTED"

    since: str


class HoldEnded(Definite):
    """FAILED_PRECONDITION. The hold was captured or given back already."""

    FOR = "HOLD_ENDED"

    hold: str


class HoldLapsed(Definite):
    """FAILED_PRECONDITION. The hold's time was over before it was captured."""

    FOR = "HOLD_LAPSED"

    hold: str
    expired: str


class CaptureExceedsHold(Definite):
    """FAILED_PRECONDITION. More than was reserved."""

    FOR = "CAPTURE_EXCEEDS_HOLD"

    hold: str
    held: int
    requested: int


class NotReversible(Definite):
    """FAILED_PRECONDITION. This kind of transfer is not reversed, or only whole."""

    FOR = "NOT_REVERSIBLE"

    transfer: str
    kind: str


class AlreadyReversed(Definite):
    """FAILED_PRECONDITION. All of it was reversed before."""

    FOR = "ALREADY_REVERSED"

    transfer: str


class ReversalExceeds(Definite):
    """FAILED_PRECONDITION. More than is left of the original."""

    FOR = "REVERSAL_EXCEEDS"

    transfer: str
    left: int
    requested: int


class NoCashOut(Definite):
    """FAILED_PRECONDITION. The currency is not paid out in money."""

    FOR = "NO_CASH_OUT"

    currency: str


class NothingDue(Undecided):
    """ABORTED. No points of the account have reached their end; only the exchange's own work meets this."""

    FOR = "NOTHING_DUE"

    currency: str


class RoundTripGains(Definite):
    """FAILED_PRECONDITION. Converting round in a circle would return more points than it took, whole blocks and best bonuses counted: as 21 for 20 where `product` is 21/20."""

    FOR = "ROUND_TRIP_GAINS"

    cycle: str
    product: str
    rates: str
    since: str
    promotions: str


class RateOutOfBounds(Definite):
    """FAILED_PRECONDITION. A figure of a rate lies outside the coalition's bounds."""

    FOR = "RATE_OUT_OF_BOUNDS"

    field: str
    figure: str
    value: int
    bound: int


class SupersedesMismatch(Definite):
    """FAILED_PRECONDITION. What a rate is to supersede is of another pair or tier, or over when it begins."""

    FOR = "SUPERSEDES_MISMATCH"

    supersedes: str
    field: str


class TooManyDrafts(Definite):
    """FAILED_PRECONDITION. As many drafts or adjustments of this proposer, or changes of caps, wait for approval as may."""

    FOR = "TOO_MANY_DRAFTS"

    waiting: str
    most: int


class SecondPersonNeeded(Definite):
    """PERMISSION_DENIED. Here nobody publishes a rate alone: it is proposed, and somebody else approves."""

    FOR = "SECOND_PERSON_NEEDED"

    subject: str


class WrongState(Definite):
    """FAILED_PRECONDITION. A thing is not in the state the step needs."""

    FOR = "WRONG_STATE"

    resource: str
    state: str
    needed: str


class DigestMismatch(Definite):
    """FAILED_PRECONDITION. The digest shown is not that of what is there."""

    FOR = "DIGEST_MISMATCH"

    resource: str
    digest: str


class EtagMismatch(Undecided):
    """ABORTED. Something happened to the thing since it was looked at."""

    FOR = "ETAG_MISMATCH"

    resource: str
    etag: str


class SamePerson(Definite):
    """PERMISSION_DENIED. Whoever had a hand in making something does not check it."""

    FOR = "SAME_PERSON"

    resource: str
    person: str


class PersonUnknown(Definite):
    """PERMISSION_DENIED. The credential does not name the person that holds it, so nobody can tell two pairs of eyes apart."""

    FOR = "PERSON_UNKNOWN"

    credential: str


class NotDue(Definite):
    """FAILED_PRECONDITION. The settlement calendar says later, and nobody gave leave to close the window off it."""

    FOR = "NOT_DUE"

    window: str
    due_time: str


class FundsInsufficient(Definite):
    """FAILED_PRECONDITION. There is less than is to be taken."""

    FOR = "FUNDS_INSUFFICIENT"

    resource: str
    available: int
    requested: int


class ExposureUncovered(Definite):
    """FAILED_PRECONDITION. What would be left does not cover what the participant owes or may come to owe."""

    FOR = "EXPOSURE_UNCOVERED"

    resource: str
    exposure: int
    left: int


class LiquidityShort(Definite):
    """FAILED_PRECONDITION. Those who pay in a run have not enough with the clearing house, and the terms of funds want it refused, or acknowledged."""

    FOR = "LIQUIDITY_SHORT"

    resource: str
    currency: str
    missing: int
    participants: str
    demands: str


class ExitNotZero(Definite):
    """FAILED_PRECONDITION. A participant leaves while something is left between it and the coalition."""

    FOR = "EXIT_NOT_ZERO"

    resource: str
    subjects: str
    findings: int
    names: str


class ClaimExceeds(Definite):
    """FAILED_PRECONDITION. More than is left to claim of what a transfer left owing, or to win by a dispute: the rest is claimed already, or reversals gave it back."""

    FOR = "CLAIM_EXCEEDS"

    resource: str
    left: int
    requested: int


class DisputePeriodOver(Definite):
    """FAILED_PRECONDITION. The window was cut off too long ago for anything in it to be disputed."""

    FOR = "DISPUTE_PERIOD_OVER"

    resource: str
    until: str


class WrongParty(Definite):
    """PERMISSION_DENIED. The step is the other side's to take: the respondent answers a dispute, the claimant withdraws it."""

    FOR = "WRONG_PARTY"

    resource: str
    needed: str


class QuoteExpired(Definite):
    """FAILED_PRECONDITION. The quote's time was over."""

    FOR = "QUOTE_EXPIRED"

    quote: str
    expired: str


class QuoteUsed(Definite):
    """FAILED_PRECONDITION. The quote was used before: it is good for one conversion."""

    FOR = "QUOTE_USED"

    quote: str
    transfer: str


class BelowMinTarget(Definite):
    """FAILED_PRECONDITION. The conversion would give fewer points than min_target_units."""

    FOR = "BELOW_MIN_TARGET"

    received: int
    min_target: int
    rate: str


class InvalidCursor(Definite):
    """INVALID_ARGUMENT. The cursor is none that this exchange gave, or of a ledger that was set back since."""

    FOR = "INVALID_CURSOR"

    field: str


class CursorExpired(Definite):
    """OUT_OF_RANGE. What follows the cursor is kept no longer."""

    FOR = "CURSOR_EXPIRED"

    field: str
    oldest: str


class ProposalLapsed(Definite):
    """FAILED_PRECONDITION. Nobody approved the adjustment, or the change of a cap, in time."""

    FOR = "PROPOSAL_LAPSED"

    resource: str
    expired: str


class NotOwnCurrency(Definite):
    """PERMISSION_DENIED. A merchant adjusts only points of a currency it issues, and pays for them itself."""

    FOR = "NOT_OWN_CURRENCY"

    merchant: str
    currency: str


class MemberClosed(Definite):
    """FAILED_PRECONDITION. The membership was closed: its points have ended, and nothing moves any more."""

    FOR = "MEMBER_CLOSED"


class TooManyQuotes(Undecided):
    """RESOURCE_EXHAUSTED. As many quotes of the merchant are open as may be: neither used nor expired."""

    FOR = "TOO_MANY_QUOTES"

    merchant: str
    open_quotes: int


class StateTooOld(Undecided):
    """UNAVAILABLE. The state that can be read does not have the transfer the caller knows of."""

    FOR = "STATE_TOO_OLD"

    min_ledger_sequence: str


class BankDetailsMissing(Definite):
    """FAILED_PRECONDITION. Nobody confirmed where somebody is paid in a currency."""

    FOR = "BANK_DETAILS_MISSING"

    participants: str
    currency: str


class FormatMismatch(Definite):
    """FAILED_PRECONDITION. Payments cannot be written in a format, or were exported in another."""

    FOR = "FORMAT_MISMATCH"

    format: str
    problem: str


class BankMessageUnreadable(Definite):
    """FAILED_PRECONDITION. What came from a bank is no message that can be read."""

    FOR = "BANK_MESSAGE_UNREADABLE"

    problem: str


class PaymentMismatch(Definite):
    """FAILED_PRECONDITION. A bank's line is not the payment's it is said to be."""

    FOR = "PAYMENT_MISMATCH"

    resource: str
    figure: str
    expected: str
    found: str


class FxRateMissing(Definite):
    """FAILED_PRECONDITION. A set of rates between settlement currencies has none this way, nor do two through its base make one."""

    FOR = "FX_RATE_MISSING"

    fx_set: str
    from_currency: str
    to_currency: str


class NetDebitCapExceeded(Definite):
    """FAILED_PRECONDITION. A merchant would come to owe more, net, than its net debit cap."""

    FOR = "NET_DEBIT_CAP_EXCEEDED"

    merchant: str
    currency_code: str
    cap: int
    headroom: int
    needed: int


class RecountMismatch(Definite):
    """FAILED_PRECONDITION. Counted again from the transfers, a run's window owes another thing than the run says."""

    FOR = "RECOUNT_MISMATCH"

    run: str
    pair: str
    currency: str
    run_micros: str
    transfers_micros: str
    run_obligations: str
    transfers_obligations: str
    pairs: int


class RecoveryExceeds(Definite):
    """FAILED_PRECONDITION. More came back than is still claimed of a defaulter."""

    FOR = "RECOVERY_EXCEEDS"

    resource: str
    currency: str
    remaining: int
    came: int


class WriteOffExceeds(Definite):
    """FAILED_PRECONDITION. More of a claim would be written off than is still claimed and borne by somebody."""

    FOR = "WRITE_OFF_EXCEEDS"

    resource: str
    currency: str
    borne: int
    missing: int
    requested: int


class MemberLimitExceeded(Definite):
    """FAILED_PRECONDITION. A member would be given, or use, more points of a currency than on a day it may."""

    FOR = "MEMBER_LIMIT_EXCEEDED"

    currency: str
    figure: str
    limit: int
    left: int
    requested: int


class IssuanceLimitExceeded(Definite):
    """FAILED_PRECONDITION. More points of a currency would be made than may be on a day."""

    FOR = "ISSUANCE_LIMIT_EXCEEDED"

    currency: str
    requested: int
    limit: int
    left: int


class ExternallyKept(Definite):
    """FAILED_PRECONDITION. The issuer keeps the balances of a currency itself: here it is only converted, from or into a currency that is kept here."""

    FOR = "EXTERNALLY_KEPT"

    currency: str


class NotLinkedToIssuer(Definite):
    """FAILED_PRECONDITION. The issuer that keeps the balances itself has not linked the member, so its system would not know whom to debit or credit."""

    FOR = "NOT_LINKED_TO_ISSUER"

    currency: str
    issuer: str


class BalancesNotEmpty(Definite):
    """FAILED_PRECONDITION. Members hold points of the currency here, so nobody else can keep its balances."""

    FOR = "BALANCES_NOT_EMPTY"

    currency: str


class InstructionContradicted(Definite):
    """FAILED_PRECONDITION. The issuer's system said the opposite before; the first answer stands, and the operator is shown the contradiction."""

    FOR = "INSTRUCTION_CONTRADICTED"

    instruction: str
    outcome: str


class CallRateExceeded(Undecided):
    """RESOURCE_EXHAUSTED. The merchant calls this server process more often than its quota allows."""

    FOR = "CALL_RATE_EXCEEDED"

    merchant: str
    calls_per_second: int
    burst_calls: int


class TooManyCalls(Undecided):
    """RESOURCE_EXHAUSTED. As many of the merchant's calls are under way in this server process as its quota allows."""

    FOR = "TOO_MANY_CALLS"

    merchant: str
    concurrent_calls: int


class ReturnRateExceeded(Definite):
    """FAILED_PRECONDITION. An earn rule gives points worth more of the money spent than the merchant's return-rate band allows."""

    FOR = "RETURN_RATE_EXCEEDED"

    rule: str
    rate_bps: int
    max_bps: int


class CapRaise(Definite):
    """PERMISSION_DENIED. One person lowers a net debit cap; raising it or taking it away takes two."""

    FOR = "CAP_RAISE"

    merchant: str
    currency_code: str
    cap: int
    requested: int
    propose: str


class ExecutionDateOver(Definite):
    """FAILED_PRECONDITION. The day a bank is asked to pay on is over by the coalition's clock; a file is written once and for ever."""

    FOR = "EXECUTION_DATE_OVER"

    execution_date: str
    today: str


class TransferRetired(Definite):
    """FAILED_PRECONDITION. What is asked for is of a time whose transfers have left the ledger for an archive: it can be neither shown, repeated nor reversed; every id of that time is answered so, whether or not there was such a transfer."""

    FOR = "TRANSFER_RETIRED"

    resource: str
    archive: str
    until: str


BY_REASON: dict[str, type[Refused]] = {
    "INVALID_FIELD": InvalidField,
    "MALFORMED_MESSAGE": MalformedMessage,
    "CREDENTIAL_MISSING": CredentialMissing,
    "CREDENTIAL_UNKNOWN": CredentialUnknown,
    "METHOD_NOT_ALLOWED": MethodNotAllowed,
    "ROLE_MISSING": RoleMissing,
    "NOT_THE_ISSUER": NotTheIssuer,
    "RESOURCE_NOT_FOUND": ResourceNotFound,
    "RESOURCE_EXISTS": ResourceExists,
    "MERCHANT_SUSPENDED": MerchantSuspended,
    "CURRENCY_SUSPENDED": CurrencySuspended,
    "INSUFFICIENT_POINTS": InsufficientPoints,
    "NO_PRICE": NoPrice,
    "NO_RATE": NoRate,
    "BELOW_MINIMUM": BelowMinimum,
    "ABOVE_MAXIMUM": AboveMaximum,
    "CONVERTS_TO_NOTHING": ConvertsToNothing,
    "DAILY_CAP_EXCEEDED": DailyCapExceeded,
    "AMOUNT_OVERFLOW": AmountOverflow,
    "NEGATIVE_SPREAD": NegativeSpread,
    "REQUEST_ID_REUSED": RequestIdReused,
    "RATE_OVERLAP": RateOverlap,
    "SETTLEMENT_CURRENCY_MISMATCH": SettlementCurrencyMismatch,
    "TOO_LATE": TooLate,
    "EXPIRY_NOT_ALLOWED": ExpiryNotAllowed,
    "BATCH_NOT_APPLIED": BatchNotApplied,
    "SERVER_BUSY": ServerBusy,
    "DEADLINE_PASSED": DeadlinePassed,
    "SERVER_DRAINING": ServerDraining,
    "DATABASE_UNAVAILABLE": DatabaseUnavailable,
    "INTERNAL_FAULT": InternalFault,
    "WINDOW_STATE": WindowState,
    "INVALID_PAGE_TOKEN": InvalidPageToken,
    "UNKNOWN_METHOD": UnknownMethod,
    "LEDGER_HALTED": LedgerHalted,
    "HOLD_ENDED": HoldEnded,
    "HOLD_LAPSED": HoldLapsed,
    "CAPTURE_EXCEEDS_HOLD": CaptureExceedsHold,
    "NOT_REVERSIBLE": NotReversible,
    "ALREADY_REVERSED": AlreadyReversed,
    "REVERSAL_EXCEEDS": ReversalExceeds,
    "NO_CASH_OUT": NoCashOut,
    "NOTHING_DUE": NothingDue,
    "ROUND_TRIP_GAINS": RoundTripGains,
    "RATE_OUT_OF_BOUNDS": RateOutOfBounds,
    "SUPERSEDES_MISMATCH": SupersedesMismatch,
    "TOO_MANY_DRAFTS": TooManyDrafts,
    "SECOND_PERSON_NEEDED": SecondPersonNeeded,
    "WRONG_STATE": WrongState,
    "DIGEST_MISMATCH": DigestMismatch,
    "ETAG_MISMATCH": EtagMismatch,
    "SAME_PERSON": SamePerson,
    "PERSON_UNKNOWN": PersonUnknown,
    "NOT_DUE": NotDue,
    "FUNDS_INSUFFICIENT": FundsInsufficient,
    "EXPOSURE_UNCOVERED": ExposureUncovered,
    "LIQUIDITY_SHORT": LiquidityShort,
    "EXIT_NOT_ZERO": ExitNotZero,
    "CLAIM_EXCEEDS": ClaimExceeds,
    "DISPUTE_PERIOD_OVER": DisputePeriodOver,
    "WRONG_PARTY": WrongParty,
    "QUOTE_EXPIRED": QuoteExpired,
    "QUOTE_USED": QuoteUsed,
    "BELOW_MIN_TARGET": BelowMinTarget,
    "INVALID_CURSOR": InvalidCursor,
    "CURSOR_EXPIRED": CursorExpired,
    "PROPOSAL_LAPSED": ProposalLapsed,
    "NOT_OWN_CURRENCY": NotOwnCurrency,
    "MEMBER_CLOSED": MemberClosed,
    "TOO_MANY_QUOTES": TooManyQuotes,
    "STATE_TOO_OLD": StateTooOld,
    "BANK_DETAILS_MISSING": BankDetailsMissing,
    "FORMAT_MISMATCH": FormatMismatch,
    "BANK_MESSAGE_UNREADABLE": BankMessageUnreadable,
    "PAYMENT_MISMATCH": PaymentMismatch,
    "FX_RATE_MISSING": FxRateMissing,
    "NET_DEBIT_CAP_EXCEEDED": NetDebitCapExceeded,
    "RECOUNT_MISMATCH": RecountMismatch,
    "RECOVERY_EXCEEDS": RecoveryExceeds,
    "WRITE_OFF_EXCEEDS": WriteOffExceeds,
    "MEMBER_LIMIT_EXCEEDED": MemberLimitExceeded,
    "ISSUANCE_LIMIT_EXCEEDED": IssuanceLimitExceeded,
    "EXTERNALLY_KEPT": ExternallyKept,
    "NOT_LINKED_TO_ISSUER": NotLinkedToIssuer,
    "BALANCES_NOT_EMPTY": BalancesNotEmpty,
    "INSTRUCTION_CONTRADICTED": InstructionContradicted,
    "CALL_RATE_EXCEEDED": CallRateExceeded,
    "TOO_MANY_CALLS": TooManyCalls,
    "RETURN_RATE_EXCEEDED": ReturnRateExceeded,
    "CAP_RAISE": CapRaise,
    "EXECUTION_DATE_OVER": ExecutionDateOver,
    "TRANSFER_RETIRED": TransferRetired,
}
