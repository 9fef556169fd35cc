"""Several connections and processes on one SQLite file."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.journal.samples import append, child_environment, failed, noted, texts, written

from actbook.journal import (
    ConflictError,
    DuplicateEventError,
    Journal,
    JournalClosedError,
    SQLiteStore,
    StoreBusyError,
    new_event_id,
    verify_chain,
)
from actbook.journal._known import Where
from actbook.journal._plan import Outcome
from actbook.journal._prepared import prepare
from actbook.journal._sqlite_write import _Known


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "shared.db")


@pytest.fixture
def pair(path: str) -> Iterator[tuple[SQLiteStore, SQLiteStore]]:
    """Two stores on one file that both believe to know stream `s` at version 1."""
    one, two = SQLiteStore(path, busy_timeout=0.3), SQLiteStore(path, busy_timeout=0.3)
    one.write([append("s", 0, "1")])
    two.write([append("s", 1, "2")])
    yield one, two
    one.close()
    two.close()


Pair = tuple[SQLiteStore, SQLiteStore]


def test_a_head_that_moved_elsewhere_is_looked_up_before_refusing(pair: Pair) -> None:
    assert written(pair[0].write([append("s", 2, "3")])[0]).version == 3


def test_a_stale_writer_conflicts_with_the_real_version(pair: Pair) -> None:
    error = failed(pair[0].write([append("s", 1, "x")])[0])
    assert isinstance(error, ConflictError)
    assert (error.expected, error.actual) == (1, 2)


def test_a_new_stream_that_exists_elsewhere_conflicts(pair: Pair) -> None:
    pair[1].write([append("new", 0, "1", "2")])
    error = failed(pair[0].write([append("new", 0, "x")])[0])
    assert isinstance(error, ConflictError)
    assert error.actual == 2


def test_appending_at_the_end_follows_the_other_process(pair: Pair) -> None:
    assert written(pair[0].write([append("s", None, "3")])[0]).version == 3
    assert written(pair[1].write([append("s", None, "4")])[0]).version == 4
    assert texts(pair[0].read_stream("s")) == ["1", "2", "3", "4"]
    assert verify_chain(pair[0].read_rows("s")) == []


def test_a_surprise_fails_only_its_own_append(pair: Pair) -> None:
    outcomes = pair[0].write(
        [append("a", 0, "a"), append("s", 1, "x"), append("b", 0, "b"), append("s", None, "3")]
    )
    assert isinstance(failed(outcomes[1]), ConflictError)
    assert [written(outcomes[i]).position for i in (0, 2, 3)] == [3, 4, 5]
    assert texts(pair[1].read_log()) == ["1", "2", "a", "b", "3"]
    assert verify_chain([*pair[1].read_rows("s"), *pair[1].read_rows("a")]) == []


def test_a_check_without_events_is_made_against_the_file(pair: Pair) -> None:
    error = failed(pair[0].write([append("s", 1, lifecycle="close")])[0])
    assert isinstance(error, ConflictError)


def test_an_event_id_recorded_between_look_up_and_insert(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    event_id = new_event_id()
    first = written(pair[1].write([append("inbox", None, noted("1", event_id=event_id))])[0])
    look_up, calls = _Known.recorded, list[int]()

    def too_early(known: _Known, event_ids: Sequence[bytes]) -> dict[bytes, Where]:
        calls.append(1)
        return {} if len(calls) == 1 else look_up(known, event_ids)

    monkeypatch.setattr(_Known, "recorded", too_early)
    again = written(pair[0].write([append("inbox", None, noted("1", event_id=event_id))])[0])
    assert (again.version, again.position, again.duplicate) == (first.version, first.position, True)
    stolen = failed(pair[0].write([append("other", None, noted("1", event_id=event_id))])[0])
    assert isinstance(stolen, DuplicateEventError)


def test_positions_are_never_reused(path: str) -> None:
    store = SQLiteStore(path)
    store.write([append("s", 0, "1", "2", "3")])
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM events WHERE position > 1")
    connection.close()
    store = SQLiteStore(path)
    assert store.last_position() == 3
    assert written(store.write([append("s", 1, "4")])[0]).position == 4
    store.close()


@pytest.fixture
def blocked(path: str) -> Iterator[sqlite3.Connection]:
    """Another process in the middle of a write."""
    SQLiteStore(path).close()
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    yield other
    other.close()


def test_a_writer_gives_up_after_its_patience_and_goes_on_later(
    path: str, blocked: sqlite3.Connection
) -> None:
    store = SQLiteStore(path, busy_timeout=0.05)
    error = failed(store.write([append("s", 0, "1")])[0])
    assert isinstance(error, StoreBusyError)
    assert isinstance(failed(store.write([append("s", 0, "1", lifecycle="open")])[0]), StoreBusyError)
    with pytest.raises(StoreBusyError):
        store.write_prepared([prepare(append("s", 0, "1"))], wait=False)
    blocked.execute("ROLLBACK")
    assert written(store.write([append("s", 0, "1")])[0]).position == 1
    store.close()


def test_nobody_leads_through_a_locked_door(path: str, blocked: sqlite3.Connection) -> None:
    async def run() -> None:
        journal = await Journal.open(f"sqlite:///{path}")
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        journal.submit(append("s", 0, "1"), answer.set_result, lead=True)
        assert not answer.done()
        blocked.execute("ROLLBACK")
        assert written(await answer).position == 1
        with journal.store.write_lock:
            later: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
            journal.submit(append("s", 1, "2"), later.set_result, lead=True)
            assert not later.done()
        assert written(await later).version == 2
        await journal.close()

    asyncio.run(run())


def test_threads_share_one_store(path: str) -> None:
    store = SQLiteStore(path)

    def work(name: str) -> None:
        for version in range(50):
            written(store.write([append(name, version, "x"), append("inbox", None, name)])[0])

    threads = [threading.Thread(target=work, args=(f"t-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [e.position for e in store.read_log(limit=None)] == list(range(1, 401))
    assert [e.version for e in store.read_stream("inbox")] == list(range(1, 201))
    store.close()


_WORKER = """
import sys
from actbook.journal import SQLiteStore
from tests.journal.samples import append, written
path, name = sys.argv[1:]
store = SQLiteStore(path)
for version in range(100):
    outcomes = store.write([append(name, version, name), append("inbox", None, name)])
    assert [written(o) for o in outcomes]
