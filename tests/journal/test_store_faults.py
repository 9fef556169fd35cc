"""Disks that are full or broken: a typed error, nothing lost, and the store goes on."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tests.journal.samples import append, child_environment, failed, noted, written

from actbook.journal import (
    Journal,
    PredecessorFailedError,
    SQLiteStore,
    StoreError,
    StoreFormatError,
    StoreFullError,
    StoreIOError,
    verify_chain,
)
from actbook.journal._plan import Outcome


def limit_pages(store: SQLiteStore, pages: int) -> None:
    connection = store._writing._connection
    assert connection is not None
    connection.execute(f"PRAGMA max_page_count={pages}")


def fill(store: SQLiteStore) -> tuple[int, Exception]:
    """Writes until the store is full; the version that was reached and the error."""
    version = 0
    while True:
        outcome = store.write([append("s", version, noted("x", "y" * 2000))])[0]
        if isinstance(outcome, Exception):
            return version, outcome
        version = outcome.version


def test_a_full_store_says_so_and_goes_on_when_there_is_space(tmp_path: Path) -> None:
    store = SQLiteStore(str(tmp_path / "full.db"))
    limit_pages(store, 60)
    version, error = fill(store)
    assert isinstance(error, StoreFullError)
    assert "Free disk space" in str(error)
    outcomes = store.write([append(f"t-{n}", 0, noted("x", "y" * 9000), lifecycle="open") for n in range(9)])
    assert all(isinstance(outcome, StoreFullError) for outcome in outcomes)
    assert (store.head("s"), store.unfinished()) == (version, [])
    limit_pages(store, 10_000)
    assert written(store.write([append("s", version, "more")])[0]).version == version + 1
    assert verify_chain(store.read_rows("s")) == []
    store.close()


_LIMITED = """
import resource, sys
from actbook.journal import SQLiteStore, StoreError, verify_chain
from tests.journal.samples import append, noted, written
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
store = SQLiteStore(sys.argv[1])
store.write([append("s", 0, "1")])
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, unlimited[1]))
version = 1
while True:
    outcome = store.write([append("s", version, noted("x", "y" * 3000), lifecycle="open")])[0]
    if isinstance(outcome, Exception):
        break
    version = outcome.version
assert isinstance(outcome, StoreError), outcome
assert store.head("s") == version
again = store.write([append("s", version, noted("x", "y" * 3000))])[0]
assert isinstance(again, StoreError), again
resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
assert written(store.write([append("s", version, "more")])[0]).version == version + 1
assert verify_chain(store.read_rows("s")) == []
store.close()
store = SQLiteStore(sys.argv[1])
assert store.head("s") == version + 1
print(type(outcome).__name__)
store.close()
"""


def test_a_file_size_limit_of_the_system(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _LIMITED, str(tmp_path / "limited.db")]
    answer = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=child_environment()
    )
    assert answer.stderr == ""
    assert answer.stdout.strip() in ("StoreFullError", "StoreIOError")


def test_what_was_queued_behind_a_failed_write_is_not_mistaken_for_a_conflict(tmp_path: Path) -> None:
    async def run() -> None:
        journal = await Journal.open(f"sqlite:///{tmp_path / 'full.db'}")
        assert isinstance(journal.store, SQLiteStore)
        limit_pages(journal.store, 1)
        answers: list[Outcome] = []
        enough = asyncio.get_running_loop().create_future()

        def done(outcome: Outcome) -> None:
            answers.append(outcome)
            if len(answers) == 5000:
                enough.set_result(None)

        for version in range(5000):
            journal.submit(append("s", version, noted("x", "y" * 3000)), done)
        await enough
        first = next(i for i, answer in enumerate(answers) if isinstance(answer, Exception))
        assert isinstance(answers[first], StoreFullError)
        kinds = {type(answer) for answer in answers[first:]}
        assert kinds == {StoreFullError, PredecessorFailedError}
        limit_pages(journal.store, 100_000)
        assert (await journal.append(append("s", first, "again"))).version == first + 1
        assert verify_chain(journal.store.read_rows("s")) == []
        await journal.close()

    asyncio.run(run())


@pytest.mark.parametrize("failing", ["INSERT", "COMMIT"])
def test_an_error_of_the_disk_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    store = SQLiteStore(str(tmp_path / "broken.db"))
    store.write([append("s", 0, "1")])
    real = store._writing._connection
    assert real is not None
    store._writing._connection = BrokenConnection(real, failing)  # type: ignore[assignment]
    outcomes = store.write(
        [append("s", 1, "x", lifecycle="open"), append("t", 0, "x"), append("s", 0, "conflict")]
    )
    assert all(isinstance(outcome, StoreIOError) for outcome in outcomes[:2])
    assert not isinstance(outcomes[2], StoreError)
    store._writing._connection = real
    assert (store.head("s"), store.head("t"), store.unfinished()) == (1, 0, [])
    assert written(store.write([append("s", 1, "2")])[0]).version == 2
    store.close()


class BrokenConnection:
    """Fails with an I/O error at the statements that begin with a word."""

    def __init__(self, real: sqlite3.Connection, failing: str) -> None:
        self._real = real
        self._failing = failing

    @property
    def in_transaction(self) -> bool:
        return self._real.in_transaction

    def execute(self, sql: str, parameters: tuple[object, ...] = ()) -> sqlite3.Cursor:
        if sql.startswith(self._failing):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
            raise error
        return self._real.execute(sql, parameters)


def test_files_of_others_are_refused(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE theirs(x)")
    connection.close()
    with pytest.raises(StoreFormatError, match="another application") as raised:
        SQLiteStore(str(foreign))
    assert raised.value.path == str(foreign)


def test_files_that_are_no_databases_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("not a database, but long enough to be mistaken for one " * 100)
    with pytest.raises(StoreFormatError, match="not a SQLite file"):
        SQLiteStore(str(text))


def test_files_of_the_future_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "future.db"
    SQLiteStore(str(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(StoreFormatError, match="newer"):
        SQLiteStore(str(path))


def test_a_missing_folder_is_an_error_of_the_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="unable to open"):
        SQLiteStore(str(tmp_path / "missing" / "x.db"))


def test_the_file_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "own.db"
    SQLiteStore(str(path)).close()
    with sqlite3.connect(path) as connection:
        meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA application_id").fetchone() != (0,)
    connection.close()
    assert meta["schema_version"] == "2"
    assert meta["created_at"].endswith("Z")


@pytest.mark.parametrize(("synchronous", "level"), [("FULL", 2), ("NORMAL", 1)])
def test_how_far_a_commit_goes_is_a_setting(tmp_path: Path, synchronous: str, level: int) -> None:
    store = SQLiteStore(str(tmp_path / "x.db"), synchronous=synchronous)  # type: ignore[arg-type]
    connection = store._writing._connection
    assert connection is not None
    assert connection.execute("PRAGMA synchronous").fetchone() == (level,)
    store.close()


def test_a_failed_append_names_path_and_reason(tmp_path: Path) -> None:
    store = SQLiteStore(str(tmp_path / "x.db"))
    limit_pages(store, 1)
    _, error = fill(store)
    assert isinstance(error, StoreError)
    assert error.path == store.path
    assert "full" in error.reason
    assert failed(error)
    store.close()


def test_a_file_of_an_earlier_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    SQLiteStore(str(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=1")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreFormatError, match="schema 1, known 2"):
        SQLiteStore(str(path))
    assert path.read_bytes() == before
