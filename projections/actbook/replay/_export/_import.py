"""Bringing an export into a store: the identical history, at new positions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from actbook.journal import ConflictError, Row, Store
from actbook.journal._blobs import Blob
from actbook.journal._chain import verify_chain
from actbook.replay._export._agreement import agrees
from actbook.replay._export._cloudevents import event_of, references_of
from actbook.replay._export._errors import DamagedExportError, ImportConflictError
from actbook.replay._export._lines import BlobLine, EndLine, EventLine, blob_at, lines_of
from actbook.replay._export._selection import decoded


class Imported(NamedTuple):
    """What an import did. `known`: events that were there already; `executions`: ids of those that got new events."""

    events: int
    known: int
    blobs: int
    executions: tuple[str, ...]


@dataclass
class _Check:
    """What the first reading finds: where streams stand here, which big values there are, what is new."""

    store: Store
    file: Path
    heads: dict[str, int] = field(default_factory=dict)
    last: dict[str, Row] = field(default_factory=dict)
    offered: dict[bytes, int] = field(default_factory=dict)
    wanted: dict[bytes, tuple[int, str]] = field(default_factory=dict)
    new: dict[str, None] = field(default_factory=dict)
    counts: EndLine = field(default_factory=lambda: EndLine(0, 0))
    ended: bool = True
    known: int = 0

    @property
    def path(self) -> str:
        return str(self.file)

    def load(self, digest: bytes) -> bytes:
        """A big value, of the file or the store."""
        offset = self.offered.get(digest)
        return self.store.blob(digest) if offset is None else blob_at(self.file, offset)

    def take(self, number: int, line: BlobLine | EndLine | EventLine) -> None:
        if isinstance(line, EndLine):
            self._end(number, line)
            return
        self.ended = False
        if isinstance(line, BlobLine):
            self.offered[line.sha256] = line.offset
            self.counts = EndLine(self.counts.events, self.counts.blobs + 1)
            return
        self.counts = EndLine(self.counts.events + 1, self.counts.blobs)
        self._check_chain(number, line.row)
        self._check_blobs(number, line.row)
        self._check_place(number, line.row)

    def _end(self, number: int, line: EndLine) -> None:
        if line != self.counts:
            raise DamagedExportError(
                self.path, number, f"{line.events} events were exported and {self.counts.events} are left"
            )
        self.counts, self.ended = EndLine(0, 0), True

    def _check_chain(self, number: int, row: Row) -> None:
        before = self.last.get(row.stream_id)
        if before is not None and row == before:
            return
        if before is not None and row.version <= before.version:
            before = None  # a second export in the same file begins again
        faults = verify_chain([row._replace(position=row.version)], _numbered(before))
        if faults:
            raise DamagedExportError(self.path, number, f"{row.stream_id}: {faults[0].message}")
        self.last[row.stream_id] = row

    def _check_blobs(self, number: int, row: Row) -> None:
        for digest, about in references_of(row.state).items():
            if digest not in self.offered and not _has(self.store, digest):
                raise DamagedExportError(self.path, number, f"the big value {digest.hex()} is missing")
            self.wanted[digest] = about

    def _check_place(self, number: int, row: Row) -> None:
        head = self.heads.get(row.stream_id)
        if head is None:
            head = self.heads[row.stream_id] = self.store.head(row.stream_id)
        if row.version <= head:
            self.known += 1
            (there,) = self.store.read_rows(row.stream_id, row.version - 1, 1)
            if there.hash != row.hash:
                self._refuse(number, row, "the store holds another event there")
        elif head and row.stream_id not in self.new and self.store.unfinished([row.stream_id]):
            self._refuse(number, row, "the execution goes on in this store, on its own way")
        else:
            self.new[row.stream_id] = None

    def _refuse(self, number: int, row: Row, reason: str) -> None:
        raise ImportConflictError(self.path, number, row.stream_id, row.version, reason)


def import_cloudevents(store: Store, path: Path) -> Imported:
    """Adds what `export_cloudevents` wrote: the same streams, versions, times, ids, causes and hashes. Blocks.

    All of it or nothing, and twice is the same as once. The file is read twice: to check every line, then to store it.
    Nothing that is imported runs: an execution that was unfinished stays as it is, and can be forked. Raises
    `DamagedExportError`, `ImportConflictError`, and `StoreError`.
    """
    check = _Check(store, path)
    number = 0
    for number, line in lines_of(path):
        check.take(number, line)
        if isinstance(line, EventLine):
            _compare(check, number, line)
    if not number:
        raise DamagedExportError(str(path), 1, "the file is empty")
    if not check.ended:
        raise DamagedExportError(str(path), number + 1, "the file ends before the export did")
    try:
        added = store.copy_in(_new_rows(path, check.heads), _blobs(check))
    except ConflictError as error:
        reason = "somebody wrote to the stream meanwhile"
        raise ImportConflictError(str(path), number, error.stream_id, error.actual, reason) from error
    executions = tuple(each for each in check.new if ":" not in each)
    return Imported(added, check.known, len(check.offered), executions)


def _compare(check: _Check, number: int, line: EventLine) -> None:
    """What a line says for readers has to agree with the recorded bytes, as far as this version reads them alike."""
    event = decoded(line.row, check.load)
    told = event_of(line.row, event)
    if event is None:
        del told["subject"]
    for name, value in told.items():
        if name != "data" and line.cloud.get(name) != value:
            raise DamagedExportError(check.path, number, f"{name} is not what was recorded")
    if event is not None and event.schema_version == event.payload.SCHEMA_VERSION:
        data = line.cloud["data"]
        for name in data if isinstance(data, dict) else ("",):
            if name not in told["data"] or not agrees(line.row, told["data"][name], data[name]):
                raise DamagedExportError(check.path, number, f"data.{name} is not what was recorded")


def _new_rows(path: Path, heads: dict[str, int]) -> Iterator[Row]:
    done = dict(heads)
    for _, line in lines_of(path):
        if isinstance(line, EventLine) and line.row.version > done[line.row.stream_id]:
            done[line.row.stream_id] = line.row.version
            yield line.row


def _blobs(check: _Check) -> Iterator[Blob]:
    for digest, (size, media_type) in check.wanted.items():
        if digest in check.offered:
            yield Blob(digest, size, media_type, check.load(digest))


def _numbered(row: Row | None) -> Row | None:
    """Positions of an export may come from several stores; versions give the order."""
    return None if row is None else row._replace(position=row.version)


def _has(store: Store, digest: bytes) -> bool:
    try:
        store.blob(digest)
    except KeyError:
        return False
    return True
