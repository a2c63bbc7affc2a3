"""Dry runs: what would follow is told to the last figure, and the database is as it was."""

from __future__ import annotations

import pytest

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import funds_pb2 as funds
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.money import deposit
from tests.contract.settled import Finance, finance_of, move_period_a
from tests.contract.stillness import nothing_changes
from tests.integration.settlement.test_commands import settlement
from tests.servers import Server
from tests.worlds import a_world


@pytest.mark.timeout(300)
async def test_a_default_drill_tells_what_would_be_posted_and_writes_nothing(server: Server) -> None:
    """The drill's layers are those the declaration posts afterwards; beside them the run without GRO."""
    async with a_world(server.address, server.operator_secret) as world:
        finance = await finance_of(world)
        await move_period_a(finance)
        await finance.close("windows/1")
        await finance.agree(deposit("GRO", funds.FUNDS_PURPOSE_PREFUNDING, 40_000))
        await finance.agree(deposit("TEL", funds.FUNDS_PURPOSE_GUARANTEE, 20_000))
        not_run = await settlement(server, "drill", "default", "GRO", "1")
        run = (await finance.start("windows/1")).run

        async with nothing_changes(server):
            told = (await settlement(server, "drill", "default", "GRO", "1", "--json")).document
            shown = await settlement(server, "drill", "default", "GRO", "1")
            owes_nothing = (await settlement(server, "drill", "default", "TEL", "1", "--json")).document

        assert not_run.status == 2
        assert (told["dry_run"], told["run"], told["window"]) == (True, run.name, "windows/1")
        yuan = told["currencies"]["CNY"]
        assert (yuan["waterfall"]["loss"], yuan["waterfall"]["open"]) == (71_655, 11_655)
        assert [one["minor_units"] for one in yuan["postings"]] == [40_000, 20_000]
        assert yuan["recast"]["TEL"] == {
            "before": {"pays": 0, "receives": 101_655, "held_payable": 0, "held_receivable": 0},
            "after": {"pays": 30_000, "receives": 0, "held_payable": 12_345, "held_receivable": 144_000},
        }
        assert "left open: 116.55" in shown.output
        assert "Nothing is written." in shown.output
        assert owes_nothing["currencies"]["CNY"]["waterfall"] is None
        await declared_as_drilled(finance, run, yuan["waterfall"]["takes"])
        await recovered_as_typed(server, finance)


async def declared_as_drilled(finance: Finance, run: pb.Run, takes: list[dict[str, object]]) -> None:
    """What two people declare afterwards is what the drill told."""
    await finance.approve(await finance.submit(run))
    declaration = funds.DefaultDeclaration(participant="merchants/GRO", window="windows/1")

    declared = await finance.agree(pb.Proposal(default_declaration=declaration))

    (fall,) = declared.default_declaration.waterfalls
    assert [(take.participant, take.taken_minor_units) for take in fall.takes] == [
        (f"merchants/{take['participant']}", take["taken"]) for take in takes
    ]


async def recovered_as_typed(server: Server, finance: Finance) -> None:
    """What came back is typed, approved by another person, and the claim is told."""
    back = ("--reference", "BACK-1", "--value-date", "2026-03-09")
    too_much = await settlement(server, "recover", "GRO", "1", "CNY", "31656", *back, key=finance.maker.secret)
    typed = ("recover", "GRO", "1", "CNY", "11656", *back)
    shown = await settlement(server, *typed, key=finance.maker.secret)
    proposed = (await settlement(server, *typed, "--json", key=finance.maker.secret)).document
    approve = ("approve", proposed["proposal"], "--digest", proposed["digest"])
    await settlement(server, *approve, key=finance.checker.secret)
    told = (await settlement(server, "funds", "GRO", "--json")).document
    table = await settlement(server, "funds", "GRO")
    board = (await settlement(server, "status", "--json")).document
    fits = await settlement(server, "recover", "GRO", "open", "CNY", "1", *back, key=finance.maker.secret)

    assert (too_much.status, fits.status) == (2, 2)
    assert "what is above it" in too_much.errors
    assert "Next, by another person" in shown.output
    (claim,) = told["claims"]
    assert (claim["claimed"], claim["recovered"], claim["remaining"], claim["missing"]) == (31_655, 11_656, 19_999, 0)
    assert [(one["participant"], one["repaid"]) for one in claim["stakes"]] == [("GRO", 11_655), ("TEL", 1)]
    assert "Claims of defaulters" in table.output
    assert ("defaults with a claim left", 1) in [(one["what"], one["number"]) for one in board["outstanding"]]


@pytest.mark.timeout(300)
async def test_an_exit_drill_tells_what_is_left_and_writes_nothing(server: Server) -> None:
    """Of GRO its debts, funds and points; of GEN, suspended, nothing, so that it may leave at the terminal."""
    async with a_world(server.address, server.operator_secret) as world:
        finance = await finance_of(world)
        await move_period_a(finance)
        await finance.agree(deposit("GRO", funds.FUNDS_PURPOSE_PREFUNDING, 150))
        suspended = directory.SuspendMerchantRequest(name="merchants/GEN", reason="leaves")
        await world.operator.ask(world.stubs.directory.SuspendMerchant, suspended)

        async with nothing_changes(server):
            told = (await settlement(server, "drill", "exit", "GRO", "--json")).document
            shown = await settlement(server, "drill", "exit", "GRO")
            nothing = (await settlement(server, "drill", "exit", "GEN", "--json")).document
        refused = await settlement(server, "exit", "GRO", key=finance.maker.secret)
        proposed = (await settlement(server, "exit", "GEN", "--json", key=finance.maker.secret)).document
        approve = ("approve", proposed["proposal"], "--digest", proposed["digest"], "--json")
        left = (await settlement(server, *approve, key=finance.checker.secret)).document

    assert (told["zero"], told["open_window"]) == (False, "windows/1")
    assert {name: one["left"] for name, one in told["subjects"].items() if one["left"]} == {
        "BUSINESS": 1,
        "OBLIGATIONS": 3,
        "FUNDS": 1,
        "POINTS_FUNDED": 1,
    }
    assert {one["what"]: one["amount"] for one in told["left"] if one["subject"] == "OBLIGATIONS"} == {
        "windows/1 owes TEL": 1_440_000_000,
        "windows/1 is owed by BNK": 600_000_000,
        "windows/1 is owed by TEL": 123_450_000,
    }
    assert "payments: nothing left" in shown.output
    assert (nothing["zero"], nothing["left"]) == (True, [])
    assert refused.status == 2
    assert "drill exit" in refused.errors
    assert (left["state"], left["content"]["left"], len(left["content"]["looked_at"])) == ("APPROVED", [], 11)
