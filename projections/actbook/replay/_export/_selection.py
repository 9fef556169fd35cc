"""What an export holds: some executions, what belongs to a user, or a whole store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import merge

from actbook.events import (
    ChildStarted,
    Envelope,
    ExecutionCreated,
    UnknownTopicError,
    execution_of,
    graph_stream,
    inbox_of,
)
from actbook.journal import JournalError, PayloadKeyError, Row, Store
from actbook.journal._blobs import LoadBlob
from actbook.journal._codec import Opener, decode

_PAGE = 1000
_GRAPH = "graph:"


@dataclass(frozen=True)
class Selection:
    """Which streams of a store are meant; with neither executions nor a user, all of them.

    An execution comes with its sub-graphs' executions, their inboxes and the graphs they ran; a user with all streams that
    are his. A graph's stream is left out when other people's events stand in it, since it can only be taken as a whole.
    """

    executions: tuple[str, ...] = ()
    user: str | None = None
    _mine: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    def rows(self, store: Store) -> Iterator[Row]:
        """The events as they are stored, in the order of their positions, up to the last one there is now. Blocks."""
        last = store.last_position()
        if self.executions:
            streams = [_stream(store, each, last) for each in self._streams(store)]
            yield from merge(*streams, key=lambda row: row.position)
        else:
            for row in _log(store, last):
                if self.user is None or self._is_mine(store, row.stream_id):
                    yield row

    def execution_ids(self, store: Store) -> Iterator[str]:
        """The executions among them, with those of sub-graphs. Blocks."""
        if self.executions:
            yield from (each for each in self._streams(store) if ":" not in each)
            return
        after = ""
        while page := store.stream_ids(after, _PAGE):
            for stream_id in page:
                if ":" not in stream_id and (self.user is None or self._is_mine(store, stream_id)):
                    yield stream_id
            after = page[-1]

    def _streams(self, store: Store) -> list[str]:
        found: dict[str, None] = {}
        graphs: dict[str, None] = {}
        waiting = list(reversed(self.executions))
        while waiting:
            execution_id = waiting.pop()
            if execution_id in found:
                continue
            found[execution_id] = found[inbox_of(execution_id)] = None
            for event in readable(store, _stream(store, execution_id, store.last_position())):
                if isinstance(event.payload, ChildStarted):
                    waiting.append(event.payload.execution_id)
                elif isinstance(event.payload, ExecutionCreated):
                    graphs[graph_stream(event.payload.graph_id)] = None
        whole = [each for each in graphs if self.user is None or self._is_mine(store, each)]
        return [*whole, *found]

    def _is_mine(self, store: Store, stream_id: str) -> bool:
        known = self._mine.get(stream_id)
        if known is None:
            known = self._mine[stream_id] = self._belongs(store, stream_id)
        return known

    def _belongs(self, store: Store, stream_id: str) -> bool:
        if stream_id.startswith(_GRAPH):
            rows = _stream(store, stream_id, store.last_position())
            return all(event.user_id in (self.user, "") for event in readable(store, rows))
        owner = execution_of(stream_id) or stream_id
        first = next(readable(store, iter(store.read_rows(owner, 0, 1))), None)
        return first is not None and first.user_id == self.user


def readable(store: Store, rows: Iterator[Row]) -> Iterator[Envelope]:
    """The events of the rows, without those that this version can't read."""
    for row in rows:
        event = envelope_of(store, row)
        if event is not None:
            yield event


def envelope_of(store: Store, row: Row) -> Envelope | None:
    """The event of a row; None when it is damaged or of another application. Raises `PayloadKeyError`."""
    return decoded(row, store.blob, store.keys)


def decoded(row: Row, load: LoadBlob, keys: Opener | None = None) -> Envelope | None:
    """The same, with big values from somewhere else."""
    try:
        return decode(row, load, keys)
    except PayloadKeyError:
        raise
    except (JournalError, UnknownTopicError):
        return None


def _log(store: Store, last: int) -> Iterator[Row]:
    after = 0
    while rows := store.log_rows(after, _PAGE):
        for row in rows:
            if row.position > last:
                return
            yield row
        after = rows[-1].position


def _stream(store: Store, stream_id: str, last: int) -> Iterator[Row]:
    after = 0
    while rows := store.read_rows(stream_id, after, _PAGE):
        for row in rows:
            if row.position > last:
                return
            yield row
        after = rows[-1].version
