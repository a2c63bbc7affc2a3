"""`python -m bench.growing`: what moving and reading points costs as the ledger grows.

A ledger of each size, all in one PostgreSQL, each with a server of its own; the exchange posts the first conversions
and they are repeated up to the size (`bench.seeding`). Then the ledgers take turns: every round measures the same work
on each of them, so that a slow minute of the machine slows all alike, and what is told beside a figure is its ratio to
the smallest ledger's. Bytes stand beside those of the hand-written tables of the yardsticks, which have the same rows
and no more.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn
from sqlalchemy.engine import make_url

from bench import growing_report, machine, requests, seeding
from bench.baselines import raw_sql
from bench.calls import BATCH, CONVERT, REDEEM, bulk, unary_sample
from bench.growing_report import MEASURES, Row
from bench.load.plan import Plan
from bench.processes import BenchFailed, exchange_command
from bench.rig import Rig, coalition, environ_of, rigged
from bench.samples import Sample, driven
from bench.world import Party
from exchange.v1 import member_service_pb2 as members
from exchange.v1 import transfer_service_pb2 as transfers

_RESULTS = Path(__file__).parent / "results"
_SIZES = (10_000, 1_000_000)
_FULL_SIZES = (10_000, 1_000_000, 10_000_000)
_ROUNDS = 3
_SECONDS = 2.0
_BATCH = 1_000
_BATCHES_AT_ONCE = 5
_POSTED = 5_000
_POST_SECONDS_MAX = 120.0
_READS_PER_SECOND = 100.0
_SUMS_PER_SECOND = 10.0
"""Of statements that add up a member's history first: a hundred of the longest would keep four cores busy."""
_BARE_SECONDS = 4.0
_MEMBERS = "/exchange.v1.MemberService/"
_TRANSFERS = "/exchange.v1.TransferService/"
# So few that even a member of the smallest ledger fills it: a page costs what it holds.
_PAGE = 2
_BYTES = """
SELECT sum(pg_total_relation_size(name::regclass) + coalesce((
    SELECT sum(pg_total_relation_size(part.relid)) FROM pg_partition_tree(name::regclass) AS part
    WHERE part.relid <> name::regclass), 0))::bigint
FROM unnest($1::text[]) AS name
"""
_OURS = ["exchange.transfers", "exchange.request_keys", "exchange.lots"]
_BARE = ["wide.transfers", "wide.request_keys", "wide.lots"]
_COUNT = "SELECT count(*) FROM exchange.transfers"


@dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger of one size: `rig` is everything that runs, with this ledger's server and merchants."""

    size: int
    rig: Rig
    bytes_each: float


def main() -> int:
    """Grow, measure, print, write. 1: calls failed, or an audit found something. 2: something does not run."""
    parser = argparse.ArgumentParser(prog="python -m bench.growing", description=__doc__)
    parser.add_argument("--full", action="store_const", dest="sizes", const=_FULL_SIZES, help="up to ten millions")
    parser.add_argument("--sizes", type=int, nargs="+", help="transfers in each ledger, the smallest first")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="how often everything is measured")
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="of each measurement")
    parser.add_argument("--audit", action="store_true", help="audit every ledger at the end")
    parser.add_argument("--output", type=Path, default=_RESULTS, help="folder for the JSON and the chart")
    parser.set_defaults(sizes=_SIZES)
    chosen = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        # As an exception, so that every server that was started is ended too.
        signal.signal(number, _leave)
    try:
        return _run(chosen)
    except BenchFailed as failed:
        print(failed, file=sys.stderr)
        return 2


def _leave(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def _run(chosen: argparse.Namespace) -> int:
    with _progress() as progress, rigged() as rig, contextlib.ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="exchange-bench-logs-")))
        smallest, *others = chosen.sizes
        ledgers = [_grown(rig, smallest, progress)]
        ledgers += [stack.enter_context(_ledger(rig, size, logs, progress)) for size in others]
        bare = _bare_bytes(rig)
        rounds = _rounds(ledgers, chosen.rounds, chosen.seconds, progress)
        sound = [_audited(ledger, progress) for ledger in ledgers] if chosen.audit else []
        posted = [_asked(ledger.rig.databases.exchange, _COUNT) for ledger in ledgers]
    rows = [
        Row(ledger.size, there, ledger.bytes_each, ledger.bytes_each / bare, [each[place] for each in rounds])
        for place, (ledger, there) in enumerate(zip(ledgers, posted, strict=True))
    ]
    about = machine.description()
    growing_report.show(rows, about)
    growing_report.write(chosen.output, rows, about, rig.databases.settings, chosen.seconds)
    for ledger, is_sound in zip(ledgers, sound, strict=False):
        print(f"audit of {ledger.size:,}: {'nothing is wrong' if is_sound else 'SOMETHING IS WRONG'}")
    return 1 if not all(sound) or growing_report.failures(rows) else 0


def _progress() -> Progress:
    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), refresh_per_second=1)


@contextlib.contextmanager
def _ledger(rig: Rig, size: int, logs: Path, progress: Progress) -> Iterator[Ledger]:
    """A coalition of its own in a database of its own, grown to the size."""
    url = make_url(rig.databases.exchange).set(database=f"grown_{size}").render_as_string(hide_password=False)
    asyncio.run(_execute(rig.databases.exchange, f"CREATE DATABASE grown_{size}"))
    with coalition(url, logs / f"{size}.log") as (server, parties):
        databases = replace(rig.databases, exchange=url)
        yield _grown(replace(rig, exchange=server, parties=parties, databases=databases), size, progress)


