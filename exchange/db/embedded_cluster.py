"""One cluster on disk: who uses it, whether its server lives, and how it is made and stopped.

Layout of a home: `data` (the cluster), `socket`, `server.log`, `previous.log` and two lock files. `start.lock` is held
by whoever starts or stops the server, so that happens one at a time. `users.lock` is held, shared, by every client;
whoever gets it alone, holding the start lock, knows that nobody is left. The kernel drops both locks when a process
dies, however it dies.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exchange.db.embedded_host import EmbeddedPostgresError, ServerUser, binaries, private_dir, socket_dir_of

_POLL_SECONDS = 0.01
_SETTLE_SECONDS_MAX = 60.0
_FAST_SHUTDOWN_SECONDS_MAX = 60.0
_NO_PROCESS = 2**30
"""Above every system's largest process number."""
_LOG_LINES_SHOWN = 15
_PID_LINE, _SOCKET_DIR_LINE, _STATUS_LINE = 0, 4, 7
"""What stands where in postmaster.pid."""

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    # Statements here are short; compiling them costs more than it saves.
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_HASTY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    # Nobody replicates it, and it may live in memory: its log is kept short.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_init_zero": "off",
    "max_wal_size": "256MB",
    "shared_buffers": "256MB",
}
"""For tests: survives the death of any process, not of the machine."""


