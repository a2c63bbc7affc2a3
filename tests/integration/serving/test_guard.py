"""What the guard lets through and what it refuses, on a real server."""

import asyncio
import contextlib
import time
from collections import Counter
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2  # type: ignore[import-untyped]  # ships without type information

from exchange.serving.errors import DOMAIN
from exchange.v1.transfer_service_pb2 import ConvertPointsRequest
from exchange.v1.types_pb2 import PointsAmount
from tests.integration.serving.probe import SERVICE, Client, Keys, Probe, a_channel, a_probe, a_server, refusal_of

A_CONVERSION = ConvertPointsRequest(request_id="r1", source=PointsAmount(currency="currencies/TEL", units=5))


async def test_a_call_in_order_is_answered() -> None:
    """The guard changes nothing about a good call."""
    async with a_probe() as (client, _):
        answer = await client.call("Echo", A_CONVERSION)

    assert answer == A_CONVERSION


async def test_a_method_knows_its_caller_even_in_tasks_it_begins() -> None:
    """Work is handed to tasks, and the identity goes with it."""
    async with a_probe() as (client, _):
        answer = await client.call("Whoami")

    assert answer.reference == "apiKeys/1"


async def test_a_key_known_already_is_not_looked_up() -> None:
    """The fast way in asks nobody; the other one asks each time."""
    keys = Keys(warm=["merchant-key"])
    async with a_server(keys=keys) as (_, port, _), a_channel(port) as channel:
        await Client(channel, "Bearer merchant-key").call("Echo")
        await Client(channel, "Bearer auditor-key").call("Echo")

    assert keys.lookups == 1


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_of_a_credential_is_read_in_any_case(scheme: str) -> None:
    """HTTP does not tell upper from lower case in an authorization scheme."""
    async with a_probe(authorization=f"{scheme} merchant-key") as (client, _):
        answer = await client.call("Whoami")

    assert answer.reference == "apiKeys/1"


async def test_a_call_without_credential_is_refused() -> None:
    """Every method of ours wants to know who asks."""
    async with a_probe(authorization=None) as (client, _):
        refusal = await client.refused("Echo")

    assert (refusal.code, refusal.reason, refusal.domain) == (
        grpc.StatusCode.UNAUTHENTICATED,
        "CREDENTIAL_MISSING",
        DOMAIN,
    )


@pytest.mark.parametrize(
    "authorization", ["Bearer nobody", "Bearer ", "Basic bWVyY2hhbnQ6a2V5", "Bearer " + "k" * 5_000]
)
async def test_a_credential_nobody_has_is_refused(authorization: str) -> None:
    """Unknown, empty, of another scheme or far too long: the answer does not tell which."""
    async with a_probe(authorization=authorization) as (client, _):
        refusal = await client.refused("Echo")

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAUTHENTICATED, "CREDENTIAL_UNKNOWN")


async def test_a_caller_of_another_kind_is_refused() -> None:
    """The refusal names the method and the caller's kind."""
    async with a_probe(authorization="Bearer auditor-key") as (client, _):
        refusal = await client.refused("MerchantsOnly")

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.PERMISSION_DENIED, "METHOD_NOT_ALLOWED")
    assert refusal.metadata == {"method": "/probe.v1.Probe/MerchantsOnly", "caller_role": "AUDITOR"}


async def test_a_method_without_a_row_in_the_table_is_refused_to_everybody() -> None:
    """Deny by default: forgetting a row opens nothing."""
    async with a_probe() as (client, _):
        refusal = await client.refused("NoRow")

    assert refusal.reason == "METHOD_NOT_ALLOWED"


async def test_a_refusal_arrives_with_its_data() -> None:
    """Exactly one ErrorInfo, with reason, domain and metadata."""
    async with a_probe() as (client, _):
        refusal = await client.refused("Refuse")

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "INSUFFICIENT_POINTS")
    assert refusal.metadata == {"currency": "currencies/TEL", "available": "3", "requested": "5"}
    assert refusal.text == "Too few points: available 3, currency currencies/TEL, requested 5"


async def test_a_lost_database_is_unavailable_and_may_be_retried() -> None:
    """The one status a client may repeat blindly, with a delay; the driver's text stays here."""
    async with a_probe() as (client, _):
        refusal = await client.refused("LoseTheDatabase")

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE")
    assert refusal.detail(error_details_pb2.RetryInfo).retry_delay.seconds == 1


async def test_a_full_server_refuses_at_once_and_serves_again_when_there_is_room() -> None:
    """One place: the second call is refused while the first is under way, and taken afterwards."""
    probe = Probe()
    async with a_probe(probe, admission_max=1) as (client, _):
        first = client.call("Wait", A_CONVERSION)
        await probe.entered.wait()

        refusal = await client.refused("Echo")
        probe.go_on.set()

        assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "SERVER_BUSY")
        assert refusal.metadata == {"limit": "1"}
        assert refusal.detail(error_details_pb2.RetryInfo).retry_delay.nanos == 100_000_000
        # For gRPC libraries that repeat by themselves and read no details.
        assert refusal.trailer["grpc-retry-pushback-ms"] == "100"
        assert await first == A_CONVERSION
        assert await client.call("Echo", A_CONVERSION) == A_CONVERSION


