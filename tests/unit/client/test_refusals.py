"""Refusals of the client: the class of the reason, its data, and whether it decides."""

from __future__ import annotations

import grpc
import pytest
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # ships without type information

from exchange import refusals as server
from exchange.client.errors import DOMAIN as CLIENT_DOMAIN
from exchange.client.errors import Definite, Told, Undecided, refused, told_in
from exchange.client.reasons import BY_REASON, InsufficientPoints, InvalidField, ResourceNotFound, ServerBusy
from exchange.serving.errors import DOMAIN, STATUS_CODES, fault_status, status_of
from exchange.v1.error_reason_pb2 import ErrorReason

REASONS = {name.removeprefix("ERROR_REASON_") for name, number in ErrorReason.items() if number}
DEFINITE_CATEGORIES = set(server.Category) - {
    server.Category.ABORTED,
    server.Category.LIMIT,
    server.Category.DEADLINE,
    server.Category.UNAVAILABLE,
}


def test_every_reason_has_its_exception() -> None:
    """After a change of error_reason.proto: python docs/catalogue.py write."""
    assert BY_REASON.keys() == REASONS
    assert all(reason == kind.FOR for reason, kind in BY_REASON.items())


@pytest.mark.parametrize(
    "refusal", [kind for kind in server.Refusal.__subclasses__() if kind is not server.StoredRefusal]
)
def test_client_and_server_agree_on_what_decides(refusal: type[server.Refusal]) -> None:
    """By the category, which gives the status."""
    kind = BY_REASON[refusal.reason]

    assert issubclass(kind, Definite) == (refusal.category in DEFINITE_CATEGORIES)
    assert issubclass(kind, Undecided) != issubclass(kind, Definite)


def test_a_refusal_brings_its_data() -> None:
    """Texts as texts, figures as figures."""
    status = status_of(server.InsufficientPoints(currency="currencies/TEL", available=3, requested=5))

    told = refused(told_in(status), "k1")

    assert isinstance(told, InsufficientPoints)
    assert (told.currency, told.available, told.requested) == ("currencies/TEL", 3, 5)
    assert (told.code, told.request_id, told.retry_after) == (grpc.StatusCode.FAILED_PRECONDITION, "k1", None)


def test_a_refusal_names_the_fields_to_blame() -> None:
    """All of them, with what is wrong."""
    told = refused(told_in(status_of(server.InvalidField({"points.units": "is -5", "request_id": "is required"}))))

    assert isinstance(told, InvalidField)
    assert told.fields == {"points.units": "is -5", "request_id": "is required"}


def test_a_refusal_says_how_long_to_wait() -> None:
    """From RetryInfo."""
    told = refused(told_in(status_of(server.ServerBusy(limit=7))))

    assert isinstance(told, ServerBusy)
    assert (told.limit, told.retry_after) == (7, 0.1)


def test_a_fault_of_the_servers_decides_nothing() -> None:
    """It may have come after the commit."""
    assert isinstance(refused(told_in(fault_status("x1"))), Undecided)


def test_a_reason_nobody_knows_yet_keeps_its_data() -> None:
    """A server may be newer than its client."""
    told = refused(Told(grpc.StatusCode.FAILED_PRECONDITION, "", "MOON_TOO_FULL", {"moon": "full"}))

    assert type(told) is Definite
    assert (told.reason, told.metadata) == ("MOON_TOO_FULL", {"moon": "full"})


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.UNKNOWN]
)
def test_what_the_exchange_did_not_say_decides_nothing(code: grpc.StatusCode) -> None:
    """A proxy on the way knows nothing of what was done behind it."""
    told = refused(told_in(Status(code=code.value[0], message="denied by mesh")))

    assert type(told) is Undecided
    assert told.reason == code.name


def test_data_of_another_shape_do_no_harm() -> None:
    """A figure that is none is left out; the metadata have it as it came."""
    told = refused(Told(grpc.StatusCode.NOT_FOUND, "", "RESOURCE_NOT_FOUND", {"field": "member"}))
    odd = refused(Told(grpc.StatusCode.FAILED_PRECONDITION, "", "INSUFFICIENT_POINTS", {"available": "many"}))

    assert isinstance(told, ResourceNotFound)
    assert (told.field, told.resource) == ("member", "")
    assert not hasattr(odd, "available")
    assert odd.metadata == {"available": "many"}


def test_client_and_server_mean_the_same_domain() -> None:
    """Otherwise no reason would be heard."""
    assert CLIENT_DOMAIN == DOMAIN
    assert set(STATUS_CODES.values())
