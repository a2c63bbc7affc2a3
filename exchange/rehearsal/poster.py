"""The ledger's rule and poster with refusals on demand around them; everything between and behind is the real thing."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from exchange.ledger.decision import Outcome
from exchange.ledger.facts import MemberFacts
from exchange.ledger.model import Command, FollowUp, MemberCommand, Posting, Receipt
from exchange.ledger.poster import Poster
from exchange.ledger.reference import Decide
from exchange.rates.model import Coalition
from exchange.rehearsal.amounts import AMOUNTS, REFUSED, Forced
from exchange.rehearsal.rules import Asked

T = TypeVar("T")

_NO_TRANSFER = "transfers/00000000-0000-7000-8000-000000000000"
_NO_CURRENCY = "currencies/XXX"


def rehearsed(decide: Decide[Coalition]) -> Decide[Coalition]:
    """The rule, unless the amount forces a refusal: then that, decided and kept as any other."""

    def decided(command: Command, facts: MemberFacts, coalition: Coalition) -> Posting:
        forced = _forced(command)
        if forced is not None and not forced.done:
            raise _refusal(command, forced, coalition)
        return decide(command, facts, coalition)

    return decided


class RehearsingPoster(Poster[Coalition]):
    """A poster that makes some movements and loses the answer, once: a repeat is told what happened."""

    def tell(
        self, commands: Sequence[Command], write: Callable[[Sequence[Outcome], Coalition], T], *, atomic: bool = False
    ) -> Future[T]:
        """As the poster does, with some answers lost."""

        def write_losing(outcomes: Sequence[Outcome], coalition: Coalition) -> T:
            pairs = zip(commands, outcomes, strict=True)
            return write([_lost(command, outcome, coalition) or outcome for command, outcome in pairs], coalition)

        return super().tell(commands, write_losing, atomic=atomic)


def _lost(command: Command, outcome: Outcome, coalition: Coalition) -> Exception | None:
    forced = _forced(command)
    if forced is None or not forced.done or command.validate_only:
        return None
    if not isinstance(outcome, Receipt) or outcome.replayed:
        return None
    return _refusal(command, forced, coalition)


def _forced(command: Any) -> Forced | None:
    return AMOUNTS.get(getattr(command, "units", None) or 0)


def _refusal(command: Any, forced: Forced, coalition: Coalition) -> Exception:
    currency = f"currencies/{command.currency}" if isinstance(command, MemberCommand) else _NO_CURRENCY
    asked = Asked(
        merchant=coalition.directory.merchants[command.merchant_no].name,
        currency=currency,
        target=f"currencies/{command.target}" if hasattr(command, "target") else currency,
        units=command.units,
        original=f"transfers/{command.original}" if isinstance(command, FollowUp) else _NO_TRANSFER,
        request_id=command.request_id,
    )
    return REFUSED[forced.reason](asked)
