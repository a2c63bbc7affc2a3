"""Payment orders as files: names that derive from what was approved, sums that agree, bytes that come out again."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from settlement.payments.formats.amounts import decimal_of, minor_units_of, plain
from settlement.payments.formats.registry import FORMATS
from settlement.payments.formats.schema import problem_with, schema_file
from settlement.payments.model import Leg
from settlement.payments.rules import blocks_of, end_to_end_id, message_id
from tests.banks import control_of, orders
from tests.unit.settlement.orders import DIGEST, PARTIES, an_order

LEG = Leg(3, "CNY", "GRO", "OPR", 71_655)


def test_a_name_is_that_of_one_attempt_of_one_leg_of_one_result() -> None:
    """Window, leg and attempt can be read from it; another result of the window gives another."""
    name = end_to_end_id(12, DIGEST, LEG, 1)

    assert name.startswith("W12-3-1-")
    assert name == end_to_end_id(12, DIGEST, LEG, 1)
    assert len({name, end_to_end_id(12, DIGEST, LEG, 2), end_to_end_id(12, "0" * 64, LEG, 1)}) == 3


def test_names_fit_what_banks_take() -> None:
    """35 signs, even for a window number no coalition will reach."""
    assert len(end_to_end_id(10**12, DIGEST, Leg(9_999, "CNY", "A", "B", 1), 99)) <= 35
    assert len(message_id(10**10, DIGEST, "CNY", 99)) <= 35


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_gives_the_same_bytes_again(name: str) -> None:
    """Nothing of the clock, the machine or the order of a dictionary is in them."""
    render = FORMATS[name].render

    assert render(an_order()) == render(an_order())


@pytest.mark.parametrize(("currency", "written"), [("CNY", "716.55"), ("JPY", "71655"), ("KWD", "71.655")])
def test_amounts_have_the_places_of_their_currency(currency: str, written: str) -> None:
    """Two for yuan, none for yen, three for dinars; and back again."""
    assert plain(71_655, currency) == written
    assert minor_units_of(Decimal(written), currency) == 71_655


def test_what_is_finer_than_a_currency_is_no_amount_of_it() -> None:
    """Half a fen, a tenth of a yen, a currency there is not, no number."""
    assert minor_units_of(Decimal("0.005"), "CNY") is None
    assert minor_units_of(Decimal("1.1"), "JPY") is None
    assert minor_units_of(Decimal(1), "XYZ") is None
    assert minor_units_of(Decimal("NaN"), "CNY") is None
    assert minor_units_of(Decimal("5.00000"), "CNY") == 500


def test_a_file_tells_count_and_control_sum() -> None:
    """In pain.001 of the whole and of each block; in CSV in a row of its own."""
    order = an_order()

    content = FORMATS["pain001"].render(order)
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"].render(order).decode())))

    assert control_of(content) == ("5", "2635.10")
    assert sum(Decimal(one.amount) for one in orders(content)) == decimal_of(order.control_sum, "CNY")
    assert (rows[-1]["record"], rows[-1]["count"], rows[-1]["amount"]) == ("TOTAL", "5", "2635.10")
    assert sum(Decimal(row["amount"]) for row in rows[:-1]) == Decimal("2635.10")


def test_money_comes_in_before_it_goes_out() -> None:
    """Debtors' blocks stand before the clearing account's, each with a name of its own."""
    blocks = blocks_of(an_order())

    assert list(blocks) == ["BNK", "CAF", "GRO", "OPR"]
    assert len(set(blocks.values())) == 4


def test_a_pain_001_keeps_to_the_published_schema() -> None:
    """As every export is held to; a document that does not is found out."""
    content = FORMATS["pain001"].render(an_order())

    assert schema_file("pain.001.001.09") is not None
    assert problem_with(content, "pain.001.001.09") is None
    broken = content.replace(b"<CtrlSum>2635.10</CtrlSum>", b"<CtrlSum>much</CtrlSum>")
    assert "CtrlSum" in str(problem_with(broken, "pain.001.001.09"))


def test_a_flaw_of_ours_never_leaves_the_house() -> None:
    """A name longer than banks take is a programming error, in a message with a schema and in one without."""
    order = an_order()
    longer = [item._replace(end_to_end_id="X" * 36) for item in order.instructions]
    flawed = type(order)(**{**{f: getattr(order, f) for f in order.__slots__}, "instructions": longer})

    for name in ("pain001", "pacs029"):
        with pytest.raises(AssertionError, match="36 characters"):
            FORMATS[name].render(flawed)


def test_pacs_029_is_for_the_star_only() -> None:
    """Direct payments pass by the clearing account, and a single movement settles nothing between many."""
    direct = an_order([("GRO", "TEL", 5), ("CAF", "AIR", 6)])
    single = an_order([("GRO", "OPR", 5)])

    assert FORMATS["pacs029"].why_not(an_order()) is None
    assert "clearing account" in str(FORMATS["pacs029"].why_not(direct))
    assert "two" in str(FORMATS["pacs029"].why_not(single))


def test_names_of_holders_are_written_as_they_are() -> None:
    """Chinese, accents, and signs that XML escapes."""
    content = FORMATS["pain001"].render(an_order()).decode()

    assert "<Nm>Air 航空</Nm>" in content
    assert "<Nm>Bank &amp; Sons &lt;HQ&gt;</Nm>" in content
    assert PARTIES["BNK"].account.iban in content
