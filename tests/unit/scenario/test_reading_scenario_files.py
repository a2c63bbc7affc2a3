"""What a scenario file may say, and how another file is refused: by line and key, before any start."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from exchange.scenario.model import CloseWindow, ExpectRefusal, Expiry, Movement
from exchange.scenario.parser import parse_scenario, read_scenario
from exchange.scenario.sections import BadScenario
from tests.unit.scenario.example_day import DAY, changed, line_of

EXAMPLES = Path(__file__).parents[3] / "examples" / "scenarios"


def test_a_whole_file_is_understood() -> None:
    """Every part arrives with what it says, where it says so, and with the defaults of what it leaves out."""
    day = parse_scenario(DAY)

    assert day.coalition.minimum_payment == 100
    assert [(m.id, m.cash_agent) for m in day.merchants] == [("TEL", False), ("AIR", True)]
    assert [price.issue for price in day.currencies[0].prices] == [12000, 1]
    assert day.currencies[1].expiry == Expiry("days", days=365)
    assert (day.rates[0].block, day.rates[0].minimum, day.rates[0].effective_from) == (300, 0, None)
    earn, conversion, refusal = day.events[:3]
    assert isinstance(earn, Movement)
    assert isinstance(conversion, Movement)
    assert (earn.op, earn.points, earn.line) == ("earn", 500, 12)
    assert (conversion.currency, conversion.target, conversion.key) == ("TEL", "AIR", "c1")
    assert isinstance(refusal, ExpectRefusal)
    assert isinstance(day.events[4], CloseWindow)
    assert day.expect.windows is not None
    assert day.expect.windows[0].pairs == {("TEL", "AIR"): 1, ("TEL", "OPR"): 2}
    assert day.expect.balances == {("ada", "TEL"): 200}
    assert (day.expect.converted["c1"].used, day.expect.converted["c1"].received) == (300, 10)


def test_a_date_without_a_time_is_midnight_where_the_clock_is() -> None:
    """2026-06-30 in a file whose clock stands at +08:00 begins at 16:00 UTC of the day before."""
    earn = parse_scenario(DAY).events[0]

    assert isinstance(earn, Movement)
    assert earn.expires == datetime(2026, 6, 29, 16, tzinfo=UTC)


def test_words_that_yaml_used_to_take_for_something_else_stay_words() -> None:
    """`NO`, `on` and `y` are fine names of merchants and members."""
    day = parse_scenario(DAY.replace("AIR", "NO").replace("ada", "on"))

    assert day.merchants[1].id == "NO"
    assert day.expect.balances == {("on", "TEL"): 200}


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.yaml")))
def test_every_example_is_understood(name: str) -> None:
    """Whether or not the server can play it yet."""
    assert read_scenario(EXAMPLES / name).events


BAD = {
    "an unknown key of the file": ("rates:\n", "rate:\n", "rates:", "unknown key rate"),
    "an unknown key of the coalition": (
        "operator: OPR,",
        "operator: OPR, minimum: 3,",
        "operator",
        "coalition.minimum",
    ),
    "an unknown key of a merchant": ("cash_agent: true", "agent: true", "cash_agent", "unknown key merchants[1].agent"),
    "an unknown key of a price": ("issue: 12000", "isue: 12000", "issue: 12000", "currencies[0].prices[0].isue"),
    "an unknown key of an event": ("key: e1", "id: e1", "key: e1", "unknown key events[0].id"),
    "a key of another op": ("op: close_window", "op: close_window, points: 1", "op: close_window", "events[4].points"),
    "an unknown key of a window": ("gross: 1", "grand: 1", "gross: 1", "unknown key expect.windows[0].grand"),
    "a key that stands twice": ("key: e1", "points: 5", "key: e1", "events[0].points stands twice"),
    "a missing key": ("points: 500, ", "", "op: earn", "events[0].points is missing"),
    "a mistyped key": ("points: 500", "point: 500", "points: 500", "events[0].point; events[0].points is missing"),
    "a mistyped key of the file": ("events:\n", "evnts:\n", "events:", "unknown key evnts; events is missing"),
    "a key with nothing behind it": ("points: 500", "points:", "op: earn", "events[0].points is missing"),
    "a word for a number": ("points: 500", "points: many", "points: 500", "events[0].points must be a whole number"),
    "a fraction": ("points: 500", "points: 1.5", "points: 500", "must be a whole number, not 1.5"),
    "a number in quotes": ("points: 500", 'points: "5"', "points: 500", "must be a whole number"),
    "a number that looks octal": ("points: 500", "points: 010", "points: 500", "must be a whole number, not 010"),
    "more than 64 bits": ("points: 500", "points: 9223372036854775808", "points: 500", "events[0].points must lie"),
    "a bare number for a name": ("member: ada, currency: TEL", "member: 7, currency: TEL", "op: earn", 'quotes: "7"'),
    "a word for a list": (
        "roles: [exchange]",
        "roles: exchange",
        "roles: [exchange]",
        "merchants[1].roles must be a l",
    ),
    "a list for a mapping": ("{AIR: 1, TEL: -1}", "[AIR]", "{AIR: 1", "expect.windows[0].nets must be a mapping"),
    "a word for a flag": ("cash_agent: true", "cash_agent: yes", "cash_agent", "must be true or false, not yes"),
    "a time without an offset": ("09:00:00+08:00", "09:00:00", "clock:", "clock must be a time with an offset"),
    "no time at all": ("expires: 2026-06-30", "expires: soon", "expires:", "events[0].expires must be a date"),
    "a day that does not exist": ("expires: 2026-06-30", "expires: 2026-06-31", "expires:", "events[0].expires must"),
    "an offset nobody lives at": ("09:00:00+08:00", "09:00:00+08:07", "clock:", "clock has an offset that no time"),
    "a negative price": ("issue: 12000", "issue: -1", "issue: 12000", "prices[0].issue must lie between 0"),
    "two prices at once": ("from: 2026-04-01", "from: 2026-01-01", "prices: [{from", "two entries of the same instant"),
    "an unknown role": ("roles: [exchange]", "roles: [swap]", "roles: [exchange]", "not swap"),
    "a merchant without a role": ("roles: [exchange]", "roles: []", "roles: [exchange]", "at least one role"),
    "a merchant that stands twice": ("id: AIR", "id: TEL", "id: AIR", "TEL stands for somebody else"),
    "a merchant named as the operator": ("id: AIR", "id: OPR", "id: AIR", "OPR stands for somebody else"),
    "a currency that stands twice": ("code: AIR", "code: TEL", "code: AIR", "TEL stands twice"),
    "an issuer nobody declared": (
        "issuer: AIR",
        "issuer: ARI",
        "issuer: AIR",
        "currencies[1].issuer names no merchant",
    ),
    "a rate into nowhere": ("to: AIR, source", "to: ARI, source", "to: AIR, source", "rates[0].to names no currency"),
    "an event of nobody": (
        "op: earn, merchant: TEL",
        "op: earn, merchant: LET",
        "op: earn",
        "events[0].merchant names",
    ),
    "points of no currency": ("currency: TEL, points", "currency: LET, points", "op: earn", "events[0].currency names"),
    "an expected pair of nobody": ('"TEL>AIR"', '"TEL>ARI"', '"TEL>AIR"', "names no merchant of this file: ARI"),
    "an expected pair that is none": ('"TEL>AIR"', '"TEL-AIR"', '"TEL>AIR"', "must be a pair such as"),
    "an unknown op": ("op: earn", "op: give", "op: earn", "not give"),
    "a reason nobody gives": ("reason: NO_RATE", "reason: NO_LUCK", "reason: NO_RATE", "NO_LUCK"),
    "a clock that turns back": ("to: 2026-03-03", "to: 2026-03-01", "to: 2026-03-03", "would turn the clock back"),
    "a year that ends on no day": (
        "policy: days, days: 365",
        "policy: fiscal_year, ends: 31-03",
        "policy: days",
        "expiry.ends must be a month and a day",
    ),
    "an unknown expiry": ("policy: days", "policy: never", "policy: days", "expiry.policy knows none, days"),
    "money that is none": ("currency: CNY", "currency: yuan", "currency: CNY", "must be an ISO 4217 code, not yuan"),
    "money nobody has": (
        "currency: CNY",
        "currency: CNQ",
        "currency: CNY",
        "coalition.currency is no ISO 4217 currency",
    ),
    "no YAML": ("roles: [exchange]", "roles: [exchange", "op: earn", "not readable as YAML"),
}


@pytest.mark.parametrize(("old", "new", "place", "problem"), BAD.values(), ids=BAD)
def test_a_file_is_refused_by_line_and_key(old: str, new: str, place: str, problem: str) -> None:
    """The sentence names the line where it stands and the key's whole path."""
    with pytest.raises(BadScenario) as refused:
        parse_scenario(changed(old, new))

    assert problem in str(refused.value)
    if "YAML" not in problem:
        assert str(refused.value).startswith(f"line {line_of(place)}: ")


