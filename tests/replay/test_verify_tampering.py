"""Whoever changes a store with other tools is found out, by verification or by a checkpoint, and the place is named."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.replay.evidence import KEY, fill, sign

from actbook.journal import Fault, JournalError
from actbook.journal._chain import GENESIS, link
from actbook.replay import SigningKey, verify_store, verify_streams
from actbook.replay.proof import Checkpoint

COLUMNS = ("position", "stream_id", "version", "topic", "event_id", "at", "hash", "state")
KEYS = [KEY.public]


class Crime:
    """The store as it was, one to damage, and the checkpoint that somebody else kept."""

    def __init__(self, folder: Path, original: Path, note: str) -> None:
        self.path = folder / "damaged.db"
        self.original = original
        self.kept = Checkpoint.parse(note)
        shutil.copy(original, self.path)

    def execute(self, sql: str, *parameters: Any) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            before = connection.total_changes
            connection.execute(sql, parameters)
            assert connection.total_changes > before, sql

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(sql, parameters).fetchall()

    def faults(self, *, kept: bool = False) -> list[Fault]:
        checkpoints = [self.kept] if kept else []
        checked = verify_store(self.path, keys=KEYS, checkpoints=checkpoints)
        return [fault for each in checked for fault in each.faults]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("sound") / "store.db"
    fill(path)
    return path, sign(path)


@pytest.fixture
def crime(tmp_path: Path, sound: tuple[Path, str]) -> Crime:
    made = Crime(tmp_path, *sound)
    assert made.faults(kept=True) == []
    return made


def changed(value: Any, chance: random.Random) -> Any:
    """The value with one byte changed."""
    if isinstance(value, int):
        return value ^ (chance.randrange(1, 256) << 8 * chance.randrange(5))
    raw = bytearray(value.encode() if isinstance(value, str) else value)
    index = chance.randrange(len(raw))
    raw[index] ^= chance.randrange(1, 128)
    return raw.decode() if isinstance(value, str) else bytes(raw)


def test_a_thousand_changed_bytes_are_found_and_named(crime: Crime) -> None:
    chance = random.Random("bytes")
    places = crime.rows("SELECT position, stream_id, version FROM events")
    found_by_verify = 0
    with closing(sqlite3.connect(crime.path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("PRAGMA synchronous=OFF")
        done = 0
        while done < 1000:
            (position, stream_id, _version), column = chance.choice(places), chance.choice(COLUMNS)
            sql = f"SELECT {column} FROM events WHERE position=?"
            (before,) = connection.execute(sql, (position,)).fetchone()
            after = changed(before, chance)
            connection.execute("BEGIN")
            try:
                connection.execute(f"UPDATE events SET {column}=? WHERE position=?", (after, position))
            except (sqlite3.IntegrityError, OverflowError):
                connection.execute("ROLLBACK")
                continue
            connection.execute("COMMIT")
            faults = crime.faults()
            assert faults, (column, position, before, after)
            assert any(named(fault, stream_id, position, after) for fault in faults), (
                column,
                position,
                faults,
            )
            found_by_verify += any(fault.kind != "checkpoint" for fault in faults)
            moved = after if column == "position" else position
            connection.execute(f"UPDATE events SET {column}=? WHERE position=?", (before, moved))
            done += 1
    assert crime.faults() == []
    assert found_by_verify == done


def named(fault: Fault, stream_id: str, position: int, after: Any) -> bool:
    """Does it name the event: by its stream, its position, or what stands in place of them now?"""
    return stream_id == fault.stream_id or fault.position in (position, after) or fault.stream_id == after


@pytest.mark.parametrize("column", COLUMNS)
def test_a_value_of_another_type_is_found(crime: Crime, column: str) -> None:
    value = "x'ff00'" if column in ("stream_id", "topic") else "'zwölf'"
    if column == "position":
        value = "-7"
    crime.execute(f"UPDATE events SET {column}={value} WHERE position=40")
    assert crime.faults()


def test_each_deleted_event_is_found(crime: Crime) -> None:
    for position, stream_id, version in crime.rows("SELECT position, stream_id, version FROM events"):
        shutil.copy(crime.original, crime.path)
        crime.execute("DELETE FROM events WHERE position=?", position)
        faults = crime.faults()
        assert any(fault.position == position for fault in faults), (position, stream_id, version, faults)


def test_two_events_that_changed_their_places_are_found(crime: Crime) -> None:
    chance = random.Random("swaps")
    for _ in range(60):
        shutil.copy(crime.original, crime.path)
        one, other = chance.sample(range(1, crime.kept.size + 1), 2)
        for old, new in ((one, 9999), (other, one), (9999, other)):
            crime.execute("UPDATE events SET position=? WHERE position=?", new, old)
        places = {fault.position for fault in crime.faults()}
        assert {one, other} <= places


def test_a_stream_that_is_gone_as_a_whole_is_found(crime: Crime) -> None:
    for (stream_id,) in crime.rows("SELECT DISTINCT stream_id FROM events"):
        shutil.copy(crime.original, crime.path)
        positions = {
            place for (place,) in crime.rows("SELECT position FROM events WHERE stream_id=?", stream_id)
        }
        crime.execute("DELETE FROM events WHERE stream_id=?", stream_id)
        assert positions & {fault.position for fault in crime.faults()}, stream_id


def truncate(crime: Crime, keep: int) -> None:
    """As somebody does who knows how the store counts."""
    crime.execute("DELETE FROM events WHERE position>?", keep)
    crime.execute("DELETE FROM snapshots")
    crime.execute("UPDATE sqlite_sequence SET seq=? WHERE name='events'", keep)


def forget_checkpoints(crime: Crime) -> None:
    with closing(sqlite3.connect(crime.path)) as connection:
        connection.execute("DROP TABLE checkpoints")
        connection.execute("DROP TABLE checkpoint_tiles")


@pytest.mark.parametrize("lost", [1, 2, 17, 124])
def test_a_cut_off_tail_is_found_by_the_tree_beside_the_log(crime: Crime, lost: int) -> None:
    keep = crime.kept.size - lost
    truncate(crime, keep)
    assert ("removed", keep + 1) in {(fault.kind, fault.position) for fault in crime.faults()}


def test_a_cut_off_tail_is_found_by_a_checkpoint_kept_elsewhere(crime: Crime) -> None:
    keep = crime.kept.size - 1
    truncate(crime, keep)
    forget_checkpoints(crime)
    [fault] = [fault for fault in crime.faults(kept=True) if fault.kind == "removed"]
    assert fault.position == keep + 1


def rewrite(crime: Crime, position: int, at: int) -> str:
    """Changes the time of an event, and computes the chain of its stream anew from there; the stream."""
    [(stream_id, version)] = crime.rows("SELECT stream_id, version FROM events WHERE position=?", position)
    crime.execute("UPDATE events SET at=? WHERE position=?", at, position)
    columns = "version, topic, event_id, at, hash, state"
    chain = crime.rows(f"SELECT {columns} FROM events WHERE stream_id=? ORDER BY version", stream_id)
    previous = GENESIS
    for number, topic, event_id, moment, digest, state in chain:
        right = link(previous, stream_id, number, topic, event_id, moment, state)
        if number >= version and right != digest:
            crime.execute(
                "UPDATE events SET hash=? WHERE stream_id=? AND version=?", right, stream_id, number
            )
        previous = right
    return str(stream_id)


def test_a_rewritten_chain_is_found_by_the_tree_and_named(crime: Crime) -> None:
    stream_id = rewrite(crime, 30, 1)
    faults = crime.faults()
    assert {fault.kind for fault in faults} == {"checkpoint", "snapshot"} or {f.kind for f in faults} == {
        "checkpoint"
    }
    first = next(fault for fault in faults if fault.kind == "checkpoint")
    assert (first.stream_id, first.position) == (stream_id, 30)


def test_a_rewritten_chain_with_a_new_tree_is_found_by_the_signature(crime: Crime) -> None:
    rewrite(crime, 30, 1)
    forget_checkpoints(crime)
    sign(crime.path, SigningKey("test-log", bytes(32)))
    assert any("not signed by a key" in fault.message for fault in crime.faults())


def test_a_rewritten_chain_is_found_by_a_checkpoint_kept_elsewhere(crime: Crime) -> None:
    rewrite(crime, 30, 1)
    forget_checkpoints(crime)
    faults = [fault for fault in crime.faults(kept=True) if fault.kind == "checkpoint"]
    assert [(fault.position, str(crime.kept.size) in fault.message) for fault in faults] == [(1, True)]


def test_a_forged_checkpoint_is_found(crime: Crime) -> None:
    crime.execute("UPDATE checkpoints SET note=replace(note, 'at 20', 'at 21')")
    assert any("signature" in fault.message for fault in crime.faults())


def test_an_edited_tree_is_found(crime: Crime) -> None:
    crime.execute(
        "UPDATE checkpoint_tiles SET hashes=substr(hashes, 33) || substr(hashes, 1, 32) WHERE level=0"
    )
    assert {fault.kind for fault in crime.faults()} == {"checkpoint"}


BESIDE: list[tuple[str, str, Callable[[Fault], bool]]] = [
    (
        "UPDATE blobs SET data='x' || substr(data, 2)",
        "its content has another SHA-256",
        lambda f: f.kind == "blob",
    ),
    ("UPDATE blobs SET size=size+1", "bytes, not", lambda f: f.kind == "blob"),
    ("DELETE FROM blobs", "is missing", lambda f: f.kind == "blob" and f.version > 0),
    ("UPDATE given_ids SET event_id=randomblob(16)", "index of given ids", lambda f: f.position > 0),
    (
        "INSERT INTO unfinished(stream_id, position) VALUES('nobody', 7)",
        "has no events",
        lambda f: f.stream_id == "nobody",
    ),
    (
        "UPDATE snapshots SET state=state || x'00'",
        "does not have the hash",
        lambda f: f.kind == "snapshot" and f.version > 0,
    ),
    (
        "UPDATE snapshots SET version=version+1",
        "snapshot",
        lambda f: f.kind == "snapshot",
    ),
    ("UPDATE snapshots SET version='x'||version", "a snapshot of no version", lambda f: f.kind == "snapshot"),
    ("UPDATE given_ids SET position=position+1000", "where no event is", lambda f: f.position > 1000),
    ("UPDATE blobs SET media_type='text/plaim'", "which no value has", lambda f: f.kind == "blob"),
    ("UPDATE meta SET value='3' WHERE key='schema_version'", "schema version", lambda f: f.kind == "index"),
    ("UPDATE meta SET value='2O26' WHERE key='created_at'", "no moment", lambda f: f.kind == "index"),
    ("DELETE FROM meta", "schema version is 'none'", lambda f: f.kind == "index"),
    ("UPDATE checkpoints SET size=size-1", "stands under the size", lambda f: f.kind == "checkpoint"),
    ("UPDATE checkpoints SET at=at-1000000", "under another time", lambda f: f.kind == "checkpoint"),
    ("UPDATE checkpoints SET at=-at*at", "under another time", lambda f: f.kind == "checkpoint"),
    ("DELETE FROM given_ids", "index of given ids lacks it", lambda f: f.position > 0),
    (
        """INSERT INTO unfinished(stream_id, position, waits_on, waits_beyond)
        SELECT stream_id, position, 'inbox:'||stream_id, 7 FROM events WHERE position=9""",
        "sleeps until inbox:",
        lambda f: f.stream_id != "",
    ),
    ("DROP TABLE blobs", "tables are missing: blobs", lambda f: f.kind == "index"),
]


@pytest.mark.parametrize(("sql", "text", "fits"), BESIDE, ids=[sql for sql, _, _ in BESIDE])
def test_damage_beside_the_events_is_found(
    crime: Crime, sql: str, text: str, fits: Callable[[Fault], bool]
) -> None:
    with closing(sqlite3.connect(crime.path)) as connection, connection:
        connection.execute(sql)
    assert any(text in fault.message and fits(fault) for fault in crime.faults()), crime.faults()


def test_a_file_that_is_damaged_anywhere_is_told_as_such(crime: Crime, sound: tuple[Path, str]) -> None:
    chance, whole = random.Random("file"), sound[0].read_bytes()
    told = 0
    for number in range(120):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole)) if number % 2 else chance.randrange(12_288)] ^= chance.randrange(
            1, 256
        )
        crime.path.write_bytes(damaged[: chance.randrange(1, len(whole))] if number % 3 == 0 else damaged)
        try:
            told += bool(crime.faults(kept=True))
        except JournalError:
            told += 1
    assert told > 60


def test_a_snapshot_that_does_not_follow_from_the_events_is_found(crime: Crime) -> None:
    [(early, late)] = crime.rows(
        "SELECT min(rowid), max(rowid) FROM snapshots WHERE stream_id IN"
        " (SELECT stream_id FROM snapshots WHERE instr(stream_id, ':')=0 GROUP BY stream_id HAVING count(*)>1 LIMIT 1)"
    )
    crime.execute(
        "UPDATE snapshots SET (state, hash)=(SELECT state, hash FROM snapshots WHERE rowid=?) WHERE rowid=?",
        early,
        late,
    )
    assert [fault.message for fault in crime.faults()] == [
        "the snapshot is not the state that follows from the events"
    ]


def test_verification_writes_nothing_and_needs_no_place_to_write(crime: Crime) -> None:
    folder = crime.path.parent
    before = (crime.path.read_bytes(), sorted(folder.iterdir()))
    crime.path.chmod(0o400)
    folder.chmod(0o500)
    try:
        assert crime.faults(kept=True) == []
    finally:
        folder.chmod(0o700)
    assert (crime.path.read_bytes(), sorted(folder.iterdir())) == before


def test_one_stream_or_one_user_can_be_checked_alone(crime: Crime) -> None:
    [(mine,)] = crime.rows("SELECT stream_id FROM events WHERE position=10")
    assert [each.stream_id for each in verify_streams(crime.path, [mine])] == [mine]
    assert list(verify_streams(crime.path, user_id="nobody")) == []
    of_user = {each.stream_id for each in verify_streams(crime.path, user_id="ada")}
    assert mine in of_user
    assert not any(stream_id.startswith("graph:") for stream_id in of_user)
