"""Laws of the ledger's decisions, tried with random requests against a clerk with pencil and paper."""

from __future__ import annotations

import copy
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.ledger.decision import Outcome
from exchange.ledger.model import Account, Receipt, Side, Transfer
from exchange.refusals import BatchNotApplied, Refusal
from tests.property.ledger_asks import OPENING, Ask, AskGroup, asks, groups
from tests.property.ledger_in_memory import CODE_OF, Store
from tests.property.ledger_reference import Reference
from tests.unit.ledger.batches import told
from tests.unit.rules.rulebook import NOON

days = st.lists(st.lists(groups(), max_size=5), min_size=1, max_size=4).map(lambda rest: [[OPENING], *rest])
"""Batches, half a day apart from one another, so that lots run out and daily caps begin anew."""

HALF_A_DAY = timedelta(hours=12)


def posted(batches: Sequence[Sequence[AskGroup]]) -> tuple[Store, list[str]]:
    """A store after a batch each half day, and what was told."""
    store = Store()
    said: list[str] = []
    for day, batch in enumerate(batches):
        said += told(store.post(batch, NOON + day * HALF_A_DAY))
    return store, said


def signed(transfer: Transfer) -> Counter[int]:
    """Credit less debit of each currency."""
    sums: Counter[int] = Counter()
    for leg in transfer.legs:
        sums[leg.currency_no] += leg.units if leg.side == Side.CREDIT else -leg.units
    return sums


@given(batches=days)
def test_the_ledger_decides_as_a_clerk_with_the_rulebook_would(batches: list[list[AskGroup]]) -> None:
    """The same answers, the same balances, the same debts, the same number of entries on each account."""
    clerk = Reference()

    store, said = posted(batches)

    expected = [
        answer
        for day, batch in enumerate(batches)
        for group in batch
        for answer in clerk.handle(group, NOON + day * HALF_A_DAY)
    ]
    assert said == expected
    assert store.held() == clerk.held()
    assert store.totals == clerk.debts
    entries = {(member, CODE_OF[number]): row[1] for (member, number), row in store.accounts.items()}
    assert entries == dict(clerk.entries)


@given(batches=days)
def test_points_never_move_between_persons(batches: list[list[AskGroup]]) -> None:
    """A lot is of the member of every transfer that touches it; each member's points are made and burnt alone."""
    store, _ = posted(batches)

    owners: dict[UUID, UUID] = {}
    made: Counter[tuple[UUID, int]] = Counter()
    for transfer in store.transfers.values():
        for leg in transfer.legs:
            if leg.lot_id is not None:
                assert owners.setdefault(leg.lot_id, transfer.member_id) == transfer.member_id
            if leg.account == Account.CIRCULATION:
                made[(transfer.member_id, leg.currency_no)] += leg.units * (1 if leg.side == Side.DEBIT else -1)
    assert made == {key: available + held for key, (available, _, held, _) in store.accounts.items() if key in made}


@given(batches=days)
def test_points_only_move(batches: list[list[AskGroup]]) -> None:
    """Every transfer balances in each currency; balances are the sum of their entries and of their lots."""
    store, _ = posted(batches)

    entries: Counter[tuple[UUID, int]] = Counter()
    for transfer in store.transfers.values():
        assert not any(signed(transfer).values())
        assert all(leg.units > 0 for leg in transfer.legs)
        for leg in transfer.legs:
            if leg.account == Account.MEMBER:
                entries[(transfer.member_id, leg.currency_no)] += leg.units * (1 if leg.side == Side.CREDIT else -1)
    in_lots: Counter[tuple[UUID, int]] = Counter()
    for lot in store.lots.values():
        assert 0 <= lot[5] <= lot[4]
        in_lots[(lot[2], lot[3])] += lot[5]
    balances = {account: row[0] for account, row in store.accounts.items()}
    assert balances == {account: entries[account] for account in balances} == {a: in_lots[a] for a in balances}
    assert entries.keys() == balances.keys()


@given(batches=days)
def test_entries_of_an_account_are_numbered_without_a_gap_in_ledger_order(batches: list[list[AskGroup]]) -> None:
    """1, 2, 3 …, and the numbers grow as the ledger's own do."""
    store, _ = posted(batches)

    numbers: defaultdict[tuple[UUID, int], list[int]] = defaultdict(list)
    in_order = sorted(store.transfers.values(), key=lambda transfer: transfer.ledger_sequence)
    for transfer in in_order:
        touched = {(leg.currency_no, leg.account_sequence) for leg in transfer.legs if leg.account_sequence is not None}
        for currency_no, number in touched:
            numbers[(transfer.member_id, currency_no)].append(number)
    assert len({transfer.ledger_sequence for transfer in in_order}) == len(in_order)
    assert all(given_out == list(range(1, len(given_out) + 1)) for given_out in numbers.values())
    assert {account: len(given_out) for account, given_out in numbers.items()} == {
        account: row[1] for account, row in store.accounts.items()
    }


