"""Building the example clients with whatever the machine has; what it lacks is said, never papered over."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

CLIENTS = ROOT / "examples" / "clients"
BUILT = ROOT / ".state" / "examples"
OUT_OF_REACH = ("ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "EAI_AGAIN", "ETIMEDOUT", "ENETUNREACH", "ENOTCACHED")
"""What npm says when it reaches no registry."""


def googleapis() -> Path:
    """The folder where google/rpc/*.proto lie: they come with googleapis-common-protos."""
    package = importlib.util.find_spec("google.rpc")
    assert package is not None
    assert package.submodule_search_locations is not None
    return Path(next(iter(package.submodule_search_locations))).parents[1]


def environment(**more: str) -> dict[str, str]:
    """What the examples' pages say to set, and nothing of this test run's."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("EXCHANGE_")}
    paths = {
        "PROTOS": ROOT / "protos",
        "GOOGLEAPIS": googleapis(),
        "RETRY_POLICY": ROOT / "docs" / "retry-policy.json",
    }
    return inherited | {name: str(path) for name, path in paths.items()} | more


@dataclass(frozen=True, slots=True)
class Toolchain:
    """How one language's example is built and run.

    Attributes:
        commands: programs that must be on the machine.
        packages: for pkg-config.
        build: makes the folder it is given runnable.
        run: the command, once it is.
    """

    commands: Sequence[str]
    packages: Sequence[str]
    build: Callable[[str, Path], None]
    run: Callable[[Path], Sequence[str | Path]]

    def missing(self) -> str:
        """What the machine lacks; empty when it has all."""
        for command in self.commands:
            if shutil.which(command) is None:
                return command
        for package in self.packages:
            if subprocess.run(["pkg-config", "--exists", package], check=False).returncode:
                return f"package {package}"
        return ""


def ready(language: str) -> Sequence[str | Path]:
    """The command that runs a language's example, built first unless that was done before from the same sources."""
    toolchain = TOOLCHAINS[language]
    if lacking := toolchain.missing():
        pytest.skip(f"{language}: this machine has no {lacking}; examples/clients/README.md tells how to install it")
    folder = BUILT / f"{language}-{_digest(language)}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = folder.with_suffix(f".{os.getpid()}")
        fresh.mkdir()
        try:
            toolchain.build(language, fresh)
            fresh.rename(folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return toolchain.run(folder)


def _digest(language: str) -> str:
    """Of everything an example is made from."""
    sources = sorted(path for path in (*(CLIENTS / language).rglob("*"), *(ROOT / "protos").rglob("*.proto")))
    digest = hashlib.sha256()
    for path in sources:
        if path.is_file():
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _build_nothing(_language: str, _folder: Path) -> None:
    """Run as it stands."""


def _build_by_script(language: str, folder: Path) -> None:
    done = _run([CLIENTS / language / "build.sh", folder], CLIENTS / language, environment())
    if done.returncode and "missing: " in done.stderr:
        pytest.skip(
            f"{language}: {done.stderr.strip().splitlines()[-1]}; examples/clients/README.md tells what installs it"
        )
    assert done.returncode == 0, done.stdout + done.stderr


def _build_node(language: str, folder: Path) -> None:
    for path in (CLIENTS / language).glob("*.js*"):
        shutil.copy(path, folder)
    done = _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder, environment())
    if done.returncode and any(sign in done.stderr for sign in OUT_OF_REACH):
        pytest.skip(f"npm reaches no registry: {done.stderr.strip().splitlines()[0]}")
    assert done.returncode == 0, done.stderr


def _run(command: Sequence[str | Path], folder: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def output_of(command: Sequence[str | Path], **environ: str) -> str:
    """What an example prints; one that fails fails the test with its own words."""
    done = _run(command, ROOT, environment(**environ))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


TOOLCHAINS: Mapping[str, Toolchain] = {
    "python": Toolchain((), (), _build_nothing, lambda _: [sys.executable, CLIENTS / "python" / "first_day.py"]),
    "node": Toolchain(("node", "npm"), (), _build_node, lambda folder: ["node", folder / "first_day.js"]),
    "java": Toolchain(
        ("java", "javac", "protoc", "grpc_java_plugin", "pkg-config"),
        ("protobuf",),
        _build_by_script,
        lambda folder: ["java", "-cp", f"{folder / 'classes'}:{(folder / 'jars').read_text().strip()}", "FirstDay"],
    ),
    "cpp": Toolchain(
        ("c++", "protoc", "grpc_cpp_plugin", "pkg-config"),
        ("protobuf", "grpc++"),
        _build_by_script,
        lambda folder: [folder / "first_day"],
    ),
}
