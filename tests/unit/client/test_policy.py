"""What kind of call each method is, the published retry policy, and keys."""

from __future__ import annotations

import json
from typing import Any

import pytest

from docs.client_reference import retry_policy, services
from exchange.client.keys import give_key
from exchange.client.policy import Kind, deadlines_of, kind_of
from exchange.config import Settings
from exchange.serving.permissions import PERMISSIONS
from exchange.v1 import transfer_service_pb2 as pb

METHODS = {f"/{service.full_name}/{method.name}": method for service in services() for method in service.methods}
KINDS = {name: kind_of(method) for name, method in METHODS.items()}
SERVER_SECONDS_MAX = Settings.model_fields["deadline_seconds_max"].default


def test_every_method_of_the_exchange_has_a_kind() -> None:
    """The list is that of the permissions, so none is missing."""
    assert KINDS.keys() >= PERMISSIONS.keys()


def test_movements_are_the_requests_with_a_key() -> None:
    """Each item of a batch has one too; asking what became of a key is a reading."""
    item: Any = pb.TransferItem.DESCRIPTOR
    movements = {
        f"{field.message_type.name.removesuffix('Request')}" for field in item.oneofs_by_name["request"].fields
    }

    found = {name.rpartition("/")[2] for name, kind in KINDS.items() if kind is Kind.MOVEMENT}

    assert found >= movements | {"BatchTransfer"}
    assert KINDS["/exchange.v1.TransferService/LookupTransfer"] is Kind.READING
    assert KINDS["/exchange.v1.TransferService/StreamTransfers"] is Kind.STREAM
    assert KINDS["/exchange.v1.DirectoryService/CreateMerchant"] is Kind.CHANGE


def test_every_method_but_a_stream_has_a_deadline_the_server_keeps() -> None:
    """One attempt takes no longer than the server gives it, and all no less than one."""
    for name, method in METHODS.items():
        deadlines = deadlines_of(method)

        assert (deadlines is None) == (KINDS[name] is Kind.STREAM)
        assert deadlines is None or 0 < deadlines.attempt <= SERVER_SECONDS_MAX
        assert deadlines is None or deadlines.attempt < deadlines.whole


def test_the_published_policy_names_every_method_that_may_be_repeated_once() -> None:
    """And no other; a change only for what says that nothing was begun."""
    policies = json.loads(retry_policy())["methodConfig"]
    named = [
        (f"/{one['service']}/{one['method']}", policy["retryPolicy"]) for policy in policies for one in policy["name"]
    ]

    assert len(named) == len(dict(named)) == len([kind for kind in KINDS.values() if kind is not Kind.STREAM])
    for name, policy in named:
        expected = {"RESOURCE_EXHAUSTED"}
        if KINDS[name] is not Kind.CHANGE:
            expected |= {"UNAVAILABLE", "DEADLINE_EXCEEDED"}
        assert set(policy["retryableStatusCodes"]) == expected


def test_a_request_gets_its_key_once() -> None:
    """And keeps its own."""
    request, keyed = pb.EarnPointsRequest(), pb.EarnPointsRequest(request_id="mine")

    assert give_key(request) == request.request_id == give_key(request) != ""
    assert give_key(keyed) == keyed.request_id == "mine"


@pytest.mark.parametrize("count", [0, 3])
def test_each_item_of_a_batch_gets_a_key_of_its_own(count: int) -> None:
    """Of any kind; an empty item is the server's to refuse."""
    items = [pb.TransferItem(earn=pb.EarnPointsRequest()) for _ in range(count)]
    request = pb.BatchTransferRequest(items=[*items, pb.TransferItem()])

    give_key(request)

    assert len({item.earn.request_id for item in request.items[:count]} - {""}) == count
    assert request.items[count].WhichOneof("request") is None


def test_an_item_of_a_stream_gets_its_key() -> None:
    """As if it were asked for by itself."""
    request = pb.StreamTransfersRequest(item=pb.TransferItem(redeem=pb.RedeemPointsRequest()))

    assert give_key(request) == request.item.redeem.request_id != ""
