"""Draft promotions on past days: what they would have given is what the same day gives with them really on."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path

import pytest

from exchange.scenario.sections import BadScenario
from tests.contract.stillness import nothing_changes
from tests.database import Databases
from tests.docs.pages import blocks
from tests.scenarios.replays import DAY_OF, FILES, PROJECT, again, command, plain, played

HALF = "{merchant: CAF, share_bps: 5000}"
BONUS_DAYS: dict[str, dict[str, str]] = {
    "cofunded_promotion": {},
    "conversions_with_everything": {},
    "bonus_that_expires": {"points: 700}": "points: 500}"},
    "below_zero": {"points: 1200}": "points: 900}", "points: 301}": "points: 901}"},
}
"""Days that can be played without their promotions too: so much is used that it is there either way."""
PARTS = """
coalition: {operator: OPR, currency: CNY}
clock: 2026-03-01T09:00:00+08:00
merchants: [{id: AIR, roles: [earning]}, {id: BNK, roles: [general]}, {id: CAF, roles: [earning]}]
currencies: [{code: AIR, issuer: AIR, prices: [{from: 2026-01-01, issue: 59999, redeem: 50000}]}]
promotions:
  - {id: K1, kind: earn_bonus, merchant: CAF, currency: AIR, bonus_bps: 3333, budget: 700,
     sponsors: [{merchant: BNK, share_bps: 3333}, {merchant: CAF, share_bps: 3333}]}
  - {id: K2, kind: earn_bonus, currency: AIR, bonus_points: 77, member_cap: 100,
     sponsors: [{merchant: BNK, share_bps: 9999}]}
events:
  - {op: earn, merchant: CAF, member: ada, currency: AIR, points: 1001, key: e1}
  - {op: reverse, of: e1, points: 300}
  - {op: earn, merchant: CAF, member: ada, currency: AIR, points: 999, key: e2}
  - {op: reverse, of: e1, points: 1}
  - {op: earn, merchant: AIR, member: ada, currency: AIR, points: 10}
  - {op: earn, merchant: CAF, member: ben, currency: AIR, points: 1500, key: e3}
  - {op: reverse, of: e1}
  - {op: reverse, of: e3, points: 7}
  - {op: earn, merchant: CAF, member: ben, currency: AIR, points: 5000}
  - {op: reverse, of: e2, points: 500}
"""
_PROMOTIONS = re.compile(r"^promotions:\n(?: +.*\n)+", re.MULTILINE)


def _day(name: str) -> str:
    (file,) = (file for file in FILES if file.stem == name)
    text = DAY_OF[file]
    for old, new in BONUS_DAYS[name].items():
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("text", [*map(_day, BONUS_DAYS), PARTS], ids=[*BONUS_DAYS, "reversed_in_parts"])
async def test_a_draft_promotion_gives_what_the_promotion_really_on_gives(databases: Databases, text: str) -> None:
    """Caps, budgets that stop quietly, several sponsors, reversals, expiry: played without it, and then with it."""
    (draft,) = _PROMOTIONS.findall(text)

    async with played(databases, text.replace(draft, "")) as server, played(databases, text) as otherwise:
        comparison = await again(server, draft)
        expected = await again(otherwise)

    assert plain(comparison.draft) == plain(expected.actual) != plain(comparison.actual)
    assert (comparison.refused, comparison.dropped, comparison.kept) == ({}, 0, {})
    assert comparison.draft.bonuses
    assert not comparison.actual.bonuses


async def test_a_draft_can_do_without_a_promotion(databases: Databases) -> None:
    """One that takes its place and has ended before anything was played: the day without it."""
    text = DAY_OF[next(file for file in FILES if file.stem == "cofunded_promotion")]
    (promotions,) = _PROMOTIONS.findall(text)
    draft = promotions.replace("bonus_bps: 10000", "bonus_bps: 10000, effective_until: 2026-01-01")

    async with played(databases, text) as server, played(databases, text.replace(promotions, "")) as otherwise:
        comparison = await again(server, draft)
        expected = await again(otherwise)

    assert plain(comparison.draft) == plain(expected.actual) != plain(comparison.actual)


BONUS_OF_YESTERDAY = """
coalition: {operator: OPR, currency: CNY}
clock: 2026-03-01T09:00:00+08:00
merchants: [{id: AIR, roles: [earning]}, {id: CAF, roles: [earning]}]
currencies: [{code: AIR, issuer: AIR, prices: [{from: 2026-01-01, issue: 60000, redeem: 50000}]}]
promotions:
  - {id: K1, kind: earn_bonus, currency: AIR, bonus_bps: 10000, member_cap: 2000, budget: 2500,
     sponsors: [{merchant: CAF, share_bps: 10000}]}
