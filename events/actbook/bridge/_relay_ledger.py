"""How far each relay has come, and what it had to leave out: tables in the store."""

from __future__ import annotations

from typing import NamedTuple

from actbook.bridge._relay_publisher import BusError
from actbook.bridge._relay_rows import Execute, rows_of
from actbook.events import Envelope
from actbook.journal import Row, Store


class RelayFencedError(BusError):
    """Another relay of this name took over; this one records nothing more and stands by."""

    def __init__(self, name: str, epoch: int) -> None:
        super().__init__(f"Another relay {name!r} took over from epoch {epoch}; this one stands by.")
        self.name = name
        self.epoch = epoch


class Track(NamedTuple):
    """A relay as recorded: everything up to `position` is on the bus or set aside. Times in µs since the epoch."""

    name: str
    position: int
    epoch: int
    worker: str
    claimed_at: int
    advanced_at: int


class SetAside(NamedTuple):
    """An event that the bus refused."""

    position: int
    event_id: bytes
    stream_id: str
    version: int
    topic: str
    reason: str
    at: int


_TRACK = ", ".join(Track._fields)
_LONGEST = 4000
"""Characters of a reason."""


class Ledger:
    """Every method blocks, is one transaction, and may be called from any thread.

    In a file it is written less durably than the events: a power loss may take the last positions, and events are then
    published again under their ids.
    """

    def __init__(self, store: Store) -> None:
        self._rows = rows_of(store)

    def claim(self, name: str, worker: str, at: int) -> Track:
        """Takes over: whoever had the relay before can record nothing more."""

        def work(execute: Execute) -> Track:
            execute(
                "INSERT INTO {relays} AS r VALUES(?,0,1,?,?,?) ON CONFLICT(name) DO UPDATE SET"
                " epoch=r.epoch+1, worker=excluded.worker, claimed_at=excluded.claimed_at",
                (name, worker, at, at),
            )
            [row] = execute(f"SELECT {_TRACK} FROM {{relays}} WHERE name=?", (name,)).fetchall()
            return Track(*row)

        return self._rows.run(work)

    def advance(self, name: str, epoch: int, position: int, at: int) -> None:
        """Everything up to `position` is dealt with. Raises `RelayFencedError`."""

        def work(execute: Execute) -> None:
            moved = execute(
                "UPDATE {relays} SET position=?, advanced_at=? WHERE name=? AND epoch=?",
                (position, at, name, epoch),
            )
            if moved.rowcount != 1:
                raise RelayFencedError(name, epoch)

        self._rows.run(work)

    def rewind(self, name: str, position: int) -> None:
        """The relay goes on behind `position`; one that runs now loses its claim and begins again there."""
        self._rows.run(
            lambda execute: execute(
                "UPDATE {relays} SET position=CASE WHEN position>? THEN ? ELSE position END, epoch=epoch+1 WHERE name=?",
                (position, position, name),
            )
        )

    def set_aside(self, name: str, epoch: int, left: SetAside) -> None:
        """Raises `RelayFencedError`."""

        def work(execute: Execute) -> None:
            if not execute("SELECT 1 FROM {relays} WHERE name=? AND epoch=?", (name, epoch)).fetchall():
                raise RelayFencedError(name, epoch)
            execute("DELETE FROM {set_aside} WHERE name=? AND position=?", (name, left.position))
            execute("INSERT INTO {set_aside} VALUES(?,?,?,?,?,?,?,?)", (name, *left))

        self._rows.run(work)

    def take_back(self, name: str, position: int) -> None:
        """The bus has the event after all."""
        self._rows.run(
            lambda execute: execute("DELETE FROM {set_aside} WHERE name=? AND position=?", (name, position))
        )

    def left_aside(self, name: str) -> list[SetAside]:
        """What is set aside, in the order of positions."""
        query = f"SELECT {', '.join(SetAside._fields)} FROM {{set_aside}} WHERE name=? ORDER BY position"
        return self._rows.run(lambda execute: [SetAside(*row) for row in execute(query, (name,)).fetchall()])

    def tracks(self) -> list[Track]:
        """Every relay that ever ran on the store, by name."""
        query = f"SELECT {_TRACK} FROM {{relays}} ORDER BY name"
        return self._rows.run(lambda execute: [Track(*row) for row in execute(query, ()).fetchall()])

    def close(self) -> None:
        self._rows.close()


def aside(event: Envelope | Row, reason: str, at: int) -> SetAside:
    """What is recorded of an event that is left out."""
    said = reason.replace("\0", "")[:_LONGEST]
    return SetAside(event.position, event.event_id, event.stream_id, event.version, event.topic, said, at)