async def test_a_server_far_behind_refuses_in_words_whatever_it_does_not_do() -> None:
    """Thousands of calls arrive while it is busy: each is answered or told SERVER_BUSY, none just ends."""
    async with a_server(admission_max=10) as (_, port, _), contextlib.AsyncExitStack() as stack:
        calls = []
        for _ in range(30):
            options = (("grpc.use_local_subchannel_pool", 1),)
            channel = stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{port}", options=options))
            echo: Any = channel.unary_unary(f"/{SERVICE}/Echo")
            metadata = (("authorization", "Bearer merchant-key"),)
            calls += [echo.future(A_CONVERSION.SerializeToString(), metadata=metadata) for _ in range(90)]
        # Nobody takes a call meanwhile: this is the server's loop too.
        time.sleep(1.0)

        codes = await asyncio.to_thread(lambda: Counter(call.code() for call in calls))

    assert codes.keys() <= {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert codes.total() == len(calls)


@pytest.mark.parametrize("method", ["Refuse", "Crash", "CancelItself", "AnswerNonsense", "NoRow"])
async def test_a_call_that_fails_gives_its_place_back(method: str) -> None:
    """Otherwise a server would fill up with the ghosts of failed calls."""
    async with a_probe(admission_max=1) as (client, server):
        await client.refused(method)

        assert server.guard.calls_in_flight == 0
        assert await client.call("Echo", A_CONVERSION) == A_CONVERSION


async def test_a_call_that_takes_too_long_is_ended() -> None:
    """The client set no deadline; the server has one for every call, and the method can clean up."""
    probe = Probe()
    async with a_probe(probe, deadline_seconds_max=0.1) as (client, _):
        refusal = await client.refused("Wait")

        assert (refusal.code, refusal.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_PASSED")
        assert probe.cleaned_up.is_set()


async def test_a_cancelled_call_is_cancelled_on_the_server_too() -> None:
    """The method sees the cancellation, and its place is free again."""
    probe = Probe()
    async with a_probe(probe) as (client, server):
        call = client.call("Wait")
        await probe.entered.wait()

        call.cancel()
        await probe.cleaned_up.wait()
        await asyncio.sleep(0)

        assert server.guard.calls_in_flight == 0
        assert await client.call("Echo", A_CONVERSION) == A_CONVERSION


async def test_a_client_deadline_ends_the_method() -> None:
    """The client is told DEADLINE_EXCEEDED by its own library; the method is cancelled."""
    probe = Probe()
    async with a_probe(probe) as (client, _):
        refusal = await client.refused("Wait", timeout=0.2)
        await probe.cleaned_up.wait()

    assert refusal.code is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_stream_of_answers_arrives_whole_and_in_order() -> None:
    """The guard writes what the method yields."""
    async with a_probe() as (client, _):
        answers = [
            answer.source.units
            async for answer in client.stream("Count", ConvertPointsRequest(source=PointsAmount(units=4)))
        ]

    assert answers == [0, 1, 2, 3]


async def test_streams_have_places_of_their_own() -> None:
    """Open streams take no place from calls, and one stream too many is refused."""
    probe = Probe()
    async with a_probe(probe, admission_max=1, streams_max=1) as (client, _):
        open_stream = client.stream("Follow", A_CONVERSION)
        await probe.entered.wait()

        assert await client.call("Echo", A_CONVERSION) == A_CONVERSION
        refusal = await refusal_of(client.stream("Follow", A_CONVERSION).read())
        assert refusal.reason == "SERVER_BUSY"

        open_stream.cancel()
        await probe.cleaned_up.wait()


@pytest.mark.parametrize("authorization", [None, "Bearer nobody"])
async def test_streams_want_a_credential_too(authorization: str | None) -> None:
    """A stream is a call like any other."""
    async with a_probe(authorization=authorization) as (client, _):
        refusal = await refusal_of(client.stream("Count", A_CONVERSION).read())

    assert refusal.code is grpc.StatusCode.UNAUTHENTICATED


async def test_calls_are_counted_by_method_and_code() -> None:
    """What Prometheus reads: how many calls ended how, and how long they took."""
    async with a_probe() as (client, server):
        await client.call("Echo")
        await client.call("Echo")
        await client.refused("Refuse")

        samples = {
            (sample.name, sample.labels.get("method"), sample.labels.get("code")): sample.value
            for metric in server.guard.meter.collect()
            for sample in metric.samples
            if sample.labels.get("le") in {None, "+Inf"}
        }

    assert samples["exchange_calls_total", "/probe.v1.Probe/Echo", "OK"] == 2
    assert samples["exchange_calls_total", "/probe.v1.Probe/Refuse", "FAILED_PRECONDITION"] == 1
    assert samples["exchange_call_seconds_bucket", "/probe.v1.Probe/Echo", None] == 2
