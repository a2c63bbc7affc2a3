"""What holds for every command of `python -m settlement`, found by walking the tree: help, JSON, plain refusals."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import typer
from typer.testing import CliRunner, Result

import settlement.refusals
from exchange.refusals import CredentialUnknown, MethodNotAllowed, ResourceNotFound, WindowState
from settlement.cli import COMMANDS, app
from settlement.cli.plain import NEXT

TREE: Any = typer.main.get_command(app)
PLAIN = re.compile(r"Refused: .+\. Next: .+\n")


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with the words that call it."""
    below = getattr(command, "commands", {})
    for name, one in below.items():
        yield from leaves(one, (*path, name))
    if not below:
        yield path, command


LEAVES = dict(leaves(TREE))
NAMES = [" ".join(path) for path in LEAVES]


def run(*words: str) -> Result:
    """`python -m settlement WORDS`."""
    return CliRunner().invoke(app, list(words), env={"EXCHANGE_DATABASE_URL": "postgresql://127.0.0.1:1/nothing"})


def is_plain(result: Result) -> bool:
    """One line that says why not and what to do next; nothing on standard output, no traceback, exit code 2."""
    there = PLAIN.fullmatch(result.stderr) is not None and result.stderr.count("\n") == 1
    return there and result.stdout == "" and result.exit_code == 2 and "Traceback" not in result.output


def fitting(name: str, folder: Path, given: Mapping[str, str] | None = None) -> list[str]:
    """Arguments that pass the parser, for everything a command requires; `given`: those said by the test."""
    said = given or {}
    words: list[str] = []
    file = folder / "given.csv"
    file.write_text("debtor,creditor,currency,amount\nA,B,CNY,1\n", encoding="utf-8")
    path = tuple(name.split())
    hints = get_type_hints(LEAVES[path].callback)
    for parameter in LEAVES[path].params:
        option = next((one for one in parameter.opts if one.startswith("--")), None)
        if parameter.name in said:
            words += [option, said[parameter.name]] if option else [said[parameter.name]]
        elif parameter.required:
            kind = next(iter(get_args(hints[parameter.name])), hints[parameter.name])
            value = str(file) if kind is Path else str(next(iter(kind))) if issubclass(kind, enum.Enum) else "1"
            words += [option, value] if option else [value]
    return words


def test_the_walk_finds_every_command() -> None:
    """None hides in a group the walk does not enter."""
    groups = {group.name for group in app.registered_groups}

    assert {path[0] for path in LEAVES} == COMMANDS.keys() | groups


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_json_and_help(name: str) -> None:
    """And its help says what it does and what every option means."""
    command = LEAVES[tuple(name.split())]
    options = [option for parameter in command.params for option in parameter.opts]

    result = run(*name.split(), "--help")

    assert "--json" in options
    assert result.exit_code == 0
    assert "--json" in result.stdout
    assert command.help
    assert all(parameter.help for parameter in command.params if parameter.name != "help"), options


@pytest.mark.parametrize("name", NAMES)
def test_an_option_there_is_not_is_one_plain_line(name: str) -> None:
    """It names the option, and where to look."""
    result = run(*name.split(), "--no-such-option")

    assert is_plain(result), result.output
    assert "--no-such-option" in result.stderr
    assert f"python -m settlement {name.split(maxsplit=1)[0]} --help" in result.stderr


@pytest.mark.parametrize("name", NAMES)
def test_one_word_too_many_is_one_plain_line(name: str, tmp_path: Path) -> None:
    """Nothing of the command is done."""
    command = LEAVES[tuple(name.split())]
    takes_many = any(parameter.nargs == -1 for parameter in command.params)
    words = [*fitting(name, tmp_path), *("surplus" for _ in command.params)]

    result = run(*name.split(), *words)

    assert is_plain(result), result.output
    assert takes_many or "surplus" in result.stderr or "unexpected" in result.stderr, result.stderr


@pytest.mark.parametrize(
    "name", [name for name in NAMES if any(p.required for p in LEAVES[tuple(name.split())].params)]
)
def test_what_is_left_out_is_named_in_one_plain_line(name: str) -> None:
    """The argument or option that is missing."""
    result = run(*name.split())

    assert is_plain(result), result.output
    assert "Missing" in result.stderr


@pytest.mark.parametrize("name", NAMES)
def test_without_its_database_or_file_a_command_says_so_plainly(name: str, tmp_path: Path) -> None:
    """A database that does not answer, a window that is none, a file that is no such file: never a traceback."""
    result = run(*name.split(), *fitting(name, tmp_path), "--json")

    if result.exit_code in {0, 1}:
        # Done, or (1) done with something to look at: a file that is no pack differs from one.
        assert json.loads(result.stdout)
    else:
        assert is_plain(result), result.output


@pytest.mark.parametrize("window", ["0", "-", "W1", "windows/", "1.5", "\uff19", "9" * 30, "open "])
def test_a_window_that_is_none_is_named(window: str) -> None:
    """Before any database is asked."""
    result = run("show", "--", window)

    assert is_plain(result), result.output
    assert repr(window) in result.stderr


