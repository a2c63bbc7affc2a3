"""What netting a file costs beside merely reading it: the part of `bench.settling` that needs no database."""

import csv
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MODES = ("bilateral", "multilateral", "direct", "setoff")
PARTICIPANTS = (20, 200, 2_000)
_KIB_PER_MIB = 1_024


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file netted in one mode: CPU seconds of the process, the most memory it had, and both beside reading it."""

    participants: int
    mode: str
    pairs: int
    cpu_s: float
    beside_reading: float
    memory_mib: int


def measured(obligations: int) -> list[FileRow]:
    """So many obligations among few and many participants, netted in each mode by the command."""
    rows: list[FileRow] = []
    with tempfile.TemporaryDirectory(prefix="exchange-bench-files-") as folder:
        for participants in PARTICIPANTS:
            file = Path(folder) / f"{participants}.csv"
            write_obligations(file, obligations, participants)
            reading = _child(["-c", _READ, str(file)])[0]
            for mode in MODES:
                answer = Path(folder) / "answer.json"
                command = ["-m", "settlement", "net", str(file), "--mode", mode, "--json"]
                cpu, memory = _child(command, answer)
                with answer.open(encoding="utf-8") as text:
                    pairs = len(json.load(text)["CNY"]["pairs"])
                rows.append(FileRow(participants, mode, pairs, cpu, cpu / reading, memory))
    return rows


_READ = "import csv, sys; print(sum(int(row[4]) for row in csv.reader(open(sys.argv[1])) if row[4] != 'amount'))"


def write_obligations(file: Path, count: int, participants: int) -> None:
    """A file of so many obligations between so many participants; the same again for the same figures."""
    draw = random.Random(f"{count} {participants}")
    names = [f"M{number:04}" for number in range(participants)]
    with file.open("w", encoding="utf-8", newline="") as text:
        rows = csv.writer(text)
        rows.writerow(("id", "debtor", "creditor", "currency", "amount"))
        for number in range(count):
            debtor, other = draw.randrange(participants), draw.randrange(participants - 1)
            creditor = other + (other >= debtor)
            rows.writerow((f"t{number}", names[debtor], names[creditor], "CNY", draw.randrange(1, 500_000)))


def _child(arguments: Sequence[str], output: Path | None = None) -> tuple[float, int]:
    """CPU seconds and greatest memory, MiB, of a Python process that does this."""
    code = (
        "import os, resource, subprocess, sys\n"
        "subprocess.run(sys.argv[2:], stdout=open(sys.argv[1], 'wb'), check=True)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(output or "/dev/null"), sys.executable, *arguments],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout.split()
    return float(told[0]), int(told[1]) // _KIB_PER_MIB
