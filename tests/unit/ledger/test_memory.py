"""What a process remembers: whose accounts, up to which lots, of which generation, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from exchange.ledger.facts import MemberFacts
from exchange.ledger.member_account import LOTS_KEPT, MemberAccount
from exchange.ledger.memory import KEYS_MAX, MOMENT_SECONDS, Memory, Moment, RecentKeys
from exchange.ledger.model import Lot
from exchange.ledger.reference import AccountKey
from tests.unit.rules.rulebook import NOON, SECOND, earn

Written = asyncio.Future[bool]
TEL = 3


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Futures are of one."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def lots(*units: int, ends: bool = True) -> list[Lot]:
    """In spending order, the first ends in a second."""
    return [
        Lot(UUID(int=place), held, 1, 10, NOON, NOON + (place + 1) * SECOND if ends else None)
        for place, held in enumerate(units)
    ]


def an_account(*units: int, wanted: int = 0, sequence: int | None = 7) -> MemberAccount:
    """Seen by somebody who wanted so many points, with these lots."""
    account = MemberAccount(0, uuid4(), TEL, sum(units), sequence or 0)
    account.sequence_before = sequence
    for lot in lots(*units):
        account.show(lot, NOON)
    account.saw_lots(wanted)
    return account


def key_of(account: MemberAccount) -> AccountKey:
    """Its name."""
    return (account.bucket, account.member_id, account.currency_no)


def of(*accounts: MemberAccount) -> list[MemberFacts]:
    """A batch's members, one an account."""
    return [MemberFacts(NOON, NOON.date(), one.member_id, {one.currency_no: one}) for one in accounts]


def a_moment(seconds: int = 0, generation: int = 1) -> Moment:
    """What the database said so many seconds after noon."""
    return Moment(NOON + seconds * SECOND, generation, 1, None, 1, 3)


def held(memory: Memory, *accounts: MemberAccount, points: int = 0) -> list[bool]:
    """Whether each is remembered well enough for so many points to be taken of it."""
    keys = [key_of(account) for account in accounts]
    taken, _ = memory.take(keys, dict.fromkeys(keys, points), NOON)
    return [key in taken for key in keys]


def test_an_account_is_remembered_as_a_batch_left_it(loop: asyncio.AbstractEventLoop) -> None:
    """With nothing to be written any more, and once: who takes it has it alone."""
    memory, account = Memory(10), an_account(5, 5, wanted=10)
    account.sequence, account.touched = 8, True
    account.changed[UUID(int=0)] = None

    memory.keep(of(account), loop.create_future())
    taken, _ = memory.take([key_of(account)], {key_of(account): 10}, NOON)

    (kept,) = taken.values()
    assert (kept.sequence, kept.sequence_before, kept.touched, kept.changed) == (8, 8, False, {})
    assert kept.is_remembered
    assert held(memory, account) == [False]


def test_an_account_nobody_has_made_is_not_remembered(loop: asyncio.AbstractEventLoop) -> None:
    """Unless the batch made it."""
    memory, seen, made = Memory(10), an_account(sequence=None), an_account(sequence=None)
    made.touched, made.sequence = True, 1

    memory.keep(of(seen, made), loop.create_future())

    assert held(memory, seen, made) == [False, True]


def test_of_an_account_that_is_closed_nothing_is_remembered(loop: asyncio.AbstractEventLoop) -> None:
    """It could not be proved: what is written without locks is written to open ones."""
    memory, account = Memory(10), an_account()
    account.is_closed = True

    memory.keep(of(account), loop.create_future())

    assert held(memory, account) == [False]


def test_lots_that_were_only_looked_at_do_not_pile_up() -> None:
    """Nothing of the account was changed, and a thousand lots were seen."""
    account = an_account(*[1] * 1_000, wanted=2_000)

    account.rest()

    assert len(account.lots) == len(account.known) == LOTS_KEPT


def test_those_touched_longest_ago_are_forgotten_first(loop: asyncio.AbstractEventLoop) -> None:
    """As many are kept as was said."""
    memory, accounts = Memory(2), [an_account() for _ in range(3)]
    for account in accounts:
        memory.keep(of(account), loop.create_future())

    assert held(memory, *accounts) == [False, True, True]


@pytest.mark.parametrize(
    ("units", "wanted", "asked", "expected"),
    [
        ((5, 5), 7, 10, True),
        ((5, 5), 7, 11, False),
        ((5, 5), 20, 1_000, True),
        ((), 0, 1, False),
        ((), 0, 0, True),
        ((), 3, 5, True),
    ],
    ids=["enough", "may be more", "all there are", "not looked", "none is taken", "none there are"],
)
def test_it_is_remembered_well_enough_if_its_lots_are_known_as_far_as_they_are_needed(
    loop: asyncio.AbstractEventLoop,
    units: tuple[int, ...],
    wanted: int,
    asked: int,
    expected: bool,  # noqa: FBT001
) -> None:
    """Lots seen by somebody who wanted so many points; who needs more than is known must look."""
    memory, account = Memory(10), an_account(*units, wanted=wanted)
    memory.keep(of(account), loop.create_future())

    assert held(memory, account, points=asked) == [expected]


