"""`python -m settlement` typed again and again: each time a process of its own that has its imports behind it.

A command spends most of its second on imports. Here one process imports them, and forks for each command: environment,
arguments, output, exit code and memory are the command's own, as at a terminal. What a program costs to start, and
whether it starts at all, is for tests that start it themselves (`tests.docs`, `tests.integration.settlement`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import runpy
import signal
import socket
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

PROJECT = Path(__file__).parents[1]
IMPORTED = ("settlement.cli", "settlement.run.service", "settlement.board.service", "settlement.proposals.service")
"""Whatever else a command needs it imports itself."""
CRASHED = 1


class Told(NamedTuple):
    """What a command answered."""

    status: int | None
    output: str
    errors: str

    @property
    def document(self) -> Any:
        """Its JSON."""
        assert self.output, self.errors
        return json.loads(self.output)


class Terminal:
    """Where commands are typed; started when the first one is, ended with the process that types."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    async def type(self, *arguments: str, **variables: str) -> Told:
        """Run `python -m settlement ARGUMENTS`.

        Args:
            arguments: the words behind it.
            variables: of its environment; EXCHANGE_ and SETTLEMENT_ ones are not inherited.
        """
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("EXCHANGE_", "SETTLE"))}
        ours, theirs = socket.socketpair()
        reading, writing = zip(*(os.pipe() for _ in range(2)), strict=True)
        with ours:
            with theirs:
                socket.send_fds(self._forker(), [b"."], [theirs.fileno(), *writing])
            for descriptor in writing:
                os.close(descriptor)
            ours.sendall(json.dumps([arguments, inherited | variables]).encode() + b"\n")
            output, errors, status = await asyncio.gather(*map(_all_of, reading), _all_of(ours.detach()))
        return Told(int(status), output, errors)

    def _forker(self) -> socket.socket:
        if self._socket is None:
            self._socket, theirs = socket.socketpair()
            with theirs:
                program = [sys.executable, "-m", "tests.terminals", str(theirs.fileno())]
                os.set_inheritable(theirs.fileno(), True)
                os.posix_spawn(sys.executable, program, dict(os.environ) | {"PYTHONPATH": str(PROJECT)})
        return self._socket


async def _all_of(descriptor: int) -> str:
    """What is written to the other end until nobody has it open."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb")
    )
    try:
        return (await reader.read()).decode()
    finally:
        transport.close()


def _fork_for_each(commands: socket.socket) -> None:
    """Until whoever types is gone: one process for each command, and one that waits for it and tells its end."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for module in IMPORTED:
        __import__(module)
    while True:
        word, descriptors, _, _ = socket.recv_fds(commands, 1, 3)
        if not word:
            return
        if os.fork() == 0:
            commands.close()
            _wait_for(*descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _wait_for(answer: int, output: int, errors: int) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with socket.socket(fileno=answer) as asked, asked.makefile("rb") as lines:
        arguments, environment = json.loads(lines.readline())
        command = os.fork()
        if command == 0:
            os.dup2(output, 1)
            os.dup2(errors, 2)
            os._exit(_run(arguments, environment))
        os.close(output)
        os.close(errors)
        _, status = os.waitpid(command, 0)
        with contextlib.suppress(BrokenPipeError):
            asked.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _run(arguments: list[str], environment: Mapping[str, str]) -> int:
    """The exit code of the program, as the interpreter would give it."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(PROJECT)
    sys.argv = ["settlement", *arguments]
    try:
        runpy.run_module("settlement", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if isinstance(ended.code, str):
            sys.stderr.write(f"{ended.code}\n")
            return CRASHED
        return int(ended.code or 0)
    except BaseException:  # noqa: BLE001 - told as the interpreter tells it
        traceback.print_exc()
        return CRASHED
    else:
        return 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as typed:
        _fork_for_each(typed)
