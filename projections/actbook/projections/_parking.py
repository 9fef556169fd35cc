"""Events that a projection could not process, and those behind them in the same stream, waiting to be tried again."""

from __future__ import annotations

import sqlite3
import time

import msgspec

from actbook.events import Envelope
from actbook.projections._bounded import text
from actbook.projections._unreadable import topic_of

_COLUMNS = "name, position, stream_id, version, topic, error, attempts, parked_at"


class ParkedEvent(msgspec.Struct, frozen=True):
    """An event that is missing in the rows of a projection. `parked_at`: µs since the epoch, UTC.

    `attempts` 0: it was not tried, because an earlier event of its stream is parked.
    """

    name: str
    position: int
    stream_id: str
    version: int
    topic: str
    error: str
    attempts: int
    parked_at: int


def park(
    connection: sqlite3.Connection, name: str, event: Envelope, error: Exception | None, attempts: int
) -> None:
    """Writes the event down. In the transaction that moves the position past it."""
    reason = "an earlier event of its stream is parked" if error is None else describe(error)
    now = time.time_ns() // 1000
    connection.execute(
        f"INSERT OR REPLACE INTO parked_events({_COLUMNS}) VALUES(?,?,?,?,?,?,?,?)",
        (name, event.position, event.stream_id, event.version, topic_of(event), reason, attempts, now),
    )


def describe(error: Exception) -> str:
    return text(f"{type(error).__name__}: {error}")


def parked_events(
    connection: sqlite3.Connection, name: str | None = None, stream_id: str | None = None
) -> list[ParkedEvent]:
    """What is parked, in the order of the log."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM parked_events WHERE (:name IS NULL OR name=:name) AND (:stream IS NULL OR stream_id=:stream)"
        " ORDER BY name, position",
        {"name": name, "stream": stream_id},
    )
    return [ParkedEvent(*row) for row in rows]


def parked_streams(connection: sqlite3.Connection, name: str) -> set[str]:
    rows = connection.execute("SELECT DISTINCT stream_id FROM parked_events WHERE name=?", (name,))
    return {row[0] for row in rows}


def unpark(connection: sqlite3.Connection, parked: ParkedEvent) -> None:
    connection.execute(
        "DELETE FROM parked_events WHERE name=? AND position=?", (parked.name, parked.position)
    )


def park_again(connection: sqlite3.Connection, parked: ParkedEvent, error: Exception) -> None:
    connection.execute(
        "UPDATE parked_events SET error=?, attempts=attempts+1 WHERE name=? AND position=?",
        (describe(error), parked.name, parked.position),
    )
