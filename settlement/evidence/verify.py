"""Verifying a pack from its files alone: no database, no network; whatever is wrong is named, never raised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from settlement.evidence.ages import too_old_for
from settlement.evidence.checks.registry import CHECKS
from settlement.evidence.code import code
from settlement.evidence.comparing import Compared
from settlement.evidence.model import Damaged, Difference, Manifest, Verified
from settlement.evidence.reading import Pack
from settlement.evidence.service import Progress, no_progress

DIFFERENCES_MAX = 50
"""So many are told: the first names the place, and all may follow from it."""
OTHER_CODE = "it was written by another version of the program; what is computed again is computed by this one"


def verify(path: Path, progress: Progress = no_progress, fingerprint: str = "") -> Verified:
    """Look at a pack, and compute again what can be computed again.

    Args:
        path: a folder or an archive.
        progress: told which check begins.
        fingerprint: what the manifest's SHA-256 must be, where somebody noted it down; empty: nobody did.
    """
    try:
        pack = Pack(path)
    except Damaged as damaged:
        return Verified("", "", "", (), [damaged.difference], False, (), ())
    try:
        return _verified(pack, progress, fingerprint)
    finally:
        pack.close()


def _verified(pack: Pack, progress: Progress, fingerprint: str) -> Verified:
    differences: list[Difference] = []
    manifest: Manifest | None = None
    found = ""
    try:
        manifest, found = pack.manifest()
    except Damaged as damaged:
        return Verified("", "", "", (), [damaged.difference], False, (), ())
    if fingerprint and not found.startswith(fingerprint.lower()):
        differences.append(Difference("manifest.json", 0, "sha256", found, f"{fingerprint} as was noted down"))
    for number, (name, check) in enumerate(CHECKS.items()):
        progress(name, number, len(CHECKS))
        # Two checks may stumble over the same.
        found_now = islice(_found(name, check(pack)), DIFFERENCES_MAX + 1)
        differences = list(dict.fromkeys([*differences, *found_now]))
        if len(differences) > DIFFERENCES_MAX:
            break
    progress("", len(CHECKS), len(CHECKS))
    notes = [OTHER_CODE] if dict(manifest.code) != code() else []
    if without := too_old_for(pack):
        notes.append(f"it was written before packs had {', '.join(without)}: of those it says nothing")
    shown, more = differences[:DIFFERENCES_MAX], len(differences) > DIFFERENCES_MAX
    return Verified(found, f"windows/{manifest.window_no}", manifest.digest, tuple(CHECKS), shown, more, (), notes)


def _found(name: str, check: Iterator[Difference]) -> Iterator[Difference]:
    """A check's differences. What it stumbles over is one too: a file that was tampered with may hold anything."""
    try:
        yield from check
    except Damaged as damaged:
        yield damaged.difference
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as stumbled:
        yield Difference(name, 0, "", f"cannot be computed: {stumbled!r}", "computed")


def with_database(verified: Verified, compared: Compared) -> Verified:
    """The same with what came of holding it against the database."""
    differences: Sequence[Difference] = [*verified.differences, *compared.differences]
    more = verified.more or len(differences) > DIFFERENCES_MAX
    return verified._replace(
        differences=differences[:DIFFERENCES_MAX],
        more=more,
        later=compared.later,
        checks=(*verified.checks, "database"),
    )
