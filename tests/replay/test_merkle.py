"""The tree agrees with the published vectors of RFC 6962's first implementation, and its proofs with its roots."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actbook.replay._merkle import EMPTY_ROOT, Frontier, TilesInMemory, Tree
from actbook.replay.proof import ProofError, check_consistency, leaf_hash, node_hash, root_from_inclusion

ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def tree_of(leaves: list[bytes], *, at_once: int = 1000) -> Tree:
    tree = Tree(TilesInMemory())
    for start in range(0, len(leaves), at_once):
        tree.append(leaves[start : start + at_once])
    return tree


def plain_root(leaves: list[bytes]) -> bytes:
    """As the standard defines it."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node_hash(plain_root(leaves[:half]), plain_root(leaves[half:]))


NUMBERED = [leaf_hash(b"%d" % number) for number in range(70_000)]
LONG = tree_of(NUMBERED)


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_the_published_ones(size: int) -> None:
    tree = tree_of([leaf_hash(entry) for entry in ENTRIES])
    assert tree.root(size).hex() == ROOTS[size]


def test_the_paths_are_the_published_ones() -> None:
    tree = tree_of([leaf_hash(entry) for entry in ENTRIES])
    assert [step.hex()[:8] for step in tree.inclusion(5, 8)] == ["bc1a0643", "ca854ea1", "d37ee418"]
    assert [step.hex()[:8] for step in tree.inclusion(1, 5)] == ["6e340b9c", "5f083f0a", "bc1a0643"]
    assert [step.hex()[:8] for step in tree.consistency(6, 8)] == ["0ebc5d34", "ca854ea1", "d37ee418"]
    assert [step.hex()[:8] for step in tree.consistency(2, 5)] == ["5f083f0a", "bc1a0643"]


@given(st.integers(0, 1100), st.integers(1, 400))
def test_tiles_give_the_root_that_the_standard_defines(size: int, at_once: int) -> None:
    leaves = NUMBERED[:size]
    assert tree_of(leaves, at_once=at_once).root() == plain_root(leaves) == LONG.root(size)


@given(st.integers(0, 3000))
def test_a_frontier_knows_the_same_root(size: int) -> None:
    frontier = Frontier()
    for leaf in NUMBERED[:size]:
        frontier.append(leaf)
    assert frontier.root() == (LONG.root(size) if size else EMPTY_ROOT)


@given(st.data())
def test_every_entry_can_be_proved_and_no_other(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(NUMBERED)))
    index = data.draw(st.integers(0, size - 1))
    path, root = LONG.inclusion(index, size), LONG.root(size)
    assert root_from_inclusion(index, size, NUMBERED[index], path) == root
    other = data.draw(st.integers(0, size - 1).filter(lambda number: number != index)) if size > 1 else None
    assert not leads(index, size, leaf_hash(b"something else"), path, root)
    if other is not None:
        assert not leads(other, size, NUMBERED[index], path, root)
    if path:
        assert not leads(index, size, NUMBERED[index], path[:-1], root)
    assert not leads(index, size, NUMBERED[index], [*path, root], root)


def leads(index: int, size: int, leaf: bytes, path: list[bytes], root: bytes) -> bool:
    try:
        return root_from_inclusion(index, size, leaf, path) == root
    except ProofError:
        return False


@given(st.data())
def test_every_beginning_can_be_proved_and_no_other(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, len(NUMBERED)))
    old = data.draw(st.integers(0, new))
    path, roots = LONG.consistency(old, new), (LONG.root(old), LONG.root(new))
    check_consistency(old, new, *roots, path)
    if old:
        with pytest.raises(ProofError):
            check_consistency(old, new, leaf_hash(b"another root"), roots[1], path)
    if 0 < old < new:
        with pytest.raises(ProofError):
            check_consistency(old, new, *roots, path[:-1])
        with pytest.raises(ProofError):
            check_consistency(old, new, *roots, [*path, roots[0]])
