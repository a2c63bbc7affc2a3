"""The embedded PostgreSQL under the accidents a developer's machine has: kills at any moment, of any process."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from exchange.db.embedded import EmbeddedPostgres, EmbeddedPostgresError, start
from exchange.db.embedded_host import ServerUser, home_of

PATIENCE_SECONDS = 30

CLIENT = """
import sys, time
from pathlib import Path
from exchange.db.embedded import start
server = start(Path(sys.argv[1]))
print(server.pid, flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder for one cluster, which also another user may walk to; whatever becomes of it is removed."""
    with tempfile.TemporaryDirectory(prefix="exchange-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "cluster"


@pytest.fixture
def secluded_place() -> Iterator[Path]:
    """A folder for one cluster that only the caller may enter."""
    with tempfile.TemporaryDirectory(prefix="exchange-") as folder:
        place = Path(folder) / "cluster"
        yield place
        shutil.rmtree(home_of(place, ServerUser.current()), ignore_errors=True)


async def connected(server: EmbeddedPostgres) -> asyncpg.Connection:
    """A plain connection to the database `postgres`."""
    return await asyncpg.connect(server.url.replace("+asyncpg", ""))


async def ask(server: EmbeddedPostgres, question: str) -> object:
    """The single value a query yields."""
    connection = await connected(server)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def a_client(place: Path) -> subprocess.Popen[str]:
    """Another process that uses the cluster until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def server_pid_told_by(client: subprocess.Popen[str]) -> int:
    """Waits until the client's server is up."""
    assert client.stdout is not None
    return int(client.stdout.readline())


def kill(client: subprocess.Popen[str]) -> None:
    """Kill a client without a chance to clean up, and reap it."""
    client.kill()
    client.communicate()


def runs(pid: int) -> bool:
    """Whether a process lives; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def parent_of(pid: int) -> int:
    """The process that started `pid`."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def until_gone(pid: int) -> None:
    """Waits for a process to end; fails when it does not."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while runs(pid):
        assert time.monotonic() < give_up, f"process {pid} still runs"
        time.sleep(0.01)


async def test_a_first_start_yields_a_durable_private_server(place: Path) -> None:
    """Nobody needs to prepare anything, and nothing listens on the network."""
    with start(place) as server:
        settings = [await ask(server, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "listen_addresses")]

        assert settings == ["on", "on", ""]
        assert (home_of(place, ServerUser.current()) / "socket").stat().st_mode & 0o777 == 0o700


async def test_data_outlives_the_server(place: Path) -> None:
    """The second start finds what the first one left."""
    with start(place) as server:
        await ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")

    with start(place) as server:
        assert await ask(server, "SELECT answer FROM kept") == 42


async def test_a_folder_closed_to_the_servers_user_is_no_obstacle(secluded_place: Path) -> None:
    """Root's own folders stay closed: the cluster moves, the permissions do not."""
    closed = secluded_place.parent.stat().st_mode

    with start(secluded_place, durable=False) as server:
        assert await ask(server, "SELECT 1") == 1
    assert secluded_place.parent.stat().st_mode == closed


async def test_a_long_path_is_no_obstacle(place: Path) -> None:
    """A socket's path has about a hundred bytes; a project may lie deeper than that."""
    deep = place / ("d" * 60) / ("e" * 60)

    with start(deep, durable=False) as server:
        assert await ask(server, "SELECT 1") == 1


async def test_an_odd_path_is_no_obstacle(place: Path) -> None:
    """The socket's path stands inside an address, where a space or an ampersand means something else."""
    with start(place / "points & more", durable=False) as server:
        assert await ask(server, "SELECT 1") == 1


async def test_the_last_one_out_stops_the_server(place: Path) -> None:
    """Two processes share one server, whoever started it."""
    other = a_client(place)
    pid = server_pid_told_by(other)
    mine = start(place)
    assert mine.pid == pid

    other.communicate()
    assert await ask(mine, "SELECT 1") == 1

    mine.stop()
    until_gone(pid)


async def test_stopping_twice_stops_once(place: Path) -> None:
    """A second stop must not take the server from somebody else."""
    first, second = start(place, durable=False), start(place, durable=False)

    first.stop()
    first.stop()

    assert await ask(second, "SELECT 1") == 1
    second.stop()


def test_one_server_is_not_durable_and_hasty_at_once(place: Path) -> None:
    """Whoever asks for durability must not silently get a server without it."""
    with start(place, durable=False), pytest.raises(EmbeddedPostgresError, match="not durable"):
        start(place, durable=True)


async def inserting(server: EmbeddedPostgres, worker: int, acknowledged: set[tuple[int, int]]) -> None:
    """Insert row after row until the connection breaks, noting what the server said it has."""
    connection = await connected(server)
    number = 0
    try:
        while True:
            await connection.execute("INSERT INTO rows VALUES ($1, $2)", worker, number)
            acknowledged.add((worker, number))
            number += 1
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
        connection.terminate()


async def test_a_killed_server_loses_no_acknowledged_row(place: Path) -> None:
    """Three times over: kill -9 under load, start again, and every acknowledged row is there."""
    acknowledged: set[tuple[int, int]] = set()
    server = start(place)
    await ask(server, "CREATE TABLE rows (worker int, number int)")

    for kills in range(3):
        before = len(acknowledged)
        inserts = [asyncio.create_task(inserting(server, 10 * kills + n, acknowledged)) for n in range(4)]
        while len(acknowledged) < before + 300:
            await asyncio.sleep(0.01)
        pid = server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await asyncio.gather(*inserts)
        server.stop()
        server = start(place)

        connection = await connected(server)
        kept = {(row[0], row[1]) for row in await connection.fetch("SELECT worker, number FROM rows")}
        await connection.close()
        assert acknowledged <= kept
    server.stop()


async def test_a_killed_server_can_be_started_again_while_its_user_lives(place: Path) -> None:
    """The address stays the same, so a waiting pool only has to connect again."""
    first = start(place)
    pid = first.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until_gone(pid)

    second = start(place)

    assert second.url == first.url
    assert await ask(first, "SELECT 1") == 1
    second.stop()
    first.stop()
    assert first.pid is None


def test_a_killed_client_leaves_no_server_behind(place: Path) -> None:
    """Nobody else was inside, so the server goes too, without anyone starting it again."""
    client = a_client(place)
    pid = server_pid_told_by(client)

    kill(client)

    until_gone(pid)


@pytest.mark.parametrize("milliseconds", [20, 250, 500])
async def test_a_client_killed_during_its_first_start_leaves_a_startable_cluster(
    place: Path, milliseconds: int
) -> None:
    """Whatever the kill interrupts (making the cluster, naming it, starting it), the next start succeeds."""
    client = a_client(place)
    time.sleep(milliseconds / 1000)
    kill(client)

    with start(place) as server:
        assert await ask(server, "SELECT 1") == 1


async def test_everything_killed_at_once_leaves_a_startable_cluster(place: Path) -> None:
    """Client, guard and server die together, as in a container that is killed; no row is lost."""
    with start(place) as server:
        await ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    client = a_client(place)
    pid = server_pid_told_by(client)

    victims = (parent_of(pid), pid)
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    kill(client)
    for victim in victims:
        until_gone(victim)

    with start(place) as server:
        assert await ask(server, "SELECT answer FROM kept") == 42


async def test_a_server_whose_guard_was_killed_is_stopped_by_its_last_user(place: Path) -> None:
    """The guard is a help, not a need."""
    with start(place) as server:
        pid = server.pid
        assert pid is not None
        os.kill(parent_of(pid), signal.SIGKILL)
        assert await ask(server, "SELECT 1") == 1

    assert server.pid is None
    until_gone(pid)


async def test_a_process_number_given_to_another_program_is_no_obstacle(place: Path) -> None:
    """After a reboot the number in postmaster.pid may be anyone's; PostgreSQL alone would refuse to start."""
    home = home_of(place, ServerUser.current())
    client = a_client(place)
    pid = server_pid_told_by(client)
    recorded = (home / "data" / "postmaster.pid").read_text().splitlines()
    os.kill(pid, signal.SIGKILL)
    kill(client)
    until_gone(pid)
    user = ServerUser.current()
    stranger = subprocess.Popen(["sleep", "60"], user=user.uid)
    (home / "data" / "postmaster.pid").write_text("\n".join([str(stranger.pid), *recorded[1:]]) + "\n")

    with start(place) as server:
        assert await ask(server, "SELECT 1") == 1
    stranger.kill()
    stranger.wait()
