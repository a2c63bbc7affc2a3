"""Processes: one that serves until it is told to stop, and one that keeps several of those on one port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import NoReturn

import uvloop

from exchange.config import SettingsRefused

_READY = b"."
_DIED = 1
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_POLL_SECONDS = 0.1
_SIGNALLED_STATUS = 128


def run(main: Callable[[asyncio.Event], Awaitable[None]], lifeline: int | None = None) -> None:
    """Runs `main(stop)` on uvloop; `stop` is set by SIGTERM, by SIGINT, and when `lifeline` ends.

    A second SIGINT interrupts at once, for someone at a terminal who does not want to wait.

    Args:
        main: serves until `stop` is set, then drains.
        lifeline: file descriptor whose other end the supervisor holds; it ends when the supervisor dies.
    """

    async def with_signals() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()

        def interrupted() -> None:
            stop.set()
            loop.remove_signal_handler(signal.SIGINT)

        loop.add_signal_handler(signal.SIGTERM, stop.set)
        loop.add_signal_handler(signal.SIGINT, interrupted)
        if lifeline is not None:

            def orphaned(lifeline: int = lifeline) -> None:
                stop.set()
                loop.remove_reader(lifeline)

            loop.add_reader(lifeline, orphaned)
        await main(stop)

    uvloop.run(with_signals())


@dataclass(frozen=True, slots=True)
class Seat:
    """The place of one process among its siblings.

    Attributes:
        index: 0 for the first.
        port: the TCP port all of them listen on.
        lifeline: for `run`.
    """

    index: int
    port: int
    lifeline: int
    _ready: int

    def ready(self) -> None:
        """Tells the supervisor that this process serves."""
        os.write(self._ready, _READY)


def supervise(count: int, host: str, port: int, child: Callable[[Seat], int], on_ready: Callable[[int], None]) -> int:
    """Keeps `count` processes on one port; answers the exit status for all of them.

    SIGTERM and SIGINT are passed on, and then every child is waited for. When a child ends by itself the others are
    stopped too: whoever started us decides whether to start anew. Must be called before gRPC is used and before any
    thread is started, because children are forked.

    Args:
        count: number of processes.
        host: address to listen on.
        port: TCP port; 0: any free one.
        child: what each process does; answers its exit status.
        on_ready: called once with the port when every child has said `ready`.

    Raises:
        SettingsRefused: the port is in use.
    """
    with _reserved(host, port) as reservation:
        bound: int = reservation.getsockname()[1]
        lifeline, held = os.pipe()
        ready, told = os.pipe()
        children: dict[int, int] = {}
        supervision = _Supervision(children, ready)
        # A signal in between would find some of the children born and the rest not.
        with _signals_held_back():
            for index in range(count):
                pid = os.fork()
                if pid == 0:
                    os.close(held)
                    os.close(ready)
                    _become(child, Seat(index, bound, lifeline, told))
                children[pid] = index
            supervision.take_signals()
        try:
            return supervision.watch(lambda: on_ready(bound))
        finally:
            for descriptor in (lifeline, held, ready, told):
                os.close(descriptor)


@contextlib.contextmanager
def _signals_held_back() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _become(child: Callable[[Seat], int], seat: Seat) -> NoReturn:
    """Runs the child in the forked process and never returns into the parent's code."""
    status = _DIED
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        status = child(seat)
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else _DIED
    except KeyboardInterrupt:
        status = _SIGNALLED_STATUS + signal.SIGINT
    except SettingsRefused as refused:
        sys.stderr.write(f"{refused}\n")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


class _Supervision:
    """Waits for children by process id, and stops all of them when one ends or a signal comes."""

    def __init__(self, children: dict[int, int], ready: int) -> None:
        self._children = children
        self._ready = ready
        self._stopping = False
        self._worst = 0

    def take_signals(self) -> None:
        """From now on signals to this process stop the children."""
        for number in _SIGNALS:
            signal.signal(number, lambda *_: self._stop())

    def watch(self, on_ready: Callable[[], None]) -> int:
        """Waits for every child to end; answers the status of the first that ended badly, else 0."""
        expected = len(self._children)
        while self._children:
            if expected and select.select([self._ready], [], [], _POLL_SECONDS)[0]:
                expected -= len(os.read(self._ready, expected))
                if not expected and not self._stopping:
                    on_ready()
            elif not expected:
                time.sleep(_POLL_SECONDS)
            self._reap()
        return self._worst

    def _reap(self) -> None:
        for pid, index in list(self._children.items()):
            ended, outcome = os.waitpid(pid, os.WNOHANG)
            if not ended:
                continue
            del self._children[pid]
            code = os.waitstatus_to_exitcode(outcome)
            status = code if code >= 0 else _SIGNALLED_STATUS - code
            if not self._stopping:
                sys.stderr.write(
                    f"server process {index} (pid {pid}) ended with status {status}: stopping the others\n"
                )
                status = status or _DIED
                self._stop()
            self._worst = self._worst or status

    def _stop(self) -> None:
        self._stopping = True
        for pid in list(self._children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)


def _reserved(host: str, port: int) -> socket.socket:
    """A socket that holds the port for our children without listening on it."""
    address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
    address = (host.strip("[]"), port)
    try:
        if port:
            # Without sharing first: another server that shares the port would otherwise go unnoticed.
            with socket.socket(address_family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        reservation = socket.socket(address_family)
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reservation.bind(address)
    except OSError as error:
        raise SettingsRefused(f"cannot listen on {host}:{port}: {error.strerror}") from None
    return reservation
