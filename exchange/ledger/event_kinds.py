"""What can be told of. Apart from whoever writes it, for rules that know no database."""

from __future__ import annotations

import enum


class EventKind(enum.IntEnum):
    """What can happen; numbered as `exchange.v1.Event.Kind`."""

    TRANSFER = 1
    WINDOW_CLOSED = 2
    RATE_PUBLISHED = 3
    RATE_ENDED = 4
    PRICE_PUBLISHED = 5
    MERCHANT_SUSPENDED = 6
    MERCHANT_ACTIVATED = 7
    CURRENCY_SUSPENDED = 8
    CURRENCY_ACTIVATED = 9
    POINTS_EXPIRING = 10
    RUN_APPROVED = 11
    PAYMENT_INSTRUCTED = 12
    PAYMENT_SETTLED = 13
    PAYMENT_FAILED = 14
    INSTRUCTION_GIVEN = 150
    DISPUTE_OPENED = 260
    DISPUTE_ANSWERED = 261
    DISPUTE_DECIDED = 262
