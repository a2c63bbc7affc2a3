"""The corpus of queues: the same for everybody, of every kind, and its answers looked through."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.liquidity import SIZES, answered, corpus
from bench.liquidity_queues import AMOUNTS, FUNDS, SHAPES, Case


def test_a_case_is_the_same_queue_every_time() -> None:
    """Its name is all that decides; another seed gives another."""
    case = Case("core", "lognormal", 100, 10, "3 %")

    assert case.queue == case.queue
    assert len(case.queue.items) == 100
    assert case.queue != replace(case, seed=2).queue


def test_the_corpus_has_every_kind_and_over_all_of_them_every_size() -> None:
    """One size of each kind in turn, or every size of each."""
    short, full = list(corpus(every_size=False)), list(corpus(every_size=True))

    kinds = {(case.shape, case.amounts, case.funds) for case in short}
    assert len(short) == len(kinds) == len(SHAPES) * len(AMOUNTS) * len(FUNDS)
    assert {(case.items, case.participants) for case in short} == set(SIZES)
    assert len(set(full)) == len(kinds) * len(SIZES)


@pytest.mark.parametrize("funds", ["0 %", "1 %", "rich"])
def test_an_answer_is_added_up_and_a_small_queue_beside_it_tried_in_full(funds: str) -> None:
    """Rings of round amounts are proven at once."""
    row = answered(Case("rings", "round", 50, 5, funds))

    assert 0 < row.settled == row.bound < row.gross
    assert row.gap == 0
