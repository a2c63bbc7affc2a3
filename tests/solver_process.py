"""HiGHS in the process it runs in, kept for more than one question: it does not load beside OR-tools."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Self


class SolverProcess:
    """Answers questions one after the other until it is left."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "settlement.liquidity.highs_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
        assert self._process.returncode == 0

    def answered(self, question: dict[str, Any]) -> dict[str, Any]:
        """The answer to one question."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer
