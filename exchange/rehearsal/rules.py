"""What reasons of movements say when they are forced: their refusals, with data that fit the request.

A reason without a line here is forced too, with data that say little (`exchange.rehearsal.amounts`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from exchange import refusals as no

_RATE = "rates/00000000-0000-7000-8000-000000000000"
_QUOTE = "quotes/00000000-0000-7000-8000-000000000000"
_LONG_AGO = "2026-01-01T00:00:00+00:00"


class Asked(NamedTuple):
    """What of a request goes into refusals; names are resource names.

    Attributes:
        merchant: who asked.
        currency: what it would move, or the currency of the merchant's where the request names none.
        target: what it would be converted into; the same as `currency` where nothing is converted.
        units: how many points.
        original: the transfer it follows; a nil one where it follows none.
        request_id: its key.
    """

    merchant: str
    currency: str
    target: str
    units: int
    original: str
    request_id: str


class Rehearsed(Exception):
    """A fault of ours that is none."""


FORCED: dict[str, Callable[[Asked], Exception]] = {
    "INVALID_FIELD": lambda asked: no.InvalidField({"points.units": f"is {asked.units}, which forces this refusal"}),
    "CREDENTIAL_UNKNOWN": lambda _: no.CredentialUnknown(),
    "METHOD_NOT_ALLOWED": lambda _: no.MethodNotAllowed(method="(rehearsed)", caller_role="MERCHANT"),
    "ROLE_MISSING": lambda asked: no.RoleMissing(merchant=asked.merchant, role="(rehearsed)"),
    "NOT_THE_ISSUER": lambda asked: no.NotTheIssuer(
        merchant=asked.merchant, source=asked.currency, target=asked.target
    ),
    "NET_DEBIT_CAP_EXCEEDED": lambda asked: no.NetDebitCapExceeded(
        merchant=asked.merchant, currency_code="CNY", cap=asked.units, headroom=asked.units - 1, needed=asked.units
    ),
    "ISSUANCE_LIMIT_EXCEEDED": lambda asked: no.IssuanceLimitExceeded(currency=asked.currency, requested=asked.units),
    "RESOURCE_NOT_FOUND": lambda _: no.ResourceNotFound(resource="members/…", field="member"),
    "MERCHANT_SUSPENDED": lambda asked: no.MerchantSuspended(merchant=asked.merchant),
    "CURRENCY_SUSPENDED": lambda asked: no.CurrencySuspended(currency=asked.currency),
    "INSUFFICIENT_POINTS": lambda asked: no.InsufficientPoints(
        currency=asked.currency, available=asked.units - 1, requested=asked.units
    ),
    "NO_PRICE": lambda asked: no.NoPrice(currency=asked.currency, price="(rehearsed)", at=_LONG_AGO),
    "NO_RATE": lambda asked: no.NoRate(source=asked.currency, target=asked.target),
    "BELOW_MINIMUM": lambda asked: no.BelowMinimum(requested=asked.units, minimum=asked.units + 1, rate=_RATE),
    "ABOVE_MAXIMUM": lambda asked: no.AboveMaximum(requested=asked.units, maximum=asked.units - 1, rate=_RATE),
    "CONVERTS_TO_NOTHING": lambda asked: no.ConvertsToNothing(requested=asked.units, block=asked.units + 1, rate=_RATE),
    "DAILY_CAP_EXCEEDED": lambda asked: no.DailyCapExceeded(cap=asked.units, used=1, requested=asked.units, rate=_RATE),
    "AMOUNT_OVERFLOW": lambda asked: no.AmountOverflow(figure="balance", credit=asked.units),
    "NEGATIVE_SPREAD": lambda asked: no.NegativeSpread(
        source=asked.currency, target=asked.target, out_micros=1, in_micros=2
    ),
    "REQUEST_ID_REUSED": lambda asked: no.RequestIdReused(request_id=asked.request_id),
    "EXPIRY_NOT_ALLOWED": lambda asked: no.ExpiryNotAllowed(currency=asked.currency, expire_time=_LONG_AGO),
    "BATCH_NOT_APPLIED": lambda _: no.BatchNotApplied(item=0),
    "SERVER_BUSY": lambda _: no.ServerBusy(limit=1),
    "DEADLINE_PASSED": lambda _: no.DeadlinePassed(),
    "SERVER_DRAINING": lambda _: no.ServerDraining(),
    "DATABASE_UNAVAILABLE": lambda _: no.DatabaseUnavailable(),
    "INTERNAL_FAULT": lambda _: Rehearsed("nothing is wrong: a test asked for this"),
    "LEDGER_HALTED": lambda _: no.LedgerHalted(since=_LONG_AGO),
    "HOLD_ENDED": lambda asked: no.HoldEnded(hold=asked.original),
    "HOLD_LAPSED": lambda asked: no.HoldLapsed(hold=asked.original, expired=_LONG_AGO),
    "CAPTURE_EXCEEDS_HOLD": lambda asked: no.CaptureExceedsHold(
        hold=asked.original, held=asked.units - 1, requested=asked.units
    ),
    "NOT_REVERSIBLE": lambda asked: no.NotReversible(transfer=asked.original, kind="(rehearsed)"),
    "ALREADY_REVERSED": lambda asked: no.AlreadyReversed(transfer=asked.original),
    "REVERSAL_EXCEEDS": lambda asked: no.ReversalExceeds(
        transfer=asked.original, left=asked.units - 1, requested=asked.units
    ),
    "QUOTE_EXPIRED": lambda _: no.QuoteExpired(quote=_QUOTE, expired=_LONG_AGO),
    "QUOTE_USED": lambda asked: no.QuoteUsed(quote=_QUOTE, transfer=asked.original),
    "BELOW_MIN_TARGET": lambda asked: no.BelowMinTarget(received=asked.units - 1, min_target=asked.units, rate=_RATE),
    "NO_CASH_OUT": lambda asked: no.NoCashOut(currency=asked.currency),
}
"""Refusals whose data tell a partner's program something to act on."""

LOSING_THE_ANSWER = frozenset({"DEADLINE_PASSED", "DATABASE_UNAVAILABLE", "INTERNAL_FAULT"})
"""Reasons after which the movement may have been made: these can be forced either way."""
