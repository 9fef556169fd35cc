"""What `doctor` looks at. Nothing is created, repaired or taken over."""

from __future__ import annotations

import platform
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Literal, NamedTuple

from actbook.cli._problems import CommandError
from actbook.cli._session import check_place, is_postgres, path_of

Verdict = Literal["ok", "warn", "fail"]

PYTHONS = ((3, 11), (3, 14))
SQLITE = (3, 35, 0)
SQLITE_KNOWN = (3, 40, 0)
NEWEST = 20
"""Streams whose hash chain is checked unless all are."""
LITTLE = 512 * 1024 * 1024
TOO_LITTLE = 32 * 1024 * 1024


class Finding(NamedTuple):
    """`remedy` is empty when all is well."""

    verdict: Verdict
    name: str
    text: str
    remedy: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The object of `-o json`."""
        return {"check": self.name, "verdict": self.verdict, "text": self.text, "remedy": self.remedy or None}


def examine(store: str, full: bool) -> list[Finding]:
    """All checks that make sense for the store. `full`: every stream."""
    return list(_examine(store, full))


def _examine(store: str, full: bool) -> Iterator[Finding]:
    yield _python()
    yield _sqlite()
    if is_postgres(store):
        from actbook.cli._postgres_checks import examine_postgres

        yield from examine_postgres(store, full)
        return
    url = _url(store)
    yield url
    path = path_of(store)
    if url.verdict == "fail" or path is None:
        return
    place = _place(store, path)
    yield place
    if place.verdict == "fail":
        return
    yield _space(path)
    if not path.exists():
        yield Finding("ok", "store file", f"{path} does not exist yet; the first run makes it")
        return
    yield from _stored(path, full)


def _stored(path: Path, full: bool) -> Iterator[Finding]:
    yield _owner(path)
    checks: tuple[Callable[[sqlite3.Connection], Finding], ...] = (
        _format,
        _integrity,
        _backlog,
        lambda connection: _chains(connection, full),
    )
    try:
        with closing(_connect(path)) as connection:
            for check in checks:
                finding = check(connection)
                yield finding
                if finding.verdict == "fail":
                    return
    except sqlite3.Error as error:
        yield Finding(
            "fail",
            "store file",
            f"{path} can't be read: {error}",
            "Restore a backup, or name the right file.",
        )


def _python() -> Finding:
    text = f"{platform.python_version()} ({platform.python_implementation()})"
    if PYTHONS[0] <= sys.version_info[:2] < PYTHONS[1]:
        return Finding("ok", "Python", text)
    return Finding("fail", "Python", text, "Use Python 3.11, 3.12 or 3.13.")


def _sqlite() -> Finding:
    text = f"{sqlite3.sqlite_version}, thread safety level {sqlite3.threadsafety}"
    if sqlite3.sqlite_version_info < SQLITE:
        return Finding("fail", "SQLite", text, "Use a Python that was built with SQLite 3.35 or newer.")
    if sqlite3.sqlite_version_info < SQLITE_KNOWN:
        return Finding("warn", "SQLite", text, "It is tested with 3.40 and newer; update when you can.")
    return Finding("ok", "SQLite", text)


def _url(store: str) -> Finding:
    from actbook.journal import StoreUrlError
    from actbook.journal._urls import KNOWN_URLS

    path = path_of(store)
    if store in ("memory:", "memory://"):
        return Finding(
            "warn",
            "store URL",
            f"{store}: everything is gone when the process ends",
            "Name a file to keep runs.",
        )
    if path is None or "?" in store or str(path) == ":memory:":
        return Finding("fail", "store URL", str(StoreUrlError(store, KNOWN_URLS)), "Correct --store.")
    return Finding("ok", "store URL", f"{store} ({path.absolute()})")


def _place(store: str, path: Path) -> Finding:
    try:
        check_place(store)
    except CommandError as error:
        sentence, _, remedy = str(error).partition(". ")
        return Finding("fail", "permissions", sentence, remedy)
    if not path.exists():
        return Finding("ok", "permissions", f"{path.absolute().parent} can be written to")
    mode = path.stat().st_mode & 0o777
    if mode & 0o002:
        return Finding(
            "warn", "permissions", f"everybody may write to {path} ({mode:o})", f"chmod o-w {path}"
        )
    return Finding("ok", "permissions", f"{path} can be read and written ({mode:o})")


def _space(path: Path) -> Finding:
    free = shutil.disk_usage(path.absolute().parent).free
    text = f"{free / 1e9:.1f} GB free"
    if free < TOO_LITTLE:
        return Finding("fail", "disk", text, "Free space: commits fail when none is left.")
    if free < LITTLE:
        return Finding("warn", "disk", text, "Free space before it runs out.")
    return Finding("ok", "disk", text)


def _owner(path: Path) -> Finding:
    from actbook.cli._owners import owner_of

    try:
        owner = owner_of(path)
    except OSError as error:
        return Finding("fail", "owner", f"{error.filename}: {error.strerror}", "Let this user read the file.")
    if owner is None:
        return Finding("ok", "owner", "no process runs this store now")
    since = f"{owner.started_at:%Y-%m-%d %H:%M:%S} UTC"
    return Finding("ok", "owner", f"process {owner.pid} ({owner.worker_id}) runs it since {since}")


def _format(connection: sqlite3.Connection) -> Finding:
    from actbook.journal._sqlite_schema import APPLICATION_ID, SCHEMA_VERSION

    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if application != APPLICATION_ID:
        return Finding(
            "fail", "store file", "the file belongs to another application", "Name another file with --store."
        )
    if version > SCHEMA_VERSION:
        text = f"a newer actbook wrote it (schema {version}, known {SCHEMA_VERSION})"
        return Finding("fail", "store file", text, "Upgrade actbook.")
    return Finding("ok", "store file", f"an actbook store, schema {version}, journal mode {mode}")


def _integrity(connection: sqlite3.Connection) -> Finding:
    faults = [row[0] for row in connection.execute("PRAGMA quick_check(5)")]
    if faults == ["ok"]:
        return Finding("ok", "integrity", "SQLite's quick check finds nothing")
    return Finding(
        "fail", "integrity", "; ".join(faults), "Restore a backup; SQLite's .recover saves what can be read."
    )


def _backlog(connection: sqlite3.Connection) -> Finding:
    (events,) = connection.execute("SELECT count(*) FROM events").fetchone()
    (unfinished,) = connection.execute("SELECT count(*) FROM unfinished").fetchone()
    return Finding("ok", "content", f"{events} events, {unfinished} unfinished executions")


def _chains(connection: sqlite3.Connection, full: bool) -> Finding:
    from actbook.journal import Row, verify_chain

    newest = "SELECT stream_id FROM events GROUP BY stream_id ORDER BY max(position) DESC"
    streams = [row[0] for row in connection.execute(newest + ("" if full else f" LIMIT {NEWEST}"))]
    rows = f"SELECT {', '.join(Row._fields)} FROM events WHERE stream_id=? ORDER BY version"
    faults = [
        fault
        for stream in streams
        for fault in verify_chain(map(Row._make, connection.execute(rows, (stream,))))
    ]
    which = f"all {len(streams)} streams" if full else f"the newest {len(streams)} streams"
    if not faults:
        return Finding("ok", "hash chains", f"{which} are whole")
    first = faults[0]
    place = f"{first.stream_id} at version {first.version}"
    text = f"{len(faults)} faults in {which}, the first in {place}: {first.message}"
    return Finding("fail", "hash chains", text, "`actbook verify --all` names every fault. Restore a backup.")


def _connect(path: Path) -> sqlite3.Connection:
    """Read-only: also SQLite's own bookkeeping stays as it is as far as that is possible."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)
