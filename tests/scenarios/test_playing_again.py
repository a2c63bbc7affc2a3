"""Past days played again: with the terms that held they are what they were, with others what those would have given.

What others would have given is not computed here a second time: the same day is played with them, on another server.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from exchange.v1 import rate_service_pb2 as rates
from exchange.v1 import transfer_service_pb2 as transfers
from exchange.v1 import types_pb2 as types
from tests.contract.stillness import nothing_changes
from tests.database import Databases
from tests.docs.pages import blocks
from tests.scenarios.replays import DAY_OF, DAYS, FILES, PROJECT, again, command, plain, played
from tests.worlds import a_world


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_a_day_played_again_with_what_held_is_the_day_as_it_was(databases: Databases, file: Path) -> None:
    """Every kind of movement, to the point and the micro-unit; and what was owed is what the windows hold."""
    async with played(databases, DAY_OF[file]) as server:
        comparison = await again(server)

        async with server.api.database.read() as connection:
            statement = (
                "SELECT debtor_no, creditor_no, currency_code, sum(micros)::bigint FROM exchange.window_totals"
                " GROUP BY debtor_no, creditor_no, currency_code"
            )
            rows = (await connection.exec_driver_sql(statement)).all()
        owed: dict[Any, int] = {tuple(row)[:3]: tuple(row)[3] for row in map(list, rows)}
        assert (comparison.changed, comparison.refused, comparison.dropped) == (0, {}, 0)
        assert comparison.kept == {}
        assert bool(comparison.promotions) == ("promotions:" in DAY_OF[file])
        assert plain(comparison.draft) == plain(comparison.actual)
        assert plain(comparison.actual)[2] == owed
        assert comparison.movements > 3


OTHERWISE = {
    "reversals across a change of prices": (
        "reversals",
        {
            "issue: 12000, redeem: 10000": "issue: 11001, redeem: 9007",
            "issue: 15000, redeem: 9000": "issue: 17, redeem: 5",
        },
        """
        prices:
          - {currency: TEL, issue: 11001, redeem: 9007}
          - {currency: TEL, issue: 17, redeem: 5, from: 2026-04-01}
        """,
    ),
    "a price that a hold had frozen": (
        "holds",
        {"issue: 12000, redeem: 10000}": "issue: 12000, redeem: 12345}"},
        """
        prices:
          - {currency: TEL, redeem: 12345}
          - {currency: TEL, redeem: 9000, from: 2026-03-02}
        """,
    ),
    "prices that lots were born with": (
        "breakage_shares",
        {"issue: 12000, redeem: 10000, conversion_in: 10500": "issue: 13003, redeem: 10000, conversion_in: 9001"},
        "prices: [{currency: TEL, issue: 13003, conversion_in: 9001}]",
    ),
    "half a bonus, a budget that it exhausts, and other shares": (
        "cofunded_promotion",
        {
            "bonus_bps: 10000, member_cap: 2000, budget: 5000": "bonus_bps: 5000, member_cap: 900, budget: 1700",
            "7000}": "6001}",
        },
        """
        promotions:
          - {id: k1, kind: earn_bonus, merchant: CAF, currency: AIR, bonus_bps: 5000, member_cap: 900, budget: 1700,
             sponsors: [{merchant: CAF, share_bps: 3000}, {merchant: BNK, share_bps: 6001}]}
        """,
    ),
    "prices that bonuses are paid at": (
        "cofunded_promotion",
        {"issue: 60000": "issue: 59999"},
        "prices: [{currency: AIR, issue: 59999}]",
    ),
    "a conversion that was reversed": (
        "conversion_reversed",
        {"source: 5, target: 1, block: 30, fee: 10000": "source: 6, target: 1, block: 30, fee: 20000"},
        "rates: [{from: TEL, to: AIR, source: 6, target: 1, block: 30, fee: 20000}]",
    ),
    "a tier more": (
        "tiers",
        {
            "  - {from: BNK, to: TEL, source: 10, target: 1}\n": (
                "  - {from: BNK, to: TEL, source: 12, target: 1}\n"
                "  - {from: BNK, to: TEL, source: 11, target: 1, tier: plastic}\n"
            ),
            "source: 8, target: 1, tier: GOLD, effective_from: 2026-01-01, effective_until: 2026-03-02": (
                "source: 7, target: 1, tier: GOLD, effective_from: 2026-01-01"
            ),
        },
        """
        rates:
          - {from: BNK, to: TEL, source: 12, target: 1}
          - {from: BNK, to: TEL, source: 11, target: 1, tier: plastic}
          - {from: BNK, to: TEL, source: 7, target: 1, tier: GOLD}
        """,
    ),
    "a ratio, a bonus and a fee": (
        "conversions",
        {
            "source: 30, target: 1, block: 3000, minimum: 3000, fee: 100000": "source: 33, target: 1, block: 3300",
            "bonus_points: 50, fee_per_point: 100": "bonus_points: 60, fee_per_point: 70",
        },
        """
        rates:
          - {from: BNK, to: AIR, source: 33, target: 1, block: 3300}
          - {from: BNK, to: TEL, source: 10, target: 1, block: 5, bonus_every: 1000, bonus_points: 60,
             fee_per_point: 70, fee_cap: 200000, member_daily_cap: 3000}
        """,
    ),
    "what is paid out in money": (
        "expiry_and_cash_out",
        {"cash_out: 600000, cash_out_fee_bps: 200": "cash_out: 500001, cash_out_fee_bps: 333"},
        "prices: [{currency: VIP, cash_out: 500001, cash_out_fee_bps: 333}]",
    ),
}


@pytest.mark.parametrize(("day", "changes", "draft"), OTHERWISE.values(), ids=OTHERWISE)
async def test_a_day_played_again_with_other_terms_is_what_those_would_have_given(
    databases: Databases, day: str, changes: dict[str, str], draft: str
) -> None:
    """The other day is really played."""
    (file,) = (file for file in FILES if file.stem == day)
    text = other = DAY_OF[file]
    for old, new in changes.items():
        assert old in other
        other = other.replace(old, new)

    async with played(databases, text) as server, played(databases, other) as otherwise:
        comparison = await again(server, draft)
        expected = await again(otherwise)

    assert plain(comparison.draft) == plain(expected.actual) != plain(comparison.actual)
    assert (comparison.refused, comparison.dropped) == ({}, 0)
    assert comparison.changed > 0


CAPPED = """
coalition: {operator: OPR, currency: CNY}
clock: 2026-03-01T09:00:00+08:00
merchants: [{id: BNK, roles: [earning, exchange]}, {id: TEL, roles: [exchange]}, {id: CAF, roles: [redemption]}]
currencies:
  - {code: BNK, issuer: BNK, prices: [{from: 2026-01-01, issue: 2500, redeem: 2000, conversion_out: 2000}]}
  - {code: TEL, issuer: TEL, prices: [{from: 2026-01-01, issue: 12000, redeem: 10000, conversion_in: 10500}]}