def test_lots_that_have_ended_are_not_counted() -> None:
    """Although they had not when they were seen."""
    account = an_account(5, 5, 5, wanted=15)

    assert account.covers(10, NOON + SECOND)
    assert not account.covers(15, NOON + SECOND)
    assert [lot.remaining for lot in account.lots] == [5, 5]


def test_a_lot_that_may_stand_behind_others_is_not_kept() -> None:
    """The account was seen up to its second lot, and the batch made one that ends later."""
    account = an_account(5, 5, wanted=10)
    later = Lot(uuid4(), 5, 1, 10, NOON, NOON + timedelta(days=1))
    account.show(later, NOON)
    account.changed[later.lot_id] = None

    account.rest()

    assert [lot.lot_id for lot in account.lots] == [UUID(int=0), UUID(int=1)]


def test_of_many_lots_the_first_are_kept() -> None:
    """And the account is known up to the last of them."""
    account = an_account(*[1] * (LOTS_KEPT + 5), wanted=1_000)

    account.rest()

    assert len(account.lots) == LOTS_KEPT
    assert account.covers(LOTS_KEPT, NOON)
    assert not account.covers(LOTS_KEPT + 1, NOON)


def test_of_many_lots_none_is_kept_that_may_stand_behind_others() -> None:
    """However many there are: up to the last that was seen, the account is known, and not up to the last there is."""
    account = an_account(*[1] * (LOTS_KEPT - 1), wanted=LOTS_KEPT - 1)
    seen = account.seen_to
    for days in (1, 2, 3):
        account.show(Lot(uuid4(), 1, 1, 10, NOON, NOON + timedelta(days=days)), NOON)

    account.rest()

    assert account.seen_to == seen
    assert not account.covers(LOTS_KEPT, NOON)


def test_what_is_not_written_yet_is_told_and_forgotten_when_it_fails(loop: asyncio.AbstractEventLoop) -> None:
    """What another batch has kept of the same account since stays."""
    memory, first, second = Memory(10), an_account(), an_account()
    failed, done = loop.create_future(), loop.create_future()
    memory.keep(of(first, second), failed)
    _, unwritten = memory.take([key_of(second)], {}, NOON)
    memory.keep(of(second), done)

    memory.disown(of(first, second), failed)

    assert unwritten == {failed}
    assert held(memory, first, second) == [False, True]


def test_what_is_written_needs_no_waiting(loop: asyncio.AbstractEventLoop) -> None:
    """The batch that left the account is over."""
    memory, account, written = Memory(10), an_account(), loop.create_future()
    memory.keep(of(account), written)
    written.set_result(True)

    _, unwritten = memory.take([key_of(account)], {}, NOON)

    assert not unwritten


def test_time_goes_on_by_the_processs_own_clock_for_a_while() -> None:
    """A little slower, so that it is never ahead; then it has to be asked."""
    memory = Memory(10)
    memory.asked(a_moment(), 100.0)

    known = memory.moment(101.0)

    assert known is not None
    assert NOON + SECOND * 0.99 < known.now < NOON + SECOND
    assert known.known_keys == 0
    assert memory.moment(100.0 + MOMENT_SECONDS + 0.1) is None


def test_time_never_goes_back() -> None:
    """Although the database, asked by another lane meanwhile, said less."""
    memory = Memory(10)
    memory.asked(a_moment(), 100.0)
    later = memory.at(a_moment(5))

    assert memory.at(a_moment(3)).now == later.now
    known = memory.moment(101.0)
    assert known is not None
    assert known.now == later.now


def test_an_older_answer_does_not_take_the_place_of_a_newer(loop: asyncio.AbstractEventLoop) -> None:
    """Two lanes ask, and hear in another order."""
    memory, account = Memory(10), an_account()
    memory.asked(a_moment(5, generation=2), 105.0)
    memory.keep(of(account), loop.create_future())

    memory.asked(a_moment(1, generation=1), 105.1)
    memory.asked(a_moment(4, generation=2), 105.2)

    assert memory.fits(a_moment(generation=2))
    assert not memory.fits(a_moment(generation=1))
    known = memory.moment(105.0)
    assert known is not None
    assert known.now == NOON + 5 * SECOND
    assert held(memory, account) == [True]


def test_with_another_generation_everything_is_forgotten(loop: asyncio.AbstractEventLoop) -> None:
    """Somebody was alone behind the fence: prices, windows, memberships may be others."""
    memory, account = Memory(10), an_account()
    memory.asked(a_moment(), 100.0)
    memory.keep(of(account), loop.create_future())
    epoch = memory.epoch

    memory.asked(a_moment(1, generation=2), 101.0)

    assert memory.epoch > epoch
    assert held(memory, account) == [False]


def test_keys_that_were_used_lately_are_known() -> None:
    """And let go of when many more have been used since."""
    keys = RecentKeys()
    keys.note([earn("1 TEL", "GRO", key="once")])

    assert keys.has_any([earn("1 TEL", "GRO", key="other"), earn("1 TEL", "GRO", key="once")])
    assert not keys.has_any([earn("1 TEL", "CAF", key="once")])

    for place in range(0, 2 * KEYS_MAX + 2_000, 1_000):
        keys.note([earn("1 TEL", "GRO", key=f"{place}-{each}") for each in range(1_000)])
    assert not keys.has_any([earn("1 TEL", "GRO", key="once")])
