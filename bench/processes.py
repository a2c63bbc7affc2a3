"""Starting the servers that are measured, each as a process of its own, and ending them whatever happens."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from exchange import compiling

PROJECT = Path(__file__).resolve().parents[1]
_COMPILED = PROJECT / "build" / "compiled"
_START_SECONDS_MAX = 60.0
_STOP_SECONDS_MAX = 30.0
_POLL_SECONDS = 0.05
_TOLD_CHARS_MAX = 2_000


class BenchFailed(Exception):
    """Something that was to be measured does not run; the text says what it said last."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where it listens on this machine, and its process number."""

    port: int
    pid: int


def free_port() -> int:
    """A port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(**settings: str) -> dict[str, str]:
    """This process's environment with the exchange's settings replaced by these alone."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("EXCHANGE_")}
    return inherited | {f"EXCHANGE_{name.upper()}": value for name, value in settings.items()}


@contextlib.contextmanager
def module_server(module: str, *arguments: str, log: Path) -> Iterator[Server]:
    """`python -m MODULE PORT ARGUMENTS`, which prints "ready" when it serves."""
    port = free_port()

    def port_of(said: str) -> int | None:
        return port if "ready" in said.splitlines() else None

    with _running((module, str(port), *arguments), dict(os.environ), log, port_of) as server:
        yield server


def exchange_folder() -> Path:
    """Where the exchange is served from: the compiled copy, when it was made of the present sources (make compiled)."""
    return _COMPILED if compiling.is_current(_COMPILED) else PROJECT


@contextlib.contextmanager
def exchange_server(environ: Mapping[str, str], *, log: Path) -> Iterator[Server]:
    """`python -m exchange serve`, which logs the port it serves on."""
    with _running(("exchange", "serve"), environ, log, _announced, folder=exchange_folder()) as server:
        yield server


def exchange_command(*arguments: str, environ: Mapping[str, str]) -> str:
    """What `python -m exchange ARGUMENTS` prints.

    Raises:
        BenchFailed: it ended with an error.
    """
    done = subprocess.run(
        (sys.executable, "-m", "exchange", *arguments),
        cwd=PROJECT,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchFailed(f"exchange {' '.join(arguments)}: {(done.stderr or done.stdout).strip()[-_TOLD_CHARS_MAX:]}")
    return done.stdout


def _announced(said: str) -> int | None:
    for line in said.splitlines():
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            if isinstance(entry, dict) and entry.get("event") == "serving" and isinstance(entry.get("port"), int):
                return int(entry["port"])
    return None


@contextlib.contextmanager
def _running(
    arguments: tuple[str, ...],
    environ: Mapping[str, str],
    log: Path,
    port_of: Callable[[str], int | None],
    *,
    folder: Path = PROJECT,
) -> Iterator[Server]:
    with log.open("wb") as sink:
        # A session of its own: Ctrl-C on our terminal is for us, and we end the server in good order.
        process = subprocess.Popen(
            (sys.executable, "-m", *arguments),
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    try:
        give_up = time.monotonic() + _START_SECONDS_MAX
        while (port := port_of(said := log.read_text(errors="replace"))) is None:
            if process.poll() is not None or time.monotonic() > give_up:
                raise BenchFailed(f"{' '.join(arguments[:2])} does not serve: {said.strip()[-_TOLD_CHARS_MAX:]}")
            time.sleep(_POLL_SECONDS)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
