"""Trees of obligations: whoever holds some leaves comes to the same root, and nobody comes to it with others."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.proofs.offline import Untrue, leaf_hash, root_of
from settlement.proofs.rules import Tree

LEAVES = st.lists(st.binary(max_size=8), max_size=40)


def root_by_the_book(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it is written: split at the largest power of two below the size."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = root_by_the_book(leaves[:split]), root_by_the_book(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


@given(LEAVES, st.data())
def test_some_leaves_and_the_hashes_beside_them_come_to_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    """Whichever leaves, of whatever tree: the root is the book's."""
    places = sorted(data.draw(st.sets(st.integers(0, len(leaves) - 1)) if leaves else st.just(set())))
    tree = Tree(map(leaf_hash, leaves))

    hashes = tree.hashes_beside(places)
    root = root_of(len(leaves), {place: leaf_hash(leaves[place]) for place in places}, map(bytes.fromhex, hashes))

    assert root.hex() == tree.root == root_by_the_book(leaves).hex()
    assert len(hashes) <= max(1, len(places) * max(len(leaves) - 1, 1).bit_length())


@given(LEAVES.filter(bool), st.data())
def test_no_other_leaf_comes_to_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    """Neither one that was changed, nor the right one at another place."""
    place = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.binary(max_size=8).filter(lambda leaf: leaf != leaves[place]))
    tree = Tree(map(leaf_hash, leaves))
    hashes = [bytes.fromhex(one) for one in tree.hashes_beside([place])]

    changed = root_of(len(leaves), {place: leaf_hash(other)}, iter(hashes))

    assert changed.hex() != tree.root
    for wrong in (place + 1, len(leaves)):
        try:
            moved = root_of(len(leaves), {wrong: leaf_hash(leaves[place])}, iter(hashes))
        except Untrue:
            continue
        assert moved.hex() != tree.root or leaves[wrong] == leaves[place]


@given(LEAVES.filter(lambda leaves: len(leaves) > 1))
def test_a_proof_has_exactly_the_hashes_its_tree_takes(leaves: list[bytes]) -> None:
    """One less or one more is no proof."""
    hashes = [bytes.fromhex(one) for one in Tree(map(leaf_hash, leaves)).hashes_beside([0])]
    own = {0: leaf_hash(leaves[0])}

    for wrong in (hashes[:-1], [*hashes, hashes[0]]):
        with pytest.raises(Untrue):
            root_of(len(leaves), own, iter(wrong))
