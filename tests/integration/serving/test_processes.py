"""Several processes on one port, and one process alone."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import grpc
import pytest

from tests.integration.serving.probe import Client, a_channel, a_server


@contextlib.contextmanager
def siblings(count: int, port: int = 0, flaw: str = "") -> Iterator[subprocess.Popen[str]]:
    """The program beside this file, ended with the test."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.serving.siblings", str(count), str(port), flaw],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.terminate()


def port_of(process: subprocess.Popen[str]) -> int:
    """Where it serves; waits until it does."""
    assert process.stdout is not None
    return int(process.stdout.readline())


async def who_answers(port: int, connections: int = 40) -> set[int]:
    """Process ids that answer on a port, each connection asked once."""
    answering = set()
    for _ in range(connections):
        async with a_channel(port) as channel:
            answering.add(int((await Client(channel).call("Whoami")).reference))
    return answering


def ended(pid: int) -> bool:
    """Whether there is no such process any more."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_several_processes_answer_on_one_port() -> None:
    """The kernel spreads connections over them."""
    with siblings(2) as process:
        answering = await who_answers(port_of(process))

    assert len(answering) == 2
    assert process.pid not in answering


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_all_of_them_in_good_order(number: signal.Signals) -> None:
    """The parent passes it on, waits for the drain, and ends with 0."""
    with siblings(2) as process:
        answering = await who_answers(port_of(process))
        process.send_signal(number)
        status = process.wait()

    assert status == 0
    assert all(ended(pid) for pid in answering)


async def test_when_one_dies_all_end_and_the_status_says_so() -> None:
    """Half a server would go unnoticed for weeks."""
    with siblings(2) as process:
        answering = await who_answers(port_of(process))
        os.kill(min(answering), signal.SIGKILL)
        _, said = process.communicate()

    assert process.returncode == 128 + signal.SIGKILL
    assert f"(pid {min(answering)}) ended with status 137: stopping the others" in said
    assert all(ended(pid) for pid in answering)


@pytest.mark.parametrize("flaw", ["crash", "exit"])
async def test_one_that_does_not_get_to_serve_ends_all(flaw: str) -> None:
    """Nothing is announced, and the status is not 0 even if that one thought all was well."""
    with siblings(2, flaw=flaw) as process:
        announced, said = process.communicate()

    assert process.returncode == 1
    assert announced == ""
    assert "server process 1" in said


async def test_children_stop_when_their_parent_is_killed() -> None:
    """Orphans would keep the port, and answer beside the servers that are started next."""
    with siblings(2) as process:
        port = port_of(process)
        await who_answers(port)
        process.kill()
        process.wait()
        # Their standard output ends when the last of them does; the test's time limit waits no longer than that.
        assert process.stdout is not None
        process.stdout.read()

        async with a_channel(port) as channel:
            refusal = await Client(channel).refused("Whoami")

    assert refusal.code is grpc.StatusCode.UNAVAILABLE


async def test_a_port_in_use_is_refused_before_any_process_starts() -> None:
    """In words, and naming the address."""
    async with a_server() as (_, port, _):
        with siblings(2, port=port) as process:
            _, said = process.communicate()

    assert process.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in said


async def test_a_second_family_of_processes_on_the_port_is_refused() -> None:
    """Sharing is for siblings: another server would take a part of the calls."""
    with siblings(1) as process:
        port = port_of(process)
        with siblings(1, port=port) as second:
            _, said = second.communicate()

    assert second.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in said
