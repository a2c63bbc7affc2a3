"""Payment files, byte for byte. A difference here is a change that banks will see.

To accept one: write what the failing test rendered in place of the document.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from settlement.payments.formats.registry import FORMATS
from tests.unit.settlement.orders import an_order

DOCUMENTS = Path(__file__).parent / "payments"


@pytest.mark.parametrize("name", FORMATS)
def test_a_payment_order_is_written_as_before(name: str) -> None:
    """The rulebook's period A in every format."""
    chosen = FORMATS[name]

    content = chosen.render(an_order())

    assert content == (DOCUMENTS / f"period_a.{name}.{chosen.suffix}").read_bytes()
