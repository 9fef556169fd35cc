"""One stream: its chain, its events, its big values, its moves, its snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from typing import Any

import msgspec

from actbook.events import (
    Envelope,
    ExecutionCreated,
    GraphExecution,
    IllegalTransitionError,
    InboxHandled,
    evolve,
    inbox_of,
)
from actbook.graphs import ActbookError
from actbook.journal import Fault, Row, Snapshot, verify_chain
from actbook.journal._chain import GENESIS, FaultKind, link
from actbook.journal._codec import decode
from actbook.journal._store import is_sealed
from actbook.replay._evidence import Evidence

_PLAIN_STATE = 0x96
_OF_EXECUTIONS = ("execution.", "node.")
_MOST_FAULTS = 100
"""Of one stream: whatever more there is follows from these."""


class StreamCheck:
    """Goes through a stream once, with the state of an execution and one row in memory."""

    def __init__(self, evidence: Evidence, stream_id: str) -> None:
        self.stream_id = stream_id
        self.events = 0
        self.faults: list[Fault] = []
        self._evidence = evidence
        self._state: GraphExecution | None = GraphExecution() if ":" not in stream_id else None
        self._handled = (0, 0, 0)
        self._snapshots = evidence.snapshots(stream_id)
        self._snapshot = next(self._snapshots, None)

    def run(self) -> StreamCheck:
        """Collects the faults."""
        last: Row | None = None
        for row in self._evidence.rows(self.stream_id):
            self.events += 1
            sound = _follows(row, last)
            if not sound:
                self.faults += verify_chain([row], last)
            self._check_event(row, sound=sound)
            last = row
            if len(self.faults) > _MOST_FAULTS:
                break
        if last is None:
            self._add(
                0, 0, "edited", "no events can be found by the id of their stream: it is no text any more"
            )
        self._check_inbox()
        self._check_list(last)
        self._check_later_snapshots(last.version if last else 0)
        return self

    def _check_event(self, row: Row, *, sound: bool) -> None:
        for text in self._missing_blobs(row) if sound else ():
            self._add(row.version, row.position, "blob", text)
        try:
            event = decode(row, self._evidence.blob)
        except (ActbookError, LookupError, ValueError, TypeError) as error:
            if sound:
                self._add(row.version, row.position, "unreadable", str(error))
            self._state = None
            return
        self._fold(event, sound=sound)
        while self._snapshot is not None and self._is_at(self._snapshot, row.version):
            self._check_snapshot(self._snapshot, row)
            self._snapshot = next(self._snapshots, None)

    def _missing_blobs(self, row: Row) -> Iterator[str]:
        if row.state[:1] == bytes([_PLAIN_STATE]):
            return
        try:
            parts: Any = msgspec.msgpack.decode(row.state)
            digests = parts[6] if len(parts) > 6 else ()
        except (msgspec.MsgspecError, TypeError):
            return
        for digest in digests:
            try:
                self._evidence.blob(digest)
            except KeyError as error:
                yield str(error.args[0])

    def _fold(self, event: Envelope, *, sound: bool) -> None:
        if self._state is None:
            return
        if event.version == 1 and not event.topic.startswith(_OF_EXECUTIONS):
            self._state = None  # a stream of somebody else's making
            return
        if isinstance(event.payload, InboxHandled):
            self._handled = (event.payload.version, event.version, event.position)
        try:
            if (event.version == 1) != isinstance(event.payload, ExecutionCreated):
                raise LookupError("an execution is created by its first event, and by no other")
            evolve(self._state, event)
        except (IllegalTransitionError, LookupError, TypeError, ValueError, AttributeError) as error:
            self._state = None
            if sound and not self.faults:
                text = f"{event.topic} does not fit the state before it: {error}"
                self._add(event.version, event.position, "illegal", text)

    def _check_inbox(self) -> None:
        handled, version, position = self._handled
        if handled and self._evidence.head(inbox_of(self.stream_id)) < handled:
            text = f"message {handled} of the inbox was handled here, and is not in the inbox any more"
            self._add(version, position, "removed", text)

    @staticmethod
    def _is_at(snapshot: Snapshot, version: int) -> bool:
        return not isinstance(snapshot.version, int) or snapshot.version <= version

    def _check_snapshot(self, snapshot: Snapshot, row: Row) -> None:
        said: Any = snapshot.version
        version = said if isinstance(said, int) else 0
        if not isinstance(snapshot.state, bytes) or sha256(snapshot.state).digest() != snapshot.state_hash:
            self._add(
                version, row.position, "snapshot", "the snapshot does not have the hash that stands beside it"
            )
        elif not isinstance(said, int):
            self._add(0, row.position, "snapshot", f"a snapshot of no version, but of {said!r}")
        elif is_sealed(snapshot):
            return
        elif self._state is not None and version == row.version and not self._is_state(snapshot.state):
            self._add(
                version,
                row.position,
                "snapshot",
                "the snapshot is not the state that follows from the events",
            )

    def _is_state(self, data: bytes) -> bool:
        assert self._state is not None
        try:
            recorded = GraphExecution.decode(data)
        except (msgspec.MsgspecError, ValueError, TypeError):
            return False
        return bool(_plain(recorded) == _plain(self._state))

    def _check_list(self, last: Row | None) -> None:
        if last is None or self._state is None or self._state.status.is_terminal or self.faults:
            return
        if self._evidence.is_forgotten(self.stream_id):
            text = "it is not over, and the list of what is unfinished lacks it: nobody would go on with it"
            self._add(last.version, last.position, "index", text)

    def _check_later_snapshots(self, head: int) -> None:
        while self._snapshot is not None:
            if self._state is not None or head == 0 or self._snapshot.version > head:
                text = f"a snapshot of version {self._snapshot.version}, and the stream ends at {head}"
                self._add(head, 0, "snapshot", text)
            self._snapshot = next(self._snapshots, None)

    def _add(self, version: int, position: int, kind: FaultKind, message: str) -> None:
        self.faults.append(Fault(self.stream_id, version, position, kind, message))


def _follows(row: Row, last: Row | None) -> bool:
    """The answer for nearly all rows; what is wrong with the others `verify_chain` knows."""
    if last is None:
        return row.version == 1 and link(GENESIS, *row[1:6], row.state) == row.hash
    in_order = row.version == last.version + 1 and row.position > last.position
    return in_order and link(last.hash, *row[1:6], row.state) == row.hash


def owner_of(evidence: Evidence, stream_id: str) -> str | None:
    """The user of the first event of a stream that can be read."""
    for row in evidence.rows(stream_id):
        with suppress(ActbookError, LookupError, ValueError, TypeError):
            return decode(row, evidence.blob).user_id
    return None


def _plain(state: GraphExecution) -> Any:
    return msgspec.msgpack.decode(state.encode())
