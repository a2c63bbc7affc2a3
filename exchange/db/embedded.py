"""A PostgreSQL of one's own, for development, the demo and tests: nothing to install, nothing to configure.

The server's programs come with a Python package; it listens on a private socket only, has no TLS and trusts whoever
can open the socket. Production gives a URL instead.

Several processes may use one cluster: the first starts the server, the last stops it. Any of them, and the server
itself, may be killed at any moment: what was committed stays, and the next start repairs what is left.
"""

import os
import shutil
import sys
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from exchange.db.embedded_cluster import Cluster
from exchange.db.embedded_guard import launch
from exchange.db.embedded_host import EmbeddedPostgresError, ServerUser, home_of, memory_of

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "data_dir", "fleeting_dir", "start"]

_PROJECT = Path(__file__).resolve().parents[2]
_NAMES = ("postgres", "postgres-tests", "postgres-durable-tests")


def data_dir(name: str = "postgres") -> Path:
    """Where this user's cluster of that name lives: under EXCHANGE_STATE_DIR, else under .state beside the project."""
    state = Path(os.environ.get("EXCHANGE_STATE_DIR") or _PROJECT / ".state")
    return state / f"{name}-{os.geteuid()}"


def fleeting_dir(name: str) -> Path:
    """Where a cluster lives that need not survive the machine: in memory where there is room, unless told where."""
    wanted = data_dir(name)
    return wanted if os.environ.get("EXCHANGE_STATE_DIR") else memory_of(wanted) or wanted


def start(data_dir: Path, *, durable: bool = True) -> "EmbeddedPostgres":
    """Use the cluster in `data_dir`: create it if there is none, start its server unless it runs already.

    Blocks for about a second at the first start, for a tenth of one later.

    Args:
        data_dir: A folder for this cluster alone. When its server user cannot reach it (only root meets this), the
            cluster lives in a stand-in under /var/tmp.
        durable: False gives up surviving a crash of the machine for speed; for tests only.

    Raises:
        EmbeddedPostgresError: the server cannot run, or runs with another durability; the text tells why.
    """
    user = ServerUser.current()
    home = home_of(data_dir, user)
    # Root's folder must let the server's user walk through it; anybody else keeps theirs closed.
    home.mkdir(mode=0o700 if user.is_caller else 0o711, parents=True, exist_ok=True)
    cluster = Cluster(home, durable=durable)
    membership = cluster.enter()
    try:
        with cluster.start_lock():
            _ensure_server(cluster)
            return EmbeddedPostgres(cluster, membership)
    except BaseException:
        os.close(membership)
        raise


def _ensure_server(cluster: Cluster) -> None:
    if cluster.settle():
        return
    cluster.prepare()
    if not launch(cluster):
        raise EmbeddedPostgresError(f"PostgreSQL does not start in {cluster.home}\n{cluster.log_tail()}")


class EmbeddedPostgres:
    """One process's use of a running cluster. Leaving the `with` block, or `stop()`, ends it."""

    def __init__(self, cluster: Cluster, membership: int) -> None:
        self._cluster = cluster
        self._membership: int | None = membership
        self._socket_dir = cluster.socket_dir()

    @property
    def url(self) -> str:
        """The address of the database `postgres`, as SQLAlchemy with asyncpg takes it."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """The address of any database of this cluster; the user is its superuser."""
        return f"postgresql+asyncpg://postgres@/{database}?host={quote(str(self._socket_dir))}"

    @property
    def pid(self) -> int | None:
        """The server's process number; None when it was killed."""
        return self._cluster.server_pid()

    def stop(self) -> None:
        """End this use. When nobody else is left, the server is down on return. Repeating it changes nothing."""
        if self._membership is None:
            return
        with self._cluster.start_lock():
            os.close(self._membership)
            self._membership = None
            if not self._cluster.is_used():
                self._cluster.stop_server()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _remove() -> None:
    """Stop and delete this project's clusters, unless somebody is using them."""
    for place in (*map(data_dir, _NAMES), *map(fleeting_dir, _NAMES)):
        home = home_of(place, ServerUser.current())
        if not home.exists():
            continue
        cluster = Cluster(home, durable=True)
        with cluster.start_lock():
            if cluster.is_used():
                sys.exit(f"{home} is in use")
            cluster.stop_server()
            shutil.rmtree(home)


if __name__ == "__main__":
    if sys.argv[1:] != ["remove"]:
        sys.exit("usage: python -m exchange.db.embedded remove")
    _remove()
