"""Laws of holds, captures, reversals and expiry, tried with random movements against a clerk with pencil and paper."""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.ledger.decision import Outcome
from exchange.ledger.model import Account, Command, Receipt, Side, Transfer, TransferKind
from tests.property.follow_up_clerk import Clerk
from tests.property.follow_up_steps import ADA, CODES, OPENING, WORLD, Step, at, days, endings, steps
from tests.property.ledger_in_memory import Store
from tests.unit.ledger.batches import told
from tests.unit.rules.days import release
from tests.unit.rules.rulebook import CURRENCY_NO, MERCHANT_NO, NOON, redeem


class Book:
    """A store, and the transfers in it in the order in which they were made."""

    def __init__(self) -> None:
        self.store = Store(world=WORLD)
        self.made: list[Transfer] = []

    def post(self, step: Step, now: datetime) -> str | None:
        """What a step is told; None when it has nothing to follow."""
        command = step.command(self.made)
        return None if command is None else told(self._post([command], now))[0]

    def tidy_up(self, now: datetime) -> None:
        """What the exchange does by itself: holds lapse, then lots end."""
        open_holds = [self.store.transfers[name] for name, one in self.store.progress.items() if not one.ended]
        over = [one for one in open_holds if one.kind == TransferKind.HOLD and one.expires_at <= now]  # type: ignore[operator]
        self._post([release(one, lapsed=True) for one in sorted(over, key=lambda one: one.ledger_sequence)], now)
        self._post(endings(), now)

    def _post(self, commands: list[Command], now: datetime) -> list[Outcome]:
        outcomes = self.store.post_commands([([command], False) for command in commands], now)
        self.made += [outcome.transfer for outcome in outcomes if isinstance(outcome, Receipt)]
        return outcomes

    def lots(self, code: str) -> list[tuple[int, int]]:
        """Points left and held of each lot, in the order of birth."""
        rows = (row for _, row in sorted(self.store.lots.items()) if row[3] == CURRENCY_NO[code])
        return [(row[5], row[11]) for row in rows]

    def account(self, code: str) -> tuple[int, int, int]:
        """Available, held and owed points."""
        available, _, held, owed = self.store.accounts.get((ADA, CURRENCY_NO[code]), (0, 0, 0, 0))
        return available, held, owed


def played(batches: list[list[Step]]) -> Book:
    """A book after all batches."""
    book = Book()
    for number, batch in enumerate(batches):
        for step in batch:
            book.post(step, NOON + at(number))
        book.tidy_up(NOON + at(number))
    return book


@settings(max_examples=300)
@given(batches=days)
def test_follow_ups_are_decided_as_a_clerk_with_the_rulebook_would(batches: list[list[Step]]) -> None:
    """The same answers, the same points in the same lots, held and free, the same debts of points and of money."""
    book, clerk = Book(), Clerk()

    for number, batch in enumerate(batches):
        now = NOON + at(number)
        for step in batch:
            assert book.post(step, now) == clerk.told(step, now), step
        book.tidy_up(now)
        clerk.tidy_up(now)

        for code in CODES:
            assert book.lots(code) == [(heap.points, heap.held) for heap in clerk.heaps[code]]
            assert book.account(code)[2] == clerk.debt[code]
    assert book.store.totals == clerk.owed


@given(batches=days)
def test_points_in_circulation_are_what_the_member_has_holds_and_owes(batches: list[list[Step]]) -> None:
    """Every transfer balances, and each account is the sum of its legs."""
    book = played(batches)

    sums: Counter[tuple[int, int]] = Counter()
    for transfer in book.made:
        balance: Counter[int] = Counter()
        for leg in transfer.legs:
            signed = leg.units if leg.side == Side.CREDIT else -leg.units
            balance[leg.currency_no] += signed
            sums[(leg.currency_no, leg.account)] += signed
        assert not any(balance.values())
    for code in CODES:
        number = CURRENCY_NO[code]
        available, held, owed = book.account(code)
        assert available == sums[(number, Account.MEMBER)] + sums[(number, Account.OVERDRAFT)]
        assert (held, owed) == (sums[(number, Account.HELD)], -sums[(number, Account.OVERDRAFT)])
        assert -sums[(number, Account.CIRCULATION)] == available + held
        endless = sum(row[5] for row in book.store.lots.values() if row[3] == number and row[9] is None)
        assert owed == 0 or (code == "AIR" and endless == 0), "who owes points has none to spend"


