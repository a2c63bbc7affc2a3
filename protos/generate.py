"""Turns protos/ into Python, and guards what others have built on it.

    python protos/generate.py write    regenerate exchange/v1 and settlement/v1
    python protos/generate.py check    lint, compatibility with the accepted image, drift of the generated code
    python protos/generate.py accept   make the present protos the accepted image

The import root is protos/, so `exchange/v1/types.proto` becomes the module `exchange.v1.types_pb2`: no import needs
rewriting.
"""

import filecmp
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PROTOS = Path(__file__).resolve().parent
PROJECT = PROTOS.parent
PACKAGES = ("exchange", "settlement")
ACCEPTED = PROTOS / "image.binpb"
BUF_CONFIG = PROJECT / "buf.yaml"
BIN = Path(sys.executable).parent


def sources() -> list[Path]:
    """Every proto file, relative to protos/, in a fixed order."""
    return sorted(path.relative_to(PROTOS) for package in PACKAGES for path in PROTOS.glob(f"{package}/v*/*.proto"))


def protoc(protos: list[Path], *arguments: str) -> None:
    """Run the pinned compiler; it has told what is wrong when this raises SystemExit.

    google/protobuf comes with the compiler, google/rpc with googleapis-common-protos.
    """
    own = importlib.util.find_spec("grpc_tools")
    common = importlib.util.find_spec("google.rpc")
    assert own is not None, "grpcio-tools is not installed: make setup"
    assert own.origin is not None
    assert common is not None, "googleapis-common-protos is not installed: make setup"
    assert common.submodule_search_locations is not None
    includes = [
        PROTOS,
        Path(own.origin).parent / "_proto",
        Path(next(iter(common.submodule_search_locations))).parents[1],
    ]
    command = [sys.executable, "-m", "grpc_tools.protoc", *(f"--proto_path={folder}" for folder in includes)]
    # The mypy plugin is found by name, also when the environment is not activated.
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    status = subprocess.run([*command, *arguments, *map(str, protos)], check=False, env=environment).returncode
    if status:
        sys.exit(status)


def generate(into: Path) -> None:
    """Write messages, stubs and their typing under `into`."""
    protoc(sources(), f"--python_out={into}", f"--mypy_out=quiet:{into}")
    services = [path for path in sources() if path.stem.endswith("_service")]
    if services:
        protoc(services, f"--grpc_python_out={into}", f"--mypy_grpc_out=quiet:{into}")


def generated(root: Path) -> set[Path]:
    """The generated files under `root`, relative to it."""
    return {path.relative_to(root) for package in PACKAGES for path in root.glob(f"{package}/v*/*_pb2*.py*")}


def write() -> None:
    """Regenerate in place and remove what no proto yields any more."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        generate(fresh)
        for name in generated(PROJECT) - generated(fresh):
            (PROJECT / name).unlink()
        for name in sorted(generated(fresh)):
            # Unchanged files keep their time stamp, so that a running type checker has nothing to redo.
            if not (PROJECT / name).exists() or (PROJECT / name).read_bytes() != (fresh / name).read_bytes():
                (PROJECT / name).parent.mkdir(parents=True, exist_ok=True)
                (PROJECT / name).write_bytes((fresh / name).read_bytes())


def drift() -> list[str]:
    """Generated files that are missing, left over or not what the protos yield today."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        generate(fresh)
        expected, present = generated(fresh), generated(PROJECT)
        _, different, unreadable = filecmp.cmpfiles(fresh, PROJECT, map(str, expected & present), shallow=False)
    stale = {str(name) for name in expected ^ present} | set(different) | set(unreadable)
    return sorted(stale)


def describe(image: Path, *, with_comments: bool) -> None:
    """Compile everything into one self-contained descriptor set: what buf reads, without fetching any dependency."""
    comments = ["--include_source_info"] if with_comments else []
    protoc(sources(), "--include_imports", *comments, f"--descriptor_set_out={image}")


def buf(*arguments: str) -> bool:
    """Run buf on our own packages only; imported Google protos keep their own rules. True when it has no complaint."""
    ours = [
        argument
        for package in PACKAGES
        if any(PROTOS.glob(f"{package}/v*/*.proto"))
        for argument in ("--path", package)
    ]
    return subprocess.run([BIN / "buf", *arguments, "--config", BUF_CONFIG, *ours], check=False).returncode == 0


def check() -> int:
    """All three guards, all of their complaints, one exit status."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder, "image.binpb")
        describe(image, with_comments=True)
        linted = buf("lint", str(image))
        if ACCEPTED.exists():
            compatible = buf("breaking", str(image), "--against", str(ACCEPTED))
        else:
            compatible = True
            print("protos: no accepted image yet (make protos-accept), so nothing to stay compatible with")
    formatted = subprocess.run([BIN / "buf", "format", "--diff", "--exit-code", PROTOS], check=False).returncode == 0
    stale = drift()
    for name in stale:
        print(f"{name}: differs from what the protos yield; run make protos")
    return 0 if linted and compatible and formatted and not stale else 1


def main(arguments: list[str]) -> int:
    """Dispatch one of write, check, accept; 2 for anything else."""
    if arguments not in (["write"], ["check"], ["accept"]):
        print(__doc__)
        return 2
    if not sources():
        print("protos: no proto files")
        return 0
    if arguments == ["check"]:
        return check()
    if arguments == ["write"]:
        write()
    else:
        describe(ACCEPTED, with_comments=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
