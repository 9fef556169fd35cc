"""Archived events in the order of the log, for whoever folds all of it: views that are filled anew."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from heapq import merge
from pathlib import Path

from actbook.events._envelope import Envelope
from actbook.journal._archive_file import archived_envelopes
from actbook.journal._archived import archived_positions, archives_of, missing_archives
from actbook.journal._errors import JournalError

logger = logging.getLogger("actbook.journal")


def archived_log(connection: sqlite3.Connection) -> Iterator[Envelope]:
    """All archived events whose files are there, by position. Raises what reading them raises."""
    missing = {record.id for record in missing_archives(connection)}
    files = [record.file for record in archives_of(connection) if record.id not in missing]
    return merge(*(archived_envelopes(Path(file)) for file in files), key=_by_position)


class ArchivedLog:
    """Reads the files once for a reader that goes through the log, and not at all when nothing left its part of the log.

    Used by one thread. What can't be read is left out, and the log (of the program) tells of it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._events: Iterator[Envelope] = iter(())
        self._next: Envelope | None = None
        self._read_upto: int | None = None

    def between(self, after: int, upto: int) -> list[Envelope]:
        """Archived events above `after` and up to `upto`, in order."""
        if not archived_positions(self._connection, after, upto):
            return []
        if self._read_upto is None or after < self._read_upto:
            self._open()
        self._read_upto = upto
        return list(self._take(after, upto))

    def _open(self) -> None:
        for record in missing_archives(self._connection):
            what = f"Archive {record.file} is not there" if record.file else "Some executions were discarded"
            logger.warning("%s: %d events are left out of the views.", what, record.events)
        self._events = archived_log(self._connection)
        self._advance()

    def _take(self, after: int, upto: int) -> Iterator[Envelope]:
        while self._next is not None and self._next.position <= upto:
            if self._next.position > after:
                yield self._next
            self._advance()

    def _advance(self) -> None:
        try:
            self._next = next(self._events, None)
        except JournalError as error:
            logger.warning("%s Its events are left out of the views.", error)
            self._next = None


def _by_position(event: Envelope) -> int:
    return event.position
