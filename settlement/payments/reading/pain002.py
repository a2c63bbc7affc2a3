"""pain.002, payment status report: what a bank accepted and what it rejected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from settlement.payments.reading.model import StatusLine
from settlement.payments.reading.walk import at, each, reason_of, text

VERSIONS = ("03", "10", "11", "12", "13", "14")


def lines(document: Any) -> Iterator[StatusLine]:
    """One line for each payment named; one for a block or a file of which only as a whole something is said."""
    report = document.cstmr_pmt_sts_rpt
    group = report.orgnl_grp_inf_and_sts
    message_id = text(group, "orgnl_msg_id")
    blocks = list(each(report, "orgnl_pmt_inf_and_sts"))
    if status := text(group, "grp_sts"):
        yield StatusLine(message_id, "", "", status, reason_of(group, "sts_rsn_inf"))
    for block in blocks:
        block_id = text(block, "orgnl_pmt_inf_id")
        if status := text(block, "pmt_inf_sts"):
            yield StatusLine(message_id, block_id, "", status, reason_of(block, "sts_rsn_inf"))
        for payment in each(block, "tx_inf_and_sts"):
            name = text(payment, "orgnl_end_to_end_id") or text(payment, "orgnl_instr_id")
            status = text(payment, "tx_sts")
            if status:
                yield StatusLine(message_id, block_id, name, status, reason_of(payment, "sts_rsn_inf"))


def message_id_of(document: Any) -> str:
    """The bank's name for its message."""
    return str(at(document, "cstmr_pmt_sts_rpt.grp_hdr.msg_id") or "")
