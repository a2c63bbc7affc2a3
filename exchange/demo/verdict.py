"""Whether the day adds up: plan against answers, answers against settlement, settlement against itself. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exchange.client.settlement import NettedWindow, Payment
from exchange.demo.tally import Tally


@dataclass(frozen=True, slots=True)
class Audit:
    """What `python -m exchange audit` found: {check, ok, differences} of each thing it recomputed."""

    ok: bool
    checks: Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold, and the figures that show it."""

    name: str
    ok: bool
    detail: str


def judge(tally: Tally, *, asked: int, window: NettedWindow, audit: Audit, operator: str) -> list[Check]:
    """Everything that must hold after the day, in the order a person would ask."""
    nets = {name: position.net for name, position in window.positions.items()}
    told = {pair: micros for pair, micros in tally.owed.items() if micros}
    totals = {pair: total.micros for pair, total in window.pairs.items() if total.micros}
    differing = sum(told.get(pair) != totals.get(pair) for pair in told.keys() | totals.keys())
    unsettled = _unsettled(nets, window.payments, operator)
    failed = [str(check["check"]) for check in audit.checks if not check["ok"]]
    return [
        Check(
            "every movement got one answer",
            tally.answered == asked,
            f"{tally.answered:,} answers to {asked:,} movements",
        ),
        Check(
            "every answer is the one the plan foresaw",
            tally.surprised == 0,
            f"{tally.surprised:,} otherwise",
        ),
        Check(
            "the window holds what the answers told, to the micro-unit",
            differing == 0 and tally.obligations == window.obligation_count,
            f"{window.obligation_count:,} obligations of {len(totals):,} pairs, {differing:,} pairs differ",
        ),
        Check("net positions sum to zero", sum(nets.values()) == 0, f"sum {sum(nets.values())}"),
        Check(
            "payments leave nobody owing",
            not unsettled,
            f"{len(window.payments)} payments" + (f", but not for {', '.join(unsettled)}" if unsettled else ""),
        ),
        Check(
            "the ledger's audit finds nothing",
            audit.ok and not failed,
            f"{len(audit.checks)} checks" + (f", failed: {', '.join(failed)}" if failed else ""),
        ),
    ]


def _unsettled(nets: Mapping[str, int], payments: Sequence[Payment], operator: str) -> list[str]:
    """Who is left owing or owed once all is paid. The operator's own net is what stays in the clearing account."""
    left = dict(nets)
    for payment in payments:
        left[payment.payer] = left.get(payment.payer, 0) + payment.amount
        left[payment.payee] = left.get(payment.payee, 0) - payment.amount
    return sorted(name for name, amount in left.items() if amount and name != operator)