@pytest.mark.parametrize(
    "name", [name for name in NAMES if any("--reason" in p.opts for p in LEAVES[tuple(name.split())].params)]
)
@pytest.mark.parametrize("reason", ["x" * 501, "two\nlines", "\x1b[2J"])
def test_a_reason_is_what_the_wire_takes_too(name: str, reason: str, tmp_path: Path) -> None:
    """One line of 500 characters at most, looked at before any database is asked."""
    result = run(*name.split(), *fitting(name, tmp_path), "--reason", reason)

    assert is_plain(result), result.output
    assert "--reason" in result.stderr


def figures() -> Iterator[tuple[str, Any]]:
    """Every whole number a command on the database takes, with the command's name."""
    for path, command in LEAVES.items():
        hints = get_type_hints(command.callback)
        for parameter in command.params:
            kind = hints.get(parameter.name)
            if int in {kind, *get_args(kind)} and path[0] not in {"net", "liquidity"}:
                yield " ".join(path), parameter


@pytest.mark.parametrize(("name", "parameter"), [pytest.param(*one, id=f"{one[0]} {one[1].name}") for one in figures()])
def test_a_figure_that_no_database_could_hold_is_named(name: str, parameter: Any, tmp_path: Path) -> None:
    """Before any is asked."""
    result = run(*name.split(), *fitting(name, tmp_path, {parameter.name: str(10**30)}))

    assert is_plain(result), result.output
    assert "database" not in result.stderr


@pytest.mark.parametrize("typed", ["--minimum", "--maximum-age"])
def test_a_figure_of_a_currency_is_bounded_too(typed: str) -> None:
    """As over the wire."""
    result = run("run", "1", typed, f"CNY={10**16}")

    assert is_plain(result), result.output
    assert typed in result.stderr


@pytest.mark.parametrize("name", ["cancel", "reject", "withdraw", "set-estimate", "write-off"])
def test_what_has_to_have_a_reason_takes_no_blank_one(name: str, tmp_path: Path) -> None:
    """As over the wire."""
    result = run(name, *fitting(name, tmp_path), "--reason", " ")

    assert is_plain(result), result.output
    assert "--reason" in result.stderr


@pytest.mark.parametrize("words", [("accounts", "caf\udce9"), ("cancel", "1", "--reason", "caf\udce9"), ("\udce9",)])
def test_bytes_that_are_no_text_are_one_plain_line(words: tuple[str, ...]) -> None:
    """A terminal that does not speak UTF-8: neither the database nor the answer could hold them."""
    result = run(*words)

    assert is_plain(result), result.output
    assert "no UTF-8 text" in result.stderr


@pytest.mark.parametrize("document", ["[" * 3_000, "a: &a\n  b: *a\n", "currencies: [{currency_code: 2026-02-30}]\n"])
@pytest.mark.parametrize("typed", ["propose terms FILE", "calendar --file FILE", "net given.csv --fx FILE --into CNY"])
def test_a_document_without_end_or_sense_is_one_plain_line(document: str, typed: str, tmp_path: Path) -> None:
    """Nested too deeply, holding itself, with a day there never was."""
    file = tmp_path / "document.yaml"
    file.write_text(document, encoding="utf-8")

    result = run(*(str(file) if word == "FILE" else word for word in typed.split()))

    assert is_plain(result), result.output
    assert "document.yaml: " in result.stderr


@pytest.mark.parametrize(
    "variables",
    [
        {"EXCHANGE_DATABASE_URL": "junk"},
        {"EXCHANGE_DATABASE_URL": "mysql://li.wei:secret@127.0.0.1/exchange"},
        {"EXCHANGE_DATABASE_URL": "postgresql://li.wei:secret@127.0.0.1:port/exchange"},
        {"EXCHANGE_DATABASE_URL": "postgresql://no.such.host.invalid/exchange"},
        {"EXCHANGE_STATE_DIR": "/proc/none"},
        {"EXCHANGE_STATE_DIR": __file__},
    ],
)
def test_a_database_that_cannot_be_is_one_plain_line(variables: dict[str, str]) -> None:
    """And its password is told to nobody."""
    result = CliRunner().invoke(app, ["status"], env={"EXCHANGE_DATABASE_URL": None, **variables})

    assert is_plain(result), result.output
    assert "secret" not in result.stderr


def test_a_command_there_is_not_is_one_plain_line() -> None:
    """It points to the list of all."""
    result = run("clsoe-window")

    assert is_plain(result), result.output
    assert "clsoe-window" in result.stderr


def test_every_refusal_of_settlement_says_what_to_do_next() -> None:
    """By its reason; a new refusal needs its line."""
    own = {getattr(settlement.refusals, name).reason for name in settlement.refusals.__all__}
    of_others = {one.reason for one in (CredentialUnknown, MethodNotAllowed, ResourceNotFound, WindowState)}

    assert own | of_others <= NEXT.keys()
