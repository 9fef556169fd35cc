"""How far each table has come: one row per table, changed in the same transaction as the table's rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import NamedTuple

from actbook.projections._errors import ProjectionError
from actbook.projections._table import Table

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS projections(
  name TEXT PRIMARY KEY,
  projection TEXT NOT NULL,
  version INTEGER NOT NULL,
  target TEXT NOT NULL,
  position INTEGER NOT NULL,
  paused INTEGER NOT NULL,
  generation INTEGER NOT NULL
) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS parked_events(
  name TEXT NOT NULL,
  position INTEGER NOT NULL,
  stream_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  topic TEXT NOT NULL,
  error TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  parked_at INTEGER NOT NULL,
  PRIMARY KEY(name, position)
) WITHOUT ROWID""",
)

_COLUMNS = "name, projection, version, target, position, paused, generation"


class Track(NamedTuple):
    """State of one table. `generation` changes, for all tracks at once, with everything but ordinary progress."""

    name: str
    projection: str
    version: int
    target: str
    position: int
    paused: int
    generation: int

    def target_of(self, table: Table) -> str:
        """Where the rows of one of the projection's tables go: beside the live one when `target` is beside its own."""
        return table.name + self.target.removeprefix(self.projection)


class SupersededError(ProjectionError):
    """Another process changed the tables meanwhile. What was computed from them is worth nothing: repeat it."""

    def __init__(self) -> None:
        super().__init__("Another process changed the projections' tables meanwhile: repeat the request.")


class Tracking:
    """The tables `projections` and `parked_events`. Used by one thread."""

    def __init__(self, connection: sqlite3.Connection, write_lock: Lock) -> None:
        self.connection = connection
        self._write_lock = write_lock

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A short write; holds up the journal while it lasts."""
        connection = self.connection
        with self._write_lock:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def create(self) -> None:
        """Makes the two tables unless they are there."""
        with self.transaction() as connection:
            for statement in SCHEMA:
                connection.execute(statement)

    def load(self) -> dict[str, Track]:
        rows = self.connection.execute(f"SELECT {_COLUMNS} FROM projections ORDER BY name").fetchall()
        return {row[0]: Track(*row) for row in rows}

    def tables(self) -> set[str]:
        """Names of all tables of the database."""
        return {
            row[0] for row in self.connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
        }

    def advance(self, names: Sequence[str], start: int, end: int, generation: int) -> None:
        """Moves tracks that stand at the same position; raises `SupersededError` when one does not. In a transaction."""
        marks = ",".join("?" * len(names))
        moved = self.connection.execute(
            f"UPDATE projections SET position=? WHERE position=? AND generation=? AND name IN ({marks})",
            (end, start, generation, *names),
        )
        if moved.rowcount != len(names):
            raise SupersededError

    def put(self, track: Track) -> None:
        """Writes a track. In a transaction, with the generation that `supersede` gave."""
        values = tuple(track)
        self.connection.execute(
            f"INSERT OR REPLACE INTO projections({_COLUMNS}) VALUES(?,?,?,?,?,?,?)", values
        )

    def drop(self, name: str) -> None:
        self.connection.execute("DELETE FROM projections WHERE name=?", (name,))
        self.connection.execute("DELETE FROM parked_events WHERE name=?", (name,))

    def supersede(self) -> int:
        """Makes every process read the tracks again before it writes; the new generation. In a transaction."""
        generation = self.generation() + 1
        self.connection.execute("UPDATE projections SET generation=?", (generation,))
        return generation

    def generation(self) -> int:
        (last,) = self.connection.execute("SELECT coalesce(max(generation), 0) FROM projections").fetchone()
        return int(last)