def _roomy() -> dict[str, str]:
    """An eighth of the memory, at most 2 GiB, for pages: millions of transfers use more than the default holds."""
    megabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    buffers = max(128, min(megabytes // 8, 2048))
    return {"shared_buffers": f"{buffers}MB", "effective_cache_size": f"{4 * buffers}MB"}


class Cluster:
    """A cluster in `home`. Its methods are for one holder of the start lock at a time."""

    def __init__(self, home: Path, *, durable: bool) -> None:
        self.home = home
        self.durable = durable
        self.data = home / "data"
        self.log = home / "server.log"
        self.user = ServerUser.current()
        self._pid_file = self.data / "postmaster.pid"

    @contextmanager
    def start_lock(self) -> Iterator[None]:
        """Start or stop the server only inside; waits for its turn."""
        descriptor = _open(self.home / "start.lock")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def enter(self) -> int:
        """Count the caller among the users until it closes the returned descriptor or dies."""
        descriptor = _open(self.home / "users.lock")
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        return descriptor

    def is_used(self) -> bool:
        """Whether any living process is inside. Ask holding the start lock, or the answer is stale."""
        descriptor = _open(self.home / "users.lock")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def server_pid(self) -> int | None:
        """The process number of the living server, whatever it is busy with; None when there is none."""
        lines = self._pid_lines()
        if not lines or not lines[_PID_LINE].isdigit():
            return None
        pid = int(lines[_PID_LINE])
        return pid if self._is_server(pid) else None

    def is_ready(self) -> bool:
        """Whether a living server accepts connections."""
        lines = self._pid_lines()
        return len(lines) > _STATUS_LINE and lines[_STATUS_LINE] == "ready" and self.server_pid() is not None

    def socket_dir(self) -> Path:
        """Where the living server listens, else where the next one will."""
        lines = self._pid_lines()
        if len(lines) > _SOCKET_DIR_LINE and lines[_SOCKET_DIR_LINE] and self.server_pid() is not None:
            return Path(lines[_SOCKET_DIR_LINE])
        return socket_dir_of(self.home)

    def settle(self) -> bool:
        """Wait while a server is starting up or shutting down. True when it is ready, False when there is none.

        Raises:
            EmbeddedPostgresError: it is neither after a minute, or runs with another durability.
        """
        deadline = time.monotonic() + _SETTLE_SECONDS_MAX
        while self.server_pid() is not None:
            if self.is_ready():
                self._require_same_durability()
                return True
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"the server in {self.home} neither starts nor stops\n{self.log_tail()}")
            time.sleep(_POLL_SECONDS)
        return False

    def prepare(self) -> None:
        """Make everything a server needs: the cluster if there is none yet, a fresh socket folder, a fresh log."""
        for unfinished in self.home.glob("initdb-*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        if not self.data.exists():
            self._create()
        self._disown()
        private_dir(socket_dir_of(self.home), self.user)
        if self.log.exists():
            self.log.replace(self.home / "previous.log")
        self.log.touch(mode=0o600)
        self.user.owns(self.log)

    def command(self) -> list[str]:
        """The server's command line: settings live here, so that an existing cluster follows the code."""
        settings = _SETTINGS | {"unix_socket_directories": str(socket_dir_of(self.home))}
        settings |= _DURABLE | _roomy() if self.durable else _HASTY
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(binaries(self.user) / "postgres"), "-D", str(self.data), *options]

    def spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Run a PostgreSQL program as the server's user, writing to the log, with nothing inherited from the caller."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=None if self.user.is_caller else self.user.uid,
                group=None if self.user.is_caller else self.user.gid,
                extra_groups=None if self.user.is_caller else [],
            )

    def stop_server(self) -> None:
        """Shut the server down and wait until it is gone; a server that hangs is shut down without its checkpoint."""
        pid = self.server_pid()
        how = signal.SIGINT
        deadline = time.monotonic() + _FAST_SHUTDOWN_SECONDS_MAX
        while pid is not None:
            _send(pid, how)
            # Its file goes before it does, so the process is what to wait for.
            while self._is_server(pid) and time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)
            pid = pid if self._is_server(pid) else None
            how, deadline = signal.SIGQUIT, time.monotonic() + _FAST_SHUTDOWN_SECONDS_MAX

    def log_tail(self) -> str:
        """The last lines the server wrote, for an error message."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-_LOG_LINES_SHOWN:])

    def _create(self) -> None:
        """Build the cluster under another name: a half-made one never bears the name of a whole one."""
        fresh = Path(tempfile.mkdtemp(dir=self.home, prefix="initdb-"))
        self.user.owns(fresh)
        self.log.touch(mode=0o600)
        self.user.owns(self.log)
        initdb = [str(binaries(self.user) / "initdb"), "-D", str(fresh), "-U", "postgres"]
        initdb += ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"]
        status = self.spawn(initdb if self.durable else [*initdb, "--no-sync"]).wait()
        if status != 0:
            raise EmbeddedPostgresError(f"initdb failed with status {status}\n{self.log_tail()}")
        fresh.rename(self.data)
        folder = os.open(self.home, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def _disown(self) -> None:
        """Replace the process number a dead server left behind.

        PostgreSQL takes any process of that number for the old server, a zombie too. The rest of the file stays: by it
        PostgreSQL sees whether orphaned backends still hold the shared memory, and then refuses to start.
        """
        lines = self._pid_lines()
        if not lines:
            self._pid_file.unlink(missing_ok=True)
            return
        rewritten = self._pid_file.with_suffix(".disowned")
        rewritten.write_text("\n".join([str(_NO_PROCESS), *lines[1:]]) + "\n")
        self.user.owns(rewritten)
        rewritten.chmod(0o600)
        rewritten.replace(self._pid_file)

    def _is_server(self, pid: int) -> bool:
        """Whether `pid` is this cluster's server: the number alone may be a zombie's or, after a reboot, anyone's."""
        return f" -D {self.data} " in f"{_command_of(pid)} "

    def _require_same_durability(self) -> None:
        running = "fsync=on" in (self.data / "postmaster.opts").read_text()
        if running != self.durable:
            state = "durable" if running else "not durable"
            raise EmbeddedPostgresError(f"the server in {self.home} is running and {state}; stop it first")

    def _pid_lines(self) -> list[str]:
        try:
            return [line.strip() for line in self._pid_file.read_text().splitlines()]
        except FileNotFoundError:
            return []


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        # It went by itself between the look and the signal.
        return


def _command_of(pid: int) -> str:
    """The command line of a living process; empty for a zombie or none. Readable whoever owns the process."""
    if Path("/proc/self/cmdline").exists():
        try:
            return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" "))
        except OSError:
            return ""
    shown = subprocess.run(["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, check=False)
    return os.fsdecode(shown.stdout).strip()