@given(batches=days)
def test_what_is_reversed_whole_leaves_nothing_owing(batches: list[list[Step]]) -> None:
    """All parts together mirror each obligation exactly, and no part goes beyond it."""
    book = played(batches)

    mirrored: defaultdict[UUID | None, Counter[tuple[int, int]]] = defaultdict(Counter)
    for transfer in book.made:
        if transfer.kind == TransferKind.REVERSAL:
            mirrored[transfer.original_id].update(
                {(one.creditor_no, one.debtor_no): one.micros for one in transfer.obligations}
            )
    for name, back in mirrored.items():
        assert name is not None
        original = Counter(
            {(one.debtor_no, one.creditor_no): one.micros for one in book.store.transfers[name].obligations}
        )
        assert back == original if book.store.progress[name].ended else back < original or not original


@given(batches=days)
def test_undoing_everything_leaves_owing_only_the_points_that_ended_unused(batches: list[list[Step]]) -> None:
    """Uses first, then awards, where members may owe points: whoever awarded has paid for what ended, and no more."""
    book = played(batches)
    now = NOON + at(len(batches))
    book.tidy_up(now)

    of_airline = [one for one in book.made if one.legs and one.legs[0].currency_no == CURRENCY_NO["AIR"]]
    for kinds in ({TransferKind.REDEEM, TransferKind.CAPTURE}, {TransferKind.EARN}):
        for one in of_airline:
            if one.kind in kinds:
                assert one.transfer_id is not None
                place = len(book.made) - 1 - book.made.index(one)
                answer = book.post(Step("reverse all", "AIR", 1, "CAF", place), now)
                assert answer in {"moved", "ALREADY_REVERSED", "INSUFFICIENT_POINTS"}

    net: Counter[int] = Counter()
    for transfer in book.made:
        for one_debt in transfer.obligations:
            if transfer.legs[0].currency_no == CURRENCY_NO["AIR"]:
                net[one_debt.debtor_no] += one_debt.micros
                net[one_debt.creditor_no] -= one_debt.micros
    unused: Counter[int] = Counter()
    for lot_id, row in book.store.lots.items():
        if row[3] == CURRENCY_NO["AIR"]:
            ended = book.store.unused[lot_id] + (row[5] if row[9] is not None and row[9] <= now else 0)
            # An award that was reversed while its points were spent was taken from other lots, and is paid back: what
            # the use then gives back to its own lot ends for nobody's account.
            award = book.store.progress.get(row[10])
            unused[row[6]] += 60_000 * min(ended, row[4] - (award.done_units if award else 0))
    del net[MERCHANT_NO["AIR"]]
    assert +net == +unused
    assert min(net.values(), default=0) >= 0


@settings(max_examples=60)
@given(before=days, together=st.lists(steps(), min_size=2, max_size=6), cuts=st.sets(st.integers(1, 5)))
def test_it_does_not_matter_how_follow_ups_fall_into_batches(
    before: list[list[Step]], together: list[Step], cuts: set[int]
) -> None:
    """One batch or several: the same answers and the same rows."""
    book = played(before)
    now = NOON + at(len(before))
    commands = [command for step in together if (command := step.command(book.made)) is not None]
    at_once, in_parts = copy.deepcopy(book.store), copy.deepcopy(book.store)

    said = told(at_once.post_commands([([command], False) for command in commands], now))
    edges = [0, *sorted(cut for cut in cuts if cut < len(commands)), len(commands)]
    said_in_parts = []
    for begin, end in pairwise(edges):
        work = [([command], False) for command in copy.deepcopy(commands[begin:end])]
        said_in_parts += told(in_parts.post_commands(work, now))

    assert said_in_parts == said
    assert (in_parts.accounts, in_parts.totals) == (at_once.accounts, at_once.totals)
    assert in_parts.remainders() == at_once.remainders()
    assert sorted(map(str, in_parts.progress.values())) == sorted(map(str, at_once.progress.values()))


@settings(max_examples=60)
@given(before=days, group=st.lists(steps(), min_size=1, max_size=5))
def test_an_atomic_group_of_follow_ups_that_was_refused_leaves_everything_as_it_was(
    before: list[list[Step]], group: list[Step]
) -> None:
    """Holds stay open, originals unreversed, lots and debts untouched."""
    book = played(before)
    store = book.store
    kept = copy.deepcopy((store.accounts, store.lots, store.totals, store.progress, store.transfers))
    commands = [command for step in group if (command := step.command(book.made)) is not None]

    answers = store.post_commands(
        [([*commands, redeem("999 TEL", "CAF", member_id=ADA)], True)], NOON + at(len(before))
    )

    assert all(not isinstance(answer, Receipt) for answer in answers)
    assert (store.accounts, store.lots, store.totals, store.progress, store.transfers) == kept


def test_the_opening_is_something_to_follow() -> None:
    """Awards and holds; else the laws above would be tried on little."""
    book = played([OPENING])

    assert [TransferKind(one.kind).name for one in book.made] == ["EARN", "EARN", "EARN", "HOLD", "HOLD"]
