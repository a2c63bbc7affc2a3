"""A default, layer by layer, and a window netted again without the defaulter. Whole minor units, never signed."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from settlement.funds.model import Account, Posting, Purpose, Way


class Layer(enum.StrEnum):
    """Whose money stands in, in this order."""

    OWN_PREFUNDING = "OWN_PREFUNDING"
    OWN_COLLATERAL = "OWN_COLLATERAL"
    OWN_GUARANTEE = "OWN_GUARANTEE"
    OPERATOR = "OPERATOR"
    OTHERS_GUARANTEE = "OTHERS_GUARANTEE"


PURPOSE_OF = {
    Layer.OWN_PREFUNDING: Purpose.PREFUNDING,
    Layer.OWN_COLLATERAL: Purpose.COLLATERAL,
    Layer.OWN_GUARANTEE: Purpose.GUARANTEE,
    Layer.OPERATOR: Purpose.OPERATOR_LAYER,
    Layer.OTHERS_GUARANTEE: Purpose.GUARANTEE,
}
"""From which account of the book a layer is taken."""


class Reduction(NamedTuple):
    """A payment that is made so much smaller, because whom it is to bears a part of a default.

    Attributes:
        leg_no: its number within the run.
        participant: whom it is to.
        from_attempt: the first attempt that asks for less; those before asked for more and came to nothing.
        minor_units: by how much.
    """

    leg_no: int
    participant: str
    from_attempt: int
    minor_units: int


class Bearer(NamedTuple):
    """Who may come to bear what no layer holds: somebody a run is still to pay.

    Attributes:
        participant: who.
        at_most: what it is still to receive.
        leg_no: the payment; 0: the operator's own, which it keeps without one.
        from_attempt: the attempt to come.
    """

    participant: str
    at_most: int
    leg_no: int = 0
    from_attempt: int = 1


class Take(NamedTuple):
    """What one holder of a layer gives.

    Attributes:
        layer: which layer.
        participant: who holds it.
        holds: what it has there.
        at_most: what may be taken of it.
        taken: what is.
    """

    layer: Layer
    participant: str
    holds: int
    at_most: int
    taken: int


@dataclass(frozen=True, slots=True)
class Waterfall:
    """How a loss in one currency is covered: taken + allocated + open = loss.

    Attributes:
        currency: ISO 4217 code.
        loss: what the defaulter was to pay and did not.
        takes: every holder of every layer, in the order they stand in; of one layer by name.
        allocated: what those the run is still to pay bear of the rest, by name: so much less is paid to them.
        open: what nobody bears yet.
        reductions: the payments that are smaller for it, by number; the operator's own part has none. None: nobody
            bears anything by the terms, or it was declared when that was told and not posted.
    """

    currency: str
    loss: int
    takes: Sequence[Take]
    allocated: Mapping[str, int]
    open: int
    reductions: Sequence[Reduction] | None = None

    @property
    def taken(self) -> int:
        """What the layers give together."""
        return sum(one.taken for one in self.takes)

    @property
    def borne(self) -> Mapping[str, int]:
        """What creditors are paid less, by name."""
        return {} if self.reductions is None else self.allocated

    @property
    def uncovered(self) -> int:
        """What is neither taken from anybody nor paid less to anybody: the run lacks it."""
        return self.loss - self.taken - sum(self.borne.values())

    def postings(self, defaulter: str) -> list[Posting]:
        """What is taken, all of it credited to the cover of this defaulter; then a note of what each creditor bears."""
        cover, claim = Account(defaulter, Purpose.DEFAULT_COVER), Account(defaulter, Purpose.DEFAULT_CLAIM)
        taken = [
            Posting(Way.DEFAULT, self.currency, Account(one.participant, PURPOSE_OF[one.layer]), cover, one.taken)
            for one in self.takes
            if one.taken
        ]
        return taken + [
            Posting(Way.ALLOCATION, self.currency, Account(name, Purpose.LOSS_BORNE), claim, amount)
            for name, amount in self.borne.items()
        ]


@dataclass(frozen=True, slots=True)
class DefaultDeclaration:
    """That a participant does not pay what a run asks of it, and what follows.

    Attributes:
        participant: the defaulter.
        window_no: whose run it does not pay.
        result_digest: of that run's result; empty while only the two above were said.
        waterfalls: by currency; worked out from the funds at the time.
    """

    participant: str
    window_no: int
    result_digest: str = ""
    waterfalls: Sequence[Waterfall] = ()

    @property
    def name(self) -> str:
        """What is told when it is refused."""
        return f"merchants/{self.participant}/defaults/{self.window_no}"

    @property
    def postings(self) -> list[Posting]:
        """Every line of the book it makes, in order."""
        return [posting for one in self.waterfalls for posting in one.postings(self.participant)]


class Stake(NamedTuple):
    """What one bears of a default beside the defaulter.

    Attributes:
        turn: who is repaid first: 1 before 2, those of one turn in proportion.
        participant: who; of what no layer held, the defaulter, whose cover is its creditors'.
        purpose: where it is repaid to.
        borne: how much.
        repaid: what of it has come back.
        written_off: what of it nobody claims any more.
    """

    turn: int
    participant: str
    purpose: Purpose
    borne: int
    repaid: int
    written_off: int = 0

    @property
    def left(self) -> int:
        """What is still claimed."""
        return self.borne - self.repaid - self.written_off


class Loss(NamedTuple):
    """What of somebody's stake is written off, or claimed after all: whose, where it would be repaid to, how much."""

    participant: str
    purpose: Purpose
    minor_units: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What is claimed of a defaulter in one currency because of one default.

    Attributes:
        default_id: the proposal that declared it.
        participant: the defaulter.
        window_no: whose run it did not pay.
        currency: ISO 4217 code.
        loss: what it was to pay and did not.
        stakes: who bears what of it; in the order they are repaid, of one turn by name.
    """

    default_id: UUID
    participant: str
    window_no: int
    currency: str
    loss: int
    stakes: Sequence[Stake]

    @property
    def claimed(self) -> int:
        """What others bear of it."""
        return sum(one.borne for one in self.stakes)

    @property
    def recovered(self) -> int:
        """What has come back."""
        return sum(one.repaid for one in self.stakes)

    @property
    def written_off(self) -> int:
        """What nobody claims any more."""
        return sum(one.written_off for one in self.stakes)

    @property
    def remaining(self) -> int:
        """What is still claimed."""
        return self.claimed - self.recovered - self.written_off

    @property
    def missing(self) -> int:
        """What nobody's money stands behind yet."""
        return sum(one.left for one in self.stakes if one.purpose is Purpose.DEFAULT_COVER)


