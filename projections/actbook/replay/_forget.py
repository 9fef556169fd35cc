"""Everything of a user leaves the store for good, and its bytes the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import NamedTuple

from actbook.events import ExecutionStatus, execution_of
from actbook.journal import Store, StoreBusyError
from actbook.journal._archived import archived_files_of, missing_archives
from actbook.journal._sqlite_schema import store_errors
from actbook.replay._archive import ArchiveError, Leaving, leave, of_file
from actbook.replay._export._selection import envelope_of

_PAGE = 1000
_PATIENCE = 60.0
_STAYING = ("graph:", "balance:", "schedules:", "user:")
"""Graphs may be somebody else's too; accounts hold amounts and no contents; that a user was forgotten is kept."""

_ENDED = tuple(status.value for status in ExecutionStatus if status.is_terminal)
_BUSY = f"SELECT id FROM executions WHERE user_id=? AND status NOT IN ({','.join('?' * len(_ENDED))}) ORDER BY seq"


class UserBusyError(ArchiveError):
    """The user still has executions that have not ended, or schedules. Stop and remove them first, or ask for that too."""

    def __init__(self, user_id: str, executions: Sequence[str], schedules: Sequence[str] = ()) -> None:
        named = [f"execution {each}" for each in executions] + [f"schedule {each}" for each in schedules]
        super().__init__(
            f"User {user_id!r} can't be forgotten before this has ended: {', '.join(named)}."
            " `actbook forget --stop` stops executions and removes schedules first."
        )
        self.user_id = user_id
        self.executions = tuple(executions)
        self.schedules = tuple(schedules)


class Forgotten(NamedTuple):
    """What was deleted: executions, all streams with theirs, and events."""

    executions: tuple[str, ...]
    streams: int
    events: int


def busy_executions(store: Store, user_id: str) -> list[str]:
    """The user's executions that have not ended, oldest first. The views have to be up to date. Blocks."""
    with closing(store.open_views_reader()) as connection:
        return [row[0] for row in connection.execute(_BUSY, (user_id, *_ENDED))]


def forget_user(store: Store, user_id: str, at: int) -> Forgotten:
    """Deletes the user's executions, inboxes, stored values and removed schedules, in one transaction. Blocks.

    The log keeps the hashes of what was there. The views still show the rows until they are rebuilt, and the file holds
    the bytes until `scrub`. `at`: now, in µs, UTC. Raises `UserBusyError`, or `ArchiveError` when archives have to come
    back first.
    """
    kept = of_file(store)
    busy = busy_executions(kept, user_id)
    if busy:
        raise UserBusyError(user_id, busy)
    _check_archives(kept, user_id)
    streams = streams_of(kept, user_id)
    executions = [each for each in streams if ":" not in each]
    if not streams:
        return Forgotten((), 0, 0)
    others = [each for each in streams if ":" in each and execution_of(each) is None]
    leaving = Leaving(kept, executions, others)
    leaving.read()
    return Forgotten(tuple(executions), len(streams), leave(leaving, "", b"", at))


def scrub(store: Store) -> None:
    """Writes the file anew without the bytes of what was deleted, and empties its log. Blocks for as long as copying it takes.

    Raises `StoreBusyError` when somebody else keeps it from that.
    """
    kept = of_file(store)
    with (
        kept.write_lock,
        store_errors(kept.path),
        closing(sqlite3.connect(kept.path, timeout=_PATIENCE, isolation_level=None)) as connection,
    ):
        connection.execute("VACUUM")
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if busy:
        raise StoreBusyError(
            kept.path, "somebody reads it, so deleted bytes may be in its log; forget the user again"
        )


def _check_archives(store: Store, user_id: str) -> None:
    with closing(store.open_views_reader()) as connection:
        files = archived_files_of(connection, user_id)
        lost = [each.file for each in missing_archives(connection) if not each.is_discarded]
    if files:
        raise ArchiveError(
            f"Executions of {user_id!r} are archived in {', '.join(files)}: restore them, forget the user,"
            " and delete these files."
        )
    if lost:
        raise ArchiveError(
            f"{', '.join(lost)} is not there, and the views can't be made anew without: put it back."
        )


def streams_of(store: Store, user_id: str) -> list[str]:
    """What is the user's alone: executions, inboxes, stored values, schedules. Blocks while it looks at every stream."""
    found: list[str] = []
    after = ""
    while page := store.stream_ids(after, _PAGE):
        found += [each for each in page if not each.startswith(_STAYING) and _owner(store, each) == user_id]
        after = page[-1]
    return found


def _owner(store: Store, stream_id: str) -> str | None:
    rows = store.read_rows(execution_of(stream_id) or stream_id, 0, 1)
    event = envelope_of(store, rows[0]) if rows else None
    return event.user_id if event is not None else None
