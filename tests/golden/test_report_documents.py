"""Reports of the rulebook's period A, byte for byte. A difference here is a change finance and auditors will see.

To accept one: write what the failing test rendered in place of the document.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from settlement.journal.model import PaymentEvent
from settlement.reports.books import journal
from settlement.reports.figures import ageing, bilateral_matrix, net_positions, settlement_summary
from settlement.reports.formats import hledger
from settlement.reports.formats.registry import FORMATS
from settlement.reports.model import Report
from settlement.reports.statement import merchant_statement
from settlement.run.model import Configuration
from tests.unit.settlement.settlements import PERIOD_A, settled_window

DOCUMENTS = Path(__file__).parent / "reports"
BOOKED = [
    PaymentEvent("W1-1-1-A", "CNY", "BNK", "OPR", 60_000, date(2026, 4, 2), returned=False),
    PaymentEvent("W1-4-1-B", "CNY", "OPR", "TEL", 101_655, date(2026, 4, 2), returned=False),
    PaymentEvent("W1-4-1-B", "CNY", "OPR", "TEL", 101_655, date(2026, 4, 3), returned=True),
]


def reports() -> dict[str, Report]:
    """With CAF's yuan below the minimum."""
    settled = settled_window(PERIOD_A, Configuration(minimums={"CNY": 1_000}))
    found = [
        settlement_summary(settled),
        net_positions(settled),
        bilateral_matrix(settled),
        ageing(settled),
        merchant_statement(settled, "AIR"),
        journal(settled, BOOKED),
    ]
    return {report.name: report for report in found}


@pytest.mark.parametrize("suffix", ["csv", "json"])
@pytest.mark.parametrize("name", reports())
def test_a_report_is_written_as_before(name: str, suffix: str) -> None:
    """As text, where a difference can be read."""
    content = FORMATS[suffix].render(reports()[name])

    assert content == (DOCUMENTS / f"period_a.{name}.{suffix}").read_bytes()


def test_a_journal_for_hledger_is_written_as_before() -> None:
    """Accounts and commodities declared, an entry for each thing that happened."""
    content = hledger.render(reports()["journal"])

    assert content == (DOCUMENTS / "period_a.journal").read_bytes()