def _grown(rig: Rig, size: int, progress: Progress) -> Ledger:
    """The rig's own ledger, grown to the size."""
    url = rig.databases.exchange
    task = progress.add_task(f"growing to {size:,}", total=size)
    _post(rig, _POSTED)
    there = _asked(url, _COUNT)
    asyncio.run(_grow(url, max(size - there, 0), lambda done: progress.update(task, completed=there + done)))
    there = _asked(url, _COUNT)
    progress.update(task, completed=there)
    return Ledger(size, rig, _asked(url, _BYTES, _OURS) / there)


def _post(rig: Rig, count: int) -> None:
    """Have the exchange post so many conversions."""
    driven(
        Plan(
            port=rig.exchange.port,
            path=BATCH,
            lanes=requests.lanes(rig.parties, requests.batches(_BATCH), count),
            in_flight=_BATCHES_AT_ONCE,
            seconds=_POST_SECONDS_MAX,
        )
    )


async def _grow(url: str, count: int, told: seeding.Told) -> None:
    connection = await asyncpg.connect(_dsn(url))
    try:
        await seeding.grow(connection, count, told)
    finally:
        await connection.close()


def _rounds(
    ledgers: Sequence[Ledger], rounds: int, seconds: float, progress: Progress
) -> list[list[dict[str, Sample]]]:
    """Every measure of every ledger, so many times; in every other round the largest comes first."""
    task = progress.add_task("measuring", total=rounds * len(ledgers) * len(MEASURES))
    measured = []
    for number in range(rounds):
        row: list[dict[str, Sample]] = [{} for _ in ledgers]
        for measure in MEASURES:
            for place in range(len(ledgers)) if number % 2 == 0 else reversed(range(len(ledgers))):
                row[place][measure] = _measured(measure, ledgers[place].rig, seconds)
                progress.advance(task)
        measured.append(row)
    return measured


def _measured(measure: str, rig: Rig, seconds: float) -> Sample:
    match measure:
        case "unary":
            return unary_sample(rig, CONVERT, requests.converts, seconds)
        case "redeem":
            return unary_sample(rig, REDEEM, requests.redeems, seconds)
        case "bulk":
            return bulk(_BATCH, _BATCHES_AT_ONCE)(rig, seconds, {})
        case "balances":
            return _read(rig, _MEMBERS + "ListBalances", _balances, seconds)
        case "statement":
            return _read(rig, _MEMBERS + "ListStatementEntries", _statements, seconds)
        case "statement since":
            return _read(rig, _MEMBERS + "ListStatementEntries", _statements_since, seconds, _SUMS_PER_SECOND)
        case "transfers":
            return _read(rig, _TRANSFERS + "ListTransfers", _lists, seconds)
    raise AssertionError(f"{measure} is measured nowhere")


def _read(rig: Rig, path: str, build: requests.Build, seconds: float, per_second: float = _READS_PER_SECOND) -> Sample:
    return unary_sample(rig, path, build, seconds, per_second=per_second)


def _balances(party: Party, count: int) -> list[bytes]:
    return [members.ListBalancesRequest(member=name).SerializeToString() for name in _some(party, count)]


def _statements(party: Party, count: int) -> list[bytes]:
    return [
        members.ListStatementEntriesRequest(member=name, currency=party.currency, page_size=_PAGE).SerializeToString()
        for name in _some(party, count)
    ]


def _statements_since(party: Party, count: int) -> list[bytes]:
    """From this instant on: the answer is little more than what the account stood at."""
    now = Timestamp()
    now.GetCurrentTime()
    return [
        members.ListStatementEntriesRequest(
            member=name, currency=party.currency, page_size=_PAGE, begin_time=now
        ).SerializeToString()
        for name in _some(party, count)
    ]


def _lists(party: Party, count: int) -> list[bytes]:
    """The merchant's own transfers of one member."""
    return [
        transfers.ListTransfersRequest(member=name, page_size=_PAGE).SerializeToString() for name in _some(party, count)
    ]


def _some(party: Party, count: int) -> list[str]:
    return [party.members[place % len(party.members)] for place in range(count)]


def _bare_bytes(rig: Rig) -> float:
    """Bytes of a transfer in the hand-written tables, after some seconds of filling them."""
    url = rig.databases.wide
    before = _asked(url, _BYTES, _BARE)
    raw_sql.run(url, connections=1, seconds=_BARE_SECONDS, postgres_pid=rig.databases.pid)
    return (_asked(url, _BYTES, _BARE) - before) / _asked(url, "SELECT count(*) FROM wide.transfers")


def _audited(ledger: Ledger, progress: Progress) -> bool:
    """Whether `exchange audit` finds nothing wrong."""
    task = progress.add_task(f"auditing {ledger.size:,}", total=1)
    try:
        exchange_command("audit", environ=environ_of(ledger.rig.databases.exchange))
    except BenchFailed as failed:
        print(failed, file=sys.stderr)
        return False
    finally:
        progress.advance(task)
    return True


def _asked(url: str, question: str, *arguments: object) -> int:
    """One number."""

    async def ask() -> int:
        connection = await asyncpg.connect(_dsn(url))
        try:
            return int(await connection.fetchval(question, *arguments))
        finally:
            await connection.close()

    return asyncio.run(ask())


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(_dsn(url))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _dsn(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


if __name__ == "__main__":
    sys.exit(main())
