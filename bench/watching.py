"""`python -m bench.watching`: what watching events costs whoever posts, and how far behind a watcher is.

One server process, one PostgreSQL with full durability. Batches of conversions are posted as fast as they are answered:
alone, beside a watcher that reads everything, and beside a hundred that read nothing. Rounds are interleaved, and each
ratio is taken within its round. The client is one Python process: its own work is part of every figure.
"""

import argparse
import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from grpc import aio
from rich.console import Console
from rich.table import Table

from bench import databases, machine, world
from bench.processes import environment, exchange_command, exchange_server
from bench.requests import converts
from bench.results import Figure
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


_ALONE, _WATCHED, _SLOWLY = "nobody watches", "one reads everything", f"{_SLOW} read nothing"
_RESULTS = Path(__file__).parent / "results"
_RATIO_WANTED = 0.9


@dataclass
class Case:
    """What was measured under one condition.

    Attributes:
        rates: transfers a second, by round.
        lags_ms: how old the last event of each message was when it came.
        lags_events: how many transfers had been answered by then that it had not been told of.
    """

    rates: list[float] = field(default_factory=list)
    lags_ms: list[float] = field(default_factory=list)
    lags_events: list[int] = field(default_factory=list)


@dataclass
class Answered:
    """Transfers that posters were told of."""

    transfers: int = 0


def _metadata(secret: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {secret}"),)


async def _post(address: str, party: world.Party, until: float, answered: Answered) -> int:
    """Post batches one after the other until then; how many transfers were made."""
    made = 0
    async with aio.insecure_channel(address, options=_OWN) as channel:
        stub: Any = Stubs(channel).transfers
        while time.monotonic() < until:
            asked = [pb.ConvertPointsRequest.FromString(body) for body in converts(party, _IN_BATCH)]
            batch = pb.BatchTransferRequest(items=[pb.TransferItem(convert=one) for one in asked])
            answer = await stub.BatchTransfer(batch, metadata=_metadata(party.secret), timeout=30)
            done = sum(not result.status.code for result in answer.results)
            answered.transfers += done
            made += done
    return made


async def _measure(address: str, parties: list[world.Party], seconds: float, answered: Answered) -> float:
    """Transfers a second."""
    began = time.monotonic()
    posting = (_post(address, parties[place % len(parties)], began + seconds, answered) for place in range(_POSTERS))
    made = sum(await asyncio.gather(*posting))
    return made / (time.monotonic() - began)


@contextlib.asynccontextmanager
async def _a_reader(address: str, secret: str, case: Case, answered: Answered) -> AsyncIterator[None]:
    """A watcher who sees everything and notes how far behind each message's last event is when it comes."""
    before, seen = answered.transfers, 0

    async def read(messages: AsyncIterator[Any]) -> None:
        nonlocal seen
        async for answer in messages:
            now = time.time()
            seen += len(answer.events)
            for event in answer.events[-1:]:
                case.lags_ms.append((now - event.event_time.ToMicroseconds() / 1e6) * _MILLIS)
                case.lags_events.append(max(answered.transfers - before - seen, 0))

    async with aio.insecure_channel(address, options=_OWN) as channel:
        stub: Any = Stubs(channel).events
        call = stub.WatchEvents(events.WatchEventsRequest(from_now=True), metadata=_metadata(secret))
        messages = aiter(call)
        # The first comes at once: from then on nothing that is posted is missed.
        await anext(messages)
        reading = asyncio.create_task(read(messages))
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
    parties, address, answered = await world.build(port, secret, members_each=200), f"127.0.0.1:{port}", Answered()
    cases = {name: Case() for name in (_ALONE, _WATCHED, _SLOWLY)}
    await _measure(address, parties, seconds, answered)
    for _ in range(rounds):
        cases[_ALONE].rates.append(await _measure(address, parties, seconds, answered))
        watched = cases[_WATCHED]
        async with _a_reader(address, secret, watched, answered):
            watched.rates.append(await _measure(address, parties, seconds, answered))
        async with _sleepers(address, parties):
            # Until they have been told as much as they take, they cost what readers cost.
            await _measure(address, parties, seconds, answered)
            cases[_SLOWLY].rates.append(await _measure(address, parties, seconds, answered))
    return cases


def figures(cases: Mapping[str, Case]) -> list[dict[str, Any]]:
    """Rates, ratios to the same round's posting alone, and lags at p50 and p99, for each condition."""
    alone = cases[_ALONE].rates
    return [
        {
            "condition": name,
            "transfers_per_second": asdict(Figure.of(case.rates)),
            "beside_alone": asdict(Figure.of([ours / theirs for ours, theirs in zip(case.rates, alone, strict=True)])),
            "lag_ms": _quantiles(case.lags_ms),
            "lag_events": _quantiles(case.lags_events),
        }
        for name, case in cases.items()
    ]


def _quantiles(lags: Sequence[float]) -> dict[str, float]:
    """p50 and p99; nothing of nothing."""
    ordered = sorted(lags)
    return {f"p{share}": ordered[len(ordered) * share // 100] for share in (50, 99)} if ordered else {}


def _show(rows: Sequence[Mapping[str, Any]]) -> None:
    table = Table(title="Posting beside watchers; a ratio is taken within each round")
    table.add_column("", no_wrap=True)
    for heading in (
        "transfers/s",
        "ratio",
        "least to greatest",
        "lag p50 ms",
        "p99 ms",
        "lag p50 events",
        "p99 events",
    ):
        table.add_column(heading, justify="right")
    for row in rows:
        ratio = row["beside_alone"]
        lags = [row[unit].get(share) for unit in ("lag_ms", "lag_events") for share in ("p50", "p99")]
        table.add_row(
            row["condition"],
            f"{row['transfers_per_second']['median']:,.0f}",
            f"{ratio['median']:.2f}",
            f"{ratio['least']:.2f} to {ratio['greatest']:.2f}",
            *("" if lag is None else f"{lag:,.0f}" for lag in lags),
        )
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, 150)
    console.print(table)
    slow = rows[-1]["beside_alone"]["median"]
    verdict = "[green]met[/]" if slow >= _RATIO_WANTED else "[red]missed[/]"
    console.print(f"Posting beside {_SLOW} slow watchers / alone: {slow:.2f}, wanted ≥ {_RATIO_WANTED}: {verdict}")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.watching", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--output", type=Path, default=_RESULTS / "watching.json", help="where the JSON goes")
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
    rows = figures(cases)
    _show(rows)
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    document = {"machine": machine.description(), "postgres": postgres.settings, "conditions": rows}
    chosen.output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
