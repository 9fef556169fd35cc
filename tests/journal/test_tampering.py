"""Whoever edits the file is found out."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.journal.samples import append, counted, noted

from actbook.journal import Fault, SQLiteStore, verify_chain

COLUMNS = ("stream_id", "version", "topic", "event_id", "at", "hash", "state")


def filled(path: Path) -> list[int]:
    store = SQLiteStore(str(path))
    for version in range(0, 30, 3):
        for stream in ("a", "b", "c"):
            store.write([append(stream, version, "text", counted(version), noted("x", {"k": ["v", 1.5]}))])
    positions = [e.position for e in store.read_log(limit=None)]
    store.close()
    return positions


def faults(path: Path) -> list[Fault]:
    store = SQLiteStore(str(path))
    rows = [row for stream_id in store.stream_ids() for row in store.read_rows(stream_id)]
    store.close()
    return verify_chain(rows)


def flip(value: object, chance: random.Random) -> object:
    """The value with one byte changed."""
    if isinstance(value, int):
        return value ^ (1 << chance.randrange(40))
    raw = bytearray(value.encode() if isinstance(value, str) else bytes(value))  # type: ignore[call-overload]
    index = chance.randrange(len(raw))
    raw[index] = raw[index] % 127 + 1 if isinstance(value, str) else raw[index] ^ (1 << chance.randrange(8))
    return raw.decode() if isinstance(value, str) else bytes(raw)


@pytest.mark.parametrize("column", COLUMNS)
def test_one_changed_byte_is_found(tmp_path: Path, column: str) -> None:
    path = tmp_path / "edited.db"
    positions = filled(path)
    assert faults(path) == []
    chance = random.Random(column)
    connection = sqlite3.connect(path, isolation_level=None)
    for position in chance.sample(positions[:-3], 12):
        (before,) = connection.execute(
            f"SELECT {column} FROM events WHERE position=?", (position,)
        ).fetchone()
        after = flip(before, chance)
        try:
            connection.execute(f"UPDATE events SET {column}=? WHERE position=?", (after, position))
        except sqlite3.IntegrityError:
            continue
        assert faults(path), (position, before, after)
        connection.execute(f"UPDATE events SET {column}=? WHERE position=?", (before, position))
    connection.close()
    assert faults(path) == []


@pytest.mark.parametrize("column", [column for column in COLUMNS if column != "stream_id"])
@pytest.mark.parametrize("value", ["text", "'caf\u00e9'", "CAST(x'96ff00fe' AS TEXT)", "x'ff'", "1.5"])
def test_a_column_that_was_overwritten_with_another_type_is_found(
    tmp_path: Path, column: str, value: str
) -> None:
    """A text that is no valid one in particular: the database can't even show it."""
    path = tmp_path / "edited.db"
    positions = filled(path)
    literal = value if "'" in value or value[0].isdigit() else f"'{value}'"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"UPDATE events SET {column}={literal} WHERE position=?", (positions[7],))
    assert positions[7] in {fault.position for fault in faults(path)}


def test_swapped_and_deleted_rows_are_found(tmp_path: Path) -> None:
    path = tmp_path / "edited.db"
    filled(path)
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM events WHERE stream_id='a' AND version=7")
        connection.execute("UPDATE events SET version=99 WHERE stream_id='b' AND version=3")
        connection.execute("UPDATE events SET version=3 WHERE stream_id='b' AND version=4")
        connection.execute("UPDATE events SET version=4 WHERE stream_id='b' AND version=99")
    connection.close()
    assert [(f.stream_id, f.version, f.kind) for f in faults(path)] == [
        ("a", 8, "removed"),
        ("b", 3, "edited"),
        ("b", 4, "reordered"),
        ("b", 5, "edited"),
    ]
