"""An evidence pack that was written once. A difference here means that packs auditors keep no longer verify.

Never replace it: a pack of another kind is another document beside it.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from typer.testing import CliRunner

from settlement.cli import app
from settlement.evidence.verify import verify
from settlement.evidence.writing import zip_folder

PACK = Path(__file__).parent / "evidence" / "period_a.zip"
FINGERPRINT = "3b72ded48d4a5eb473e60019d18f662eec1be1d2ba1c6a63a55a5a208473a76b"


def test_a_pack_of_then_is_identical_today() -> None:
    """Sums, result, four eyes, payment file and bank answers of the rulebook's period A, to the byte."""
    found = verify(PACK)

    assert list(found.differences) == []
    assert (found.window, found.fingerprint) == ("windows/1", FINGERPRINT)


def test_its_files_packed_anew_are_the_very_archive(tmp_path: Path) -> None:
    """Whatever machine and day it is; the folder verifies as the archive does."""
    with zipfile.ZipFile(PACK) as archive:
        archive.extractall(tmp_path / "pack")
    zip_folder(tmp_path / "pack", tmp_path / "again.zip")

    assert (tmp_path / "again.zip").read_bytes() == PACK.read_bytes()
    assert list(verify(tmp_path / "pack").differences) == []


def test_the_command_says_so_in_json() -> None:
    """The keys programs read."""
    result = CliRunner().invoke(app, ["verify", str(PACK), "--json"])

    told = json.loads(result.stdout)
    assert result.exit_code == 0
    assert list(told) == [
        *("pack", "identical", "fingerprint", "window", "digest", "checks", "differences", "more", "later", "notes"),
    ]
    assert (told["identical"], told["differences"], told["later"]) == (True, [], [])
