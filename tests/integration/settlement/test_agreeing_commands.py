"""What finance people agree on and wait for, as they type it: documents, the calendar, the scheduler, ages."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.calendars import finance_with_a_calendar
from tests.contract.settled import Finance
from tests.contract.stillness import nothing_changes
from tests.docs.pages import ROOT
from tests.integration.settlement.test_commands import settlement
from tests.servers import Server
from tests.worlds import World, a_world

# Each command is a process of its own, and a busy machine starts them slowly.
pytestmark = pytest.mark.timeout(400)
TERMS = "mode: NETTING_MODE_BILATERAL\nminimum_minor_units: {CNY: 1000}\n"
CALENDAR = """
currencies:
  - {currency_code: CNY, time_zone: Asia/Shanghai, frequency: FREQUENCY_DAILY, cut_off_time: "18:00", pay_lag_days: 2}
"""


def saved(folder: Path, text: str, name: str = "terms.yaml") -> str:
    """A document in a file."""
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return str(file)


@pytest.fixture
def document(tmp_path: Path) -> str:
    """Terms that carry what is below ¥10."""
    return saved(tmp_path, TERMS)


async def a_calendar(world: World) -> Finance:
    """A Monday morning; the second window is due at 18:00 in Shanghai, 10:00 UTC."""
    return await finance_with_a_calendar(world)


async def test_a_document_is_proposed_listed_and_approved(server: Server, finance: Finance, document: str) -> None:
    """By two people at their terminals; from then on it holds, and runs take it."""
    checker = await finance.cast.world.party(directory.CALLER_ROLE_FINANCE_CHECKER, "zoe")

    proposed = (await settlement(server, "propose", "terms", document, "--reason", "as agreed", "--json")).document
    waiting = (await settlement(server, "proposals", "--json")).document
    listed = await settlement(server, "proposals")
    approved = await settlement(
        server, "approve", proposed["proposal"], "--digest", proposed["digest"][:12], key=checker.secret
    )
    left = (await settlement(server, "proposals", "--json")).document
    everything = (await settlement(server, "proposals", "--all", "--json")).document

    assert (proposed["about"], proposed["state"], proposed["in_force"]) == ("terms", "WAITING", False)
    assert proposed["proposed"]["reason"] == "as agreed"
    assert proposed["content"]["minimums"] == {"CNY": 1000}
    assert waiting == [proposed]
    assert proposed["proposal"][:20] in listed.output
    assert (approved.status, approved.errors) == (0, "")
    assert f"{proposed['proposal']}, terms: approved by zoe" in approved.output
    assert left == []
    assert [(one["state"], one["in_force"]) for one in everything] == [("APPROVED", True)]
    run = (await finance.start("windows/1")).run
    assert run.configuration.mode == pb.NETTING_MODE_BILATERAL


@pytest.mark.usefixtures("finance")
async def test_whoever_proposed_may_take_it_back(server: Server, document: str) -> None:
    """With a reason, for the record; taking it back again changes nothing."""
    proposed = (await settlement(server, "propose", "terms", document, "--json")).document

    withdrawn = await settlement(server, "withdraw", proposed["proposal"], "--reason", "too early")
    again = (await settlement(server, "withdraw", proposed["proposal"], "--reason", "x", "--json")).document
    left = await settlement(server, "proposals", "--json")

    assert (withdrawn.status, withdrawn.errors) == (0, "")
    assert withdrawn.output.startswith(f"{proposed['proposal']}, terms: withdrawn by ")
    assert (again["state"], again["decided"]["reason"]) == ("WITHDRAWN", "too early")
    assert left.document == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mode: NETTING_MODE_MAGIC\n", "terms.yaml: "),
        ("modes: 1\n", 'no field named "modes"'),
        ("mode: [\n", "terms.yaml: "),
        ("minimum_minor_units: {CNY: -1}\n", "minimum"),
    ],
)
@pytest.mark.usefixtures("finance")
async def test_a_wrong_document_is_refused_plainly(server: Server, tmp_path: Path, text: str, told: str) -> None:
    """Before anything is written; the command says where."""
    wrong = saved(tmp_path, text)

    async with nothing_changes(server):
        refused = await settlement(server, "propose", "terms", wrong)

    assert (refused.status, refused.output) == (2, "")
    assert refused.errors.startswith("Refused: ")
    assert told in refused.errors


@pytest.mark.usefixtures("finance")
async def test_files_and_names_there_are_not_are_refused_plainly(server: Server, tmp_path: Path) -> None:
    """No file, no document of the kind, no proposal."""
    absent = await settlement(server, "propose", "terms", str(tmp_path / "absent.yaml"))
    nothing = await settlement(server, "withdraw", "proposals/none", "--reason", "x")
    unknown = await settlement(server, "withdraw", "proposals/00000000-0000-4000-8000-000000000000", "--reason", "x")

    assert [one.status for one in (absent, nothing, unknown)] == [2, 2, 2]
    assert "No such file or directory" in absent.errors
    assert "is no proposal" in nothing.errors
    assert "proposals/00000000-0000-4000-8000-000000000000" in unknown.errors


async def test_the_calendar_is_shown_and_tried(server: Server, tmp_path: Path) -> None:
    """The agreed one with when the open window is due; another from a file, without a database's help; proposed."""
    file = saved(tmp_path, CALENDAR, "calendar.yaml")
    none = await settlement(server, "calendar")
    proposed = await settlement(server, "propose", "calendar", file)
    async with a_world(server.address, server.operator_secret) as world:
        await a_calendar(world)

        told = (await settlement(server, "calendar", "--count", "2", "--json")).document
        shown = await settlement(server, "calendar")
    tried = (
        await settlement(server, "calendar", "--file", file, "--after", "2030-03-08T12:00:00", "--count", "1", "--json")
    ).document

    assert (proposed.status, proposed.errors, "frequency: daily" in proposed.output) == (0, "", True)
    assert re.search(r"Next, by another person: .+ approve proposals/\S+ --digest \w{12}$", proposed.output)
    assert "No calendar is in force. Next: python -m settlement propose calendar FILE" in none.output
    assert (told["window"], told["due"]) == ("windows/2", "2030-03-04T10:00:00+00:00")
    assert [(one["day"], one["pay_day"]) for one in told["cut_offs"]] == [
        ("2030-03-04", "2030-03-06"),
        ("2030-03-05", "2030-03-07"),
    ]
    assert "windows/2 is due at 2030-03-04T10:00:00+00:00" in shown.output
    assert "03-04 10:00" in shown.output
    assert {one["kept"] for one in told["cut_offs"]} == {True}
    assert (tried["window"], [one["day"] for one in tried["cut_offs"]]) == (None, ["2030-03-11"])


