"""What netting takes in and gives out. Amounts are whole minor units of one currency, never signed unless said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Pair = tuple[str, str]
"""(debtor, creditor)."""


@dataclass(frozen=True, slots=True)
class Obligation:
    """The debtor owes the creditor an amount of minor units; a held one is shown but takes no part in netting."""

    debtor: str
    creditor: str
    currency: str
    amount: int
    id: str = ""
    held: bool = False

    def __post_init__(self) -> None:
        assert self.amount > 0, f"an obligation has a positive amount, not {self.amount}"
        assert self.debtor != self.creditor, f"{self.debtor} cannot owe itself"


@dataclass(frozen=True, slots=True)
class Gross:
    """One currency's obligations summed by directed pair: everything a netting mode needs to know of a window.

    `pairs` take part, `held` do not. Both are in name order, so that no result depends on the order of the rows.
    """

    currency: str
    pairs: Mapping[Pair, int]
    held: Mapping[Pair, int] = field(default_factory=dict)

    @property
    def participants(self) -> list[str]:
        """Everybody named in the window, those of held items too, in name order."""
        return sorted({name for pairs in (self.pairs, self.held) for pair in pairs for name in pair})


@dataclass(frozen=True, slots=True)
class Terms:
    """What the coalition agreed about paying.

    minimum: what is below is not paid now but carried; 0 carries nothing.
    operator: whose clearing account stands in the middle of the multilateral star.
    forced: what is paid however small it is, (payer, payee).
    """

    minimum: int = 0
    operator: str = "OPR"
    forced: frozenset[Pair] = frozenset()

    def __post_init__(self) -> None:
        assert self.minimum >= 0, f"a minimum payment is not negative: {self.minimum}"

    def pays(self, pair: Pair, amount: int) -> bool:
        """Whether so much is paid now by one to the other, and not carried."""
        return amount >= self.minimum or pair in self.forced


@dataclass(frozen=True, slots=True)
class Payment:
    """Money to move now."""

    payer: str
    payee: str
    amount: int


@dataclass(frozen=True, slots=True)
class Carry:
    """A paired item for the next window: the debtor still owes the creditor; nothing was edited."""

    debtor: str
    creditor: str
    amount: int


@dataclass(frozen=True, slots=True)
class SetOff:
    """What the set-off mode cleared along cycles of existing debts, and why no more could be cleared.

    cleared: how much of the obligations is discharged without payment.
    remainder: what is left of each directed pair; a pair fully cleared is left out.
    certificate: a whole number for every participant. For any such numbers pi, no set-off can clear more than the
        sum over the obligations of amount * max(0, 1 - (pi[debtor] - pi[creditor])); these reach `cleared` exactly.
    """

    cleared: int
    remainder: Mapping[Pair, int]
    certificate: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class NettingResult:
    """One currency netted in one mode.

    The first six figures are the same in every mode; the mode decides `payments` and `carried`.

    gross: all that came in, held items included.
    held: the part of it that was only shown. Everything below is about the rest.
    bilateral: what is left once each pair has set off what it owes one another: the sum of `pairs`.
    net_needed: the sum of the positive nets; less money than this cannot settle the window.
    pairs: what is left by pair after that set-off; a pair at zero is left out.
    nets: receivable - payable of each participant, in full whatever is carried; zero is left out. They sum to zero.
    payments: what moves now.
    carried: what is below the minimum, as paired items. Payments and carried items together leave everybody with
        exactly their net.
    clearing_account: the operator's name in the multilateral star, where every payment and every carried item has it
        on one side; None in the modes where participants pay each other.
    set_off: only in the set-off mode.
    by_position: whether what a participant pays comes of its position against everybody, not pair by pair.
    """

    currency: str
    gross: int
    held: int
    bilateral: int
    net_needed: int
    pairs: Mapping[Pair, int]
    nets: Mapping[str, int]
    payments: tuple[Payment, ...]
    carried: tuple[Carry, ...]
    clearing_account: str | None = None
    set_off: SetOff | None = None
    by_position: bool = False

    @property
    def left(self) -> int:
        """What the mode leaves to be paid, now or later; the star's two legs count once."""
        if self.clearing_account is not None:
            return self.net_needed
        return sum(p.amount for p in self.payments) + sum(c.amount for c in self.carried)

    @property
    def offset(self) -> int:
        """What the mode discharges without payment: gross = offset + left + held."""
        return self.gross - self.held - self.left
