"""History: everything recorded of one execution, looked at without running anything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from actbook.events import Envelope, GraphExecution, fold
from actbook.journal import Fault, Journal, Row, Store, UndecodableError, verify_chain
from actbook.journal._codec import Opener, decode
from actbook.replay._collector import collector_paused
from actbook.replay._difference import Change
from actbook.replay._execution_difference import ExecutionDifference, compare
from actbook.replay._legality import verify_moves
from actbook.replay._point_difference import point_difference
from actbook.replay._timeline import Timeline, timeline

if TYPE_CHECKING:
    from actbook.journal._sealing import Withheld
    from actbook.replay._report._steps import Step

Point = int | datetime
"""A version of the stream, or a moment."""

_PAGE = 2_000


class History:
    """The events of an execution in order, and what follows from them.

    `state` folds with the same `evolve` as the engine, and keeps finished node executions with their outputs.
    """

    def __init__(self, events: Sequence[Envelope], faults: Sequence[Fault] = ()) -> None:
        self.events = tuple(events)
        self._keys: Opener | None = None
        self._faults = list(faults)
        self._states: list[bytes] = []
        self._unread: list[Row] = []

    @classmethod
    async def load(cls, journal: Journal, execution_id: str) -> History:
        """Reads the whole stream, off the loop. An unknown execution has an empty history, a damaged one ends early."""
        read = await asyncio.to_thread(_read, journal.store, execution_id)
        history = cls(read.events, read.faults)
        history._states, history._unread, history._keys = read.states, read.unread, journal.store.keys
        return history

    @property
    def withheld(self) -> Withheld:
        """Why values don't tell themselves: "sealed", no payload keys were given and they read as `[sealed]`; "forgotten", theirs
        were destroyed and they read as `[forgotten]`. Empty when they do. Raises `PayloadKeyError`.
        """
        from actbook.journal._sealing import withheld

        return withheld((row.state for row in self._rows()), self._keys)

    def state(self, at: Point | None = None, *, position: int | None = None) -> GraphExecution:
        """The state at a version, a moment (aware datetime), or a global position; the last one by default."""
        with collector_paused():
            return fold(self._upto(at, position), retain=True)

    def diff(self, a: Point, b: Point | None = None) -> list[Change]:
        """What changed in the state from point `a` to point `b` (the end by default), by path."""
        return point_difference(self._upto(a, None), self._upto(b, None))

    def steps(self) -> Iterator[Step]:
        """Every event with the statuses it set and what it changed, in one pass. Long values are cut.

        Ends early at an event that does not fit the state before it; `verify` tells which.
        """
        # The report builds on histories.
        from actbook.replay._report._steps import Steps

        return iter(Steps(self.events))

    def timeline(self) -> Timeline:
        """When each node execution waited and worked, and the chain of them that ended last."""
        return timeline(self.events, self.state())

    def compare(self, other: History) -> ExecutionDifference:
        """What differs in another execution: inputs, outputs, statuses, durations, node by node."""
        return compare(self.state(), other.state())

    def verify(self) -> list[Fault]:
        """What is wrong: a broken hash chain, missing or reordered events, illegal status changes. Empty = sound."""
        return [*verify_chain(self._rows()), *self._faults, *verify_moves(self.events)]

    def _rows(self) -> Iterator[Row]:
        """What was read, as it lies in the store."""
        for e, state in zip(self.events, self._states, strict=False):
            yield Row(e.position, e.stream_id, e.version, e.topic, e.event_id, e.at, e.hash, state)
        yield from self._unread

    def _upto(self, at: Point | None, position: int | None) -> list[Envelope]:
        events = [e for e in self.events if position is None or e.position <= position]
        if at is None:
            return events
        if isinstance(at, datetime):
            return [e for e in events if e.recorded_at <= at]
        return [e for e in events if e.version <= at]


class _Read(NamedTuple):
    """The events with their encoded states, which are nothing that the garbage collector follows, and what can't be read."""

    events: list[Envelope]
    states: list[bytes]
    unread: list[Row]
    faults: list[Fault]


def _read(store: Store, execution_id: str) -> _Read:
    """Hashes are not looked at here: only `verify` needs them. Blocks."""
    read = _Read([], [], [], [])
    version = 0
    with collector_paused():
        while page := store.read_rows(execution_id, version, _PAGE):
            _decode(store, page, read)
            if len(page) < _PAGE:
                break
            version = page[-1].version
    return read


def _decode(store: Store, rows: list[Row], read: _Read) -> None:
    """What comes after an event that can't be read can't be folded."""
    events, blob, keys = read.events, store.blob, store.keys
    done = len(events)
    try:
        if not read.faults:
            for row in rows:
                events.append(decode(row, blob, keys))
    except UndecodableError as error:
        row = rows[len(events) - done]
        read.faults.append(Fault(row.stream_id, error.version, row.position, "edited", str(error)))
    done = len(events) - done
    read.states.extend([row.state for row in rows[:done]])
    read.unread.extend(rows[done:])
