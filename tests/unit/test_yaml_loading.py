"""Files whose aliases stand for too much: refused where they do, by everything that reads YAML."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from exchange import yaml_loading
from exchange.scenario.sections import BadScenario, read_yaml
from exchange.yaml_loading import REPEATED_MAX, BoundedLoader, TooMuchRepeated
from settlement.cli import app
from settlement.fx.files import BadFxFile, read_fx
from settlement.yaml_documents import BadDocument, read_plain

LISTS = "\n".join(["a0: &a0 [1, 1]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))]) + "\n"
"""Sixty lines that stand for more values than there are grains of sand."""
MAPPINGS = "\n".join(["a0: &a0 {x: 1}", *(f"a{n}: &a{n} {{x: *a{n - 1}, y: *a{n - 1}}}" for n in range(1, 60))]) + "\n"
MERGES = "\n".join(["a0: &a0 {x: 1}", *(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 60))]) + "\n"
ITSELF = "a: 1\nb: &b\n  - [*b]\n"
TOO_MUCH = {"lists": (LISTS, 15), "mappings": (MAPPINGS, 15), "merges": (MERGES, 15)}
"""With the line in which it is too much."""


def scenario(text: str, _: Path) -> object:
    """As scenarios and drafts of rates are read."""
    return read_yaml(text)


def document(text: str, folder: Path) -> object:
    """As `propose` reads what it is given."""
    file = folder / "terms.yaml"
    file.write_text(text)
    return read_plain(file)


def rates(text: str, folder: Path) -> object:
    """As `net --fx` reads rates."""
    file = folder / "rates.yaml"
    file.write_text(text)
    return read_fx(file)


READERS: list[Callable[[str, Path], object]] = [scenario, document, rates]


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@pytest.mark.parametrize(("text", "line"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_aliases_of_aliases_are_refused_by_their_line(
    read: Callable[[str, Path], object], text: str, line: int, tmp_path: Path
) -> None:
    """The first one with which it is too much; nothing of what they stand for is built."""
    with pytest.raises((BadScenario, BadDocument, BadFxFile)) as refused:
        read(text, tmp_path)

    assert f"line {line}: " in str(refused.value)
    assert f"with *a{line - 2} aliases stand for more than {REPEATED_MAX:,} values" in str(refused.value)


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_what_stands_in_itself_is_refused_by_its_line(read: Callable[[str, Path], object], tmp_path: Path) -> None:
    """There would be no end of it."""
    with pytest.raises((BadScenario, BadDocument, BadFxFile), match=r"line 3.*\*b stands in what it stands for"):
        read(ITSELF, tmp_path)


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_what_is_nested_without_end_is_refused(read: Callable[[str, Path], object], tmp_path: Path) -> None:
    """Said, no traceback."""
    with pytest.raises((BadScenario, BadDocument, BadFxFile), match="nested too deeply"):
        read("a: " + "[" * 5_000 + "]" * 5_000, tmp_path)


def test_a_command_says_it_in_one_line(tmp_path: Path) -> None:
    """With the name of the file."""
    file = tmp_path / "terms.yaml"
    file.write_text(LISTS)

    told = CliRunner().invoke(app, ["propose", "terms", str(file)])

    assert told.exit_code == 2
    assert told.stderr.startswith("Refused: terms.yaml: line 1")
    assert len(told.stderr.splitlines()) == 1


def test_what_people_repeat_is_read_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Aliases and merges: the same values as without a bound, up to just that many."""
    text = "\n".join(["base: &base {x: 1, y: [1, 2]}", "list:", *["  - {<<: *base, z: *base}"] * 100])
    full = "[&a 1, *a, *a, *a]"

    assert yaml.load(text, Loader=BoundedLoader) == yaml.safe_load(text)
    monkeypatch.setattr(yaml_loading, "REPEATED_MAX", 3)
    assert yaml.load(full, Loader=BoundedLoader) == [1, 1, 1, 1]
    with pytest.raises(TooMuchRepeated):
        yaml.load(full.replace("]", ", *a]"), Loader=BoundedLoader)


def weight(value: Any) -> int:
    """How many values a value is made of, itself among them."""
    if isinstance(value, list):
        return 1 + sum(map(weight, value))
    return 1


@given(st.lists(st.lists(st.integers(0, 30), max_size=4), min_size=1, max_size=7), st.integers(0, 50))
def test_the_bound_is_on_what_comes_out(shape: list[list[int]], most: int) -> None:
    """Whatever stands for whatever: refused just when there are more values than that beside those that are written."""
    lines = [
        f"- &n{place} [{', '.join(f'*n{target % place}' if place else '1' for target in targets)}]"
        for place, targets in enumerate(shape)
    ]
    text = "\n".join(lines)
    whole = yaml.safe_load(text)
    repeated = weight(whole) - (1 + len(shape) + len(shape[0]))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(yaml_loading, "REPEATED_MAX", most)
        try:
            read = yaml.load(text, Loader=BoundedLoader)
        except TooMuchRepeated:
            assert repeated > most
        else:
            assert (read, repeated <= most) == (whole, True)
