"""Statements and journals of any windows: whatever is carried, held or netted how, the lines add up to the figures."""

from __future__ import annotations

from collections import Counter
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from settlement.breakage.model import Estimate, Usage
from settlement.breakage.rules import recognised, recognitions
from settlement.journal.model import PaymentEvent
from settlement.journal.rules import SETTLEMENT, journal_of
from settlement.liability.model import Figure, Holding, Movement, Owner
from settlement.liability.rules import roll_forward
from settlement.reports.lines import KindTotal, shared_out
from settlement.reports.settled import SettledWindow
from settlement.reports.statement import merchant_statement
from tests.property.test_windows_in_a_row import NAMES, a_row_of_windows
from tests.unit.settlement.settlements import CLOSED_AT, settled_window

KINDS = ["earn", "redeem", "fee"]


@st.composite
def settled_rows(draw: st.DrawFn) -> list[SettledWindow]:
    """Windows one after the other, whose obligations are of several kinds."""
    found: list[SettledWindow] = []
    for inputs in draw(a_row_of_windows()):
        kinds: Counter[tuple[str, str, str]] = Counter()
        for total in inputs.totals:
            kinds[total.debtor, total.creditor, draw(st.sampled_from(KINDS))] += total.micros
        listed = [
            KindTotal("CNY", debtor, creditor, kind, micros, 1)
            for (debtor, creditor, kind), micros in sorted(kinds.items())
        ]
        before = found[-1].run.result if found else ()
        found.append(settled_window(listed, inputs.configuration, before, inputs.window_no))
    return found


@given(row=settled_rows())
def test_lines_of_a_statement_add_up_to_the_net(row: list[SettledWindow]) -> None:
    """Came in + kinds = in all; in all - held = netted; net = paid + carried. For everybody, in every mode."""
    for settled in row:
        for name in NAMES:
            tables = {table.name: table for table in merchant_statement(settled, name).tables}
            lines = {str(line[1]): (int(str(line[3])), int(str(line[4]))) for line in tables["lines"].rows}
            waits = [item for one in settled.run.result for item in one.carried]
            assert lines.get("carried", (0, 0)) == (
                sum(item.amount for item in waits if item.creditor == name),
                sum(item.amount for item in waits if item.debtor == name),
            )
            if not lines:
                continue
            parts = [figures for key, figures in lines.items() if key in {*KINDS, "carried_in", "held_in", "adjusted"}]
            total, held = lines["total"], lines.get("held", (0, 0))
            net, carried = lines["net"], lines.get("carried", (0, 0))
            paid = lines["paid"]
            assert (sum(p[0] for p in parts), sum(p[1] for p in parts)) == total
            assert net[0] - net[1] == (total[0] - held[0]) - (total[1] - held[1])
            assert net[0] - net[1] == (paid[0] - paid[1]) + (carried[0] - carried[1])


@given(row=settled_rows(), data=st.data())
def test_a_journal_leaves_only_what_is_due_and_what_waits(row: list[SettledWindow], data: st.DataObject) -> None:
    """Each entity's account of the net ends at zero, as do those against others; what waits leaves; ids are unique."""
    balances: Counter[tuple[str, str]] = Counter()
    names: list[str] = []
    for settled in row:
        events = [
            PaymentEvent(f"E{settled.run.window_no}-{n}", "CNY", p.payer, p.payee, p.amount, date(2026, 4, 2), False)
            for one in settled.run.result
            for n, p in enumerate(one.payments)
            if data.draw(st.booleans())
        ]
        entries = journal_of(settled, events)
        names += [entry.external_id for entry in entries]
        for entry in entries:
            for posting in entry.postings:
                balances[entry.entity, posting.account] += posting.debit - posting.credit
        waiting: Counter[tuple[str, str]] = Counter()
        for one in settled.run.result:
            for item in (*one.carried, *one.held_items):
                waiting[item.debtor, f"liabilities:waiting:{item.creditor}"] -= item.amount
                waiting[item.creditor, f"assets:waiting:{item.debtor}"] += item.amount
        left = {key: amount for key, amount in balances.items() if amount and ":waiting:" in key[1]}
        assert left == dict(waiting)
        assert all(not amount or account != SETTLEMENT for (_, account), amount in balances.items())
        assert all(not amount or ":coalition:" not in account for (_, account), amount in balances.items())
    assert len(names) == len(set(names))
    assert sum(balances.values()) == 0


