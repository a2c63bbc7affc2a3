"""Batches decided in memory: the ledger's own decision step and rules, with facts as the database would read them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from exchange.ledger.decision import Decision, Outcome
from exchange.ledger.facts import MemberFacts
from exchange.ledger.keys import KnownKeys
from exchange.ledger.model import Command, MemberKey, Posting, Receipt
from exchange.movements import decide
from exchange.rates.model import Coalition
from exchange.refusals import Refusal
from tests.unit.rules.rulebook import CURRENCY_NO, MERCHANT_NO, NOON, coalition

FIRST_SEQUENCE = 7_000
WINDOW_NO = 3
CODE_OF = {number: code for code, number in CURRENCY_NO.items()}


def a_batch(
    *members: MemberFacts, known: KnownKeys | None = None, now: datetime = NOON, first_sequence: int = FIRST_SEQUENCE
) -> Decision:
    """A decision about these members, whom every merchant may name by id."""
    found: dict[MemberKey, tuple[int, UUID] | None] = {
        MemberKey(merchant_no, facts.member_id, None): (
            next(iter(facts.accounts.values())).bucket,
            facts.member_id,
        )
        for facts in members
        for merchant_no in MERCHANT_NO.values()
    }
    return Decision(
        facts={facts.member_id: facts for facts in members},
        members=_Links(found),
        known=known or KnownKeys(),
        window_no=WINDOW_NO,
        first_sequence=first_sequence,
        now=now,
        slice_no=0,
    )


class _Links(dict[MemberKey, tuple[int, UUID] | None]):
    """A member nobody has linked is None, as a batch notes it."""

    def __missing__(self, key: MemberKey) -> None:
        return None


def decided(decision: Decision, *groups: Command | Iterable[Command], world: Coalition | None = None) -> list[Outcome]:
    """Outcomes of commands that stand alone, and of groups that are atomic."""
    coalition_now = world or coalition()

    def rule(command: Command, facts: MemberFacts) -> Posting:
        return decide(command, facts, coalition_now)

    shaped = [((group,), False) if isinstance(group, Command) else (tuple(group), True) for group in groups]
    return decision.decide_all(shaped, rule)


def told(outcomes: Iterable[Outcome]) -> list[str]:
    """Each outcome in a word: "moved", "replayed", the reason of a refusal, or the name of a fault."""
    words = []
    for outcome in outcomes:
        if isinstance(outcome, Refusal):
            words.append(outcome.reason)
        elif isinstance(outcome, Exception):
            words.append(type(outcome).__name__)
        else:
            words.append("replayed" if outcome.replayed else "moved")
    return words


def receipt(outcome: object) -> Receipt:
    """The yes, or the test fails."""
    assert isinstance(outcome, Receipt), outcome
    return outcome


def written(batch: Decision) -> dict[str, tuple[int, int]]:
    """What the batch writes of one member's accounts: balance and sequence by currency code."""
    return {CODE_OF[row[2]]: (row[3], row[4]) for row in batch.effects().accounts}


def left_of_lots(batch: Decision) -> dict[UUID, int]:
    """What the batch writes of lots the database has: points left by lot."""
    return {lot_id: left for lot_id, (_, left) in batch.effects().spent.items()}


def made_lots(batch: Decision) -> list[tuple[int, int]]:
    """Lots the batch makes: points at birth, and left after the batch."""
    return [(lot[4], lot[5]) for lot in batch.effects().lots.values()]
