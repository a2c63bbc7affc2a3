"""What of a cap one person may change, and who approves the rest. Pure."""

from __future__ import annotations

from datetime import datetime

from exchange.callers import Caller
from exchange.four_eyes import require_second_person, require_waiting
from exchange.limits.changes.model import CapChange, State
from exchange.refusals import CapRaise, WrongState


def require_lowering(merchant: str, currency_code: str, before: int | None, after: int | None) -> None:
    """One person lowers a cap, or sets one where there was none: neither lets a merchant owe more.

    Args:
        merchant: resource name.
        currency_code: settlement currency.
        before: the cap that holds, micro-units; None: none does.
        after: what is asked for; None: that there be none.

    Raises:
        CapRaise: the merchant could owe more.
    """
    if before is None or (after is not None and after <= before):
        return
    requested = "none" if after is None else str(after)
    raise CapRaise(merchant=merchant, currency_code=currency_code, cap=before, requested=requested, propose=PROPOSE)


PROPOSE = "ProposeNetDebitCap"
"""The method that begins what two persons do."""


def require_approvable(change: CapChange, caller: Caller, digest: str, now: datetime) -> None:
    """Somebody else than the proposer approves exactly what was proposed, in time.

    Raises:
        WrongState, ProposalLapsed: see `require_waiting`.
        PersonUnknown: the approver's credential names nobody.
        SamePerson: it names who proposed it.
        DigestMismatch: something else was approved.
    """
    require_waiting(change, now)
    require_second_person(
        caller, digest, resource=change.name, proposed_by=change.proposed_person, proposed=change.digest()
    )


def require_unchanged(change: CapChange, present: int | None) -> None:
    """Raises WrongState when another cap holds by now than the proposer and the approver looked at."""
    if present != change.before_micros:
        raise WrongState(resource=change.name, state="OUTDATED", needed=State.PROPOSED.name)
