"""The process that is an embedded server's parent: starts it, reaps it, and stops it when its last user is gone.

Clients stop the server themselves when they leave in good order. The guard is for the ones that are killed: without
it their server would run on for ever.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from exchange.db.embedded_cluster import Cluster

READY = b"ready"
_POLL_SECONDS = 0.01
_WATCH_SECONDS = 0.25
_START_SECONDS_MAX = 60.0
_RETRY_SECONDS_MAX = 10.0
"""Backends orphaned by a killed server need a moment to notice; until then PostgreSQL refuses to start."""


def launch(cluster: Cluster) -> bool:
    """Start a guard, and through it the server; True once the server accepts connections.

    Call it holding the start lock, after `prepare`.
    """
    project = Path(__file__).resolve().parents[2]
    durability = "durable" if cluster.durable else "hasty"
    guard = subprocess.run(
        [sys.executable, "-m", "exchange.db.embedded_guard", str(cluster.home), durability],
        cwd=project,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
        check=False,
    )
    return guard.stdout == READY


def _main(home: str, durability: str) -> None:
    # The caller waits for its child and for the pipe; the guard itself belongs to nobody and outlives the caller.
    if os.fork():
        os._exit(0)
    cluster = Cluster(Path(home), durable=durability == "durable")
    server = _start(cluster)
    if server is None:
        return
    os.write(sys.stdout.fileno(), READY)
    _detach_output()
    _watch(cluster, server)


def _start(cluster: Cluster) -> subprocess.Popen[bytes] | None:
    """A server that accepts connections, or None when it will not start."""
    retry_until = time.monotonic() + _RETRY_SECONDS_MAX
    give_up = time.monotonic() + _START_SECONDS_MAX
    command = cluster.command()
    server = cluster.spawn(command)
    while not (cluster.is_ready() and cluster.server_pid() == server.pid):
        now = time.monotonic()
        if now > give_up:
            server.kill()
            server.wait()
            return None
        if server.poll() is not None:
            if now > retry_until:
                return None
            time.sleep(10 * _POLL_SECONDS)
            server = cluster.spawn(command)
        time.sleep(_POLL_SECONDS)
    return server


def _detach_output() -> None:
    """End the caller's wait: it reads until the pipe is closed."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


def _watch(cluster: Cluster, server: subprocess.Popen[bytes]) -> None:
    """Stay until the server is gone, and see it off once nobody uses it."""
    while True:
        time.sleep(_WATCH_SECONDS)
        # Looked at after the sleep: whoever stopped the server may be removing its folder by now.
        if server.poll() is not None:
            return
        with cluster.start_lock():
            if not cluster.is_used():
                cluster.stop_server()


if __name__ == "__main__":
    _main(*sys.argv[1:])
