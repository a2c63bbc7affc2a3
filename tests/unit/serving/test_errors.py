"""Refusals on the wire."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]  # ships without type information
from hypothesis import given, settings
from hypothesis import strategies as st

import settlement.refusals  # noqa: F401 - its reasons stand in the same list
from exchange.refusals import (
    Category,
    InsufficientPoints,
    InvalidField,
    InvalidPageToken,
    Refusal,
    ResourceExists,
    ResourceNotFound,
    ServerBusy,
    ServerDraining,
)
from exchange.serving.errors import DOMAIN, STATUS_BYTES_MAX, STATUS_CODES, fault_status, status_of
from exchange.v1.error_reason_pb2 import ErrorReason

PLAIN_REFUSALS = [kind for kind in Refusal.__subclasses__() if kind.reason and kind is not InvalidField]


def _details(status: status_pb2.Status, kind: type[Any]) -> list[Any]:
    found = []
    for packed in status.details:
        if packed.Is(kind.DESCRIPTOR):
            message = kind()
            packed.Unpack(message)
            found.append(message)
    return found


def test_every_category_has_one_status_of_its_own() -> None:
    """The table is complete, never answers OK, and two categories never look alike."""
    assert STATUS_CODES.keys() == set(Category)
    assert len(set(STATUS_CODES.values())) == len(Category)
    assert grpc.StatusCode.OK not in STATUS_CODES.values()


def test_reasons_in_code_are_those_in_the_proto() -> None:
    """INTERNAL_FAULT is no refusal: it has no class."""
    in_proto = {name.removeprefix("ERROR_REASON_") for name, _ in ErrorReason.items()} - {
        "UNSPECIFIED",
        "INTERNAL_FAULT",
    }

    assert {kind.reason for kind in Refusal.__subclasses__() if kind.reason} == in_proto


@pytest.mark.parametrize("kind", PLAIN_REFUSALS, ids=lambda kind: kind.reason)
def test_a_refusal_says_its_reason_once(kind: type[Refusal]) -> None:
    """Exactly one ErrorInfo with reason, domain and the refusal's data."""
    status = status_of(kind(figure=7))

    infos = _details(status, error_details_pb2.ErrorInfo)
    assert [(info.reason, info.domain, dict(info.metadata)) for info in infos] == [
        (kind.reason, DOMAIN, {"figure": "7"})
    ]
    assert status.code == STATUS_CODES[kind.category].value[0]


@pytest.mark.parametrize("refusal", [ServerBusy(limit=3), ServerDraining()], ids=lambda refusal: refusal.reason)
def test_a_refusal_that_waiting_helps_says_how_long(refusal: Refusal) -> None:
    """A client that repeats at once makes it worse."""
    [retry] = _details(status_of(refusal), error_details_pb2.RetryInfo)

    assert retry.retry_delay.ToMilliseconds() > 0


def test_a_refusal_that_waiting_does_not_help_asks_nobody_to_wait() -> None:
    """A business no stays a no."""
    status = status_of(InsufficientPoints(available=3, requested=5))

    assert _details(status, error_details_pb2.RetryInfo) == []


@pytest.mark.parametrize("kind", [ResourceNotFound, ResourceExists])
def test_a_missing_or_taken_resource_is_named(kind: type[Refusal]) -> None:
    """With its type, which is its collection."""
    [resource] = _details(status_of(kind(resource="members/0190")), error_details_pb2.ResourceInfo)

    assert (resource.resource_type, resource.resource_name) == (f"{DOMAIN}/members", "members/0190")


def test_fields_to_blame_are_named_by_proto_path() -> None:
    """One violation for each."""
    [bad] = _details(
        status_of(InvalidField({"points.units": "is -5", "request_id": "is required"})), error_details_pb2.BadRequest
    )

    assert [(violation.field, violation.description) for violation in bad.field_violations] == [
        ("points.units", "is -5"),
        ("request_id", "is required"),
    ]


def test_a_page_token_is_a_field_to_blame() -> None:
    """Clients show the field in either case."""
    [bad] = _details(status_of(InvalidPageToken(field="page_token")), error_details_pb2.BadRequest)

    assert [violation.field for violation in bad.field_violations] == ["page_token"]


# Long texts, made of a short one: drawing thousands of characters one by one takes hypothesis seconds.
texts = st.builds(lambda part, times: part * times, st.text(max_size=8), st.integers(0, 300))


@given(st.dictionaries(texts, texts, min_size=1, max_size=60))
@settings(max_examples=30)
def test_a_status_fits_whatever_fields_are_to_blame(violations: dict[str, str]) -> None:
    """A larger one would reach the client as RESOURCE_EXHAUSTED; at least the first field is always named."""
    status = status_of(InvalidField(violations))

    assert status.ByteSize() <= STATUS_BYTES_MAX
    assert len(_details(status, error_details_pb2.BadRequest)[0].field_violations) >= 1


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,20}", fullmatch=True), texts, max_size=20))
@settings(max_examples=30)
def test_a_status_fits_whatever_data_a_refusal_carries(data: dict[str, str]) -> None:
    """Data may hold text that came with the request."""
    for kind in (ResourceNotFound, InsufficientPoints, ServerBusy):
        assert status_of(kind(**data)).ByteSize() <= STATUS_BYTES_MAX


def test_text_that_is_cut_is_cut_between_characters() -> None:
    """Half a character would make the whole status unreadable."""
    [info] = _details(status_of(ResourceNotFound(resource="积" * 200)), error_details_pb2.ErrorInfo)

    assert info.metadata["resource"] == "积" * 84 + "…"


def test_a_lone_surrogate_does_not_break_the_answer() -> None:
    """Python text can hold what UTF-8 cannot."""
    [info] = _details(status_of(ResourceNotFound(resource="members/\ud800")), error_details_pb2.ErrorInfo)

    assert info.metadata["resource"] == "members/?"


def test_a_fault_tells_its_incident_only() -> None:
    """Reason, incident, nothing else."""
    status = fault_status("4f00")

    [info] = _details(status, error_details_pb2.ErrorInfo)
    assert (status.code, info.reason, dict(info.metadata)) == (13, "INTERNAL_FAULT", {"incident": "4f00"})
    assert len(status.details) == 1
