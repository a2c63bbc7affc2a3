"""The formats a payment order can be written in. A new one is a function and a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from settlement.payments.formats import csv_file, pacs029, pain001
from settlement.payments.model import PaymentOrder


class Format(NamedTuple):
    """A way of writing an order.

    Attributes:
        render: the bytes; the same for the same order, for ever.
        why_not: why this order cannot be written so; None: it can.
        suffix: of the file's name.
        media_type: of its content.
    """

    render: Callable[[PaymentOrder], bytes]
    why_not: Callable[[PaymentOrder], str | None]
    suffix: str
    media_type: str


def _always(_: PaymentOrder) -> str | None:
    return None


FORMATS: dict[str, Format] = {
    "pain001": Format(pain001.render, _always, "xml", "application/xml"),
    "pacs029": Format(pacs029.render, pacs029.why_not, "xml", "application/xml"),
    "csv": Format(csv_file.render, _always, "csv", "text/csv"),
}
