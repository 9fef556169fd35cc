"""Histories of executions as they would be recorded, and tables to apply them to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Any, Self

from actbook.events import Append, Draft, Envelope
from actbook.journal import Store
from actbook.projections import BUILT_IN, Projection
from actbook.projections._applying import Applying
from actbook.projections._lanes import Lanes
from actbook.projections._tracking import Tracking


def recorded(*streams: tuple[str, Sequence[Draft]]) -> list[Envelope]:
    """The streams' events in one log, taking turns."""
    log: list[Envelope] = []
    rest = [(stream_id, enumerate(drafts, 1)) for stream_id, drafts in streams]
    while rest:
        for entry in list(rest):
            stream_id, drafts = entry
            try:
                version, draft = next(drafts)
            except StopIteration:
                rest.remove(entry)
                continue
            log.append(envelope(draft, stream_id, version, len(log) + 1))
    return log


def envelope(draft: Draft, stream_id: str, version: int, position: int) -> Envelope:
    return Envelope(
        payload=draft.payload,
        at=draft.at,
        cause=draft.cause,
        event_id=b"%016d" % position,
        stream_id=stream_id,
        version=version,
        position=position,
        user_id="u",
        correlation_id=stream_id,
        traceparent="",
        schema_version=1,
        hash=bytes(32),
    )


def append_all(store: Store, stream_id: str, drafts: Sequence[Draft], *, at_once: int = 7) -> int:
    """Writes a history in several appends; the last position."""
    position = 0
    for start in range(0, len(drafts), at_once):
        append = Append(stream_id, start, list(drafts[start : start + at_once]), "u", stream_id)
        (answer,) = store.write([append])
        assert not isinstance(answer, Exception), answer
        position = answer.position
    return position


class Tables:
    """Projections over a private database, without a log and without a thread."""

    def __init__(self, projections: Iterable[type[Projection]] = BUILT_IN) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.tracking = Tracking(self.connection, Lock())
        self.lanes = Lanes([projection() for projection in projections], self.tracking)
        self.applying = Applying(self.tracking)
        self.lanes.ensure()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def apply(self, events: Sequence[Envelope], *, batch: int = 1000) -> None:
        for start in range(0, len(events), batch):
            part = events[start : start + batch]
            (group,) = self.lanes.groups()
            self.applying.apply(group.lanes, part, part[-1].position)

    def rows(self, table: str) -> list[dict[str, Any]]:
        return rows_of(self.connection, table)


def rows_of(connection: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    """All rows in the order in which they are stored."""
    found = connection.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found]
