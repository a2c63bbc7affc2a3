"""`python -m bench.watching`: what watching and reading cost whoever posts, and how long they take meanwhile.

How far behind is a watcher, and how long does a read take, at full posting speed? One server process, one PostgreSQL
with full durability. Batches of conversions are posted as fast as they are answered: alone, beside a watcher that reads
everything, beside reads of balances and statements, and beside a hundred watchers that read nothing. Rounds are
interleaved, and each ratio is taken within its round. Who posts and who reads are processes of their own, on the
machine that serves.
"""

import argparse
import asyncio
import contextlib
import json
import tempfile
import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from grpc import aio
from rich.console import Console
from rich.table import Table

from bench import databases, judged, machine, world
from bench.aside import aside, begun, stopped_at_last
from bench.judged import Judged
from bench.posters import Call, done_within, posting
from bench.processes import environment, exchange_command, exchange_server
from bench.readers import PER_SECOND, reading
from bench.results import Figure
from exchange.client.caller import Stubs
from exchange.v1 import event_service_pb2 as events

_IN_BATCH = 100
_POSTERS = 20
_SLOW = 100
_MILLIS = 1_000
# A client that reads nothing takes no more than this in advance.
_LITTLE = [("grpc.http2.lookahead_bytes", 65_536), ("grpc.http2.bdp_probe", 0), ("grpc.use_local_subchannel_pool", 1)]
_ALONE, _WATCHED, _SLOWLY = "nobody watches", "one reads everything", f"{_SLOW} read nothing"
_ASKED = f"{PER_SECOND} balances and statements a second"
_RESULTS = Path(__file__).parent / "results"
_RATIO_WANTED = 0.9


@dataclass
class Case:
    """What was measured under one condition.

    Attributes:
        rates: transfers a second, by round.
        lags_ms: how old the last event of each message was when it came.
        lags_events: how many transfers had been answered by then that it had not been told of.
        reads_ms: how long reads took.
        quiet_reads_ms: the same reads while nobody posted.
    """

    rates: list[float] = field(default_factory=list)
    lags_ms: list[float] = field(default_factory=list)
    lags_events: list[int] = field(default_factory=list)
    reads_ms: list[float] = field(default_factory=list)
    quiet_reads_ms: list[float] = field(default_factory=list)


class Seen(NamedTuple):
    """A message that came: when, by time.monotonic; how old its last event was; how many there had been with it."""

    at: float
    lag_ms: float
    events: int


def behind(calls: Sequence[Call], seen: Sequence[Seen]) -> list[int]:
    """How many transfers had been answered when each message came that neither it nor one before it told of."""
    ended = [call.ended for call in calls]
    answered = list(accumulate((call.done for call in calls), initial=0))
    return [max(answered[bisect_right(ended, one.at)] - one.events, 0) for one in seen]


