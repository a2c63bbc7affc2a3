"""Starting, health, reflection, draining and stopping."""

import asyncio
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]  # ships without type information
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc  # type: ignore[import-untyped]

from exchange.config import SettingsRefused
from exchange.v1.transfer_service_pb2 import ConvertPointsRequest
from tests.integration.serving.probe import SERVICE, Answer, Client, Probe, a_channel, a_probe, a_server, refusal_of

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
A_REQUEST = ConvertPointsRequest(request_id="r1")


async def state_of(channel: grpc.aio.Channel, service: str) -> int:
    """What the health service says now."""
    answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service))
    return int(answer.status)


def watch(channel: grpc.aio.Channel, service: str) -> Any:
    """A stream of what the health service says."""
    return health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=service))


@pytest.mark.parametrize("service", ["", SERVICE])
async def test_health_is_told_to_anybody_for_the_server_and_each_service(service: str) -> None:
    """A load balancer has no key."""
    async with a_probe(authorization=None) as (client, _):
        assert await state_of(client.channel, service) == SERVING


async def test_health_of_a_service_not_served_is_not_found() -> None:
    """The protocol of health checking says so."""
    async with a_probe() as (client, _):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await state_of(client.channel, "nobody.v1.Knows")

    assert Answer(raised.value).code is grpc.StatusCode.NOT_FOUND


async def test_health_is_told_while_the_server_is_full() -> None:
    """A full server is a healthy one: taking it out of service would fill the others."""
    probe = Probe()
    async with a_probe(probe, admission_max=1) as (client, _):
        waiting = client.call("Wait")
        await probe.entered.wait()

        assert await state_of(client.channel, SERVICE) == SERVING
        probe.go_on.set()
        await waiting


async def test_every_watcher_hears_of_a_change_whoever_left_before() -> None:
    """Watchers of one service are told apart."""
    async with a_probe() as (client, server):
        leaving, staying = watch(client.channel, SERVICE), watch(client.channel, SERVICE)
        first = [(await stream.read()).status for stream in (leaving, staying)]
        leaving.cancel()
        await state_of(client.channel, "")

        server.refuse_new()

        assert first == [SERVING, SERVING]
        assert (await staying.read()).status == NOT_SERVING


async def test_a_watcher_of_an_unknown_service_is_told_so() -> None:
    """A watcher may come before the service does."""
    async with a_probe() as (client, _):
        assert (await watch(client.channel, "nobody.v1.Knows").read()).status == SERVICE_UNKNOWN


async def services_listed(channel: grpc.aio.Channel) -> list[str]:
    """What reflection says is served."""
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    stream = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([request]))
    answer = await stream.read()
    return [service.name for service in answer.list_services_response.service]


async def test_reflection_lists_services_when_it_is_switched_on() -> None:
    """Command line clients find their way without our proto files."""
    async with a_probe(authorization=None, reflection=True) as (client, _):
        listed = await services_listed(client.channel)

    assert SERVICE in listed
    assert "grpc.health.v1.Health" in listed


async def test_reflection_does_not_exist_unless_it_is_switched_on() -> None:
    """What is served is nobody's business by default."""
    async with a_probe(authorization=None) as (client, _):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await services_listed(client.channel)

    assert Answer(raised.value).reason == "UNKNOWN_METHOD"


async def test_a_draining_server_refuses_new_calls_and_finishes_those_under_way() -> None:
    """Health says so first; what was taken is answered."""
    probe = Probe()
    async with a_probe(probe) as (client, server):
        under_way = client.call("Wait", A_REQUEST)
        await probe.entered.wait()

        server.refuse_new()

        assert await state_of(client.channel, "") == NOT_SERVING
        refusal = await client.refused("Echo")
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
        probe.go_on.set()
        assert await under_way == A_REQUEST


async def test_stopping_waits_for_calls_under_way() -> None:
    """The drain ends after the last answer."""
    probe = Probe()
    async with a_server(probe) as (server, port, _), a_channel(port) as channel:
        under_way = Client(channel).call("Wait", A_REQUEST)
        await probe.entered.wait()

        draining = asyncio.create_task(server.drain())
        await asyncio.sleep(0.1)
        still_waiting = not draining.done()
        probe.go_on.set()
        await draining

        assert still_waiting
        assert await under_way == A_REQUEST


async def test_stopping_does_not_wait_for_ever() -> None:
    """After the time to drain, what is left is cancelled, and can clean up."""
    probe = Probe()
    async with a_server(probe, drain_seconds=0.2) as (server, port, _), a_channel(port) as channel:
        under_way = Client(channel).call("Wait", A_REQUEST)
        await probe.entered.wait()

        await server.drain()
        refusal = await refusal_of(under_way)

    assert refusal.code in {grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE}
    await probe.cleaned_up.wait()


async def test_stopping_ends_streams_in_words() -> None:
    """A stream would last for ever: its caller is told to go on with another server."""
    probe = Probe()
    async with a_server(probe, drain_seconds=60) as (server, port, _), a_channel(port) as channel:
        stream = Client(channel).stream("Follow", A_REQUEST)
        await stream.read()
        watching = watch(channel, "")
        await watching.read()

        await server.drain()
        refusal = await refusal_of(stream.read())
        heard = (await watching.read()).status

    assert heard == NOT_SERVING
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
    assert probe.cleaned_up.is_set()


async def test_a_port_in_use_is_refused() -> None:
    """By default gRPC would let both servers answer, each a part of the calls."""
    async with a_server() as (_, port, _):
        with pytest.raises(SettingsRefused, match=f"127.0.0.1:{port}: the port is in use"):
            async with a_server(port=port):
                pass