rates: [{from: BNK, to: TEL, source: 10, target: 1}]
events:
  - {op: earn, merchant: BNK, member: ada, currency: BNK, points: 9000}
  - {op: earn, merchant: BNK, member: bob, currency: BNK, points: 9000}
  - {op: convert, merchant: BNK, member: ada, from: BNK, to: TEL, points: 600, key: c1}
  - {op: convert, merchant: BNK, member: bob, from: BNK, to: TEL, points: 600}
  - {op: convert, merchant: BNK, member: ada, from: BNK, to: TEL, points: 500, key: c2}
  - {op: reverse, of: c2}
  - {op: convert, merchant: BNK, member: ada, from: BNK, to: TEL, points: 400}
  - {op: reverse, of: c1}
  - {op: convert, merchant: BNK, member: ada, from: BNK, to: TEL, points: 600}
  - {op: convert, merchant: BNK, member: ada, from: BNK, to: TEL, points: 30}
  - {op: convert, merchant: BNK, member: ada, from: BNK, to: TEL, points: 1000, at: 2026-03-02}
"""


async def test_what_a_draft_would_have_refused_is_told_and_left_out(databases: Databases) -> None:
    """A cap of 1 000 a day: ada's 600, then not her 500, nor its reversal; 400; 600 again once the first came back.

    Thirty are beyond it, and below the draft's minimum besides; the next day she has a thousand again.
    """
    draft = "rates: [{from: BNK, to: TEL, source: 10, target: 1, minimum: 40, member_daily_cap: 1000}]"

    async with played(databases, CAPPED) as server:
        comparison = await again(server, draft)

        tel = (await server.api.source.current()).directory.currency("TEL").number
        assert comparison.refused == Counter(DAILY_CAP_EXCEEDED=1, BELOW_MINIMUM=1)
        assert (comparison.dropped, comparison.changed) == (1, 3)
        assert (comparison.minted(tel).actual, comparison.minted(tel).draft) == (263, 260)


QUOTED = """
coalition: {operator: OPR, currency: CNY}
clock: 2026-03-01T09:00:00+08:00
merchants: [{id: BNK, roles: [earning, exchange]}, {id: TEL, roles: [exchange]}]
currencies:
  - {code: BNK, issuer: BNK, prices: [{from: 2026-01-01, issue: 2500, redeem: 2000, conversion_out: 2000}]}
  - {code: TEL, issuer: TEL, prices: [{from: 2026-01-01, issue: 12000, redeem: 10000, conversion_in: 10500}]}
rates:
  - {from: BNK, to: TEL, source: 10, target: 1, effective_from: 2026-01-01, effective_until: 2026-03-02}
  - {from: BNK, to: TEL, source: 20, target: 1, effective_from: 2026-03-02}
