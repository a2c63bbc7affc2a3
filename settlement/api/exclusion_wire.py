"""Messages of exclusions and of what is released of held items."""

from __future__ import annotations

from exchange.money.limits import INT64_MAX
from exchange.serving.checks import Violations
from settlement.api.fields import currency, listed
from settlement.proposals.model import Exclusion, Exclusions, Release
from settlement.run.model import Chosen
from settlement.v1 import settlement_service_pb2 as pb

REASON_MAX = 500


def exclusions(check: Violations, asked: pb.ExclusionList, path: str) -> Exclusions:
    """Who somebody proposes to exclude, and what of theirs to release."""
    excluded: list[Exclusion] = []
    for place, one in listed(check, f"{path}.excluded", asked.excluded):
        name = check.resource_name(f"{place}.participant", one.participant, "merchants")
        if any(name == other.participant for other in excluded):
            check.say(f"{place}.participant", "stands there twice")
        excluded.append(Exclusion(name, check.text(f"{place}.reason", one.reason, 1, REASON_MAX)))
    released = [release(check, one, place) for place, one in listed(check, f"{path}.released", asked.released)]
    return Exclusions(excluded, released)


def release(check: Violations, asked: pb.Release, path: str) -> Release:
    """What is to enter netting again, and when."""
    found = Release(
        participant=check.resource_name(f"{path}.participant", asked.participant, "merchants"),
        window_no=int(check.resource_name(f"{path}.window", asked.window, "windows") or 0),
        currency=currency(check, f"{path}.currency_code", asked.currency_code) if asked.currency_code else "",
        debtor=_party(check, f"{path}.debtor", asked.debtor),
        creditor=_party(check, f"{path}.creditor", asked.creditor),
        since_window=_since(check, f"{path}.since_window", asked.since_window),
        at_least=check.within(f"{path}.at_least_minor_units", asked.at_least_minor_units, 0, INT64_MAX),
        at_most=check.within(f"{path}.at_most_minor_units", asked.at_most_minor_units, 0, INT64_MAX),
    )
    if found.debtor and found.creditor and found.participant not in (found.debtor, found.creditor):
        check.say(f"{path}.participant", "is neither debtor nor creditor, for whose sake items are held")
    if found.debtor and found.debtor == found.creditor:
        check.say(f"{path}.creditor", "is the debtor too")
    if found.at_most and found.at_most < found.at_least:
        check.say(f"{path}.at_most_minor_units", "is below the least")
    if found.since_window and found.since_window >= found.window_no:
        check.say(f"{path}.since_window", "is not before the window that takes them in")
    return found


def _party(check: Violations, path: str, name: str) -> str:
    return check.resource_name(path, name, "merchants") if name else ""


def _since(check: Violations, path: str, name: str) -> int:
    return int(check.resource_name(path, name, "windows") or 0) if name else 0


def message(found: Exclusions) -> pb.ExclusionList:
    """Exclusions on the wire."""
    return pb.ExclusionList(
        excluded=[
            pb.Exclusion(participant=f"merchants/{one.participant}", reason=one.reason) for one in found.excluded
        ],
        released=[release_message(one.chosen, one.window_no) for one in found.released],
    )


def release_message(one: Chosen, window_no: int) -> pb.Release:
    """What is released, on the wire; `window_no` 0: the window of the run it stands in."""
    return pb.Release(
        participant=f"merchants/{one.participant}",
        window=f"windows/{window_no}" if window_no else "",
        currency_code=one.currency,
        debtor=f"merchants/{one.debtor}" if one.debtor else "",
        creditor=f"merchants/{one.creditor}" if one.creditor else "",
        since_window=f"windows/{one.since_window}" if one.since_window else "",
        at_least_minor_units=one.at_least,
        at_most_minor_units=one.at_most,
    )
