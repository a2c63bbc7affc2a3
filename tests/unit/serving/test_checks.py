"""Wire checks: what a request may hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from exchange.money.limits import INT64_MAX
from exchange.refusals import InvalidField
from exchange.serving import checks
from exchange.serving.checks import NO_UUID, Violations, known_numbers
from exchange.v1.types_pb2 import MerchantRole

UUID = "0190a2b4-0190-7190-8190-0190a2b4a2b4"


def wrong(check: Callable[[Violations], object]) -> dict[str, str]:
    """What a check finds."""
    violations = Violations()
    check(violations)
    return dict(violations.found)


@pytest.mark.parametrize("value", ["r", "x" * 64, "Straße 1", "会员　一", "👨‍👩‍👧", " "])
def test_ordinary_text_is_taken_as_it_is(value: str) -> None:
    """Any script, wide spaces and joined emoji included."""
    violations = Violations()

    assert violations.text("reference", value, 1, 64) == value
    violations.raise_if_any()


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("", "is required"),
        ("x" * 65, "is longer than 64 characters"),
        ("a\x00b", "holds a control character"),
        ("a\nb", "holds a control character"),
        ("a\x7fb", "holds a control character"),
        ("a\x85b", "holds a control character"),
        ("a\u2028b", "holds a control character"),
        ("a\u202eb", "holds a control character"),
        ("a\ud800b", "holds a control character"),
    ],
)
def test_text_no_database_or_log_should_see_is_refused(value: str, what: str) -> None:
    """NUL breaks PostgreSQL; line ends and turned-round text make a log or a statement lie."""
    assert wrong(lambda violations: violations.text("reference", value, 1, 64)) == {"reference": what}


def test_text_may_be_optional() -> None:
    """At least 0 characters: leaving it out is no violation."""
    assert wrong(lambda violations: violations.text("reference", "", 0, 64)) == {}


def test_text_may_be_too_short() -> None:
    """A bound below is named as well."""
    assert wrong(lambda violations: violations.text("code", "ab", 3, 3)) == {"code": "is shorter than 3 characters"}


@given(st.text(max_size=40))
def test_text_that_is_taken_can_be_stored(value: str) -> None:
    """Whatever passes has a UTF-8 form without NUL, and is passed on unchanged."""
    violations = Violations()

    taken = violations.text("reference", value, 0, 40)

    if not violations.found:
        assert taken == value
        assert b"\x00" not in taken.encode()


@pytest.mark.parametrize(
    ("collection", "value", "resource_id"),
    [
        ("merchants", "merchants/GRO", "GRO"),
        ("merchants", "merchants/a_b-9", "a_b-9"),
        ("currencies", "currencies/TEL", "TEL"),
        ("windows", "windows/12", "12"),
    ],
)
def test_a_name_gives_its_id(collection: str, value: str, resource_id: str) -> None:
    """The part after the collection."""
    assert Violations().resource_name("name", value, collection) == resource_id


@pytest.mark.parametrize(
    ("collection", "value"),
    [
        ("merchants", "GRO"),
        ("merchants", "merchants/"),
        ("merchants", "merchants/" + "x" * 33),
        ("merchants", "merchants/GRO\n"),
        ("merchants", "merchants/GRÖ"),
        ("merchants", "merchants/GRO/prices/1"),
        ("merchants", "currencies/GRO"),
        ("currencies", "currencies/tel"),
        ("currencies", "currencies/" + "X" * 17),
        ("windows", "windows/0"),
        ("windows", "windows/-1"),
        ("windows", "windows/१"),
        ("windows", "windows/" + "9" * 19),
    ],
)
def test_a_name_of_another_form_is_refused(collection: str, value: str) -> None:
    """Nothing of the kind can exist, so nobody looks for it; the form is told."""
    found = wrong(lambda violations: violations.resource_name("name", value, collection))

    assert list(found) == ["name"]
    assert f'"{collection}/ID"' in found["name"]


def test_a_name_is_of_its_own_collection_however_often_it_was_found() -> None:
    """What was well formed as a currency is none of a merchant, before and after."""
    for _ in range(2):
        assert Violations().resource_name("currency", "currencies/TEL", "currencies") == "TEL"
        assert list(wrong(lambda violations: violations.resource_name("m", "currencies/TEL", "merchants"))) == ["m"]


def test_names_that_were_found_are_not_kept_without_end() -> None:
    """A merchant may name whatever it likes, again and again."""
    for number in range(3_000):
        assert Violations().resource_name("currency", f"currencies/C{number}", "currencies") == f"C{number}"

    assert len(checks._FOUND) <= checks._FOUND_MAX


def test_a_name_left_out_is_required() -> None:
    """Rather than badly formed."""
    assert wrong(lambda violations: violations.resource_name("merchant", "", "merchants")) == {
        "merchant": "is required"
    }
    assert wrong(lambda violations: violations.uuid_name("member", "", "members")) == {"member": "is required"}


def test_a_uuid_name_gives_its_uuid() -> None:
    """As canonical text."""
    assert Violations().uuid_name("member", f"members/{UUID}", "members") == UUID


@pytest.mark.parametrize(
    "value", [UUID, f"members/{UUID.upper()}", f"members/{{{UUID}}}", f"members/{UUID}\n", f"lots/{UUID}", "members/7"]
)
def test_a_uuid_name_of_another_form_is_refused(value: str) -> None:
    """One thing has one name: no second spelling of a UUID is taken."""
    violations = Violations()

    assert violations.uuid_name("member", value, "members") == NO_UUID
    assert list(violations.found) == ["member"]


@pytest.mark.parametrize("value", [1, INT64_MAX])
def test_a_positive_number_is_taken(value: int) -> None:
    """From 1 to what 64 bits hold."""
    assert Violations().positive("points.units", value) == value


@pytest.mark.parametrize("value", [0, -1, -(2**63)])
def test_a_number_below_one_is_refused(value: int) -> None:
    """Points do not move backwards."""
    found = wrong(lambda violations: violations.positive("points.units", value))

    assert found == {"points.units": f"is {value}, not 1 to {INT64_MAX}"}


@pytest.mark.parametrize(("value", "fits"), [(-1, False), (0, True), (10_000, True), (10_001, False)])
def test_a_number_keeps_within_its_bounds(value: int, fits: bool) -> None:  # noqa: FBT001  the outcome of the example
    """Both bounds are allowed values."""
    assert (wrong(lambda violations: violations.within("fee_bps", value, 0, 10_000)) == {}) is fits


@pytest.mark.parametrize(
    ("value", "found"),
    [(1, {}), (5, {}), (0, {"role": "is required"}), (6, {"role": "is 6, no value of the enum"})],
)
def test_an_enum_value_is_known_and_specified(value: int, found: dict[str, str]) -> None:
    """Zero stands for left out; a number beyond is one of a newer client."""
    numbers = known_numbers(MerchantRole)

    assert wrong(lambda violations: violations.known("role", value, numbers)) == found


@pytest.mark.parametrize(
    ("value", "fits"), [("CNY", True), ("cny", False), ("CNYX", False), ("", False), ("C1Y", False)]
)
def test_a_currency_code_has_three_capital_letters(value: str, fits: bool) -> None:  # noqa: FBT001  as above
    """As ISO 4217 writes them."""
    assert (wrong(lambda violations: violations.currency_code("settlement_currency", value)) == {}) is fits


@given(st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2199, 12, 31, 23, 59, 59, 999_999), timezones=st.just(dt.UTC)))  # noqa: DTZ001  hypothesis wants bounds without a zone
def test_an_instant_comes_back_to_the_microsecond(moment: dt.datetime) -> None:
    """In UTC."""
    stamp = Timestamp()
    stamp.FromDatetime(moment)

    assert Violations().instant("expire_time", stamp) == moment


@pytest.mark.parametrize(
    ("seconds", "nanos"),
    [
        (946_684_799, 0),
        (7_258_118_400, 0),
        (0, 0),
        (-(2**63), 0),
        (2**63 - 1, 0),
        (1_780_000_000, -1),
        (1_780_000_000, 10**9),
    ],
)
def test_an_instant_out_of_bounds_is_refused(seconds: int, nanos: int) -> None:
    """Before 2000, from 2200 on, or with a part of a second that is none."""
    found = wrong(lambda violations: violations.instant("expire_time", Timestamp(seconds=seconds, nanos=nanos)))

    assert list(found) == ["expire_time"]


def test_everything_wrong_is_said_at_once() -> None:
    """A client mends its request in one go; the first thing said about a field stays."""
    violations = Violations()
    violations.text("request_id", "", 1, 64)
    violations.positive("points.units", -5)
    violations.say("points.units", "and more")

    with pytest.raises(InvalidField) as refused:
        violations.raise_if_any()

    assert refused.value.violations == {"request_id": "is required", "points.units": f"is -5, not 1 to {INT64_MAX}"}


def test_nothing_wrong_raises_nothing() -> None:
    """The happy way."""
    Violations().raise_if_any()
