"""Business days as files, played as people play them: `python -m exchange scenario FILE`, on a real server."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE
from typing import Any

import asyncpg
import pytest

from tests.docs.pages import blocks

PROJECT = Path(__file__).parents[2]
DAYS = Path(__file__).parent / "days"
EXAMPLES = PROJECT / "examples" / "scenarios"
AS_EXPECTED = sorted(
    path for path in (*EXAMPLES.glob("*.yaml"), *DAYS.glob("*.yaml")) if path.name != "wrong_everywhere.yaml"
)


def environment(cluster: str) -> dict[str, str]:
    """This process's, with the exchange told only which server to make its databases on."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("EXCHANGE_")}
    return inherited | {"EXCHANGE_DATABASE_URL": cluster}


def play(cluster: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command on a database of its own on the tests' server."""
    return subprocess.run(
        [sys.executable, "-m", "exchange", "scenario", *arguments],
        cwd=PROJECT,
        env=environment(cluster),
        capture_output=True,
        text=True,
        check=False,
    )


def document_of(played: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What `--json` printed."""
    document: dict[str, Any] = json.loads(played.stdout)
    return document


@pytest.mark.parametrize("file", AS_EXPECTED, ids=lambda path: path.name)
def test_a_day_comes_out_as_its_file_says(file: Path, cluster: str) -> None:
    """Windows, balances and conversions, to the minor unit and the point; a person sees them in tables."""
    played = play(cluster, str(file))

    assert played.returncode == 0, played.stdout + played.stderr
    for shown in ("Events", "Window 1: who owes whom", "Window 1: net positions", "Available points", "ada"):
        assert shown in played.stdout
    assert played.stdout.endswith(f"{file}: all as expected\n")
    assert played.stderr == ""


def test_the_day_of_the_page_comes_out_as_it_says(tmp_path: Path, cluster: str) -> None:
    """What people copy from docs/scenarios.md."""
    file = tmp_path / "day.yaml"
    file.write_text(blocks(PROJECT / "docs" / "scenarios.md", "yaml")[0], encoding="utf-8")

    played = play(cluster, str(file))

    assert played.returncode == 0, played.stdout + played.stderr


def test_everything_that_differs_is_named_and_nothing_else(cluster: str) -> None:
    """A refusal nobody expected does not end the day: the rest is played and compared. JSON tells it to programs."""
    played = play(cluster, str(DAYS / "wrong_everywhere.yaml"), "--json")

    assert played.returncode == 1, played.stderr
    document = document_of(played)
    starts = [
        "event 2 (line 11): redeem refused: ROLE_MISSING",
        "event 3 (line 12): expected refusal INSUFFICIENT_POINTS, but redeem succeeded",
        "event 4 (line 13): expected refusal INSUFFICIENT_POINTS, refused by ROLE_MISSING",
        "window 1 (line 17): pair GRO>TEL expected 121, got 120",
        "window 1 (line 17): paid expected 119, got 120",
        "window 2 (line 18): expected, but only 1 closed",
        "balance of ada in TEL (line 19): expected 120, got 100",
        "balance of bob in TEL (line 19): expected 1, got 0",
        "conversion c1 (line 20): expected, but none was made under this key",
        "reversal b1 (line 21): expected, but none was made under this key",
    ]
    assert len(document["differences"]) == len(starts)
    for difference, start in zip(document["differences"], starts, strict=True):
        assert difference.startswith(start)
    assert document["passed"] is False
    assert list(document) == ["file", "passed", "differences", "events", "windows", "balances", "converted", "reversed"]
    assert [event["outcome"] for event in document["events"]] == ["done", "refused", "not refused", "refused", "done"]


def test_what_promotions_did_is_told_with_each_event(cluster: str) -> None:
    """Beside what the event itself did: given, and by a reversal taken back."""
    document = document_of(play(cluster, str(EXAMPLES / "cofunded_promotion.yaml"), "--json"))

    told = {event.get("key"): event["text"] for event in document["events"]}
    assert told["a2"] == "CAF: ada 1500 AIR (K1 +500)"
    assert told["r1"] == "a2 (2000) (K1 -500)"


def test_a_promotion_whose_sponsors_pay_more_than_all_of_it_is_a_mistake_of_the_file(
    tmp_path: Path, cluster: str
) -> None:
    """The server says so, and the day is not begun."""
    file = tmp_path / "generous.yaml"
    text = (EXAMPLES / "cofunded_promotion.yaml").read_text()
    file.write_text(text.replace("share_bps: 3000", "share_bps: 3001"))

    played = play(cluster, str(file))

    assert (played.returncode, played.stdout) == (2, "")
    assert "line 13: the server refuses this promotion K1: INVALID_FIELD" in played.stderr


def test_what_follows_a_refused_event_is_told_so(tmp_path: Path, cluster: str) -> None:
    """There is no transfer to capture or reverse: a difference of its own, expected refusal or not."""
    file = tmp_path / "refused.yaml"
    text = (DAYS / "holds.yaml").read_text()
    file.write_text(text.replace("currency: TEL, points: 300, key: h2", "currency: TEL, points: 3000, key: h2"))

    played = play(cluster, str(file), "--json")

    assert played.returncode == 1, played.stderr
    assert [difference.split(":")[0] for difference in document_of(played)["differences"]][:3] == [
        "event 9 (line 24)",
        "event 10 (line 25)",
        "event 12 (line 28)",
    ]
    assert "the event with key h2 was refused" in document_of(played)["differences"][1]


def test_what_the_server_refuses_to_publish_is_a_mistake_of_the_file(tmp_path: Path, cluster: str) -> None:
    """A rate that loses the operator money never comes into force: the day cannot be played as written."""
    text = (DAYS / "conversions.yaml").read_text()
    file = tmp_path / "generous.yaml"
    file.write_text(text.replace("source: 30, target: 1", "source: 20, target: 1"))

    played = play(cluster, str(file))

    assert played.returncode == 2
    assert "line 15: the server refuses this rate BNK>AIR: NEGATIVE_SPREAD" in played.stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [("events: 5\n", "line 1: coalition is missing"), ("a: [\n", "not readable as YAML"), (None, "No such file")],
    ids=["incomplete", "broken", "absent"],
)
def test_a_file_that_is_none_is_refused_in_one_line(
    content: str | None, told: str, tmp_path: Path, cluster: str
) -> None:
    """Before anything is started."""
    file = tmp_path / "day.yaml"
    if content is not None:
        file.write_text(content)

    played = play(cluster, str(file), "--json")

    assert (played.returncode, played.stdout) == (2, "")
    assert told in played.stderr
    assert len(played.stderr.splitlines()) == 1


async def databases_of(process: int, cluster: str) -> list[str]:
    """The databases that a sandbox of this process has made on the server."""
    connection = await asyncpg.connect(cluster.replace("postgresql+asyncpg", "postgresql"))
    try:
        names = await connection.fetch(
            "SELECT datname FROM pg_database WHERE datname LIKE $1", f"exchange\\_sandbox\\_{process}\\_%"
        )
        return [name for (name,) in names]
    finally:
        await connection.close()


def servers_on(database: str) -> list[str]:
    """Processes that were started to serve this database."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if database.encode() in environ.read_bytes():
                found.append(environ.parent.name)
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
async def test_a_day_that_is_broken_off_leaves_nothing_behind(number: signal.Signals, cluster: str) -> None:
    """No database, no server process: whoever ends it, a person at the keyboard or a supervisor."""
    command = [sys.executable, "-m", "exchange", "scenario", str(DAYS / "conversions.yaml")]
    with subprocess.Popen(command, cwd=PROJECT, env=environment(cluster), stdout=PIPE, stderr=PIPE) as playing:
        while not (names := await databases_of(playing.pid, cluster)) or len(servers_on(names[0])) == 0:
            assert playing.poll() is None, playing.communicate()
            await asyncio.sleep(0.05)

        playing.send_signal(number)
        playing.communicate()

    assert playing.returncode == 128 + number
    assert await databases_of(playing.pid, cluster) == []
    assert servers_on(names[0]) == []


def test_a_sandbox_of_its_own_leaves_nothing_in_the_temporary_folder(tmp_path: Path) -> None:
    """Without a server to use it brings PostgreSQL along, and takes it away again."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("EXCHANGE_")}

    played = subprocess.run(
        [sys.executable, "-m", "exchange", "scenario", str(DAYS / "carried_forward.yaml")],
        cwd=PROJECT,
        env=inherited | {"TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert played.returncode == 0, played.stdout + played.stderr
    assert list(folder.iterdir()) == []
    assert servers_on(str(folder / "exchange-sandbox")) == []
