"""Every file is the one the manifest names, there is no other, and none that must be there was taken away."""

from __future__ import annotations

from collections.abc import Iterator

from settlement.evidence.ages import too_old_for
from settlement.evidence.model import MANIFEST, SEAL, Damaged, Difference
from settlement.evidence.parts import PARTS, Made, Table
from settlement.evidence.reading import Pack


def check(pack: Pack) -> Iterator[Difference]:
    """Names, sizes and SHA-256 of all files, and every table; then, of an archive, every byte that is in no file."""
    manifest, _ = pack.manifest()
    there = pack.names()
    named = {stored.name: stored for stored in manifest.parts}
    for name in sorted({*there} - named.keys() - {MANIFEST, SEAL}):
        yield Difference(name, 0, "", "there", "in the manifest")
    tables = {part.name for part in PARTS if isinstance(part, Table | Made)}
    for name in sorted(tables - {*there} - {*too_old_for(pack)}):
        yield Difference(name, 0, "", "missing", "there")
    whole = True
    for name, stored in sorted(named.items()):
        if name not in there:
            yield Difference(name, 0, "", "missing", "there")
            whole = False
            continue
        try:
            sha256, _ = pack.stored(name)
        except Damaged as damaged:
            yield damaged.difference
            whole = False
            continue
        if sha256 != stored.sha256:
            yield Difference(name, 0, "sha256", sha256, f"{stored.sha256} as the manifest says")
    if whole:
        yield from pack.container()
