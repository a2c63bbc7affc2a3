"""`python -m bench.watching`: what watching events costs whoever posts, and how far behind a watcher is.

One server process, one PostgreSQL with full durability. Batches of conversions are posted as fast as they are answered:
alone, beside a watcher that reads everything, and beside a hundred that read nothing. Rounds are interleaved, so the
ratios hold on a busy machine too. The client is one Python process: its own work is part of every figure.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grpc import aio

from bench import databases, world
from bench.processes import environment, exchange_command, exchange_server
from bench.requests import converts
from exchange.client.caller import Stubs
from exchange.v1 import event_service_pb2 as events
from exchange.v1 import transfer_service_pb2 as pb

_IN_BATCH = 100
_POSTERS = 4
_SLOW = 100
_MILLIS = 1_000
# A client that reads nothing takes no more than this in advance.
_LITTLE = [("grpc.http2.lookahead_bytes", 65_536), ("grpc.http2.bdp_probe", 0), ("grpc.use_local_subchannel_pool", 1)]
_OWN = [("grpc.use_local_subchannel_pool", 1)]


@dataclass
class Case:
    """What was measured under one condition: transfers a second by round, and lags in milliseconds."""

    rates: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)


def _metadata(secret: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {secret}"),)


async def _post(address: str, party: world.Party, until: float) -> int:
    """Post batches one after the other until then; how many transfers were made."""
    made = 0
    async with aio.insecure_channel(address, options=_OWN) as channel:
        stub: Any = Stubs(channel).transfers
        while time.monotonic() < until:
            asked = [pb.ConvertPointsRequest.FromString(body) for body in converts(party, _IN_BATCH)]
            batch = pb.BatchTransferRequest(items=[pb.TransferItem(convert=one) for one in asked])
            answer = await stub.BatchTransfer(batch, metadata=_metadata(party.secret), timeout=30)
            made += sum(not result.status.code for result in answer.results)
    return made


async def _measure(address: str, parties: list[world.Party], seconds: float) -> float:
    """Transfers a second."""
    began = time.monotonic()
    posting = (_post(address, parties[place % len(parties)], began + seconds) for place in range(_POSTERS))
    made = sum(await asyncio.gather(*posting))
    return made / (time.monotonic() - began)


@contextlib.asynccontextmanager
async def _a_reader(address: str, secret: str, lags: list[float]) -> AsyncIterator[None]:
    """A watcher who sees everything and notes how old each message's last event is when it comes."""

    async def read(call: Any) -> None:
        async for answer in call:
            now = time.time()
            lags.extend((now - event.event_time.ToMicroseconds() / 1e6) * _MILLIS for event in answer.events[-1:])

    async with aio.insecure_channel(address, options=_OWN) as channel:
        stub: Any = Stubs(channel).events
        call = stub.WatchEvents(events.WatchEventsRequest(from_now=True), metadata=_metadata(secret))
        reading = asyncio.create_task(read(call))
        try:
            yield
        finally:
            reading.cancel()
            call.cancel()


@contextlib.asynccontextmanager
async def _sleepers(address: str, parties: list[world.Party]) -> AsyncIterator[None]:
    """A hundred watchers, each on a connection of its own, who read their first message and then nothing."""
    async with contextlib.AsyncExitStack() as stack:
        for place in range(_SLOW):
            channel = await stack.enter_async_context(aio.insecure_channel(address, options=_LITTLE))
            stub: Any = Stubs(channel).events
            secret = parties[place % len(parties)].secret
            call = stub.WatchEvents(events.WatchEventsRequest(from_now=True), metadata=_metadata(secret))
            stack.callback(call.cancel)
            await anext(aiter(call))
        yield


async def _rounds(port: int, secret: str, rounds: int, seconds: float) -> dict[str, Case]:
    parties, address = await world.build(port, secret, members_each=200), f"127.0.0.1:{port}"
    alone, watched, slow = Case(), Case(), Case()
    await _measure(address, parties, seconds)
    for _ in range(rounds):
        alone.rates.append(await _measure(address, parties, seconds))
        async with _a_reader(address, secret, watched.lags):
            watched.rates.append(await _measure(address, parties, seconds))
        async with _sleepers(address, parties):
            # Until they have been told as much as they take, they cost what readers cost.
            await _measure(address, parties, seconds)
            slow.rates.append(await _measure(address, parties, seconds))
    return {"nobody watches": alone, "one reads everything": watched, f"{_SLOW} read nothing": slow}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.watching", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="exchange-bench-logs-") as logs, databases.durable_postgres() as postgres:
        environ = environment(
            database_url=postgres.exchange, host="127.0.0.1", port="0", log_level="warning", publish_alone="always"
        )
        exchange_command("migrate", "--operator", world.OPERATOR, "--time-zone", world.TIME_ZONE, environ=environ)
        issued = exchange_command("keys", "issue", "--role", "operator", "--json", environ=environ)
        with exchange_server(environ, log=Path(logs) / "exchange.log") as server:
            secret = json.loads(issued)["secret"]
            cases = asyncio.run(_rounds(server.port, secret, chosen.rounds, chosen.seconds))
    base = statistics.median(next(iter(cases.values())).rates)
    print(f"{'':<24}{'transfers/s':>12}{'ratio':>8}{'lag p50 ms':>12}{'p99 ms':>8}")
    for name, case in cases.items():
        rate = statistics.median(case.rates)
        lags = sorted(case.lags)
        told = f"{lags[len(lags) // 2]:>12.0f}{lags[len(lags) * 99 // 100]:>8.0f}" if lags else ""
        print(f"{name:<24}{rate:>12.0f}{rate / base:>8.2f}{told}")


if __name__ == "__main__":
    main()
