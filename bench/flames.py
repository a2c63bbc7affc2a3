"""`python -m bench.flames`: where a server's time goes, as flame graphs in `docs/flames`.

py-spy looks into the serving process, Python's frames and those of compiled code, while the load generator drives one
scenario. A frame is as wide as its share of the main thread's time, and stands on the frame that called it. Looking
slows the server down: what the graphs say is shares, never speed.
"""

import argparse
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from bench.flame_chart import Stacks, flames, svg
from bench.processes import BenchFailed
from bench.rig import Rig, rigged
from bench.samples import Scenario
from bench.scenarios import SCENARIOS

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "flames"
_DRAWN = ("noop", "convert", "batch_1000")
_SECONDS = 10.0
_BEGIN_SECONDS = 1.5
"""The generator prepares its requests and the server gets warm."""
_LOOKS_PER_SECOND = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Drive each scenario once, and write what was seen."""
    parser = argparse.ArgumentParser(prog="python -m bench.flames", description=__doc__)
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="of looking, for each scenario")
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder for the graphs")
    asked = parser.parse_args(arguments)
    asked.output.mkdir(parents=True, exist_ok=True)
    try:
        with rigged() as rig:
            for scenario in SCENARIOS:
                if scenario.name in _DRAWN:
                    stacks = _looked(rig, scenario, asked.seconds)
                    drawing = svg(scenario.title, flames(stacks))
                    (asked.output / f"{scenario.name}.svg").write_text(drawing, encoding="utf-8")
                    print(f"{scenario.name}: {sum(stacks.values())} looks", flush=True)
    except BenchFailed as failed:
        print(f"flames: {failed}", file=sys.stderr)
        return 1
    return 0


def _looked(rig: Rig, scenario: Scenario, seconds: float) -> Stacks:
    """How often each stack of calls was seen in the exchange's main thread."""
    with tempfile.TemporaryDirectory(prefix="exchange-flames-") as folder:
        seen = Path(folder) / "stacks"
        spy = Path(sysconfig.get_path("scripts")) / "py-spy"
        command = [str(spy), "record", "--pid", str(rig.exchange.pid), "--output", str(seen), "--format", "raw"]
        command += ["--rate", str(_LOOKS_PER_SECOND), "--duration", str(round(seconds)), "--native"]
        looking: list[subprocess.CompletedProcess[str]] = []

        def look() -> None:
            looking.append(subprocess.run(command, capture_output=True, text=True, check=False))

        timer = threading.Timer(_BEGIN_SECONDS, look)
        timer.start()
        scenario.run(rig, seconds + _BEGIN_SECONDS, {})
        timer.join()
        if not seen.exists():
            raise BenchFailed(f"py-spy saw nothing: {looking[0].stderr.strip()}")
        return parsed(seen.read_text(encoding="utf-8"))


def parsed(text: str) -> Stacks:
    """py-spy's lines, "outermost;…;innermost 17", without places in files: of the main thread alone."""
    stacks: dict[tuple[str, ...], int] = {}
    for line in text.splitlines():
        frames, _, count = line.rpartition(" ")
        named = [_name(frame) for frame in frames.split(";")]
        if "serve (exchange/__main__.py)" in named:
            inner = _merged(named[named.index("serve (exchange/__main__.py)") :])
            stacks[inner] = stacks.get(inner, 0) + int(count)
    return stacks


def _merged(names: Sequence[str]) -> tuple[str, ...]:
    """Without what calls itself: steps within a library without symbols are one."""
    return tuple(name for place, name in enumerate(names) if place == 0 or name != names[place - 1])


def _name(frame: str) -> str:
    name, bracket, place = frame.partition(" (")
    if name.startswith("0x"):
        return f"({place.rstrip(')').rpartition('/')[2].partition('.')[0]})"
    return f"{name}{bracket}{place.rstrip(')').partition(':')[0]})" if bracket else name


if __name__ == "__main__":
    sys.exit(main())
