"""The pytest plugin as a partner has it: a suite in a folder of its own, run by a pytest of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks

# A pytest that starts servers, within one that does: on a busy machine each start takes its time.
pytestmark = pytest.mark.timeout(900)

EXAMPLE = ROOT / "examples" / "partner_tests"
PAGE = ROOT / "docs" / "sandbox.md"


def run_pytest(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and output of pytest in a folder; it finds the plugin because the package is installed."""
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_mode = strict\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def outcomes(output: str) -> dict[str, int]:
    """How many passed, failed, were skipped."""
    return {word: int(count) for count, word in re.findall(r"(\d+) (passed|failed|skipped|error)", output)}


def test_the_example_suite_passes_on_a_sandbox(tmp_path: Path) -> None:
    """All of it, with the real server behind."""
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)

    code, output = run_pytest(tmp_path, "--exchange-sandbox")

    assert (code, outcomes(output)) == (0, {"passed": 5}), output


def test_without_the_option_nothing_is_started(tmp_path: Path) -> None:
    """And every test says why it did not run."""
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)

    code, output = run_pytest(tmp_path, "-rs")

    assert (code, outcomes(output)) == (0, {"skipped": 5}), output
    assert "needs an exchange: --exchange-sandbox" in output


def test_the_tests_on_the_page_pass(tmp_path: Path) -> None:
    """As they stand there."""
    (tmp_path / "test_page.py").write_text(blocks(PAGE, "python")[0], encoding="utf-8")

    code, output = run_pytest(tmp_path, "--exchange-sandbox")

    assert (code, outcomes(output)) == (0, {"passed": 4}), output


def test_a_sandbox_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the test's own report."""
    (tmp_path / "test_it.py").write_text("def test_it(exchange_sandbox): ...\n", encoding="utf-8")
    monkeypatch.setenv("EXCHANGE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")

    code, output = run_pytest(tmp_path, "--exchange-sandbox")

    assert (code, outcomes(output)) == (1, {"error": 1}), output
    assert "EXCHANGE_DATABASE_URL does not let us" in output
