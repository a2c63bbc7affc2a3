"""How old a pack is: packs came to hold more over time, and one written before is whole without what it could not have.

The program does not say in a pack which parts it knew, so the parts say it themselves: whoever wrote one of a group
knew all before it.
"""

from __future__ import annotations

from collections.abc import Sequence

from settlement.evidence.code import code
from settlement.evidence.reading import Pack

CAME_LATER: Sequence[Sequence[str]] = (
    ("looks.csv",),
    ("recounts.csv",),
    ("disputes.csv", "dispute_steps.csv", "adjustments.csv"),
    ("defaults.csv", "defaulted_payments.csv", "recoveries.csv", "default_postings.csv"),
    ("write_offs.csv",),
)
"""Parts the first packs did not have, in the order the program came to write them; those of a group came at once."""


def too_old_for(pack: Pack) -> list[str]:
    """Parts that were not written yet when this pack was; none where this very program wrote it.

    A part that is missing and is not named here was taken away.

    Raises:
        Damaged: the manifest cannot be read.
    """
    if dict(pack.manifest()[0].code) == code():
        return []
    there = {*pack.names()}
    known = max((number for number, group in enumerate(CAME_LATER, start=1) if there & {*group}), default=0)
    return [name for group in CAME_LATER[known:] for name in group]
