"""The decision step of a batch: each command through its pure rule, in turn, effects gathered. No await here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

from exchange.ledger.bonuses import Budgets
from exchange.ledger.effects import Effects, KeyRow
from exchange.ledger.exposures import Exposures, NotLocked
from exchange.ledger.facts import MemberFacts, apply
from exchange.ledger.ids import new_id
from exchange.ledger.keys import KnownKeys, stored
from exchange.ledger.making import a_receipt, a_transfer, numbered
from exchange.ledger.model import (
    OWN_REQUESTS,
    Account,
    Command,
    FollowUp,
    MemberCommand,
    Posting,
    Receipt,
    Side,
    Transfer,
    TransferKind,
    key_bucket,
)
from exchange.ledger.quotas import Quotas
from exchange.ledger.reference import AccountKey
from exchange.ledger.sql import BLOCK_UNITS
from exchange.refusals import DEFINITE, BatchNotApplied, MemberClosed, Refusal, ResourceNotFound, ServerBusy

_ENDING_OR_GIVING_BACK: Final = frozenset({TransferKind.EXPIRE, TransferKind.RELEASE})
_ENDING: Final = frozenset(
    {
        TransferKind.EXPIRE,
        TransferKind.RELEASE,
        TransferKind.VOID,
        TransferKind.CONVERSION_COMPLETED,
    }
)

Outcome: TypeAlias = Receipt | Refusal | Exception
Rule: TypeAlias = Callable[[Command, MemberFacts], Posting]


class Target(NamedTuple):
    """Whose accounts a command touches."""

    bucket: int
    member_id: UUID


@dataclass(slots=True)
class Decision:
    """The state of a batch while its commands are decided one after the other.

    Attributes:
        facts: by member, of every member a command found.
        targets: by `id(command)`; None: there is no such member or transfer for this merchant.
        known: answers given before.
        window_no: the open window.
        now: event time.
        slice_no: the poster's slice of the window's totals.
        ended: credentials that were good when their calls came in and are not now; they get no answer, old or new.
        gone: by `id(command)`, why there is no target, where more is known than that there is none.
        budgets: of promotions, as far as they are locked; the facts' own.
        exposures: of merchants with a net debit cap; None: nobody has one.
        ending: makes the command that ends what has come back to an account after its end.
        quotas: of currencies with daily limits; None: the batch touches none.
    """

    facts: dict[UUID, MemberFacts]
    targets: Mapping[int, Target | None]
    known: KnownKeys
    window_no: int
    now: datetime
    slice_no: int
    ended: Mapping[str, Refusal] = field(default_factory=dict)
    gone: Mapping[int, Refusal] = field(default_factory=dict)
    budgets: Budgets | None = None
    exposures: Exposures | None = None
    ending: Callable[[AccountKey], Command] | None = None
    quotas: Quotas | None = None
    _limits: list[Exposures | Quotas] = field(default_factory=list)
    _transfers: list[Transfer] = field(default_factory=list)
    _keys: list[KeyRow] = field(default_factory=list)
    _numbers_left: int = 0
    _leaves_keys: bool = False

    def __post_init__(self) -> None:
        self._limits = [limit for limit in (self.exposures, self.quotas) if limit is not None]

    def decide_all(self, groups: Sequence[tuple[Sequence[Command], bool]], rule: Rule) -> list[Outcome]:
        """One outcome a command. A group is atomic or its items stand alone."""
        self._numbers_left = max(BLOCK_UNITS - sum(len(commands) for commands, _ in groups), 0)
        outcomes: list[Outcome] = []
        for commands, atomic in groups:
            if atomic:
                outcomes += self._decide_atomic(commands, rule)
            else:
                outcomes += [self._decide(command, rule) for command in commands]
        return outcomes

    @property
    def writes_something(self) -> bool:
        """Whether any key was decided."""
        return bool(self._keys)

    @property
    def is_proved(self) -> bool:
        """Whether what it writes proves all that it answers for the first time: every key is there, with its accounts.

        A key that is not written may have been used before, and nobody would notice.
        """
        return not self._leaves_keys

    def effects(self) -> Effects:
        """Everything decided, ready to be written."""
        effects = Effects.of(self.now, self._keys, self._transfers, self.facts.values(), self.window_no, self.slice_no)
        if self.budgets is not None:
            effects.budgets = self.budgets.changed()
        if self.exposures is not None:
            effects.exposures = self.exposures.changed()
        if self.quotas is not None:
            effects.member_days, effects.issues = self.quotas.changed_members(), self.quotas.changed_issues()
        return effects

    def numbered(self, outcomes: Sequence[Outcome], first_sequence: int) -> list[Outcome]:
        """The outcomes once the batch has its place in the ledger: until then its transfers are counted from 0."""
        counted = self._transfers
        placed = [numbered(transfer, first_sequence) for transfer in counted]
        answers: list[Outcome] = []
        for outcome in outcomes:
            if isinstance(outcome, Receipt):
                transfer, replayed, bonuses = outcome
                place = transfer.ledger_sequence
                # One of an earlier batch may have a small number, too.
                if place < len(counted) and counted[place] is transfer:
                    answers.append(a_receipt(placed[place], bonuses, replayed=replayed))
                    continue
            answers.append(outcome)
        return answers

    def _decide(self, command: Command, rule: Rule) -> Outcome:
        earlier = self._answered_before(command)
        if earlier is not None:
            return earlier
        try:
            target = self.targets[id(command)]
            if target is None:
                raise self.gone.get(id(command)) or _not_found(command)
            facts = self.facts[target.member_id]
            ended = self._before(command, facts, rule) if facts.noted is not None or facts.is_closed else ()
            posting = rule(command, facts)
            for limit in self._limits:
                limit.require_room(command, posting, facts)
        except NotLocked:
            raise
        except Refusal as refusal:
            if refusal.category in DEFINITE and not command.validate_only:
                self._keep_refusal(command, refusal)
            else:
                self._leaves_keys = True
            return refusal
        except Exception as fault:  # noqa: BLE001 - one item's fault is that item's answer, not the batch's
            self._leaves_keys = True
            return fault
        if command.validate_only:
            self._leaves_keys = True
            return Receipt(self._transfer(command, facts, posting, None), replayed=False, bonuses=posting.bonuses)
        receipt = self._apply(command, facts, posting)
        for number in ended:
            self._end(facts, number, _given_back(posting, number), rule)
        return receipt

    def _before(self, command: Command, facts: MemberFacts, rule: Rule) -> Sequence[int]:
        """Currencies of which a capture may give points back that have ended.

        What earlier commands of the batch gave back to an account after its end is ended here, before anything else is
        done with the account: its end would be postponed, and points that have ended would live on.

        Raises:
            MemberClosed: the membership is over, and it is not the exchange that ends what is left.
        """
        if facts.is_closed and not _may_end_closed(command):
            raise MemberClosed
        if command.kind in _ENDING_OR_GIVING_BACK:
            return ()
        over = [number for number, ends_at in facts.notes.ends.items() if ends_at <= facts.now]
        for number in over:
            self._end(facts, number, list(facts.accounts[number].known), rule)
        return over if command.kind is TransferKind.CAPTURE else ()

    def _end(self, facts: MemberFacts, number: int, lot_ids: Sequence[UUID], rule: Rule) -> None:
        account = facts.accounts[number]
        if not any(account.known[lot_id].remaining for lot_id in lot_ids):
            return
        if not self._numbers_left:
            # The batch's commands may need every number of its block.
            raise ServerBusy(limit=BLOCK_UNITS)
        self._numbers_left -= 1
        assert self.ending is not None, "whoever reads when accounts end can end them"
        command, due = self.ending((facts.bucket, facts.member_id, number)), account.due
        account.due = list(lot_ids)
        posting = rule(command, facts)
        for limit in self._limits:
            limit.require_room(command, posting, facts)
        self._apply(command, facts, posting)
        account.due = due

    def _keep_refusal(self, command: Command, refusal: Refusal) -> None:
        target = self.targets[id(command)]
        if target is not None:
            # It moves nothing: it is proved with the batch, where the accounts were not looked at.
            self.facts[target.member_id].prove()
        key = (command.merchant_no, command.request_id)
        self.known.remember(key, command.fingerprint, refusal)
        self._keys.append((key_bucket(*key), *key, command.fingerprint, None, None, stored(refusal)))

    def _transfer(self, command: Command, facts: MemberFacts, posting: Posting, transfer_id: UUID | None) -> Transfer:
        progress = posting.progress
        return a_transfer(
            facts.bucket,
            transfer_id,
            posting.kind or command.kind,
            command.merchant_no,
            facts.member_id,
            command.request_id,
            command.reference,
            self.now,
            len(self._transfers) if transfer_id else 0,
            self.window_no,
            posting.rate_id,
            posting.legs,
            posting.obligations,
            posting.original_id,
            progress.lapses_at if progress is not None and posting.original_id is None else None,
            posting.frozen_price_micros,
            posting.spend,
        )

    def _apply(self, command: Command, facts: MemberFacts, posting: Posting) -> Receipt:
        transfer_id = new_id(facts.bucket)
        born = {lot.currency_no: new_id(facts.bucket) for lot in posting.new_lots}
        if posting.bonuses:
            # After the lot beside which they stand: of lots born at once the smaller id is spent first.
            posting.bonuses = [
                bonus if bonus.returned else bonus._replace(lot_id=new_id(facts.bucket)) for bonus in posting.bonuses
            ]
            self.known.bonuses[transfer_id] = posting.bonuses
        posting.legs = apply(posting, facts, transfer_id, born)
        for limit in self._limits:
            limit.use(command, posting, facts)
        transfer = self._transfer(command, facts, posting, transfer_id)
        self._transfers.append(transfer)
        key = (command.merchant_no, command.request_id)
        self.known.remember(key, command.fingerprint, transfer)
        self._keys.append((key_bucket(*key), *key, command.fingerprint, facts.bucket, transfer_id, None))
        return a_receipt(transfer, posting.bonuses, replayed=False)

    def _decide_atomic(self, commands: Sequence[Command], rule: Rule) -> list[Outcome]:
        """All or none. The first refusal is kept under its own key; the others stay undecided, their keys unused.

        An item that was answered before the group came keeps that answer.
        """
        # Of whom the group speaks, and nobody else: a batch may hold hundreds of groups.
        targets = {target.member_id for command in commands if (target := self.targets[id(command)]) is not None}
        facts_before = {member_id: self.facts[member_id].copy() for member_id in targets}
        transfers_before, keys_before = len(self._transfers), len(self._keys)
        budgets_before = None if self.budgets is None else self.budgets.as_now()
        undone = [limit.undo() for limit in self._limits]
        outcomes: list[Outcome] = []
        for command in commands:
            outcomes.append(self._decide(command, rule))
            if not isinstance(outcomes[-1], Receipt):
                break
        else:
            return outcomes
        refused = len(outcomes) - 1
        kept = [row for row in self._keys[keys_before:] if row[6] is not None]
        self.facts |= facts_before
        self._leaves_keys = True
        if self.budgets is not None and budgets_before is not None:
            self.budgets.back_to(budgets_before)
        for undo in undone:
            undo()
        del self._transfers[transfers_before:]
        self._keys[keys_before:] = kept
        self.known.forget(
            (command.merchant_no, command.request_id)
            for command, outcome in zip(commands, outcomes, strict=False)
            # A trial used no key: what an item with the same one was told stays.
            if isinstance(outcome, Receipt) and not outcome.replayed and not command.validate_only
        )
        return [
            outcomes[place] if place == refused else self._answered_before(command) or BatchNotApplied(item=refused)
            for place, command in enumerate(commands)
        ]

    def _answered_before(self, command: Command) -> Outcome | None:
        gone = self.ended.get(command.credential)
        if gone is None:
            return self.known.answer(command)
        self._leaves_keys = True
        return gone


def _may_end_closed(command: Command) -> bool:
    """Whether it is the exchange itself that ends what is left of a membership, or what was begun before."""
    return command.kind in _ENDING and command.request_id.startswith(OWN_REQUESTS)


def _given_back(posting: Posting, number: int) -> list[UUID]:
    """Lots of a currency to which a posting gave points."""
    return [
        leg.lot_id
        for leg in posting.legs
        if leg.lot_id is not None
        and leg.currency_no == number
        and leg.account == Account.MEMBER
        and leg.side == Side.CREDIT
    ]


def _not_found(command: Command) -> ResourceNotFound:
    if isinstance(command, FollowUp):
        return ResourceNotFound(resource=f"transfers/{command.original}", field=command.original_field)
    by_reference = isinstance(command, MemberCommand) and command.member.member_id is None
    return ResourceNotFound(resource="members/…", field="member_reference" if by_reference else "member")
