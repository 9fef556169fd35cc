"""Whether a file of archived streams is what was written, and what a store says of those that left it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from actbook.journal import Fault, Row, verify_chain
from actbook.journal._archive_file import ArchiveFileError, FileEnd, StreamEnd, digest_of, read_archive
from actbook.journal._archived import archives_of
from actbook.journal._blobs import Blob
from actbook.replay._export._cloudevents import blobs_of

_MOST_FAULTS = 100
_COUNTS = (
    "SELECT (SELECT count(*) FROM archived_events WHERE archive=:id),"
    " (SELECT coalesce(sum(version),0) FROM archived_streams WHERE archive=:id)"
)
_BOTH = (
    "SELECT e.stream_id, e.version, e.position FROM events e JOIN archived_streams USING(stream_id)"
    " GROUP BY e.stream_id"
)
_TWICE = (
    "SELECT e.stream_id, e.version, e.position FROM events e JOIN archived_events USING(position) LIMIT 20"
)


@dataclass
class CheckedArchive:
    """What a file holds, and what is wrong with it."""

    path: Path
    sha256: bytes = b""
    events: int = 0
    ends: dict[str, StreamEnd] = field(default_factory=dict)
    blobs: set[bytes] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)
    _last: dict[str, Row] = field(default_factory=dict)
    _position: int = 0
    _ended: bool = False

    @property
    def executions(self) -> list[str]:
        """Ids, in the order of their ends in the file."""
        return [each for each in self.ends if ":" not in each]

    def run(self) -> CheckedArchive:
        try:
            self.sha256 = digest_of(self.path)
            for record in read_archive(self.path):
                self._take(record)
                if len(self.faults) > _MOST_FAULTS:
                    return self
        except ArchiveFileError as error:
            self._add("", 0, self._position, error.reason)
            return self
        if not self._ended:
            self._add("", 0, self._position, "the file ends before the archive did")
        return self

    def _take(self, record: Row | Blob | StreamEnd | FileEnd) -> None:
        if isinstance(record, Row):
            self._take_event(record)
        elif isinstance(record, Blob):
            self.blobs.add(record.sha256)
            if sha256(record.data).digest() != record.sha256 or len(record.data) != record.size:
                self._add("", 0, self._position, f"big value {record.sha256.hex()} has another content")
        elif isinstance(record, StreamEnd):
            self._take_stream(record)
        else:
            found = (self.events, len(self.blobs), len(self.ends))
            if found != record or self._ended or set(self._last) != set(self.ends):
                self._add(
                    "", 0, self._position, f"events, big values and streams are {found}, not {tuple(record)}"
                )
            self._ended = True

    def _take_event(self, row: Row) -> None:
        self.events += 1
        if row.position <= self._position:
            self._add(
                row.stream_id, row.version, row.position, f"it does not follow position {self._position}"
            )
        self._position = row.position
        self.faults += verify_chain([row], self._last.get(row.stream_id))
        self._last[row.stream_id] = row
        for digest in blobs_of(row.state):
            if digest not in self.blobs:
                self._add(row.stream_id, row.version, row.position, f"big value {digest.hex()} is missing")

    def _take_stream(self, end: StreamEnd) -> None:
        last = self._last.get(end.stream_id)
        if last is None or (last.version, last.hash) != (end.version, end.hash):
            self._add(end.stream_id, end.version, 0, "its last event is not the one that the file says")
        self.ends[end.stream_id] = end

    def _add(self, stream_id: str, version: int, position: int, message: str) -> None:
        self.faults.append(Fault(stream_id, version, position, "edited", message))


def check_archive(path: Path) -> CheckedArchive:
    """Reads a file as a whole: its checksum, each stream's chain, the big values, the counts. Blocks; raises nothing."""
    return CheckedArchive(path).run()


def faults_of_archives(connection: sqlite3.Connection) -> Iterator[Fault]:
    """Whether what a store keeps of those that left agrees with itself, and with the events that stayed."""
    records = archives_of(connection)
    if not records:
        return
    for record in records:
        leaves, versions = connection.execute(_COUNTS, {"id": record.id}).fetchone()
        if not leaves == versions == record.events:
            name = record.file or f"number {record.id}"
            text = f"archive {name} took {record.events} events, and {leaves} positions in {versions} versions are noted"
            yield Fault("", 0, 0, "removed", text)
    known = {record.id for record in records}
    for table in ("archived_events", "archived_streams"):
        strangers = {row[0] for row in connection.execute(f"SELECT DISTINCT archive FROM {table}")} - known
        if strangers:
            yield Fault(
                "", 0, 0, "removed", f"{table} name an archive that there is not: {sorted(strangers)}"
            )
    for sql in (_BOTH, _TWICE):
        for stream_id, version, position in connection.execute(sql):
            yield Fault(str(stream_id), version, position, "index", "it is here, and noted as archived")