events:
  - {op: earn, merchant: CAF, member: ada, currency: AIR, points: 1500, key: a1}
  - {op: earn, merchant: CAF, member: ada, currency: AIR, points: 1500, at: 2026-03-02}
  - {op: earn, merchant: CAF, member: ben, currency: AIR, points: 1500}
  - {op: reverse, of: a1}
  - {op: earn, merchant: CAF, member: eve, currency: AIR, points: 400}
"""


async def test_budgets_and_caps_go_on_from_the_state_at_the_beginning(databases: Databases) -> None:
    """1 500 of ada's 2 000 are used the day before, and come back that day: bonuses of 500, 500, -1 500 and 400.

    With 3 000 in all ben gets 1 000; with a promotion beside it, a tenth more of each award of the day.
    """
    second = datetime.fromisoformat("2026-03-02T00:00:00+08:00")
    sponsors = "sponsors: [{merchant: CAF, share_bps: 10000}]"
    more = (
        "promotions: [{id: K1, kind: earn_bonus, currency: AIR, bonus_bps: 10000, member_cap: 2000, budget: 3000, "
        f"{sponsors}}}]"
    )
    beside = f"promotions: [{{id: K2, kind: earn_bonus, merchant: CAF, currency: AIR, bonus_bps: 1000, {sponsors}}}]"

    async with played(databases, BONUS_OF_YESTERDAY) as server:
        as_it_was = await again(server, since=second)
        with_more = await again(server, more, second)
        with_another = await again(server, beside, second)

        caf = (await server.api.source.current()).directory.merchant("CAF").number
        assert (as_it_was.changed, as_it_was.bonuses("K1")) == (0, (-100, -100))
        assert plain(as_it_was.draft) == plain(as_it_was.actual)
        assert (with_more.changed, with_more.bonuses("K1")) == (1, (-100, 400))
        assert with_more.sponsored((caf, "CNY")) == (-100 * 60_000, 400 * 60_000)
        assert (with_another.bonuses("K1"), with_another.bonuses("K2")) == ((-100, -100), (0, 150 + 150 + 40))


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("currency", "XYZ", "line 1: promotions[0].currency names no currency there is: XYZ"),
        ("bonus_bps", "1000001", "line 1: promotions[0].bonus_bps is more than 1000000"),
        (
            "sponsors",
            "[{merchant: XYZ, share_bps: 1}]",
            "sponsors[0].merchant names no merchant there is: XYZ",
        ),
        ("sponsors", f"[{HALF}, {HALF}]", "line 1: promotions[0].sponsors name a merchant twice"),
        (
            "sponsors",
            f"[{HALF}, {{merchant: AIR, share_bps: 5001}}]",
            "line 1: promotions[0].sponsors share more than 10000 basis points",
        ),
        ("effective_until", "2026-03-01", "line 1: promotions[0].effective_until is not after effective_from"),
    ],
)
async def test_a_draft_promotion_that_cannot_be_meant_is_refused_by_line_and_key(
    databases: Databases, key: str, value: str, problem: str
) -> None:
    """What a server would refuse of a promotion, before anything is played."""
    said = {"id": "K9", "kind": "earn_bonus", "currency": "AIR", "bonus_bps": "1", "effective_from": "2026-03-01"}
    draft = ", ".join(f"{one}: {what}" for one, what in (said | {key: value}).items())

    async with played(databases, BONUS_OF_YESTERDAY) as server:
        with pytest.raises(BadScenario) as refused:
            await again(server, f"promotions: [{{{draft}}}]")

    assert problem in str(refused.value)


async def test_the_command_shows_what_promotions_give_and_sponsors_pay(databases: Databases, tmp_path: Path) -> None:
    """The page's example: half the bonus, paid by BNK alone, on the day of the page's promotion."""
    draft = tmp_path / "draft.yaml"
    draft.write_text(blocks(PROJECT / "docs" / "promotions.md", "yaml")[0])
    days = ("--draft", str(draft), "--from", "2026-03-01", "--to", "2026-03-02")

    day = DAY_OF[PROJECT / "examples" / "scenarios" / "cofunded_promotion.yaml"]
    async with played(databases, day) as server, nothing_changes(server):
        shown, told = command(server, *days), command(server, *days, "--json")

    document = json.loads(told.stdout)
    assert (shown.returncode, told.returncode) == (0, 0), shown.stderr
    assert document["promotions"] == {"K1": {"actual": 5_000, "draft": 3_300, "change": -1_700}}
    assert document["sponsors"] == {
        "CNY": {
            "BNK": {"actual": 210_000_000, "draft": 198_000_000, "change": -12_000_000},
            "CAF": {"actual": 90_000_000, "draft": 0, "change": -90_000_000},
        }
    }
    assert document["points"]["AIR"]["minted"]["change"] == -1_700
    assert document["merchants"]["CNY"]["AIR"]["net"]["change"] == -102_000_000
    for words in (
        "Bonus points of each promotion",
        "-1,700",
        "Cost of each sponsor, part of what it owes, CNY",
        "198.00",
    ):
        assert words in shown.stdout
