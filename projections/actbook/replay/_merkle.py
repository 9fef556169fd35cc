"""The Merkle tree over a log, kept as tiles: up to 256 neighbouring hashes of one level each.

A tile of level 0 holds hashes of entries, one of level 1 roots of full tiles of level 0, and so on. A log grows by
appending to the last tile of each level, and any root or proof reads a few tiles.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Protocol

from actbook.replay.proof import NODE, node_hash

WIDTH = 256
_BITS = 8
_HASH = 32

EMPTY_ROOT = sha256().digest()
"""Root of a log without entries."""


class Tiles(Protocol):
    """Where tiles are kept: by level and number, as their hashes one behind the other."""

    def get(self, level: int, number: int) -> bytes:
        """A tile as far as it is filled; empty when it was not begun."""
        ...

    def put(self, level: int, number: int, hashes: bytes) -> None:
        """Keeps a tile, instead of what was there."""
        ...


class TilesInMemory:
    """Tiles in a dict; what `behind` it has shows through until it is overwritten here."""

    def __init__(self, behind: Tiles | None = None) -> None:
        self.changed: dict[tuple[int, int], bytes] = {}
        self._behind = behind

    def get(self, level: int, number: int) -> bytes:
        found = self.changed.get((level, number))
        if found is not None:
            return found
        return self._behind.get(level, number) if self._behind is not None else b""

    def put(self, level: int, number: int, hashes: bytes) -> None:
        self.changed[level, number] = hashes


class Tree:
    """The tree of the first `size` entries. Roots and paths can be asked for every size up to that."""

    def __init__(self, tiles: Tiles, size: int = 0) -> None:
        self._tiles = tiles
        self.size = size

    def append(self, leaves: Iterable[bytes]) -> None:
        """Adds hashes of entries at the end."""
        added = list(leaves)
        self._extend(0, self.size, added)
        self.size += len(added)

    def leaves(self, start: int, count: int) -> list[bytes]:
        """Hashes of entries."""
        return self._hashes(0, start, count)

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` entries."""
        end = self.size if size is None else size
        return self._range(0, end) if end else EMPTY_ROOT

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The path that proves the entry at `index` in the log of `size` entries."""
        return self._inclusion(index, 0, size)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The path that proves that the log of `new` entries begins with the one of `old` entries."""
        return self._consistency(old, 0, new, whole=True) if 0 < old < new else []

    def _extend(self, level: int, start: int, hashes: Sequence[bytes]) -> None:
        if not hashes:
            return
        number, offset = divmod(start, WIDTH)
        full: list[bytes] = []
        taken = 0
        while taken < len(hashes):
            part = hashes[taken : taken + WIDTH - offset]
            begun = self._tiles.get(level, number)[: offset * _HASH] if offset else b""
            tile = begun + b"".join(part)
            self._tiles.put(level, number, tile)
            if len(tile) == WIDTH * _HASH:
                full.append(_root_of(_split(tile)))
            taken += len(part)
            number, offset = number + 1, 0
        self._extend(level + 1, start // WIDTH, full)

    def _hashes(self, level: int, start: int, count: int) -> list[bytes]:
        found: list[bytes] = []
        while count:
            number, offset = divmod(start, WIDTH)
            part = min(count, WIDTH - offset)
            tile = self._tiles.get(level, number)
            found += _split(tile[offset * _HASH : (offset + part) * _HASH])
            start, count = start + part, count - part
        return found

    def _range(self, start: int, end: int) -> bytes:
        """Root over entries from `start`, which is aligned as the recursion of the tree makes it."""
        size = end - start
        if size & (size - 1) == 0:
            level = (size.bit_length() - 1) // _BITS
            width = WIDTH**level
            return _root_of(self._hashes(level, start // width, size // width))
        middle = start + _half(size)
        return node_hash(self._range(start, middle), self._range(middle, end))

    def _inclusion(self, index: int, start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        middle = start + _half(end - start)
        if index < middle:
            return [*self._inclusion(index, start, middle), self._range(middle, end)]
        return [*self._inclusion(index, middle, end), self._range(start, middle)]

    def _consistency(self, old: int, start: int, end: int, *, whole: bool) -> list[bytes]:
        if old == end:
            return [] if whole else [self._range(start, end)]
        middle = start + _half(end - start)
        if old <= middle:
            return [*self._consistency(old, start, middle, whole=whole), self._range(middle, end)]
        return [*self._consistency(old, middle, end, whole=False), self._range(start, middle)]


class Frontier:
    """A tree that only grows and knows its root, in a few hashes."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Adds the hash of an entry at the end."""
        peaks, carried, size = self._peaks, leaf, self.size
        while size & 1:
            carried = node_hash(peaks.pop(), carried)
            size >>= 1
        peaks.append(carried)
        self.size += 1

    def root(self) -> bytes:
        """The root over everything so far."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root


def _half(size: int) -> int:
    """The largest power of two below."""
    return 1 << ((size - 1).bit_length() - 1)


def _split(tile: bytes) -> list[bytes]:
    return [tile[at : at + _HASH] for at in range(0, len(tile), _HASH)]


def _root_of(hashes: list[bytes]) -> bytes:
    """Root over a power of two of hashes; of damaged tiles, over what is there."""
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=False)
        hashes = [sha256(NODE + left + right).digest() for left, right in pairs]
    return hashes[0] if hashes else EMPTY_ROOT