store.close()
"""


def test_processes_share_one_file(path: str) -> None:
    """Opened, created and written by four processes at once."""
    environment = child_environment()
    workers = [
        subprocess.Popen([sys.executable, "-c", _WORKER, path, f"w-{n}"], env=environment) for n in range(4)
    ]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0, 0]
    store = SQLiteStore(path)
    assert [e.position for e in store.read_log(limit=None)] == list(range(1, 801))
    for stream_id, events in (("inbox", 400), ("w-0", 100), ("w-3", 100)):
        rows = store.read_rows(stream_id)
        assert len(rows) == events
        assert verify_chain(rows) == []
    store.close()


def test_journals_of_two_processes_follow_each_other_when_rung(path: str) -> None:
    async def run() -> None:
        here, there = await Journal.open(f"sqlite:///{path}"), await Journal.open(f"sqlite:///{path}")
        loop = asyncio.get_running_loop()
        ringing: list[asyncio.Task[None]] = []

        def hear() -> None:
            ringing.append(loop.create_task(here.heard()))

        there.ring = lambda: loop.call_soon_threadsafe(hear)
        subscription = here.subscribe()
        waiting = asyncio.ensure_future(anext(subscription))
        await there.append(append("s", 0, "from there"))
        assert texts([await waiting]) == ["from there"]
        await asyncio.gather(*ringing)
        await subscription.aclose()
        await here.close()
        await there.close()

    asyncio.run(run())


def read_without_end(store: SQLiteStore) -> None:
    while True:
        assert len(store.read_rows("s")) == 300


def test_closing_under_readers_is_an_error_for_them_not_a_crash(path: str) -> None:
    store = SQLiteStore(path)
    store.write([append("s", 0, *("x" for _ in range(300)))])
    reading = threading.Barrier(4)

    def read() -> None:
        reading.wait()
        with pytest.raises(JournalClosedError):
            read_without_end(store)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    reading.wait()
    store.close()
    for thread in threads:
        thread.join()


MAKING = """
import pathlib, sys
from actbook.journal import SQLiteStore
print(flush=True)
for path in map(str.strip, sys.stdin):
    SQLiteStore(path).close()
    print(flush=True)
"""


def test_processes_that_make_one_file_a_store_at_the_same_time_all_get_it(tmp_path: Path) -> None:
    """One that reads the file's application id before and its tables after must not take it for somebody else's."""
    makers = [
        subprocess.Popen(
            [sys.executable, "-c", MAKING],
            env=child_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    try:
        for number in range(-1, 150):
            for maker in makers if number >= 0 else []:
                assert maker.stdin is not None
                maker.stdin.write(f"{tmp_path / str(number)}.db\n")
                maker.stdin.flush()
            for maker in makers:
                assert maker.stdout is not None
                assert maker.stdout.readline() == "\n"
    finally:
        for maker in makers:
            maker.communicate()