async def test_the_scheduler_closes_and_nets_what_is_due(server: Server) -> None:
    """Once, for cron; before the hour nothing is due, and again nothing is."""
    async with a_world(server.address, server.operator_secret) as world:
        finance = await a_calendar(world)
        await finance.start("windows/1")

        early = await settlement(server, "scheduler", "--once")
        await world.set_clock("2030-03-04T18:00:00+08:00")
        due = (await settlement(server, "scheduler", "--once", "--json")).document
        again = await settlement(server, "scheduler", "--once")

    assert (early.output, again.output) == ("nothing is due\n", "nothing is due\n")
    assert (due["closed"], due["netted"]) == ([2], [2])


async def test_the_scheduler_goes_on_until_it_is_told_to_stop(server: Server) -> None:
    """It says what it did, and nothing else, on its output; the log goes to stderr."""
    async with a_world(server.address, server.operator_secret) as world:
        finance = await a_calendar(world)
        await finance.start("windows/1")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "settlement", "scheduler", "--every", "0.2"),
            cwd=ROOT,
            env={"EXCHANGE_DATABASE_URL": server.url, "PATH": "", "PYTHONUNBUFFERED": "1"},
            stdout=PIPE,
            stderr=PIPE,
        )
        assert process.stdout is not None
        await world.set_clock("2030-03-04T18:00:00+08:00")
        said = await process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        _, errors = await process.communicate()

    assert said.decode().startswith("closed windows/2")
    assert process.returncode == 0
    assert "Traceback" not in errors.decode()


async def test_what_waits_is_told_by_its_age(server: Server, finance: Finance) -> None:
    """Before any run nothing is known; what is below the minimum waits since its window's day."""
    nothing_run = await settlement(server, "ageing")
    run = (await finance.start("windows/1", minimum_minor_units={"CNY": 1_000})).run
    closed_on = (await settlement(server, "show", "1", "--json")).document["closed_on"]

    told = (await settlement(server, "ageing", "--on", "2100-01-01", "--json")).document
    shown = await settlement(server, "ageing")

    assert nothing_run.output == "No window was run yet.\n"
    assert (told["run"], told["on"]) == (run.name, "2100-01-01")
    assert {item["because"] for item in told["items"]} == {"minimum"}
    assert {item["since"] for item in told["items"]} == {closed_on}
    assert sum(item["amount"] for item in told["items"]) == told["buckets"]["CNY"]["over 90"] == 1_200
    assert "Waiting, by age" in shown.output
    assert "Items: 2" in shown.output


async def test_where_everything_is_paid_nothing_waits(server: Server, finance: Finance) -> None:
    """And it says so."""
    await finance.start("windows/1")

    shown = await settlement(server, "ageing")

    assert shown.output == "Nothing is carried or held.\n"
