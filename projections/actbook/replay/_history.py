"""History: everything recorded of one execution, looked at without running anything."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from actbook.events import Envelope, GraphExecution, fold
from actbook.journal import Fault, Journal, UndecodableError, verify_chain
from actbook.replay._difference import Change, difference
from actbook.replay._legality import verify_moves

Point = int | datetime
"""A version of the stream, or a moment."""


class History:
    """The events of an execution in order, and what follows from them.

    `state` folds with the same `evolve` as the engine, and keeps finished node executions with their outputs.
    """

    def __init__(self, events: Sequence[Envelope], faults: Sequence[Fault] = ()) -> None:
        self.events = tuple(events)
        self._chain_faults = list(faults)

    @classmethod
    async def load(cls, journal: Journal, execution_id: str) -> History:
        """Reads the whole stream, off the loop. An unknown execution has an empty history, a damaged one ends early."""
        rows = await asyncio.to_thread(journal.store.read_rows, execution_id)
        faults = verify_chain(rows)
        try:
            events = await journal.read_stream(execution_id)
        except UndecodableError as error:
            # What comes after an event that can't be read can't be folded.
            readable = [row for row in rows if row.version < error.version]
            events = await journal.read_stream(execution_id, limit=len(readable)) if readable else []
            position = rows[len(readable)].position
            faults = [*faults, Fault(execution_id, error.version, position, "edited", str(error))]
        return cls(events, faults)

    def state(self, at: Point | None = None, *, position: int | None = None) -> GraphExecution:
        """The state at a version, a moment (aware datetime), or a global position; the last one by default."""
        return fold(self._upto(at, position), retain=True)

    def diff(self, a: Point, b: Point | None = None) -> list[Change]:
        """What changed in the state from point `a` to point `b` (the end by default), by path."""
        return difference(
            msgspec.to_builtins(_plain(self.state(a))), msgspec.to_builtins(_plain(self.state(b)))
        )

    def verify(self) -> list[Fault]:
        """What is wrong: a broken hash chain, missing or reordered events, illegal status changes. Empty = sound."""
        return [*self._chain_faults, *verify_moves(self.events)]

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
