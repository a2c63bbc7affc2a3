"""Events as messages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from exchange.api.promotion_wire import write_bonuses
from exchange.api.transfers_out import write_transfer
from exchange.callers import Caller
from exchange.events.cursors import Cursors
from exchange.events.model import Entry, Page
from exchange.events.rules import names_member
from exchange.ledger.event_kinds import EventKind
from exchange.rates.model import Coalition
from exchange.serving.instants import timestamp
from exchange.v1 import event_service_pb2 as pb

EVENTS_MAX = 100
BYTES_MAX = 1024 * 1024
"""Of one response: clients take messages of at most 4 MiB unless they were told otherwise."""


PAYMENTS = frozenset({EventKind.PAYMENT_INSTRUCTED, EventKind.PAYMENT_SETTLED, EventKind.PAYMENT_FAILED})
"""Whoever clears notes them, with the fields of the message as their detail; so it is with disputes."""
DISPUTES = frozenset({EventKind.DISPUTE_OPENED, EventKind.DISPUTE_ANSWERED, EventKind.DISPUTE_DECIDED})


def responses(page: Page, coalition: Coalition, caller: Caller, cursors: Cursors) -> Iterator[pb.WatchEventsResponse]:
    """A page in messages of bounded size, each with the cursor of its last event; the last goes on after the page."""
    response, size = pb.WatchEventsResponse(), 0
    for entry in page.entries:
        encoded = encoded_event(entry, coalition, caller, cursors)
        if len(response.events) == EVENTS_MAX or (size and size + len(encoded) > BYTES_MAX):
            response.cursor = response.events[-1].cursor
            yield response
            response, size = pb.WatchEventsResponse(), 0
        response.events.add().MergeFromString(encoded)
        size += len(encoded)
    response.cursor = cursors.seal(page.upto)
    yield response


def encoded_event(entry: Entry, coalition: Coalition, caller: Caller, cursors: Cursors) -> bytes:
    """An event as a caller sees it, serialized. Made once for all who see the same."""
    if entry.kind is EventKind.POINTS_EXPIRING:
        # Each names the member by a reference of its own; there are few.
        return _message(entry, coalition, caller, cursors).SerializeToString()
    transfer = entry.transfer
    own = caller.sees_all or transfer is None or transfer.merchant_no == caller.merchant_no
    named = transfer is None or names_member(caller.merchant_no, transfer, entry.linked)
    encoded = entry.encoded.get((own, named))
    if encoded is None:
        encoded = entry.encoded[own, named] = _message(entry, coalition, caller, cursors).SerializeToString()
    return encoded


def _message(entry: Entry, coalition: Coalition, caller: Caller, cursors: Cursors) -> pb.Event:
    event = pb.Event(
        cursor=cursors.seal(entry.place),
        kind=int(entry.kind),  # type: ignore[arg-type]  # a number of the enum
        event_time=timestamp(entry.occurred_at),
        resource=entry.resource,
    )
    if entry.transfer is not None:
        named = names_member(caller.merchant_no, entry.transfer, entry.linked)
        own = caller.sees_all or entry.transfer.merchant_no == caller.merchant_no
        write_transfer(event.transfer, entry.transfer, coalition.directory, own=own, names_member=named)
        write_bonuses(event.transfer, entry.bonuses, coalition)
    if entry.kind is EventKind.POINTS_EXPIRING:
        _write_notice(event.points_expiring, entry.detail or {}, caller)
    if entry.kind is EventKind.RUN_APPROVED:
        event.settlement_run.MergeFrom(pb.SettlementRun(**entry.detail or {}))
    if entry.kind in PAYMENTS:
        event.settlement_payment.MergeFrom(pb.SettlementPayment(**entry.detail or {}))
    if entry.kind in DISPUTES:
        event.settlement_dispute.MergeFrom(pb.SettlementDispute(**entry.detail or {}))
    return event


def _write_notice(notice: pb.PointsExpiring, detail: dict[str, Any], caller: Caller) -> None:
    reference = detail["links"].get(str(caller.merchant_no))
    if caller.sees_all or reference is not None:
        notice.member = f"members/{detail['member']}"
        notice.member_reference = reference or ""
    notice.points.currency, notice.points.units = f"currencies/{detail['currency']}", detail["units"]
    notice.expire_time.FromDatetime(datetime.fromisoformat(detail["ends_at"]))
    notice.days = detail["days"]
