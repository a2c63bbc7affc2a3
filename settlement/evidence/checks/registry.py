"""Everything that is looked at when a pack is verified. A new check is a function and a line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from settlement.evidence.checks import defaults, disputes, files, payments, people, result, sums
from settlement.evidence.model import Difference
from settlement.evidence.reading import Pack

Check = Callable[[Pack], Iterator[Difference]]

CHECKS: Mapping[str, Check] = {
    "files": files.check,
    "prices of obligations": sums.entries,
    "totals": sums.totals,
    "recounts": sums.recounts,
    "calculation": result.calculated,
    "digests": result.digests,
    "rules": result.rules,
    "disputes": disputes.check,
    "defaults": defaults.check,
    "steps": people.steps,
    "four eyes": people.four_eyes,
    "payments": payments.legs,
    "payment files": payments.files,
    "payment states": payments.events,
    "bank answers": payments.answers,
}
