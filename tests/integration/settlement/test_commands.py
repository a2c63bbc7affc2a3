"""`python -m settlement` on a real ledger: what finance people type, and what it answers."""

from __future__ import annotations

import pytest

from exchange.v1 import directory_service_pb2 as directory
from tests.contract.settled import Finance
from tests.servers import Server
from tests.terminals import Terminal, Told

MAKER, CHECKER = directory.CALLER_ROLE_FINANCE_MAKER, directory.CALLER_ROLE_FINANCE_CHECKER


TERMINAL = Terminal()


async def settlement(server: Server, *arguments: str, key: str = "") -> Told:
    """Type a command, with somebody's key or as the user of this machine."""
    variables = {"EXCHANGE_DATABASE_URL": server.url, "COLUMNS": "120"} | ({"SETTLEMENT_KEY": key} if key else {})
    return await TERMINAL.type(*arguments, **variables)


async def test_two_people_at_their_terminals_approve_a_window(server: Server, finance: Finance) -> None:
    """One runs and submits as the machine's user, the other approves with a key; what was looked at is named."""
    checker = await finance.cast.world.party(CHECKER, "zoe")

    digest = (await settlement(server, "run", "1", "--json")).document["digest"]
    submitted = await settlement(server, "submit", "1", "--digest", digest[:12], "--reason", "as last week")
    himself = await settlement(server, "approve", "1", "--digest", digest)
    blind = await settlement(server, "approve", "1", "--digest", "0" * 12, key=checker.secret)
    approved = (await settlement(server, "approve", "1", "--digest", digest, "--json", key=checker.secret)).document

    assert (submitted.status, submitted.errors) == (0, "")
    assert "approved by nobody yet of 1 needed: as last week" in submitted.output
    assert himself.status == 2
    assert himself.errors.startswith("Refused: Who made it does not check it: person ")
    assert blind.errors.startswith(f"Refused: What was looked at is not what is there: digest {digest}")
    assert (approved["state"], [decision["person"] for decision in approved["decisions"]]) == ("APPROVED", ["zoe"])


async def test_a_no_and_a_change_of_mind_are_told_with_their_reasons(server: Server, finance: Finance) -> None:
    """Rejected: the window can be run again; cancelled: again."""
    checker = await finance.cast.world.party(CHECKER, "zoe")
    digest = (await settlement(server, "run", "1", "--json")).document["digest"]
    await settlement(server, "submit", "1", "--digest", digest)

    rejected = await settlement(
        server, "reject", "1", "--digest", digest, "--reason", "wrong price", key=checker.secret
    )
    await settlement(server, "run", "1")
    cancelled = await settlement(server, "cancel", "1", "--reason", "too early")

    assert rejected.output.splitlines()[1].startswith("rejected by zoe; submitted by ")
    assert rejected.output.endswith(": wrong price\n")
    assert cancelled.output.splitlines()[1].startswith("cancelled by ")
    assert cancelled.output.endswith(": too early\n")


async def test_a_key_serves_only_for_what_its_role_does(server: Server, finance: Finance) -> None:
    """A maker's key approves nothing, and a key there is not does nothing at all."""
    maker = await finance.cast.world.party(MAKER, "ann")
    digest = (await settlement(server, "run", "1", "--json", key=maker.secret)).document["digest"]

    as_maker = await settlement(server, "approve", "1", "--digest", digest, key=maker.secret)
    as_nobody = await settlement(server, "submit", "1", "--digest", digest, key="cpx_nobody")

    assert (as_maker.status, as_nobody.status) == (2, 2)
    assert "which takes a FINANCE_CHECKER" in as_maker.errors
    assert "unknown, revoked or expired" in as_nobody.errors


@pytest.mark.usefixtures("finance")
async def test_a_digest_of_a_few_digits_names_nothing(server: Server) -> None:
    """Somebody must have looked at it to type twelve."""
    refused = await settlement(server, "submit", "1", "--digest", "4a73")

    assert (refused.status, refused.output) == (2, "")
    assert "its first 12 digits at least" in refused.errors
