"""What settlement still needs of old transfers, before they may leave the exchange's ledger."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# A window in which anybody owed anything is done with when a run of it is paid, or nothing was left to pay.
UNSETTLED = text("""
SELECT count(*), min(window_no) FROM (
    SELECT t.window_no FROM exchange.clearing_totals_v1 t
    WHERE t.window_no <= :last AND t.micros > 0 GROUP BY t.window_no
) owing
WHERE NOT EXISTS (
    SELECT FROM settlement.runs r
    WHERE r.window_no = owing.window_no
      AND (settlement.state_of(r.run_id) = 'SETTLED'
           OR (settlement.is_approved(r.run_id)
               AND NOT EXISTS (SELECT FROM jsonb_array_elements(r.result::jsonb -> 'currencies') c,
                                    jsonb_array_elements(c -> 'payments') p))))
""")

DISPUTED = text("""
SELECT count(*) FROM settlement.disputes d
WHERE d.window_no <= :last AND settlement.dispute_state(d.dispute_id) IN ('', 'OPEN', 'CONTESTED')
""")

# Of what a dispute won a reversal may give back as well; netting the reversal's window looks at both, once for ever.
REVERSED = text("""
SELECT count(DISTINCT d.transfer_id) FROM settlement.disputes d
JOIN exchange.clearing_reversals_v1 v
  ON v.bucket = settlement.bucket_of(d.transfer_id) AND v.original_id = d.transfer_id
WHERE d.window_no <= :last AND settlement.dispute_state(d.dispute_id) = 'UPHELD'
  AND NOT EXISTS (SELECT FROM settlement.runs r WHERE r.window_no = v.window_no)
""")

SUMMED = text("SELECT coalesce(max(window_no), 0) FROM settlement.points_windows")

HEADED = text("SELECT coalesce(max(window_no), 0) FROM settlement.window_heads")


async def needs(connection: AsyncConnection, last_window_no: int) -> list[str]:
    """Reasons why transfers of windows up to this one are still needed, in words; nothing: they are not."""
    last = {"last": last_window_no}
    found = []
    windows, first = (await connection.execute(UNSETTLED, last)).one()
    if windows:
        found.append(
            f"{windows} windows up to {last_window_no} are not settled, window {first} first: a recount may come"
        )
    if disputes := (await connection.execute(DISPUTED, last)).scalar_one():
        found.append(f"{disputes} disputes about their transfers have not ended: what is owed is looked at until then")
    if reversals := (await connection.execute(REVERSED, last)).scalar_one():
        found.append(
            f"{reversals} of their transfers were reversed after a dispute had won of them, in windows that were never"
            " run: what both gave back is owed again when they are"
        )
    summed = (await connection.execute(SUMMED)).scalar_one()
    if summed < last_window_no:
        found.append(
            f"what points moved is summed up to window {summed}, not {last_window_no}: the liability rolls from it"
            " (ask for the liability once)"
        )
    headed = (await connection.execute(HEADED)).scalar_one()
    if headed < last_window_no:
        found.append(
            f"heads are made up to window {headed}, not {last_window_no}: they commit to every obligation"
            f" (python -m settlement head {last_window_no})"
        )
    return found
