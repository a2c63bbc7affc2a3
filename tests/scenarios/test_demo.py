"""`python -m exchange demo` in small: a whole coalition's day on a real server, from founding to audit."""

import json
import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def play(cluster: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the demo on a database of its own on the tests' server."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("EXCHANGE_")}
    return subprocess.run(
        [sys.executable, "-m", "exchange", "demo", *arguments],
        cwd=PROJECT,
        env=inherited | {"EXCHANGE_DATABASE_URL": cluster},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_small_day_adds_up(cluster: str) -> None:
    """Every answer is the one foreseen, the window holds what they told, and the ledger's audit finds nothing."""
    played = play(cluster, "--members", "150", "--movements", "1500", "--json")

    assert played.returncode == 0, played.stderr
    day = json.loads(played.stdout)
    assert day["passed"] is True
    assert [check["ok"] for check in day["checks"]] == [True] * 6
    assert sum(volume["asked"] for volume in day["volumes"].values()) == 1_500
    assert all(volume["done"] > 0 for volume in day["volumes"].values())
    reasons = {reason for volume in day["volumes"].values() for reason in volume["refused"]}
    assert {"ROLE_MISSING", "INSUFFICIENT_POINTS", "BELOW_MINIMUM", "REQUEST_ID_REUSED"} <= reasons
    assert sum(day["window"]["nets"].values()) == 0
    assert day["window"]["gross"] == sum(day["window"]["pairs"].values()) > day["window"]["paid"] > 0
    assert day["audit"]["ok"] is True
    assert day["audit"]["checks"]


def test_a_person_sees_the_day_and_how_to_go_on(cluster: str) -> None:
    """Tables on standard output, the progress on standard error, and three lines at the end."""
    played = play(cluster, "--members", "20", "--movements", "60")

    assert played.returncode == 0, played.stderr
    for title in (
        "What moved",
        "Conversions",
        "Who owes whom",
        "Net positions",
        "Payments",
        "Audit",
        "Does it add up?",
    ):
        assert title in played.stdout
    assert [line.partition(":")[0] for line in played.stdout.splitlines()[-3:]] == ["Serve it", "Call it", "Settle it"]
    assert max(map(len, played.stdout.splitlines())) <= 120
    assert "Moving points, 60 times" in played.stderr
