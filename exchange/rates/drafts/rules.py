from __future__ import annotations

from collections.abc import Sequence

from exchange.callers import Caller
from exchange.directory.model import Directory, MerchantRole
from exchange.four_eyes import require_second_person
from exchange.rates.drafts.model import WAITING, Draft, DraftState, Wanted
from exchange.rates.proposed import Proposal
from exchange.refusals import NotTheIssuer, PersonUnknown, WrongState


def proposed(wanted: Sequence[Wanted], caller: Caller, directory: Directory) -> list[Proposal]:
    """What a caller may propose, its currencies looked up. The operator may propose anything, if it says who does.

    Raises:
        PersonUnknown: the operator's credential names nobody, so that nobody could tell who else may approve.
        ResourceNotFound: no such currency.
        MerchantSuspended, RoleMissing: the merchant is, or is no exchange merchant.
        NotTheIssuer: it issues neither currency of a rate.
    """
    if caller.merchant_no is None and caller.person is None:
        raise PersonUnknown(credential=caller.credential)
    merchant = None if caller.merchant_no is None else directory.merchants[caller.merchant_no]
    if merchant is not None:
        merchant.require_active()
        merchant.require_role(MerchantRole.EXCHANGE)
    found = []
    for place, one in enumerate(wanted):
        source = directory.currency(one.source, f"rates[{place}].source_currency")
        target = directory.currency(one.target, f"rates[{place}].target_currency")
        if merchant is not None and merchant.number not in {source.issuer_no, target.issuer_no}:
            raise NotTheIssuer(merchant=merchant.name, source=source.name, target=target.name)
        rate = one.proposal.rate._replace(source_no=source.number, target_no=target.number)
        found.append(one.proposal._replace(rate=rate))
    return found


def require_waiting(draft: Draft) -> None:
    """It is neither approved nor withdrawn.

    Raises:
        WrongState: it is.
    """
    if draft.state not in WAITING:
        needed = " or ".join(state.name for state in WAITING)
        raise WrongState(resource=draft.name, state=draft.state.name, needed=needed)


def require_approvable(draft: Draft, caller: Caller, digest: str) -> None:
    """Somebody else than the proposer approves exactly what was validated.

    Raises:
        WrongState: it was not validated, or is approved or withdrawn.
        PersonUnknown: the approver's credential names nobody.
        SamePerson: it names who proposed it.
        DigestMismatch: other terms than the draft's were approved.
    """
    if draft.state is not DraftState.VALIDATED:
        raise WrongState(resource=draft.name, state=draft.state.name, needed=DraftState.VALIDATED.name)
    require_second_person(caller, digest, resource=draft.name, proposed_by=draft.proposed_person, proposed=draft.digest)