@given(parts=st.lists(st.integers(0, 10**9), max_size=8), unit=st.sampled_from([1, 1_000, 10_000, 1_000_000]))
def test_shares_sum_to_the_whole_and_are_off_by_less_than_one(parts: list[int], unit: int) -> None:
    """Whatever the parts are; the same parts give the same shares."""
    whole = (2 * sum(parts) + unit) // (2 * unit)

    shares = shared_out(whole, parts, unit)

    assert sum(shares) == whole
    assert all(abs(share * unit - part) < unit for share, part in zip(shares, parts, strict=True))


OWNERS = [Owner("TEL", "TEL", "GRO"), Owner("TEL", "TEL", "TEL"), Owner("AIR", "AIR", "CAF")]
movements = st.lists(
    st.builds(
        Movement,
        window_no=st.integers(1, 5),
        owner=st.sampled_from(OWNERS),
        money=st.just("CNY"),
        kind=st.sampled_from(["earn", "redeem", "convert", "capture", "hold", "reversal", "expire", "brand_new"]),
        added=st.integers(0, 100),
        removed=st.integers(0, 100),
        added_micros=st.integers(0, 1_000),
        removed_micros=st.integers(0, 1_000),
    ),
    max_size=30,
)


@given(moved=movements, first=st.integers(1, 5), length=st.integers(0, 4))
def test_a_roll_forward_ties_to_the_ledger_whatever_moved(moved: list[Movement], first: int, length: int) -> None:
    """For any range of windows; and one window's closing is the next one's opening."""
    last = min(first + length, 5)
    held: dict[Owner, Figure] = {}
    for one in moved:
        change = Figure(one.added, one.added_micros).less(Figure(one.removed, one.removed_micros))
        held[one.owner] = held.get(one.owner, Figure()).plus(change)
    now = [Holding(owner, figure.units, figure.micros) for owner, figure in held.items()]

    def roll(start: int, end: int) -> dict[Owner, tuple[Figure, Figure, bool]]:
        before = [one for one in moved if one.window_no < start]
        within = [one for one in moved if start <= one.window_no <= end]
        after = [one for one in moved if one.window_no > end]
        return {r.owner: (r.opening, r.closing, r.ties) for r in roll_forward(before, within, after, now)}

    rolled = roll(first, last)
    assert all(ties for _, _, ties in rolled.values())
    nothing = (Figure(), Figure(), True)
    following = roll(last + 1, last + 1)
    assert all(closing == following.get(owner, nothing)[0] for owner, (_, closing, _) in rolled.items())


usages = st.lists(
    st.tuples(st.integers(0, 10**9), st.integers(0, 10**6), st.integers(0, 10**9), st.integers(0, 10**6)), max_size=8
).map(lambda rows: [Usage(n, issued, 0, used, given_back, expired) for n, (issued, given_back, used, expired)
                    in enumerate(rows, start=1)])  # fmt: skip
estimates = st.lists(st.tuples(st.integers(1, 8), st.integers(0, 9_999), st.booleans()), max_size=4).map(
    lambda rows: [
        Estimate("TEL", n, begins, bps, "r", CLOSED_AT, "x", "ann", CLOSED_AT, "y", "zoe" if confirmed else None)
        for n, (begins, bps, confirmed) in enumerate(rows, start=1)
    ]
)


@given(used=usages, said=estimates)
def test_breakage_income_adds_up_window_by_window(used: list[Usage], said: list[Estimate]) -> None:
    """Windows' income and catch-ups sum to the cumulative; only a window in which the version changes catches up."""
    rows = recognitions(used, said)

    total, version = 0, None
    for row in rows:
        total += row.recognised - row.withdrawn + row.catch_up_recognised - row.catch_up_withdrawn
        assert total == row.cumulative
        assert row.cumulative >= 0
        if row.version == version:
            assert row.catch_up_recognised == row.catch_up_withdrawn == 0
        version = row.version


@given(
    issued=st.integers(0, 10**12),
    used=st.integers(0, 10**12),
    expired=st.integers(0, 10**12),
    bps=st.integers(0, 9_999),
)
def test_breakage_never_exceeds_what_is_unused_nor_falls_below_what_expired(
    issued: int, used: int, expired: int, bps: int
) -> None:
    """And grows with use: the more was used, the more of what will not be is income."""
    used = min(used, issued)
    expired = min(expired, issued - used)

    income = recognised(issued, used, expired, bps)

    assert expired <= income <= issued - used
    if used < issued and expired == 0:
        assert min(recognised(issued, used, 0, bps), issued - used - 1) <= recognised(issued, used + 1, 0, bps)
    assert recognised(issued, 0, 0, bps) == 0
