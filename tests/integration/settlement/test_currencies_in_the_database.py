"""Sets of rates at the keyboard and behind it: two people agree on one, and the database holds runs to it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from uuid import UUID

import pytest
from grpc import aio

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.currencies import a_rate, rates
from tests.contract.settled import Finance
from tests.contract.stillness import connected
from tests.docs.pages import ROOT, blocks
from tests.integration.settlement.stopping import stopped
from tests.integration.settlement.test_commands import settlement
from tests.servers import Server

PAGE = ROOT / "docs" / "currencies.md"
DECIDE = """
INSERT INTO settlement.proposal_decisions (proposal_id, verdict, digest, at, actor, person, reason)
VALUES ($1, 'APPROVED', $2, now(), 'FINANCE_CHECKER:apiKeys/x', 'zoe', '')
"""
RUN = """
INSERT INTO settlement.runs (run_id, window_no, configuration, result, digest, closed_on, created_at, created_by)
VALUES (gen_random_uuid(), 1, $1, '{}', encode(sha256('{}'), 'hex'), current_date, now(), 'FINANCE_MAKER:x')
"""


def id_of(proposal: pb.Proposal) -> UUID:
    """The id in a proposal's name."""
    return UUID(proposal.name.removeprefix("proposals/"))


@pytest.mark.timeout(400)
async def test_the_documents_of_the_page_are_agreed_on_at_the_keyboard(
    server: Server, finance: Finance, tmp_path: Path
) -> None:
    """Its set of rates and its terms; the run tells by which version it converted."""
    checker = await finance.cast.world.party(directory.CALLER_ROLE_FINANCE_CHECKER, "zoe")
    documents = blocks(PAGE, "yaml")
    for what, text in (("fx_set", documents[0]), ("terms", documents[1])):
        file = tmp_path / f"{what}.yaml"
        file.write_text(text, encoding="utf-8")
        proposed = (await settlement(server, "propose", what, str(file), "--json")).document
        digest = proposed["digest"]
        approved = await settlement(server, "approve", proposed["proposal"], "--digest", digest, key=checker.secret)
        assert (approved.status, approved.errors) == (0, "")

    run = await settlement(server, "run", "1", "--json")
    shown = await settlement(server, "show", "1")

    assert run.document["fx"]["set"]["rates"][0]["as_of"] == "2026-03-31"
    assert run.document["fx"]["into"] == {"TEL": "CNY"}
    assert "converted by month-end/1, per position" in shown.output


async def test_a_run_converts_by_approved_rates_only(server: Server, finance: Finance) -> None:
    """The set as it was approved, with its digest; not one that waits, and not other figures under that digest."""
    waits = await finance.propose(rates(1, name="waits"))
    agreed = await finance.agree(rates())
    async with connected(server.url) as connection:
        query = "SELECT content FROM settlement.proposals WHERE proposal_id = $1"
        good, waiting = [json.loads(await connection.fetchval(query, id_of(one))) for one in (agreed, waits)]
    other = json.loads(json.dumps(good))
    other["rates"][0]["numerator"] = 73

    def configured(found: object, digest: str) -> str:
        return json.dumps({"fx": {"set": found, "digest": digest}})

    assert not await stopped(server, RUN, configured(good, agreed.digest))
    assert not await stopped(server, RUN, "{}")
    assert await stopped(server, RUN, configured(other, agreed.digest))
    assert await stopped(server, RUN, configured(good, "0" * 64))
    assert await stopped(server, RUN, configured(waiting, waits.digest))


async def test_no_earlier_version_comes_to_hold(server: Server, finance: Finance) -> None:
    """The database stops what the code would refuse."""
    early, same = await finance.propose(rates(1)), await finance.propose(rates(2, a_rate(numerator=71)))
    later = await finance.propose(rates(3))
    await finance.agree(rates(2))

    assert await stopped(server, DECIDE, id_of(early), early.digest)
    assert await stopped(server, DECIDE, id_of(same), same.digest)
    assert not await stopped(server, DECIDE, id_of(later), later.digest)


async def test_of_versions_approved_at_once_none_comes_before_another(server: Server, finance: Finance) -> None:
    """Ten versions in any order at once: those that were approved came in ascending order, the last is in force."""
    proposed = [await finance.propose(rates(version)) for version in range(1, 11)]

    async def approve(proposal: pb.Proposal) -> bool:
        try:
            await finance.approve_proposal(proposal)
        except aio.AioRpcError:
            return False
        return True

    told = await asyncio.gather(*map(approve, reversed(proposed)))

    async with connected(server.url) as connection:
        versions = [
            row[0]
            for row in await connection.fetch(
                "SELECT (content::jsonb ->> 'version')::int FROM settlement.proposal_decisions"
                " JOIN settlement.proposals USING (proposal_id) WHERE kind = 'FX_SET' ORDER BY"
                " proposal_decisions.order_no"
            )
        ]
    assert versions == sorted(versions)
    assert (len(versions), versions[-1]) == (sum(told), 10)
    assert any(told)