@dataclass(frozen=True, slots=True)
class DefaultRecovery:
    """Money that came back from a defaulter, and who is repaid with it.

    Attributes:
        participant: the defaulter.
        window_no: whose run it had not paid.
        currency: ISO 4217 code.
        minor_units: how much came, above 0.
        reference: what the bank calls it; no two movements of a currency share one.
        value_date: the day the bank gives it.
        claimed: what was still claimed before.
        postings: who is repaid; worked out from the stakes at the time.
        revived: what of it had been written off, and comes back all the same.
    """

    participant: str
    window_no: int
    currency: str
    minor_units: int
    reference: str
    value_date: date
    claimed: int = 0
    postings: Sequence[Posting] = ()
    revived: Sequence[Loss] = ()

    @property
    def default(self) -> str:
        """The default it is of, as it is told when it is refused."""
        return f"merchants/{self.participant}/defaults/{self.window_no}"


class Standing(NamedTuple):
    """What a participant pays and receives in a run's payments, and what it is owed or owes that is held."""

    pays: int
    receives: int
    held_payable: int
    held_receivable: int


class Change(NamedTuple):
    """A participant in a run as it stands, and in the same run without the defaulter."""

    participant: str
    before: Standing
    after: Standing


@dataclass(frozen=True, slots=True)
class Recast:
    """A run netted again without the defaulter: a simulation. By currency the changes for everybody else, by name."""

    defaulter: str
    changes: Mapping[str, Sequence[Change]]
