"""A payment order as CSV, for banks whose portal takes no XML: a row for each payment and one with the control sum."""

from __future__ import annotations

import csv
import io

from settlement.payments.formats.amounts import plain
from settlement.payments.model import PaymentOrder

COLUMNS = (
    "record",
    "message_id",
    "end_to_end_id",
    "execution_date",
    "currency",
    "amount",
    "count",
    "payer",
    "payer_name",
    "payer_account",
    "payer_bank",
    "payee",
    "payee_name",
    "payee_account",
    "payee_bank",
    "remittance",
)


def render(order: PaymentOrder) -> bytes:
    """PAYMENT rows in the order of the legs, then one TOTAL row with their count and sum; UTF-8, CRLF as RFC 4180."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    common = {
        "message_id": order.message_id,
        "execution_date": order.execution_date.isoformat(),
        "currency": order.currency,
    }
    for item in order.instructions:
        row = {
            "record": "PAYMENT",
            "end_to_end_id": item.end_to_end_id,
            "amount": plain(item.leg.minor_units, order.currency),
            "remittance": order.remittance,
        }
        for role, party in (("payer", item.payer), ("payee", item.payee)):
            row[role] = party.participant
            row[f"{role}_name"] = party.account.holder
            row[f"{role}_account"] = party.account.identification
            row[f"{role}_bank"] = party.account.agent
        writer.writerow(common | row)
    writer.writerow(
        common | {"record": "TOTAL", "amount": plain(order.control_sum, order.currency), "count": str(order.count)}
    )
    return text.getvalue().encode()
