"""Whether the views are what the events say: filled anew in a file of their own, and compared row by row."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

from actbook.events import Envelope
from actbook.journal import Fault
from actbook.projections._applying import Applying
from actbook.projections._built_in import BUILT_IN
from actbook.projections._feed import BATCH
from actbook.projections._lanes import Lanes
from actbook.projections._projection import Projection
from actbook.projections._table import Table
from actbook.projections._tracking import Track, Tracking

_MOST_FAULTS = 100
"""Of one view."""

_NAMES = ("execution_id", "id", "graph_id", "user_id")


def compare_views(
    connection: sqlite3.Connection,
    events: Iterable[Envelope],
    projections: Sequence[type[Projection]] = BUILT_IN,
) -> list[Fault]:
    """Rows that a rebuild would make otherwise, each as a `Fault` that names the view, the row and the column.

    `connection` reads the tables that are judged, `events` are all of the log, in order. A view is compared as far as it
    came; one of another version, which the next engine fills anew, is left out. Blocks.
    """
    judged = _judged(connection, projections)
    if not judged:
        return []
    with TemporaryDirectory(prefix="actbook-") as folder, closing(_scratch(folder)) as rebuilt:
        _fill(
            rebuilt,
            [projection() for projection, _ in judged],
            events,
            [track.position for _, track in judged],
        )
        faults: list[Fault] = []
        for projection, track in judged:
            for table in projection.tables():
                faults += _compare(table, track.target_of(table), connection, rebuilt)
    return faults


def _scratch(folder: str) -> sqlite3.Connection:
    connection = sqlite3.connect(Path(folder) / "views.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    return connection


def _judged(
    connection: sqlite3.Connection, projections: Sequence[type[Projection]]
) -> list[tuple[type[Projection], Track]]:
    exists = "SELECT count(*) FROM sqlite_master WHERE type='table' AND name='projections'"
    if not connection.execute(exists).fetchone()[0]:
        return []
    tracks = Tracking(connection, Lock()).load()
    found = [(projection, tracks.get(projection.table.name)) for projection in projections]
    return [
        (projection, track)
        for projection, track in found
        if track is not None and track.version == projection.version
    ]


def _fill(
    connection: sqlite3.Connection,
    projections: Sequence[Projection],
    events: Iterable[Envelope],
    ends: Sequence[int],
) -> None:
    tracking = Tracking(connection, Lock())
    lanes, applying = Lanes(projections, tracking), Applying(tracking)
    lanes.ensure()
    until = {projection.name: end for projection, end in zip(projections, ends, strict=True)}
    for batch in _batches(events, sorted(set(ends))):
        open_ones = [lane for lane in lanes.all() if until[lane.track.name] >= batch[-1].position]
        if not open_ones:
            return
        applying.apply(open_ones, batch, batch[-1].position)


def _batches(events: Iterable[Envelope], ends: Sequence[int]) -> Iterator[list[Envelope]]:
    """In such a way that no batch goes beyond one of the ends."""
    waiting = list(ends)
    batch: list[Envelope] = []
    for event in events:
        while waiting and event.position > waiting[0]:
            waiting.pop(0)
            if batch:
                yield batch
                batch = []
        batch.append(event)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _compare(
    table: Table, target: str, judged: sqlite3.Connection, rebuilt: sqlite3.Connection
) -> Iterator[Fault]:
    there = {row[1] for row in judged.execute(f"PRAGMA table_xinfo({target})")}
    if not there.issuperset(table.stored):
        missing = ", ".join(name for name in table.stored if name not in there)
        yield Fault("", 0, 0, "view", f"view {table.name} lacks columns: {missing}")
        return
    order = ", ".join(table.key)
    columns = ", ".join(table.stored)
    found_rows = _rows(judged, f"SELECT {columns} FROM {target} ORDER BY {order}")
    wanted = _rows(rebuilt, f"SELECT {columns} FROM {table.name} ORDER BY {order}")
    found = 0
    for row, right in zip_longest(found_rows, wanted):
        if row != right:
            yield _fault(table, row, right)
            found += 1
            if (
                found == _MOST_FAULTS
                or row is None
                or right is None
                or _key(table, row) != _key(table, right)
            ):
                # What follows a row too many, or too few, does not stand beside its counterpart.
                return


def _rows(connection: sqlite3.Connection, sql: str) -> Iterator[tuple[Any, ...]]:
    return iter(connection.execute(sql))


def _key(table: Table, row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(row[table.stored.index(name)] for name in table.key)


def _fault(table: Table, row: tuple[Any, ...] | None, right: tuple[Any, ...] | None) -> Fault:
    known = row if row is not None else right
    assert known is not None
    values = dict(zip(table.stored, known, strict=True))
    stream_id = next((str(values[name]) for name in _NAMES if name in values), "")
    key = "/".join(map(str, _key(table, known)))
    if right is None:
        text = f"view {table.name} has a row {key}, which a rebuild does not make"
    elif row is None:
        text = f"view {table.name} lacks the row {key}, which a rebuild makes"
    elif _key(table, row) != _key(table, right):
        wanted = "/".join(map(str, _key(table, right)))
        text = f"view {table.name} has the row {key} where a rebuild has {wanted}"
    else:
        pairs = zip(table.stored, row, right, strict=True)
        different = [f"{name} is {had!r}, not {new!r}" for name, had, new in pairs if had != new]
        text = f"view {table.name}, row {key}: {'; '.join(different)}"
    return Fault(stream_id, 0, 0, "view", text)