def _metadata(secret: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {secret}"),)


async def _measure(port: int, parties: list[world.Party], seconds: float, case: Case) -> list[Call]:
    """Note the transfers a second; every call, for whoever wants to know how far behind a watcher was."""
    async with posting(port, parties, at_once=_POSTERS, in_batch=_IN_BATCH) as posters:
        begins = time.monotonic()
        await asyncio.sleep(seconds)
        ends = time.monotonic()
        calls = await posters.ended()
    case.rates.append(done_within(calls, begins, ends) / (ends - begins))
    return calls


async def _read(port: int, secret: str) -> list[Seen]:
    """Read everything, from now on, until told to stop."""
    seen: list[Seen] = []

    async def read(messages: AsyncIterator[Any]) -> None:
        events_seen = 0
        async for answer in messages:
            now, at = time.time(), time.monotonic()
            events_seen += len(answer.events)
            if answer.events:
                happened = answer.events[-1].event_time.ToMicroseconds() / 1e6
                seen.append(Seen(at, (now - happened) * _MILLIS, events_seen))

    async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub: Any = Stubs(channel).events
        call = stub.WatchEvents(events.WatchEventsRequest(from_now=True), metadata=_metadata(secret))
        messages = aiter(call)
        # The first comes at once: from then on nothing that is posted is missed.
        await anext(messages)
        begun()
        taking, stopping = asyncio.create_task(read(messages)), asyncio.create_task(stopped_at_last())
        await asyncio.wait((taking, stopping), return_when=asyncio.FIRST_COMPLETED)
        if taking.done():
            await taking
        taking.cancel()
        call.cancel()
    return seen


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


async def measured(port: int, secret: str, rounds: int, seconds: float) -> dict[str, Case]:
    """Build the coalition on an empty server, and post under each condition once a round.

    Args:
        port: of the server.
        secret: of an operator's key.
        rounds: how many.
        seconds: of each posting.
    """
    parties = await world.build(port, secret, members_each=200)
    cases = {name: Case() for name in (_ALONE, _WATCHED, _ASKED, _SLOWLY)}
    await _measure(port, parties, seconds, Case())
    for _ in range(rounds):
        await _measure(port, parties, seconds, cases[_ALONE])
        watched = cases[_WATCHED]
        async with aside(_read, port, secret) as reader:
            calls = await _measure(port, parties, seconds, watched)
            seen = await reader.ended()
        watched.lags_ms += [one.lag_ms for one in seen]
        watched.lags_events += behind(calls, seen)
        asked = cases[_ASKED]
        async with reading(port, parties) as reads:
            await asyncio.sleep(seconds)
            asked.quiet_reads_ms += await reads.ended()
        async with reading(port, parties) as reads:
            await _measure(port, parties, seconds, asked)
            asked.reads_ms += await reads.ended()
        async with _sleepers(f"127.0.0.1:{port}", parties):
            # Until they have been told as much as they take, they cost what readers cost.
            await _measure(port, parties, seconds, Case())
            await _measure(port, parties, seconds, cases[_SLOWLY])
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
            "read_ms": _quantiles(case.reads_ms),
            "quiet_read_ms": _quantiles(case.quiet_reads_ms),
        }
        for name, case in cases.items()
    ]


def goals(rows: Sequence[Mapping[str, Any]]) -> list[Judged]:
    """Whoever posts is not harmed by those who do not read."""
    slow = Figure(**rows[-1]["beside_alone"])
    return [Judged(f"posting beside {_SLOW} slow watchers / alone", _RATIO_WANTED, slow, at_most=False)]


def _quantiles(lags: Sequence[float]) -> dict[str, float]:
    """p50 and p99; nothing of nothing."""
    ordered = sorted(lags)
    return {f"p{share}": ordered[len(ordered) * share // 100] for share in (50, 99)} if ordered else {}


def _show(rows: Sequence[Mapping[str, Any]]) -> None:
    table = Table(title="Posting beside watchers and readers; a ratio is taken within each round")
    table.add_column("", no_wrap=True)
    for heading in (
        "transfers/s",
        "ratio",
        "least to greatest",
        "lag p50 ms",
        "p99 ms",
        "lag p50 events",
        "p99 events",
        "read p50 ms",
        "p99 ms",
        "quiet p50 ms",
        "p99 ms",
    ):
        table.add_column(heading, justify="right")
    for row in rows:
        ratio = row["beside_alone"]
        told = [
            row[unit].get(share)
            for unit in ("lag_ms", "lag_events", "read_ms", "quiet_read_ms")
            for share in ("p50", "p99")
        ]
        table.add_row(
            row["condition"],
            f"{row['transfers_per_second']['median']:,.0f}",
            f"{ratio['median']:.2f}",
            f"{ratio['least']:.2f} to {ratio['greatest']:.2f}",
            *("" if each is None else f"{each:,.0f}" for each in told),
        )
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, 190)
    console.print(table)
    judged.show(console, goals(rows))


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
            cases = asyncio.run(measured(server.port, secret, chosen.rounds, chosen.seconds))
    rows = figures(cases)
    _show(rows)
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "machine": machine.description(),
        "postgres": postgres.settings,
        "goals": judged.written(goals(rows)),
        "conditions": rows,
    }
    chosen.output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
