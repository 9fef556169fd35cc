"""Streams that are over leave the store: into a file, from which they come back as they were, or for good."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from actbook.events import inbox_of
from actbook.graphs import ActbookError
from actbook.journal import Row, SQLiteStore, Store, verify_chain
from actbook.journal._archive_file import FileEnd, Record, StreamEnd, write_archive
from actbook.journal._archived import ARCHIVE_SCHEMA
from actbook.journal._blobs import Blob
from actbook.replay._entries import entry_hash
from actbook.replay._export._cloudevents import blobs_of, references_of
from actbook.replay._export._selection import envelope_of

_PAGE = 1000
_HEAD = "SELECT version, hash FROM events WHERE stream_id=? ORDER BY version DESC LIMIT 1"
_RELAYS = "SELECT 1 FROM sqlite_master WHERE type='table' AND name='relays'"
_BEHIND = "SELECT name FROM relays WHERE position<?"
_BIG_ONES = "SELECT state FROM events WHERE substr(state,1,1) IN (x'97', x'99')"


class ArchiveError(ActbookError):
    """Executions can't leave the store, or come back, as things are. Nothing was changed; the text says why."""


@dataclass
class Leaving:
    """What is known of the streams that leave, collected while they are read."""

    store: SQLiteStore
    executions: Sequence[str]
    others: Sequence[str] = ()
    ends: dict[str, StreamEnd] = field(default_factory=dict)
    leaves: list[tuple[int, bytes]] = field(default_factory=list)
    digests: set[bytes] = field(default_factory=set)

    def records(self) -> Iterator[Record]:
        """Everything that the file holds, in the order of positions. Raises `ArchiveError` for a damaged stream."""
        for row in self._rows():
            yield from self._blobs(row)
            self._note(row)
            yield row
        yield from self.ends.values()
        yield FileEnd(len(self.leaves), len(self.digests), len(self.ends))

    def read(self) -> None:
        """The same for what goes into no file."""
        for row in self._rows():
            self.digests.update(blobs_of(row.state))
            self._note(row)

    def _rows(self) -> Iterator[Row]:
        streams = {stream for each in self.executions for stream in (each, inbox_of(each))}.union(self.others)
        tops = {*self.executions, *self.others}
        firsts = [rows[0].position for each in tops if (rows := self.store.read_rows(each, 0, 1))]
        if len(firsts) < len(tops):
            raise ArchiveError(
                "Some of the executions are not in this store; `actbook ls` lists those that are."
            )
        last, after = self.store.last_position(), min(firsts) - 1
        while rows := self.store.log_rows(after, _PAGE):
            yield from (row for row in rows if row.stream_id in streams and row.position <= last)
            after = rows[-1].position

    def _note(self, row: Row) -> None:
        before = self.ends.get(row.stream_id)
        previous = (
            None if before is None else row._replace(position=0, version=before.version, hash=before.hash)
        )
        faults = verify_chain([row], previous)
        if faults:
            raise ArchiveError(
                f"Stream {row.stream_id!r} is damaged ({faults[0].message}); run `actbook verify` first."
            )
        user = before.user_id if before is not None else self._user(row)
        self.ends[row.stream_id] = StreamEnd(row.stream_id, row.version, row.hash, user)
        self.leaves.append((row.position, entry_hash(row)))

    def _user(self, row: Row) -> str:
        event = envelope_of(self.store, row)
        return event.user_id if event is not None else ""

    def _blobs(self, row: Row) -> Iterator[Blob]:
        for digest, (size, media_type) in references_of(row.state).items():
            if digest not in self.digests:
                self.digests.add(digest)
                try:
                    yield Blob(digest, size, media_type, self.store.blob(digest))
                except KeyError as error:
                    raise ArchiveError(
                        f"{error.args[0]}, which {row.stream_id!r} needs; run `actbook verify`."
                    ) from error


