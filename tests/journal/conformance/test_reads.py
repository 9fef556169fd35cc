"""Reading streams and the log."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.journal.factories import StoreFactory
from tests.journal.samples import append, counted, texts

from actbook.journal import Snapshot, Store


@pytest.fixture
def filled(store: Store) -> Store:
    for number in range(1, 7):
        stream = "even" if number % 2 == 0 else "odd"
        store.write([append(stream, None, counted(number) if number % 3 == 0 else f"{number}")])
    return store


def test_a_stream_from_a_version_on(filled: Store) -> None:
    assert [e.version for e in filled.read_stream("odd")] == [1, 2, 3]
    assert [e.version for e in filled.read_stream("odd", after=1)] == [2, 3]
    assert [e.version for e in filled.read_stream("odd", after=1, limit=1)] == [2]
    assert filled.read_stream("odd", after=3) == []
    assert filled.read_stream("unknown") == []


def test_the_log_from_a_position_on(filled: Store) -> None:
    assert [e.position for e in filled.read_log()] == [1, 2, 3, 4, 5, 6]
    assert [e.position for e in filled.read_log(after=4)] == [5, 6]
    assert [e.position for e in filled.read_log(after=1, limit=2)] == [2, 3]
    assert [e.position for e in filled.read_log(after=1, upto=3)] == [2, 3]
    assert filled.read_log(after=6) == []


def test_the_log_of_some_topics(filled: Store) -> None:
    assert [e.position for e in filled.read_log(topics=["test.counted"])] == [3, 6]
    assert [e.position for e in filled.read_log(after=3, topics=["test.counted", "test.noted"], limit=2)] == [
        4,
        5,
    ]
    assert [e.position for e in filled.read_log(topics=["test.counted"], upto=5)] == [3]
    assert filled.read_log(topics=["test.unknown"]) == []


def test_heads_ids_and_last_position(filled: Store) -> None:
    assert (filled.head("odd"), filled.head("even"), filled.head("unknown")) == (3, 3, 0)
    assert filled.last_position() == 6
    assert filled.stream_ids() == ["even", "odd"]
    assert filled.stream_ids(after="even", limit=5) == ["odd"]
    assert filled.stream_ids(limit=1) == ["even"]


def test_everything_is_there_after_reopening(shared: StoreFactory) -> None:
    store = shared.open()
    store.write([append("s", 0, "1", "2", lifecycle="open")])
    before = store.read_log()
    store.close()
    store.close()
    store = shared.open()
    assert store.read_log() == before
    assert store.unfinished() == ["s"]
    store.write([append("s", 2, "3")])
    assert texts(store.read_stream("s")) == ["1", "2", "3"]
    store.close()


def test_the_latest_snapshot(store: Store) -> None:
    assert store.latest_snapshot("s") is None
    for version in (10, 30, 20):
        store.put_snapshot(Snapshot("s", version, f"state {version}".encode(), b"hash"))
    assert store.latest_snapshot("s") == Snapshot("s", 30, b"state 30", b"hash")
    assert store.latest_snapshot("s", at_most=29) == Snapshot("s", 20, b"state 20", b"hash")
    assert store.latest_snapshot("s", at_most=9) is None
    store.put_snapshot(Snapshot("s", 30, b"better", b"hash"))
    assert store.latest_snapshot("s") == Snapshot("s", 30, b"better", b"hash")


def test_snapshots_can_be_dropped(store: Store) -> None:
    for stream in ("a", "b"):
        for version in (1, 2, 3):
            store.put_snapshot(Snapshot(stream, version, b"", b""))
    assert store.drop_snapshots("a", below=3) == 2
    assert store.latest_snapshot("a", at_most=2) is None
    assert store.latest_snapshot("a") == Snapshot("a", 3, b"", b"")
    assert store.drop_snapshots(below=2) == 1
    assert store.drop_snapshots("nothing") == 0
    assert store.drop_snapshots() == 3


def test_views_share_the_database(store: Store) -> None:
    writer = store.open_views_writer()
    reader = store.open_views_reader()
    with store.write_lock:
        writer.execute("CREATE TABLE view_rows(n INTEGER)")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO view_rows VALUES(1), (2)")
        writer.execute("INSERT INTO tracking VALUES('view', 7)")
        writer.execute("COMMIT")
    assert reader.execute("SELECT sum(n) FROM view_rows").fetchone() == (3,)
    assert reader.execute("SELECT position FROM tracking WHERE name='view'").fetchone() == (7,)
    with pytest.raises(Exception, match="readonly"):
        reader.execute("INSERT INTO view_rows VALUES(3)")
    writer.close()
    reader.close()
    store.write([append("s", 0, "events still go in")])
    assert store.last_position() == 1


def test_a_views_reader_never_sees_half_a_transaction(store: Store) -> None:
    """It sees the state before or waits for the state after."""
    writer = store.open_views_writer()
    reader = store.open_views_reader()
    writer.execute("CREATE TABLE halves(n INTEGER)")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO halves VALUES(1)")
    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(lambda: reader.execute("SELECT count(*) FROM halves").fetchone())
        writer.execute("INSERT INTO halves VALUES(2)")
        writer.execute("COMMIT")
        assert seen.result() in [(0,), (2,)]
    writer.close()
    reader.close()
