"""The day as JSON."""

from __future__ import annotations

from typing import Any

from exchange.demo.day import DayResult
from exchange.demo.published import SETTLEMENT_CURRENCY


def as_document(result: DayResult) -> dict[str, Any]:
    """What `--json` prints; amounts are minor units of `currency`.

    Keys, in this order: `passed`; `checks` [{name, ok, detail}]; `surprises` (answers the plan did not foresee, the
    first few); `volumes` {kind: {asked, done, points, replayed, refused {reason: n}}}; `conversions` [{from, to, since,
    source, target, count, used, received}], most used first; `currency`; `window` (its name and `digest`, `gross`,
    `paid`, `pairs` {"MR>HILTON": n}, `nets` {"MR": n}, `payments` [{from, to, amount}]); `audit` {ok, checks},
    these as the audit prints them; `seconds` by part of the day.
    """
    tally, window = result.tally, result.window
    ranked = sorted(tally.conversions.items(), key=lambda item: (-item[1].count, item[0]))
    return {
        "passed": result.passed,
        "checks": [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in result.checks],
        "surprises": tally.surprises,
        "volumes": {
            op: {
                "asked": volume.asked,
                "done": volume.done,
                "points": volume.points,
                "replayed": volume.replayed,
                "refused": dict(volume.refused.most_common()),
            }
            for op, volume in tally.volumes.items()
        },
        "conversions": [
            {
                "from": tally.rates[number].source.code,
                "to": tally.rates[number].target.code,
                "since": tally.rates[number].begins.isoformat(),
                "source": tally.rates[number].source_units,
                "target": tally.rates[number].target_units,
                "count": conversions.count,
                "used": conversions.used,
                "received": conversions.received,
            }
            for number, conversions in ranked
        ],
        "currency": SETTLEMENT_CURRENCY,
        "window": {
            "name": window.window,
            "digest": window.digest,
            "gross": window.gross,
            "paid": window.paid,
            "pairs": {f"{debtor}>{creditor}": total.gross for (debtor, creditor), total in window.pairs.items()},
            "nets": {name: position.net for name, position in window.positions.items()},
            "payments": [{"from": p.payer, "to": p.payee, "amount": p.amount} for p in window.payments],
        },
        "audit": {"ok": result.audit.ok, "checks": list(result.audit.checks)},
        "seconds": {part: round(seconds, 2) for part, seconds in result.seconds.items()},
    }
