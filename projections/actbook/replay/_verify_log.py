"""The log as a whole: what is missing in it, and whether it is the one that its checkpoints are of."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from actbook.journal import Fault, Row
from actbook.journal._archived import archived_leaves
from actbook.journal._chain import FaultKind
from actbook.replay._checkpoints import has_checkpoints, stored_notes, stored_tree
from actbook.replay._entries import entry_hash
from actbook.replay._evidence import Evidence
from actbook.replay._merkle import Frontier, Tree
from actbook.replay.proof import Checkpoint, ProofError, VerifierKey, absent_entry, leaf_hash

_WINDOW = 1024
_LONGEST_GAP = 1_000_000
_MOST_FAULTS = 1000


def check_log(
    evidence: Evidence, keys: Sequence[VerifierKey], kept: Sequence[Checkpoint]
) -> tuple[int, list[Fault]]:
    """How many events there are, and what is wrong with their places. `kept`: checkpoints from elsewhere."""
    walk = _Walk(evidence, _Witness(kept, keys) if kept else None)
    for row in evidence.log():
        walk.step(row)
    walk.end(evidence.last_position())
    faults = walk.faults
    if walk.stored is not None:
        faults += _faults_of_notes(evidence.connection, walk.stored, keys)
    return walk.events, faults


class _Witness:
    """Checkpoints that were kept elsewhere, compared with the log while it is read."""

    def __init__(self, kept: Sequence[Checkpoint], keys: Sequence[VerifierKey]) -> None:
        self.faults: list[Fault] = [fault for each in kept if (fault := _fault_of_signature(each, keys))]
        self._kept = sorted(kept, key=lambda checkpoint: checkpoint.size, reverse=True)
        self._log = Frontier()
        self._agreed = 0
        self._compare()

    def take(self, leaf: bytes) -> None:
        if self._kept:
            self._log.append(leaf)
            self._compare()

    def end(self) -> list[Fault]:
        for checkpoint in reversed(self._kept):
            first = self._log.size + 1
            text = f"a checkpoint kept elsewhere covers {checkpoint.size} events, and the log ends at {first - 1}"
            self.faults.append(Fault("", 0, first, "removed", text))
        return self.faults

    def _compare(self) -> None:
        while self._kept and self._kept[-1].size == self._log.size:
            checkpoint = self._kept.pop()
            if self._log.root() == checkpoint.root:
                self._agreed = checkpoint.size
                continue
            first = self._agreed + 1
            text = f"an event at position {first} to {checkpoint.size} is not what a checkpoint kept elsewhere is over"
            self.faults.append(Fault("", 0, first, "checkpoint", text))


class _Walk:
    """Reads the log once, in order, and compares each event with the tree in the store."""

    def __init__(self, evidence: Evidence, witness: _Witness | None) -> None:
        self.events = 0
        self.faults: list[Fault] = []
        self.stored = stored_tree(evidence.connection) if has_checkpoints(evidence.connection) else None
        self._connection = evidence.connection
        self._witness = witness
        self._window: list[bytes] = []
        self._window_start = 0
        self._last = 0

    def step(self, row: Row) -> None:
        self.events += 1
        if row.position <= self._last:
            self._add(row, "reordered", f"position {row.position} does not follow {self._last}")
            return
        if row.position > self._last + 1:
            self._skip(self._last + 1, row.position)
        self._last = row.position
        found = entry_hash(row)
        if self._witness is not None:
            self._witness.take(found)
        if self.stored is not None and row.position <= self.stored.size and self._leaf(row.position) != found:
            self._add(
                row, "checkpoint", "the event is not the one that stood here when a checkpoint was made"
            )

    def end(self, last_given: int) -> None:
        """`last_given`: the last position that the store says it gave out."""
        if last_given < self._last:
            text = f"the store says that {last_given} was the last position, and there is {self._last}"
            self._add(None, "index", text)
        covered = self.stored.size if self.stored is not None else 0
        self._skip(self._last + 1, max(last_given, covered) + 1)
        if self._witness is not None:
            self.faults += self._witness.end()

    def _skip(self, first: int, end: int) -> None:
        """There are no events at positions from `first` to before `end`; some may be in an archive."""
        for position, leaf in archived_leaves(self._connection, first, end):
            self._lack(first, position)
            self._take_archived(position, leaf)
            first = position + 1
        self._lack(first, end)

    def _take_archived(self, position: int, leaf: bytes) -> None:
        if self._witness is not None:
            self._witness.take(leaf)
        if self.stored is not None and position <= self.stored.size and self._leaf(position) != leaf:
            text = "the event that is noted as archived is not the one that stood here when a checkpoint was made"
            self._add(None, "checkpoint", text, position)

    def _lack(self, first: int, end: int) -> None:
        """There is nothing at these positions, and nothing stands for them."""
        if first >= end:
            return
        if not self._was_absent(first, end):
            which = f"positions {first} to {end - 1} are" if end - first > 1 else f"position {first} is"
            self._add(
                None, "removed", f"{which} missing in the log: {end - first} events were removed", first
            )
        if self._witness is not None:
            for position in range(first, min(end, first + _LONGEST_GAP)):
                self._witness.take(leaf_hash(absent_entry(position)))

    def _was_absent(self, first: int, end: int) -> bool:
        """Was there nothing either when the tree got there?"""
        if self.stored is None or end - 1 > self.stored.size or end - first > _LONGEST_GAP:
            return False
        return all(
            self._leaf(position) == leaf_hash(absent_entry(position)) for position in range(first, end)
        )

    def _leaf(self, position: int) -> bytes:
        assert self.stored is not None
        index = position - 1
        if not self._window_start <= index < self._window_start + len(self._window):
            self._window_start = index - index % _WINDOW
            count = min(_WINDOW, self.stored.size - self._window_start)
            self._window = self.stored.leaves(self._window_start, count)
        offset = index - self._window_start
        return self._window[offset] if offset < len(self._window) else b""

    def _add(self, row: Row | None, kind: FaultKind, message: str, position: int = 0) -> None:
        if len(self.faults) < _MOST_FAULTS:
            stream_id, version = (row.stream_id, row.version) if row is not None else ("", 0)
            place = row.position if row is not None else position
            self.faults.append(Fault(stream_id, version, place, kind, message))


def _faults_of_notes(
    connection: sqlite3.Connection, tree: Tree, keys: Sequence[VerifierKey]
) -> Iterator[Fault]:
    """Checks the checkpoints in the store against the tree beside them."""
    agreed = 0
    for note in stored_notes(connection):
        try:
            checkpoint = Checkpoint.parse(note)
        except (ProofError, AttributeError, TypeError) as error:
            yield Fault("", 0, 0, "checkpoint", f"a checkpoint in the store can't be read: {error}")
            continue
        fault = _fault_of_signature(checkpoint, keys) or _fault_of_root(checkpoint, tree, agreed)
        if fault is not None:
            yield fault
        else:
            agreed = checkpoint.size


def _fault_of_root(checkpoint: Checkpoint, tree: Tree, agreed: int) -> Fault | None:
    if checkpoint.size > tree.size:
        text = f"the tree ends at {tree.size}, and a checkpoint covers {checkpoint.size} events"
        return Fault("", 0, tree.size + 1, "checkpoint", text)
    if tree.root(checkpoint.size) == checkpoint.root:
        return None
    text = f"the tree in the store is not that of its checkpoint: something from position {agreed + 1} to {checkpoint.size}"
    return Fault("", 0, agreed + 1, "checkpoint", text + " was edited, here or there")


def _fault_of_signature(checkpoint: Checkpoint, keys: Sequence[VerifierKey]) -> Fault | None:
    if not keys:
        return None
    try:
        checkpoint.check_signature(keys)
    except ProofError as error:
        return Fault("", 0, checkpoint.size, "checkpoint", str(error))
    return None
