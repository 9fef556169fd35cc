"""Forgeries that leave each event, or each chain, as it should be: they are found all the same, and named."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.engine.kit import PATIENCE, World, begin
from tests.replay.evidence import KEY, fill, sign

from actbook.cli._verification import views_too
from actbook.events import ExecutionStatus
from actbook.journal import Fault, SQLiteStore
from actbook.journal._chain import GENESIS, link
from actbook.replay import verify_store
from actbook.replay.proof import Checkpoint

FORGERIES = int(os.environ.get("ACTBOOK_TEST_FORGERIES", "45"))
COLUMNS = ("position", "stream_id", "version", "topic", "event_id", "at", "hash", "state")
CONTENT = COLUMNS[3:]
INSERT = "INSERT INTO events(stream_id, version, topic, event_id, at, hash, state) VALUES(?,?,?,?,?,?,?)"

Row = tuple[Any, ...]


class Forger:
    """Works on a copy of a store, with `chance`. Each method returns the streams that one of the faults must name."""

    def __init__(self, connection: sqlite3.Connection, chance: random.Random) -> None:
        self._connection = connection
        self._chance = chance
        self.rows: list[Row] = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM events").fetchall()
        self._streams = sorted({row[1] for row in self.rows})

    def swap_a_column(self) -> set[str]:
        return self._swap([self._chance.choice(CONTENT)])

    def swap_all_but_the_places(self) -> set[str]:
        return self._swap(CONTENT)

    def swap_streams(self) -> set[str]:
        one, other = self._chance.sample(self._streams, 2)
        for old, new in ((one, "between"), (other, one), ("between", other)):
            self._do("UPDATE events SET stream_id=? WHERE stream_id=?", new, old)
        return {one, other}

    def swap_and_chain_anew(self) -> set[str]:
        stream = self._chance.choice([each for each in self._streams if len(self._of(each)) > 1])
        one, other = self._chance.sample(self._of(stream), 2)
        self._exchange(one, other, ("topic", "event_id", "at", "state"))
        self._chain(stream)
        return {stream}

    def copy_to_another_stream(self) -> set[str]:
        row, stream = self._chance.choice(self.rows), self._chance.choice(self._streams)
        self._do(INSERT, stream, len(self._of(stream)) + 1, *row[3:])
        return {stream}

    def copy_to_another_stream_and_chain_anew(self) -> set[str]:
        named = self.copy_to_another_stream()
        self._chain(*named)
        return named

    def delete_some(self) -> set[str]:
        count = self._chance.randrange(2, 9)
        first = self._chance.randrange(1, len(self.rows) - count)
        self._do("DELETE FROM events WHERE position BETWEEN ? AND ?", first, first + count - 1)
        return {row[1] for row in self.rows[first - 1 : first - 1 + count]}

    def cut_off_the_end_of_a_stream(self) -> set[str]:
        stream = self._chance.choice(self._streams)
        keep = self._chance.randrange(len(self._of(stream)))
        self._do("DELETE FROM events WHERE stream_id=? AND version>?", stream, keep)
        return {stream}

    def move_to_the_end_of_the_log(self) -> set[str]:
        row = self._chance.choice(self.rows)
        self._do("DELETE FROM events WHERE position=?", row[0])
        self._do(INSERT, *row[1:])
        return {row[1]}

    def change_and_chain_anew(self) -> set[str]:
        row = self._chance.choice(self.rows)
        self._do("UPDATE events SET at=at+1 WHERE position=?", row[0])
        self._chain(row[1])
        return {row[1]}

    def skip_versions(self) -> set[str]:
        row = self._chance.choice(self.rows)
        self._do("UPDATE events SET version=version+1000 WHERE stream_id=? AND version>=?", row[1], row[2])
        return {row[1]}

    def _swap(self, columns: Any) -> set[str]:
        while True:
            one, other = self._chance.sample(self.rows, 2)
            if any(one[COLUMNS.index(name)] != other[COLUMNS.index(name)] for name in columns):
                self._exchange(one, other, columns)
                return {one[1], other[1]}

    def _exchange(self, one: Row, other: Row, columns: Any) -> None:
        sets = ", ".join(f"{name}=?" for name in columns)
        for there, what in ((one, other), (other, one)):
            values = [what[COLUMNS.index(name)] for name in columns]
            self._do(f"UPDATE events SET {sets} WHERE position=?", *values, there[0])

    def _chain(self, stream: str) -> None:
        previous = GENESIS
        sql = f"SELECT version, {', '.join(CONTENT)} FROM events WHERE stream_id=? ORDER BY version"
        for version, topic, event_id, at, _hash, state in self._connection.execute(sql, (stream,)).fetchall():
            previous = link(previous, stream, version, topic, event_id, at, state)
            self._do("UPDATE events SET hash=? WHERE stream_id=? AND version=?", previous, stream, version)

    def _of(self, stream: str) -> list[Row]:
        return [row for row in self.rows if row[1] == stream]

    def _do(self, sql: str, *values: Any) -> None:
        self._connection.execute(sql, values)


KINDS: list[Callable[[Forger], set[str]]] = [
    Forger.swap_a_column,
    Forger.swap_all_but_the_places,
    Forger.swap_streams,
    Forger.swap_and_chain_anew,
    Forger.copy_to_another_stream,
    Forger.copy_to_another_stream_and_chain_anew,
    Forger.delete_some,
    Forger.cut_off_the_end_of_a_stream,
    Forger.move_to_the_end_of_the_log,
    Forger.change_and_chain_anew,
    Forger.skip_versions,
]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Checkpoint]:
    path = tmp_path_factory.mktemp("sound") / "store.db"
    fill(path)
    return path, Checkpoint.parse(sign(path))


def faults_of(path: Path, *checkpoints: Checkpoint) -> list[Fault]:
    checked = verify_store(path, keys=[KEY.public], checkpoints=checkpoints)
    return [fault for each in checked for fault in each.faults]


def test_every_forgery_is_found_and_named(sound: tuple[Path, Checkpoint], tmp_path: Path) -> None:
    original, _ = sound
    chance = random.Random(os.environ.get("ACTBOOK_TEST_SEED", "forgeries"))
    for number in range(FORGERIES):
        path, kind = tmp_path / "forged.db", KINDS[number % len(KINDS)]
        shutil.copy(original, path)
        with closing(sqlite3.connect(path)) as connection, connection:
            forger = Forger(connection, chance)
            named = kind(forger)
        places = {row[0] for row in forger.rows if row[1] in named}
        faults = faults_of(path)
        assert any(fault.stream_id in named or fault.position in places for fault in faults), (
            kind.__name__,
            named,
            faults,
        )


@pytest.mark.parametrize("written", [0, 3])
def test_another_tail_with_right_hashes_is_found_by_a_checkpoint(
    sound: tuple[Path, Checkpoint], tmp_path: Path, written: int
) -> None:
    original, kept = sound
    path, keep = tmp_path / "forged.db", kept.size - 10
    shutil.copy(original, path)
    with closing(sqlite3.connect(path)) as connection, connection:
        forger = Forger(connection, random.Random("tail"))
        connection.execute("DELETE FROM events WHERE position>?", (keep,))
        connection.execute("UPDATE sqlite_sequence SET seq=? WHERE name='events'", (keep,))
        for table in ("checkpoints", "checkpoint_tiles"):
            connection.execute(f"DROP TABLE {table}")
        row = next(row for row in reversed(forger.rows) if row[0] <= keep)
        for more in range(written):
            connection.execute(INSERT, (row[1], row[2] + 1 + more, *row[3:]))
        forger._chain(row[1])
    assert any(fault.position > keep or fault.kind == "checkpoint" for fault in faults_of(path, kept))


def test_an_event_of_a_newer_version_is_named_and_the_views_are_compared_all_the_same(
    sound: tuple[Path, Checkpoint], tmp_path: Path
) -> None:
    path = tmp_path / "later.db"
    shutil.copy(sound[0], path)
    with closing(sqlite3.connect(path)) as connection, connection:
        forger = Forger(connection, random.Random("later"))
        row = next(row for row in reversed(forger.rows) if ":" not in row[1])
        later = (row[1], row[2] + 1, "node.invented_later", bytes(6) + b"\x70" + bytes(9), *row[5:])
        connection.execute(INSERT, later)
        forger._chain(row[1])

    def found() -> set[tuple[str, str]]:
        checked = views_too(path, verify_store(path))
        return {(fault.kind, fault.stream_id) for each in checked for fault in each.faults}

    assert found() == {("unreadable", row[1])}
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE executions SET node_done_count=77 WHERE id=?", (row[1],))
    assert found() == {("unreadable", row[1]), ("view", row[1])}


def test_an_event_under_the_id_of_another_one_is_a_copy(
    sound: tuple[Path, Checkpoint], tmp_path: Path
) -> None:
    path = tmp_path / "forged.db"
    shutil.copy(sound[0], path)
    with closing(sqlite3.connect(path)) as connection, connection:
        forger = Forger(connection, random.Random("copies"))
        [stream] = forger.copy_to_another_stream_and_chain_anew()
    last = len(forger.rows) + 1
    doubles = [fault for fault in faults_of(path) if fault.message.endswith("one of them is a copy")]
    assert [(fault.stream_id, fault.position, fault.kind) for fault in doubles] == [(stream, last, "edited")]


@pytest.fixture
def waiting(tmp_path: Path) -> tuple[Path, str]:
    """A store with an execution that waits for a person, and its id."""
    path = tmp_path / "waiting.db"

    async def make() -> str:
        here = World()
        graph = here.graph(
            "x:Input r:Review y:Output", "x.result > r.data", "r.approved_data > y.value", called="asked"
        )
        async with here.open(f"sqlite:///{path}") as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            assert (await engine.wait(run.id, PATIENCE)).status is ExecutionStatus.REVIEW
            return run.id

    return path, asyncio.run(make())


def test_an_execution_that_nobody_would_go_on_with_is_found(waiting: tuple[Path, str]) -> None:
    path, run = waiting
    assert faults_of(path) == []
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM unfinished")
    [fault] = faults_of(path)
    assert (fault.stream_id, fault.kind) == (run, "index")
    assert "nobody would go on with it" in fault.message


def test_an_execution_that_sleeps_until_another_one_hears_something_is_found(
    waiting: tuple[Path, str],
) -> None:
    path, run = waiting
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE unfinished SET waits_on='inbox:nobody', waits_beyond=0")
    assert [(fault.stream_id, fault.kind) for fault in faults_of(path)] == [(run, "index")]


def test_what_was_imported_is_on_no_list_and_sound(waiting: tuple[Path, str], tmp_path: Path) -> None:
    path, run = waiting
    with closing(SQLiteStore(str(path))) as store, closing(SQLiteStore(str(tmp_path / "copy.db"))) as copy:
        copy.copy_in(store.read_rows(run))
        assert copy.unfinished() == []
    assert faults_of(tmp_path / "copy.db") == []