events:
  - {op: earn, merchant: BNK, member: ada, currency: BNK, points: 9000}
"""


async def test_a_quote_goes_by_the_terms_of_when_it_was_given(databases: Databases) -> None:
    """Used after the rate had changed: a draft from the second day on leaves it as it was."""
    async with played(databases, QUOTED) as server, a_world(server.address, server.operator_secret) as world:
        bank = await world.key_of(types.Merchant(name="merchants/BNK"))
        await world.set_clock("2026-03-01T23:59:50+08:00")
        asked = rates.CreateQuoteRequest(
            member_reference="ada", source_currency="currencies/BNK", target_currency="currencies/TEL", source_units=100
        )
        quote = (await bank.ask(world.stubs.rates.CreateQuote, asked)).quote
        await world.set_clock("2026-03-02T00:01:00+08:00")
        request = transfers.ConvertPointsRequest(request_id="q", member_reference="ada", quote=quote.name)
        assert (await bank.ask(world.stubs.transfers.ConvertPoints, request)).transfer.received.units == 10

        as_it_was = await again(server)
        later = await again(server, "rates: [{from: BNK, to: TEL, source: 50, target: 1, effective_from: 2026-03-02}]")
        earlier = await again(server, "rates: [{from: BNK, to: TEL, source: 50, target: 1}]")

        tel = (await server.api.source.current()).directory.currency("TEL").number
        assert (as_it_was.changed, later.changed, earlier.changed) == (0, 0, 1)
        assert earlier.minted(tel) == (10, 2)


async def test_the_command_shows_both_sides_and_touches_nothing(databases: Databases, tmp_path: Path) -> None:
    """As tables for people and as JSON, beside a server that serves; not even a sequence moves."""
    draft = tmp_path / "draft.yaml"
    draft.write_text(blocks(PROJECT / "docs" / "rates.md", "yaml")[0])
    days = ("--draft", str(draft), "--from", "2026-03-01", "--to", "2026-03-03")

    async with played(databases, DAY_OF[DAYS / "conversions.yaml"]) as server:
        sequences = "SELECT string_agg(schemaname || sequencename || coalesce(last_value, 0), ' ') FROM pg_sequences"
        async with server.api.database.read() as connection:
            before = (await connection.exec_driver_sql(sequences)).scalar_one()
        async with nothing_changes(server):
            shown, told = command(server, *days), command(server, *days, "--json")
        async with server.api.database.read() as connection:
            assert (await connection.exec_driver_sql(sequences)).scalar_one() == before

    document = json.loads(told.stdout)
    assert (shown.returncode, told.returncode) == (0, 0), shown.stderr
    assert document["points"]["AIR"]["minted"] == {"actual": 3_300, "draft": 2_475, "change": -825}
    assert document["pairs"]["CNY"]["BNK>AIR"]["draft"] == 2_475 * 55_000
    net = document["merchants"]["CNY"]["BNK"]["net"]
    assert net["draft"] - net["actual"] == net["change"] == 100_000
    for words in ("Points made and burnt", "-825", "Cost and net position of each merchant, CNY", "2,475", "136.13"):
        assert words in shown.stdout
    assert "4 movements, 2 of them with another outcome." in shown.stdout


@pytest.mark.parametrize(
    ("draft", "problem"),
    [
        ("rates: [{from: BNK, to: XYZ, source: 1, target: 1}]", "line 1: rates[0].to names no currency there is: XYZ"),
        ("rates:\n  - {from: BNK, to: AIR, source: 1}", "line 2: rates[0].target is missing"),
        ("promotion: []", "line 1: unknown key promotion"),
        ("prices: [{currency: BNK}]", "line 1: prices[0].currency stands without a figure"),
        ("{}", "line 1: a draft is a mapping of rates, prices and promotions: this one tries nothing"),
    ],
)
async def test_a_draft_that_cannot_be_meant_is_refused_by_line_and_key(
    databases: Databases, tmp_path: Path, draft: str, problem: str
) -> None:
    """Before anything is played."""
    file = tmp_path / "draft.yaml"
    file.write_text(draft)

    async with played(databases, CAPPED.replace("TEL", "AIR")) as server:
        refused = command(server, "--draft", str(file), "--from", "2026-03-01", "--to", "2026-03-02")

    assert refused.returncode == 2
    assert problem in refused.stderr


def test_days_must_follow_one_another(tmp_path: Path) -> None:
    """An empty span has nothing to show, and no database is asked for it."""
    command_line = [sys.executable, "-m", "exchange", "simulate", "--draft", str(tmp_path), "--from", "2026-03-02"]

    refused = subprocess.run(
        [*command_line, "--to", "2026-03-02"], cwd=PROJECT, capture_output=True, text=True, check=False
    )

    assert (refused.returncode, refused.stderr) == (2, "--from must lie before --to\n")
