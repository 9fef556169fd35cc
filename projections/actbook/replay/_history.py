"""History: everything recorded of one execution, looked at without running anything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from actbook.events import Envelope, GraphExecution, fold
from actbook.journal import Fault, Journal, Row, Store, UndecodableError, verify_chain
from actbook.journal._codec import decode
from actbook.replay._collector import collector_paused
from actbook.replay._difference import Change, difference
from actbook.replay._execution_difference import ExecutionDifference, compare
from actbook.replay._legality import verify_moves
from actbook.replay._timeline import Timeline, timeline

if TYPE_CHECKING:
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
        self._faults = list(faults)
        self._rows: list[tuple[Any, ...]] = []

    @classmethod
    async def load(cls, journal: Journal, execution_id: str) -> History:
        """Reads the whole stream, off the loop. An unknown execution has an empty history, a damaged one ends early."""
        rows, events, fault = await asyncio.to_thread(_read, journal.store, execution_id)
        history = cls(events, [fault] if fault else [])
        history._rows = rows
        return history

    def state(self, at: Point | None = None, *, position: int | None = None) -> GraphExecution:
        """The state at a version, a moment (aware datetime), or a global position; the last one by default."""
        with collector_paused():
            return fold(self._upto(at, position), retain=True)

    def diff(self, a: Point, b: Point | None = None) -> list[Change]:
        """What changed in the state from point `a` to point `b` (the end by default), by path."""
        return difference(
            msgspec.to_builtins(_plain(self.state(a))), msgspec.to_builtins(_plain(self.state(b)))
        )

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
        chain = verify_chain(map(Row._make, self._rows))
        return [*chain, *self._faults, *verify_moves(self.events)]

    def _upto(self, at: Point | None, position: int | None) -> list[Envelope]:
        events = [e for e in self.events if position is None or e.position <= position]
        if at is None:
            return events
        if isinstance(at, datetime):
            return [e for e in events if e.recorded_at <= at]
        return [e for e in events if e.version <= at]


def _plain(state: GraphExecution) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.msgpack.decode(state.encode())
    return plain


def _read(store: Store, execution_id: str) -> tuple[list[tuple[Any, ...]], list[Envelope], Fault | None]:
    """Hashes are not looked at here: only `verify` needs them. Blocks."""
    rows: list[tuple[Any, ...]] = []
    events: list[Envelope] = []
    fault: Fault | None = None
    version = 0
    with collector_paused():
        while page := store.read_rows(execution_id, version, _PAGE):
            # Plain tuples of plain values are nothing that the garbage collector follows later on.
            rows.extend(map(tuple, page))
            fault = fault or _decode(store, page, events)
            if len(page) < _PAGE:
                break
            version = page[-1].version
    return rows, events, fault


def _decode(store: Store, rows: list[Row], events: list[Envelope]) -> Fault | None:
    """What comes after an event that can't be read can't be folded."""
    for row in rows:
        try:
            events.append(decode(row, store.blob))
        except UndecodableError as error:
            return Fault(row.stream_id, error.version, row.position, "edited", str(error))
    return None
