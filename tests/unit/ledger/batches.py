"""Batches decided in memory: the ledger's own decision step and rules, with facts as the database would read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from exchange.ledger.decision import Decision, Outcome, Rule, Target
from exchange.ledger.facts import MemberFacts
from exchange.ledger.keys import KnownKeys
from exchange.ledger.model import Command, FollowUp, MemberCommand, Receipt
from exchange.movements import decide
from exchange.rates.model import Coalition
from exchange.refusals import Refusal
from tests.unit.rules.rulebook import ADA, CURRENCY_NO, NOON, coalition

FIRST_SEQUENCE = 7_000
WINDOW_NO = 3
CODE_OF = {number: code for code, number in CURRENCY_NO.items()}


def a_batch(*members: MemberFacts, known: KnownKeys | None = None, now: datetime = NOON) -> Decision:
    """A decision about these members, whom every merchant may name by id."""
    return Decision(
        facts={facts.member_id: facts for facts in members},
        targets={},
        known=known or KnownKeys(),
        window_no=WINDOW_NO,
        now=now,
        slice_no=0,
    )


def decided(
    batch: Decision,
    *groups: Command | Iterable[Command],
    world: Coalition | None = None,
    rule: Rule | None = None,
) -> list[Outcome]:
    """Outcomes of commands that stand alone, and of groups that are atomic, by the exchange's rules or another one."""
    coalition_now = world or coalition()
    shaped = [((group,), False) if isinstance(group, Command) else (tuple(group), True) for group in groups]
    return decided_in(batch, shaped, rule or (lambda command, facts: decide(command, facts, coalition_now)))


def decided_in(
    batch: Decision,
    groups: Sequence[tuple[Sequence[Command], bool]],
    rule: Rule,
    first_sequence: int = FIRST_SEQUENCE,
) -> list[Outcome]:
    """Outcomes of groups, each with whether it is atomic, once each command's member is looked up.

    `first_sequence`: of the block that is drawn when the batch is written.
    """
    targets = dict(batch.targets)
    for command in (command for commands, _ in groups for command in commands):
        facts = _facts_of(batch, command)
        targets[id(command)] = Target(facts.bucket, facts.member_id) if facts else None
    batch.targets = targets
    return batch.numbered(batch.decide_all(groups, rule), first_sequence)


def _facts_of(batch: Decision, command: Command) -> MemberFacts | None:
    if isinstance(command, FollowUp):
        originals = (
            (facts, facts.notes.originals[command.original])
            for facts in batch.facts.values()
            if command.original in facts.notes.originals
        )
        return next((facts for facts, one in originals if one.merchant_no == command.merchant_no), None)
    assert isinstance(command, MemberCommand)
    return batch.facts.get(command.member.member_id or ADA)


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
    return {
        CODE_OF[number]: (available, sequence) for _, _, number, available, sequence, *_ in batch.effects().accounts
    }


def left_of_lots(batch: Decision) -> dict[UUID, int]:
    """What the batch writes of lots the database has: points left by lot."""
    return {lot_id: left for _, lot_id, left, _ in batch.effects().changed_lots}


def made_lots(batch: Decision) -> list[tuple[int, int]]:
    """Lots the batch makes: points at birth, and left after the batch."""
    return [(lot[4], lot[5]) for lot in batch.effects().new_lots]
