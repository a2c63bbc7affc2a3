"""The exchange's own commands as processes: those that answer and end, and the server, which runs until it is told."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

_PROJECT = Path(__file__).resolve().parents[2]
_POLL_SECONDS = 0.02
_START_SECONDS_MAX = 60.0
_STOP_SECONDS_MAX = 15.0
_TOLD_CHARS_MAX = 2_000


class SandboxFailed(Exception):
    """The sandbox cannot be started or does not work; the text says what went wrong."""


def environment(**settings: str) -> dict[str, str]:
    """This process's environment with the exchange's settings replaced by these alone."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("EXCHANGE_")}
    return inherited | {f"EXCHANGE_{name.upper()}": value for name, value in settings.items()}


async def answer_of(arguments: tuple[str, ...], environ: Mapping[str, str]) -> tuple[int, str, str]:
    """Exit code, output and error output of `python -m exchange ARGUMENTS`."""
    process = await asyncio.create_subprocess_exec(
        *_command(arguments),
        cwd=_PROJECT,
        env=dict(environ),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
    )
    try:
        output, errors = await process.communicate()
    finally:
        await _end(process)
    return process.returncode or 0, output.decode(errors="replace"), errors.decode(errors="replace")


async def output_of(arguments: tuple[str, ...], environ: Mapping[str, str]) -> str:
    """What `python -m exchange ARGUMENTS` prints.

    Raises:
        SandboxFailed: it fails; with the last of what it said.
    """
    code, output, errors = await answer_of(arguments, environ)
    if code:
        raise SandboxFailed(f"{' '.join(arguments)} ended with {code}: {_last_of(errors or output)}")
    return output


@asynccontextmanager
async def serving(environ: Mapping[str, str], log: Path) -> AsyncIterator[int]:
    """A server process and the port it listens on; it is drained and gone when the block ends.

    Raises:
        SandboxFailed: it does not come up; with the last lines of its log.
    """
    with log.open("wb") as sink:
        # A session of its own: Ctrl-C on our terminal is for us, and we end the server in good order.
        process = await asyncio.create_subprocess_exec(
            *_command(("serve",)),
            cwd=_PROJECT,
            env=dict(environ),
            stdin=DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    try:
        port = await _port_of(process, log)
        try:
            yield port
        finally:
            await _end(process)
            _pass_on(log)
    finally:
        await _end(process)


async def _port_of(process: Process, log: Path) -> int:
    loop = asyncio.get_running_loop()
    give_up = loop.time() + _START_SECONDS_MAX
    while (port := _announced_in(log)) is None:
        if process.returncode is not None:
            raise SandboxFailed(f"the server ended with {process.returncode}: {_last_of(_text_of(log))}")
        if loop.time() > give_up:
            raise SandboxFailed(f"the server does not come up: {_last_of(_text_of(log))}")
        await asyncio.sleep(_POLL_SECONDS)
    return port


def _announced_in(log: Path) -> int | None:
    """The port in the line by which the server says that it is serving."""
    return next((port for line in _text_of(log).splitlines() if (port := _announced(line)) is not None), None)


def _announced(line: str) -> int | None:
    try:
        said = json.loads(line)
    except ValueError:
        return None
    if isinstance(said, dict) and said.get("event") == "serving" and isinstance(said.get("port"), int):
        return int(said["port"])
    return None


def _pass_on(log: Path) -> None:
    """What the server had to complain about is for whoever started us: its log ends with it."""
    complaints = "\n".join(line for line in _text_of(log).splitlines() if _announced(line) is None)
    if complaints.strip():
        sys.stderr.write(f"The server said:\n{_last_of(complaints)}\n")


def _text_of(log: Path) -> str:
    return log.read_text(errors="replace")


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS_MAX):
            await process.wait()
    except BaseException as interrupted:
        # Too slow, or whoever waits has lost patience too: nothing of ours may outlive us.
        process.kill()
        if not isinstance(interrupted, TimeoutError):
            raise
        await process.wait()


def _command(arguments: tuple[str, ...]) -> tuple[str, ...]:
    return (sys.executable, "-m", "exchange", *arguments)


def _last_of(text: str) -> str:
    return text.strip()[-_TOLD_CHARS_MAX:]
