"""What disputes and adjustments make of the run is what was claimed, decided and agreed."""

from __future__ import annotations

from collections.abc import Iterator

from settlement.evidence.ages import too_old_for
from settlement.evidence.model import Difference
from settlement.evidence.reading import Pack
from settlement.run.canonical import configuration_of
from settlement.run.model import UNDISPUTED, Adjusted, HeldOut

RESULT = "result.json"
COLUMNS = ("adjustment_id", "debtor", "creditor", "currency", "minor_units", "cause", "dispute_id", "transfer_id")
"""Of adjustments.csv, in the order of `Adjusted`."""


def check(pack: Pack) -> Iterator[Difference]:
    """Held out, netted again, adjusted: each as the claims, their ends and the adjustments say."""
    manifest, _ = pack.manifest()
    disputed = configuration_of(pack.document(RESULT)).disputed
    if "disputes.csv" in too_old_for(pack):
        if disputed != UNDISPUTED:
            yield Difference(RESULT, 0, "held_out, released_disputes, adjustments", "there", "none before disputes.csv")
        return
    held_out, released = _claims(pack, manifest.window_no)
    for figure, found, expected in (
        ("held_out", disputed.held_out, held_out),
        ("released_disputes", disputed.released, released),
    ):
        if found != expected:
            yield Difference(RESULT, 0, figure, str(found), f"{expected} as disputes.csv says")
    known = {one.adjustment: one for one in disputed.adjustments}
    for row in pack.rows("adjustments.csv"):
        found_one = Adjusted(
            adjustment=row.text("adjustment_id"),
            debtor=row.text("debtor"),
            creditor=row.text("creditor"),
            currency=row.text("currency"),
            amount=row.whole("minor_units"),
            cause=row.text("cause").lower(),
            dispute=row.text("dispute_id"),
            transfer=row.text("transfer_id"),
        )
        of_run = known.pop(found_one.adjustment, None)
        if of_run is None:
            yield row.differs("adjustment_id", found_one.adjustment, f"an adjustment of {RESULT}")
            continue
        for column, here, there in zip(COLUMNS, found_one, of_run, strict=True):
            if here != there:
                yield row.differs(column, here, f"{there} as {RESULT} has it")
    for name in known:
        yield Difference("adjustments.csv", 0, name, "missing", f"there, as {RESULT} has it")


def _claims(pack: Pack, window_no: int) -> tuple[tuple[HeldOut, ...], tuple[str, ...]]:
    ended = {
        row.text("dispute_id"): row.whole("release_window")
        for row in pack.rows("dispute_steps.csv")
        if row.text("release_window")
    }
    held_out, released = [], []
    for row in pack.rows("disputes.csv"):
        name, own = row.text("dispute_id"), row.whole("window_no")
        end = ended.get(name)
        if row.text("treatment") != "HOLD_OUT":
            continue
        if own == window_no and (end is None or end > own):
            pair = (row.text("debtor"), row.text("creditor"), row.text("currency"))
            held_out.append(HeldOut(name, *pair, row.whole("minor_units")))
        if own < window_no and end == window_no:
            released.append(name)
    return tuple(sorted(held_out)), tuple(sorted(released))
