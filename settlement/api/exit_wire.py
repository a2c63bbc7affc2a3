"""Messages of exits: who is to leave to values, certificates to messages."""

from __future__ import annotations

from exchange.serving.checks import Violations
from settlement.api.wire import REASON_MAX, merchant_name
from settlement.exits.model import WAIVABLE, ParticipantExit, Subject, Unit
from settlement.v1 import funds_pb2 as pb

SUBJECTS = {one: pb.ParticipantExit.Subject.Value(f"SUBJECT_{one.name}") for one in Subject}
WAIVABLE_OF: dict[int, Subject] = {SUBJECTS[one]: one for one in WAIVABLE}
UNITS = {one: pb.ExitFinding.Unit.Value(f"UNIT_{one.name}") for one in Unit}


def asked_exit(check: Violations, asked: pb.ParticipantExit, path: str) -> ParticipantExit:
    """Who is to leave, and why what may be left is; what is left is for the use case to find."""
    waivers: dict[Subject, str] = {}
    if len(asked.waivers) > len(WAIVABLE):
        check.say(f"{path}.waivers", f"has more than {len(WAIVABLE)}")
    for place, one in enumerate(asked.waivers[: len(WAIVABLE)]):
        here = f"{path}.waivers[{place}]"
        number = check.known(f"{here}.subject", one.subject, frozenset(WAIVABLE_OF))
        reason = check.text(f"{here}.reason", one.reason, 1, REASON_MAX)
        if number in WAIVABLE_OF:
            if WAIVABLE_OF[number] in waivers:
                check.say(f"{here}.subject", "stands there twice")
            waivers[WAIVABLE_OF[number]] = reason
    return ParticipantExit(check.resource_name(f"{path}.participant", asked.participant, "merchants"), waivers)


def message(one: ParticipantExit) -> pb.ParticipantExit:
    """A certificate on the wire."""
    return pb.ParticipantExit(
        participant=merchant_name(one.participant),
        waivers=[pb.ExitWaiver(subject=SUBJECTS[subject], reason=why) for subject, why in sorted(one.waivers.items())],
        findings=[
            pb.ExitFinding(
                subject=SUBJECTS[found.subject],
                what=found.what,
                currency_code=found.currency,
                amount=found.amount,
                unit=UNITS[found.unit],
            )
            for found in one.findings
        ],
        open_window=f"windows/{one.window_no}",
    )
