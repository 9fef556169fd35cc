"""The adapter to the `eventsourcing` library, beyond its own test cases."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import EventStore, IntegrityError, OperationalError, StoredEvent, Tracking
from tests.journal.samples import Noted, append, noted

from actbook.journal import SQLiteStore, verify_chain
from actbook.journal._eventsourcing._recorders import JournalTrackingRecorder
from actbook.journal._eventsourcing._sqlite_rows import SQLiteRowTransaction
from actbook.journal.memory import Factory as MemoryFactory
from actbook.journal.sqlite import Factory as SQLiteFactory
from actbook.journal.sqlite import JournalApplicationRecorder, JournalMapper, RecordedEvent


class Dog(Aggregate):
    def __init__(self, name: str) -> None:
        self.name = name
        self.tricks: list[str] = []

    @event("TrickAdded")
    def add_trick(self, trick: str) -> None:
        self.tricks.append(trick)


class Dogs(Application[UUID]):
    snapshotting_intervals = {Dog: 2}


@pytest.fixture(params=["memory", "sqlite"])
def env(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    return {
        "PERSISTENCE_MODULE": f"actbook.journal.{request.param}",
        "SQLITE_DBNAME": str(tmp_path / "adapter.db"),
    }


@pytest.fixture
def factory(env: dict[str, str]) -> Any:
    kind = SQLiteFactory if env["PERSISTENCE_MODULE"].endswith("sqlite") else MemoryFactory
    return kind(env)


def stored(stream_id: str, version: int) -> StoredEvent:
    return StoredEvent(stream_id, version, "theirs", b"state")


def test_an_application_runs_on_it_with_snapshots(env: dict[str, str]) -> None:
    with Dogs(env=env) as dogs:
        dog = Dog("Fido")
        dogs.save(dog)
        for trick in ("roll", "sit", "jump"):
            dog.add_trick(trick)
            dogs.save(dog)
        copy: Dog = dogs.repository.get(dog.id)
        assert (copy.name, copy.tricks) == ("Fido", ["roll", "sit", "jump"])
        assert dogs.snapshots is not None
        assert len(list(dogs.snapshots.get(dog.id))) == 2
        assert [n.id for n in dogs.notification_log.select(start=1, limit=10)] == [1, 2, 3, 4]
        stale: Dog = dogs.repository.get(dog.id, version=2)
        stale.add_trick("too late")
        with pytest.raises(IntegrityError):
            dogs.save(stale)


def test_the_log_of_an_application_has_a_whole_chain(tmp_path: Path) -> None:
    path = str(tmp_path / "dogs.db")
    with Dogs(env={"PERSISTENCE_MODULE": "actbook.journal.sqlite", "SQLITE_DBNAME": path}) as dogs:
        dog = Dog("Fido")
        dog.add_trick("roll")
        dogs.save(dog)
    store = SQLiteStore(path)
    rows = store.read_rows(dog.id.hex)
    assert [row.version for row in rows] == [1, 2]
    assert verify_chain(rows) == []
    store.close()


@pytest.mark.parametrize("versions", [(2,), (1, 3), (0, 2), (1, 1), (0, 1, 2, 99)])
def test_gaps_are_refused(factory: Any, versions: tuple[int, ...]) -> None:
    """Uniqueness alone would accept version 99 after 2."""
    recorder = factory.application_recorder()
    with pytest.raises(IntegrityError):
        recorder.insert_events([stored("s", version) for version in versions])
    assert recorder.select_events("s") == []
    assert recorder.max_notification_id() is None
    factory.close()


def test_several_streams_in_one_call_are_atomic(factory: Any) -> None:
    recorder = factory.application_recorder()
    recorder.insert_events([stored("b", 1)])
    with pytest.raises(IntegrityError):
        recorder.insert_events([stored("a", 1), stored("b", 1)])
    assert recorder.insert_events([stored("a", 1), stored("b", 2)]) == [2, 3]
    factory.close()


def test_journal_and_recorder_share_one_file(tmp_path: Path) -> None:
    factory = SQLiteFactory({"SQLITE_DBNAME": str(tmp_path / "shared.db")})
    recorder = factory.application_recorder()
    store = SQLiteStore(str(tmp_path / "shared.db"))
    store.write([append("s", 0, "1")])
    assert recorder.insert_events([stored("theirs", 1)]) == [2]
    with pytest.raises(IntegrityError):
        recorder.insert_events([stored("s", 1)])
    store.write([append("s", 1, "2")])
    assert [n.id for n in recorder.select_notifications(1, 10)] == [1, 2, 3]
    assert verify_chain(store.read_rows("s")) == []
    store.close()
    factory.close()


def test_the_mapper_reads_and_writes_the_journal_s_own_events(env: dict[str, str]) -> None:
    env["MAPPER_TOPIC"] = "actbook.journal.sqlite:JournalMapper"
    env["COMPRESSOR_TOPIC"] = ""
    kind: Any = SQLiteFactory if env["PERSISTENCE_MODULE"].endswith("sqlite") else MemoryFactory
    factory = kind(env)
    events = factory.event_store()
    assert isinstance(events.mapper, JournalMapper)
    first = RecordedEvent("s", 1, Noted("x", {"k": 1}), "user", "root", "trace", 7)
    events.put([first])
    assert list(events.get("s")) == [first]
    factory.close()


def test_the_mapper_finds_big_values(tmp_path: Path) -> None:
    path = str(tmp_path / "big.db")
    store = SQLiteStore(path)
    store.write([append("s", 0, noted("x", "y" * 100_000))])
    store.close()
    factory = SQLiteFactory({"SQLITE_DBNAME": path, "MAPPER_TOPIC": "actbook.journal.sqlite:JournalMapper"})
    events: EventStore[str] = factory.event_store()
    (read,) = events.get("s")
    assert isinstance(read, RecordedEvent)
    assert read.payload == Noted("x", "y" * 100_000)
    factory.close()


def test_the_mapper_compresses_below_the_hash(tmp_path: Path) -> None:
    settings = {
        "SQLITE_DBNAME": str(tmp_path / "zip.db"),
        "MAPPER_TOPIC": "actbook.journal.sqlite:JournalMapper",
        "COMPRESSOR_TOPIC": "zlib",
    }
    factory = SQLiteFactory(settings)
    events: EventStore[str] = factory.event_store()
    events.put([RecordedEvent("s", 1, Noted("x" * 1000))])
    assert list(events.get("s")) == [RecordedEvent("s", 1, Noted("x" * 1000))]
    (row,) = factory.application_recorder().select_events("s")
    assert len(row.state) < 200
    factory.close()


def test_subscribers_are_woken_not_polled(factory: Any) -> None:
    recorder: JournalApplicationRecorder = factory.application_recorder()
    writer = factory.process_recorder()
    seen: list[int] = []
    reached = threading.Event()

    def follow() -> None:
        with recorder.subscribe(gt=0) as subscription:
            for notification in subscription:
                seen.append(notification.id)
                if len(seen) == 700:
                    reached.set()
                    break

    thread = threading.Thread(target=follow)
    thread.start()
    for version in range(1, 701):
        writer.insert_events([stored("s", version)])
    assert reached.wait(30)
    thread.join()
    assert seen == list(range(1, 701))
    factory.close()


def test_a_subscriber_hears_of_another_process_when_told(tmp_path: Path) -> None:
    factory = SQLiteFactory({"SQLITE_DBNAME": str(tmp_path / "x.db")})
    recorder: Any = factory.application_recorder()
    other = SQLiteStore(str(tmp_path / "x.db"))
    with recorder.subscribe() as subscription:
        other.write([append("s", 0, "1")])
        recorder.heard()
        assert next(subscription).id == 1
    other.close()
    factory.close()


def test_waiting_for_a_position_takes_no_poll(factory: Any) -> None:
    recorder = factory.tracking_recorder()
    timer = threading.Timer(0.02, lambda: recorder.insert_tracking(Tracking("upstream", 5)))
    start = time.perf_counter()
    timer.start()
    recorder.wait("upstream", 5, timeout=10)
    assert time.perf_counter() - start < 5
    timer.join()
    factory.close()


def test_tables_of_ones_own_move_with_the_tracking(tmp_path: Path) -> None:
    class Totals(JournalTrackingRecorder):
        def add(self, amount: int, tracking: Tracking) -> None:
            with self.rows.transaction() as transaction:
                assert isinstance(transaction, SQLiteRowTransaction)
                transaction.connection.execute("CREATE TABLE IF NOT EXISTS totals(amount INTEGER)")
                transaction.connection.execute("INSERT INTO totals VALUES(?)", (amount,))
                self._track(transaction, tracking)

    path = str(tmp_path / "totals.db")
    factory = SQLiteFactory({"SQLITE_DBNAME": path})
    totals = factory.tracking_recorder(Totals)
    assert isinstance(totals, Totals)
    totals.add(5, Tracking("upstream", 1))
    with pytest.raises(IntegrityError):
        totals.add(7, Tracking("upstream", 1))
    factory.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT sum(amount) FROM totals").fetchone() == (5,)
    connection.close()


def test_snapshots_of_one_version_are_unique(factory: Any) -> None:
    snapshots = factory.aggregate_recorder("snapshots")
    snapshots.insert_events([StoredEvent("s", 5, "topic", b"five"), StoredEvent("s", 9, "topic", b"nine")])
    with pytest.raises(IntegrityError):
        snapshots.insert_events([StoredEvent("s", 5, "topic", b"again")])
    assert [s.state for s in snapshots.select_events("s")] == [b"five", b"nine"]
    assert [s.state for s in snapshots.select_events("s", desc=True, limit=1)] == [b"nine"]
    assert [s.state for s in snapshots.select_events("s", gt=5, lte=9)] == [b"nine"]
    factory.close()


def test_a_failing_store_is_an_operational_error(tmp_path: Path) -> None:
    factory = SQLiteFactory({"SQLITE_DBNAME": str(tmp_path / "x.db"), "SQLITE_LOCK_TIMEOUT": "0.05"})
    recorder: Any = factory.application_recorder()
    with sqlite3.connect(tmp_path / "x.db", isolation_level=None) as blocker:
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError):
            recorder.insert_events([stored("s", 1)])
    blocker.close()
    factory.close()
    with pytest.raises(OperationalError):
        recorder.max_notification_id()


def test_ids_that_are_uuids_come_back_as_uuids(tmp_path: Path) -> None:
    settings = {"SQLITE_DBNAME": str(tmp_path / "x.db"), "ORIGINATOR_ID_TYPE": "uuid"}
    factory = SQLiteFactory(settings)
    recorder: Any = factory.application_recorder()
    originator_id = uuid4()
    recorder.insert_events([StoredEvent(originator_id, 1, "topic", b"")])
    assert recorder.select_events(originator_id)[0].originator_id == originator_id
    assert recorder.select_notifications(1, 1)[0].originator_id == originator_id
    factory.close()
