"""Every file is the one the manifest names, and there is no other."""

from __future__ import annotations

from collections.abc import Iterator

from settlement.evidence.model import MANIFEST, SEAL, Damaged, Difference
from settlement.evidence.reading import Pack


def check(pack: Pack) -> Iterator[Difference]:
    """Names, sizes and SHA-256 of all files; then, of an archive, every byte that is in no file."""
    manifest, _ = pack.manifest()
    there = pack.names()
    named = {stored.name: stored for stored in manifest.parts}
    for name in sorted({*there} - named.keys() - {MANIFEST, SEAL}):
        yield Difference(name, 0, "", "there", "in the manifest")
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
