"""The compiled copy: made of the present sources or not used, and nobody needs it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from exchange import compiling


def test_what_runs_is_what_stands_in_its_folder() -> None:
    """In the compiled copy the busiest modules are machine code, beside the sources they are those."""
    assert compiling.is_compiled() == compiling.is_current(compiling.PACKAGE.parent)


def test_the_modules_that_are_compiled_exist() -> None:
    """Each named once, in order."""
    assert list(compiling.HOT) == sorted(set(compiling.HOT))
    assert [name for name in compiling.HOT if not (compiling.PACKAGE / name).is_file()] == []


def test_no_coroutine_is_compiled() -> None:
    """What waits in a compiled coroutine may go on with another task's exception: mypyc 2.4 lost them."""
    waiting = [name for name in compiling.HOT if "async def" in (compiling.PACKAGE / name).read_text()]

    assert waiting == []


def test_what_a_compiled_module_names_is_final() -> None:
    """Else it is looked up by name wherever it is used: once for every byte of every number of an answer it was."""
    loose = [
        f"{name}:{statement.lineno}"
        for name in compiling.HOT
        for statement in ast.parse((compiling.PACKAGE / name).read_text(encoding="utf-8")).body
        if (isinstance(statement, ast.Assign) and "TypeVar" not in ast.unparse(statement.value))
        or (
            isinstance(statement, ast.AnnAssign)
            and not ast.unparse(statement.annotation).startswith(("Final", "TypeAlias"))
        )
    ]

    assert loose == []


def test_a_copy_of_other_sources_is_not_current(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One changed letter in any module, one module more, and it has to be made anew."""
    package = tmp_path / compiling.PACKAGE.name
    package.mkdir()
    (package / "money.py").write_text("RATE = 1\n")
    monkeypatch.setattr(compiling, "PACKAGE", package)
    assert not compiling.is_current(tmp_path)

    compiling.mark(tmp_path)
    assert compiling.is_current(tmp_path)

    (package / "money.py").write_text("RATE = 2\n")
    assert not compiling.is_current(tmp_path)
    (package / "money.py").write_text("RATE = 1\n")
    assert compiling.is_current(tmp_path)
    (package / "more.py").touch()
    assert not compiling.is_current(tmp_path)


def test_without_a_compiler_the_command_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 3, what is lacking, and nothing half made."""
    monkeypatch.setenv("CC", "no-such-compiler -O2")
    monkeypatch.setattr("sys.argv", ["compiling", str(tmp_path / "copy")])

    assert compiling.main() == 3

    assert "there is no C compiler (no-such-compiler)" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
