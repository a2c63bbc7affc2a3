"""The README is executed: its first conversion, its settling, its commands; and its map is that of the folders."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from typer import Typer

import exchange.__main__
import settlement.cli
from tests.database import Databases
from tests.docs.pages import README, ROOT, blocks
from tests.servers import Server, a_server_of_its_own

TEXT = README.read_text(encoding="utf-8")
ADDRESS = "127.0.0.1:50051"


@dataclass(frozen=True, slots=True)
class Followed:
    """What the README's steps printed: its Python, then what Python prints of errors.md, then its settling."""

    conversion: str
    refusal: str
    settling: str


async def _output_of(*command: str, **environment: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("EXCHANGE_")}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=inherited | {"COLUMNS": "80"} | environment, stdout=PIPE, stderr=PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode()


def _shell(block: str) -> tuple[str, ...]:
    assert ".venv/bin/python" in block
    return ("sh", "-e", "-c", block.replace(".venv/bin/python", sys.executable))


@pytest.fixture(scope="module")
async def server(databases: Databases) -> AsyncIterator[Server]:
    """A sandbox server on a database of its own."""
    async with a_server_of_its_own(databases) as server:
        yield server


@pytest.fixture(scope="module")
async def followed(server: Server) -> Followed:
    """The README followed step by step, beside the server that is there already."""
    make_key, settle = blocks(README, "sh")
    key = await _output_of(*_shell(f'{make_key}\nprintf %s "$OPERATOR_KEY"'), EXCHANGE_DATABASE_URL=server.url)
    program = "\n".join(blocks(README, "python"))
    assert program.count(ADDRESS) == 1
    program = program.replace(ADDRESS, server.address)
    # The catalogue's way to read a refusal, tried on one: the bank gives no goods for points.
    refused = "\n".join(
        [
            *blocks(ROOT / "docs" / "errors.md", "python"),
            "try:",
            "    redeem = transfers.RedeemPointsRequest(request_id='r', member_reference='card-1', points=award)",
            "    ask(keys['BNK'], points.RedeemPoints, redeem)",
            "except grpc.RpcError as error:",
            "    reason, metadata = reason_of(error)",
            "    print('--', reason, *sorted(metadata.items()))",
        ]
    )
    printed = await _output_of(sys.executable, "-c", f"{program}\n{refused}", OPERATOR_KEY=key)
    conversion, _, refusal = printed.partition("-- ")
    settling = await _output_of(*_shell(settle), EXCHANGE_DATABASE_URL=server.url)
    return Followed(conversion, refusal, settling)


def _words(text: str) -> list[str]:
    """What a person reads, without the lines of tables."""
    return re.findall(r"[^\s\u2500-\u257f]+", text)


def test_the_first_conversion_prints_what_the_readme_shows(followed: Followed) -> None:
    """From the operator's key to a replay, with the very commands and programs of the page."""
    shown = blocks(README, "text")[0]

    assert followed.conversion == shown


def test_settling_it_prints_what_the_readme_shows(followed: Followed) -> None:
    """All of it but ids, instants and the name of whoever types; the digest is the same on every machine."""
    shown = _words(blocks(README, "text")[1])
    printed = _words(followed.settling)

    assert len(printed) == len(shown)
    for word, pattern in zip(printed, shown, strict=True):
        assert re.fullmatch(".+".join(map(re.escape, pattern.split("…"))), word), f"{word} is shown as {pattern}"


def test_a_refusal_is_read_as_the_catalogue_shows(followed: Followed) -> None:
    """By the function on the page, from a real call."""
    assert followed.refusal == "ROLE_MISSING ('merchant', 'merchants/BNK') ('role', 'REDEMPTION')\n"


def test_the_conversion_takes_ten_lines() -> None:
    """As the page says."""
    assert len(blocks(README, "python")[1].splitlines()) == 10


def _commands(app: Typer, prefix: str) -> set[str]:
    found = {
        f"{prefix} {command.name or command.callback.__name__}"
        for command in app.registered_commands
        if command.callback is not None
    }
    for group in app.registered_groups:
        assert group.typer_instance is not None
        found |= _commands(group.typer_instance, f"{prefix} {group.name}")
    return found


def test_the_overview_lists_every_command() -> None:
    """And none that is not there."""
    rows = re.findall(r"^\| `(python -m [^`]+)` \|", TEXT, re.MULTILINE)
    listed = {re.sub(r" [A-Z].*$", "", row) for row in rows}
    offered = _commands(exchange.__main__.app, "python -m exchange")
    offered |= _commands(settlement.cli.app, "python -m settlement")

    assert listed == offered
    assert len(rows) == len(listed)


def _rooms(package: str) -> set[str]:
    hidden = {"v1", "migrations"}
    return {file.parent.name for file in (ROOT / package).glob("*/__init__.py")} - hidden


def test_the_map_shows_every_room() -> None:
    """Of both packages; generated code is no room."""
    drawing = blocks(README, "")[2]
    drawn = set(re.findall(r"[a-z_]+", drawing))

    assert drawing.startswith("exchange ")
    assert _rooms("exchange") | _rooms("settlement") <= drawn
