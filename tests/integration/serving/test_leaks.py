"""Nothing internal reaches a caller: what went wrong stands in our log under the incident the caller can name."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
import structlog

from exchange.serving.telemetry import configure_logging
from exchange.v1.transfer_service_pb2 import ConvertPointsRequest
from exchange.v1.types_pb2 import PointsAmount
from tests.integration.serving.probe import SECRET, a_probe, refusal_of

FAULTS = ["Crash", "AnswerNonsense", "CancelItself"]


@pytest.fixture
def log_lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """What was logged as JSON since the test began."""
    root, handlers = logging.getLogger(), list(logging.getLogger().handlers)
    configure_logging("info")
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    structlog.reset_defaults()
    root.handlers = handlers


@pytest.mark.parametrize("method", FAULTS)
async def test_a_fault_is_told_as_an_incident_and_nothing_else(method: str) -> None:
    """An exception, a wrong answer, a cancellation of its own: INTERNAL at once, without a word about the inside."""
    async with a_probe() as (client, _):
        refusal = await client.refused(method)

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL_FAULT")
    assert set(refusal.metadata) == {"incident"}
    for inside in (SECRET, "hunter2", "RuntimeError", "Traceback", "Cancelled", "descriptor", ".py"):
        assert inside not in refusal.text
        assert inside.encode() not in refusal.raw


async def test_the_log_tells_what_happened_under_the_incident(log_lines: Any) -> None:
    """Whoever gets the incident id from a caller finds traceback, method and credential."""
    async with a_probe() as (client, _):
        refusal = await client.refused("Crash")

    faults = [line for line in log_lines() if line["event"] == "fault"]
    assert [fault["incident"] for fault in faults] == [refusal.metadata["incident"]]
    assert faults[0]["method"] == "/probe.v1.Probe/Crash"
    assert faults[0]["credential"] == "apiKeys/1"
    assert SECRET in faults[0]["exception"]


async def test_two_faults_are_two_incidents() -> None:
    """An id leads to one entry of the log."""
    async with a_probe() as (client, _):
        incidents = {(await client.refused("Crash")).metadata["incident"] for _ in range(2)}

    assert len(incidents) == 2


async def test_a_fault_in_the_middle_of_a_stream_leaks_nothing() -> None:
    """Answers that were given stand; then the stream ends as a fault of ours."""
    request = ConvertPointsRequest(source=PointsAmount(units=2), reference="crash")
    async with a_probe() as (client, _):
        stream = client.stream("Count", request)
        given: list[Any] = [await stream.read(), await stream.read()]
        refusal = await refusal_of(stream.read())

    assert [answer.source.units for answer in given] == [0, 1]
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL_FAULT")
    assert "hunter2" not in refusal.text


async def test_a_lost_database_leaks_nothing() -> None:
    """Drivers put addresses into their messages."""
    async with a_probe() as (client, _):
        refusal = await client.refused("LoseTheDatabase")

    assert "hunter2" not in refusal.text
    assert b"hunter2" not in refusal.raw