def test_a_fiscal_year_ends_on_a_day_of_a_month() -> None:
    """With months of grace, or without."""
    day = parse_scenario(changed("policy: days, days: 365", "policy: fiscal_year, ends: 03-31, grace_months: 2"))
    without = parse_scenario(changed("policy: days, days: 365", "policy: fiscal_year, ends: 12-31"))

    assert day.currencies[1].expiry == Expiry("fiscal_year", 0, 3, 31, 2)
    assert without.currencies[1].expiry == Expiry("fiscal_year", 0, 12, 31, 0)


def test_reversals_are_expected_by_key() -> None:
    """Points taken back, and where the file says so."""
    day = parse_scenario(changed("  converted:", "  reversed: {r1: 5}\n  converted:"))

    assert (day.expect.reversed, day.expect.reversed_lines) == ({"r1": 5}, {"r1": line_of("  converted:")})


def test_a_refusal_may_be_expected_for_a_currency_that_does_not_exist() -> None:
    """That the server says no to it is just what such an event tries out."""
    day = parse_scenario(changed("from: AIR, to: TEL", "from: XYZ, to: TEL"))

    assert isinstance(day.events[2], ExpectRefusal)
    assert isinstance(day.events[2].movement, Movement)
    assert day.events[2].movement.currency == "XYZ"


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """By the line in which the first broken byte stands."""
    file = tmp_path / "broken.yaml"
    file.write_bytes(b"clock: 2026-01-01\n# \xff\n")

    with pytest.raises(BadScenario, match="line 2: not UTF-8"):
        read_scenario(file)