@given(batches=days)
def test_debts_are_points_times_price_and_owed_to_somebody_else(batches: list[list[AskGroup]]) -> None:
    """And the totals kept while posting are their sum."""
    store, _ = posted(batches)

    owed = [one for transfer in store.transfers.values() for one in transfer.obligations]
    assert all(one.micros > 0 and one.debtor_no != one.creditor_no for one in owed)
    assert all(one.micros == one.points_units * one.price_micros for one in owed if one.points_units)
    assert sum(store.totals.values()) == sum(one.micros for one in owed)


@settings(max_examples=60)
@given(batch=st.lists(groups(), min_size=1, max_size=12), cuts=st.sets(st.integers(0, 11)))
def test_it_does_not_matter_how_requests_fall_into_batches(batch: list[AskGroup], cuts: set[int]) -> None:
    """One batch or many: same answers, same balances, same lots, same debts."""
    at_once, in_parts = Store(), Store()

    said = told(at_once.post([OPENING, *batch], NOON))
    said_in_parts = told(in_parts.post([OPENING], NOON))
    edges = [0, *sorted(cut for cut in cuts if 0 < cut < len(batch)), len(batch)]
    for begin, end in pairwise(edges):
        said_in_parts += told(in_parts.post(batch[begin:end], NOON))

    assert said_in_parts == said
    assert in_parts.accounts == at_once.accounts
    assert in_parts.remainders() == at_once.remainders()
    assert (in_parts.totals, in_parts.daily) == (at_once.totals, at_once.daily)


@settings(max_examples=60)
@given(before=st.lists(groups(), max_size=4), group=st.lists(asks(trials=False), min_size=1, max_size=6))
def test_an_atomic_group_that_was_refused_leaves_everything_as_it_was(before: list[AskGroup], group: list[Ask]) -> None:
    """All that is new is the answer under the refused item's key; who had no answer is told which item that was."""
    store = Store()
    store.post([OPENING, *before], NOON)
    kept = copy.deepcopy((store.accounts, store.lots, store.totals, store.daily, store.transfers))
    keys_before = set(store.keys)
    impossible = Ask("redeem", group[0].member, "CAF", "TEL", 1, "", "impossible", None, trial=False)

    outcomes = store.post([AskGroup((*group, impossible), atomic=True)], NOON)

    place = next(
        place for place, answer in enumerate(told(outcomes)) if answer not in {"BATCH_NOT_APPLIED", "replayed"}
    )
    assert (store.accounts, store.lots, store.totals, store.daily, store.transfers) == kept
    refused = [*group, impossible][place]
    assert set(store.keys) - keys_before <= {(refused.command().merchant_no, refused.key)}
    assert {outcome.data["item"] for outcome in outcomes if isinstance(outcome, BatchNotApplied)} <= {str(place)}


@settings(max_examples=60)
@given(batches=days, data=st.data())
def test_asking_everything_again_changes_nothing_and_is_answered_as_before(
    batches: list[list[AskGroup]], data: st.DataObject
) -> None:
    """In any order, all in one batch, days later: the first answer, be it a yes or a no."""
    store, _ = posted(batches)
    kept = copy.deepcopy((store.accounts, store.lots, store.totals, store.daily, store.keys))
    everything = [ask for batch in batches for group in batch for ask in group.asks]
    asked = [ask for ask in everything if (ask.command().merchant_no, ask.key) in store.keys]
    again = data.draw(st.permutations(asked))

    outcomes = store.post([AskGroup((ask,), atomic=False) for ask in again], NOON + timedelta(days=9))

    assert (store.accounts, store.lots, store.totals, store.daily, store.keys) == kept
    assert [_plain(outcome) for outcome in outcomes] == [_first_answer(store, ask) for ask in again]


def _plain(outcome: Outcome) -> object:
    if isinstance(outcome, Receipt):
        return outcome
    assert isinstance(outcome, Refusal)
    return outcome.reason, outcome.data


def _first_answer(store: Store, ask: Ask) -> object:
    fingerprint, transfer_id, refusal = store.keys[(ask.command().merchant_no, ask.key)]
    if fingerprint != ask.command().fingerprint:
        return "REQUEST_ID_REUSED", {"request_id": ask.key}
    if transfer_id is not None:
        return Receipt(store.transfers[transfer_id], replayed=True)
    assert refusal is not None
    kept = json.loads(refusal)
    return kept["reason"], kept["data"]