def archive_executions(store: Store, executions: Sequence[str], path: Path, at: int) -> int:
    """Moves ended executions with their inboxes into a new file; how many events went. `at`: now, in µs, UTC.

    They leave the store in one transaction, after the file and its name are durable. Only whole trees can go, see
    `ended_trees`. Blocks. Raises `ArchiveError`, `ArchiveFileError`, or what the store raises; then the store is as it was.
    """
    leaving = Leaving(of_file(store), executions)
    if not executions:
        raise ArchiveError("There is nothing to archive.")
    target = path.absolute()
    digest = write_archive(target, leaving.records())
    try:
        return leave(leaving, str(target), digest, at)
    except ArchiveError:  # any other failure may have come after the commit
        target.unlink(missing_ok=True)
        raise


def discard_executions(store: Store, executions: Sequence[str], at: int) -> int:
    """Deletes ended executions with their inboxes for good; how many events went. Proofs over the log stay possible.

    Blocks. Raises what `archive_executions` raises.
    """
    leaving = Leaving(of_file(store), executions)
    if not executions:
        raise ArchiveError("There is nothing to discard.")
    leaving.read()
    return leave(leaving, "", b"", at)


def of_file(store: Store) -> SQLiteStore:
    """Raises `ArchiveError` for a store that can't let streams go."""
    if isinstance(store, SQLiteStore):
        return store
    raise ArchiveError("Only a store in a file (sqlite:///…) has an archive.")


def leave(leaving: Leaving, file: str, digest: bytes, at: int) -> int:
    """Takes the streams out of the store in one transaction; how many events went."""
    with leaving.store.transaction() as connection:
        for statement in ARCHIVE_SCHEMA:
            connection.execute(statement)
        _check_still_ended(connection, leaving)
        _check_relays(connection, leaving)
        values = (file, digest, at, len(leaving.executions), len(leaving.leaves))
        sql = "INSERT INTO archives(file, sha256, at, executions, events) VALUES(?,?,?,?,?)"
        number = connection.execute(sql, values).lastrowid
        streams = [
            (end.stream_id, number, end.user_id, end.version, end.hash) for end in leaving.ends.values()
        ]
        absent = {inbox_of(each) for each in leaving.executions}.difference(leaving.ends)
        streams += [(each, number, "", 0, b"") for each in absent]
        connection.executemany("INSERT INTO archived_streams VALUES(?,?,?,?,?)", streams)
        leaves = ((position, number, leaf) for position, leaf in leaving.leaves)
        connection.executemany("INSERT INTO archived_events VALUES(?,?,?)", leaves)
        ids = [(end.stream_id,) for end in leaving.ends.values()]
        connection.executemany("DELETE FROM events WHERE stream_id=?", ids)
        connection.executemany("DELETE FROM snapshots WHERE stream_id=?", ids)
        _drop_blobs(connection, leaving.digests)
    return len(leaving.leaves)


def _check_still_ended(connection: sqlite3.Connection, leaving: Leaving) -> None:
    for execution in leaving.executions:
        if connection.execute("SELECT 1 FROM unfinished WHERE stream_id=?", (execution,)).fetchone():
            raise ArchiveError(f"Execution {execution} goes on; archive it when it has ended.")
    inboxes = map(inbox_of, leaving.executions)
    for stream_id in (*leaving.executions, *inboxes, *leaving.others):
        head = connection.execute(_HEAD, (stream_id,)).fetchone()
        end = leaving.ends.get(stream_id)
        if head != (None if end is None else (end.version, end.hash)):
            raise ArchiveError(f"Something was added to {stream_id} meanwhile; try it again.")


def _check_relays(connection: sqlite3.Connection, leaving: Leaving) -> None:
    """What is not on the bus yet would never get there."""
    if not leaving.leaves or connection.execute(_RELAYS).fetchone() is None:
        return
    behind = connection.execute(_BEHIND, (leaving.leaves[-1][0],)).fetchone()
    if behind is not None:
        raise ArchiveError(f"Relay {behind[0]!r} has not published all of this yet; let it catch up first.")


def _drop_blobs(connection: sqlite3.Connection, digests: set[bytes]) -> None:
    """Those that no other event refers to."""
    unused = set(digests)
    if unused:
        for (state,) in connection.execute(_BIG_ONES):
            unused.difference_update(blobs_of(state))
    connection.executemany("DELETE FROM blobs WHERE sha256=?", [(digest,) for digest in unused])
