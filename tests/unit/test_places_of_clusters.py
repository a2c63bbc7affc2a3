"""Where an embedded PostgreSQL lives that need not survive the machine."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from exchange.db import embedded_host
from exchange.db.embedded import data_dir, fleeting_dir
from exchange.db.embedded_host import EmbeddedPostgresError


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that passes for the system's memory, with all the room there is."""
    monkeypatch.delenv("EXCHANGE_STATE_DIR", raising=False)
    monkeypatch.setattr(embedded_host, "_MEMORY", tmp_path)
    monkeypatch.setattr(embedded_host, "_MEMORY_BYTES_MIN", 0)
    return tmp_path


def crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be too little room."""
    monkeypatch.setattr(embedded_host, "_MEMORY_BYTES_MIN", shutil.disk_usage("/").total + 2**60)


def test_it_lives_in_memory_in_a_folder_nobody_else_writes(memory: Path) -> None:
    """One for each checkout and cluster, always the same."""
    home = fleeting_dir("postgres-tests")

    assert home == fleeting_dir("postgres-tests") != fleeting_dir("postgres")
    assert home.parent.parent == memory
    assert stat.S_IMODE(home.parent.stat().st_mode) == 0o711


def test_without_room_it_lives_with_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may have hardly any such memory."""
    crowd(monkeypatch)

    assert fleeting_dir("postgres-tests") == data_dir("postgres-tests")


def test_one_that_is_there_keeps_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """The room it takes itself must not send the next process elsewhere."""
    home = fleeting_dir("postgres-tests")
    home.mkdir()
    crowd(monkeypatch)

    assert fleeting_dir("postgres-tests") == home


def test_a_system_without_such_memory_is_no_obstacle(monkeypatch: pytest.MonkeyPatch, memory: Path) -> None:
    """Linux has it, others do not."""
    monkeypatch.setattr(embedded_host, "_MEMORY", memory / "none")

    assert fleeting_dir("postgres-tests") == data_dir("postgres-tests")


def test_whoever_says_where_is_obeyed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The state folder of one's choice holds every cluster."""
    monkeypatch.setenv("EXCHANGE_STATE_DIR", str(tmp_path / "here"))

    assert fleeting_dir("postgres-tests") == data_dir("postgres-tests")
    assert fleeting_dir("postgres-tests").parent == tmp_path / "here"


def test_a_folder_of_somebody_elses_is_not_used(memory: Path) -> None:
    """Everybody may make folders there, also under our name."""
    fleeting_dir("postgres-tests").parent.rmdir()
    next_door = memory / "next door"
    next_door.mkdir()
    (memory / f"points-exchange-{os.geteuid()}").symlink_to(next_door)

    with pytest.raises(EmbeddedPostgresError, match="belongs to somebody else"):
        fleeting_dir("postgres-tests")
