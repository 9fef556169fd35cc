"""The file that streams are archived in.

A first line with the format and the SHA-256 of all that follows; then, compressed as `.xz`, records one behind the
other: four bytes of length (big-endian) and a MessagePack array whose first item says what it is.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec

from actbook.events._envelope import Envelope
from actbook.journal._blobs import Blob
from actbook.journal._chain import Row
from actbook.journal._codec import decode
from actbook.journal._errors import JournalError

MAGIC = b"actbook archive 1 "
_HEADER = len(MAGIC) + 65
_LENGTH = struct.Struct(">I")
_PIECE = 1 << 20
_PRESET = 1
"""Of xz: the higher ones take many times as long for a few per cent."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class ArchiveFileError(JournalError):
    """A file of archived streams is there already, is missing, or is not what was written."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}.")
        self.path = path
        self.reason = reason


class StreamEnd(NamedTuple):
    """A stream of the file: its last version, the hash of its last event, and whose it is."""

    stream_id: str
    version: int
    hash: bytes
    user_id: str


class FileEnd(NamedTuple):
    """How many records of each kind there are before it."""

    events: int
    blobs: int
    streams: int


Record = Row | Blob | StreamEnd | FileEnd
"""A big value comes before the first event that refers to it, all streams after the events, the end last."""

_KINDS: dict[str, Any] = {"event": Row, "blob": Blob, "stream": StreamEnd, "end": FileEnd}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_TYPES: dict[str, Any] = {
    "event": tuple[str, int, str, int, str, bytes, int, bytes, bytes],
    "blob": tuple[str, bytes, int, str, bytes],
    "stream": tuple[str, str, int, bytes, str],
    "end": tuple[str, int, int, int],
}


def write_archive(path: Path, records: Iterable[Record]) -> bytes:
    """Writes the file, durable and whole or not at all; the SHA-256 in its first line. Blocks.

    Raises `ArchiveFileError` when there is such a file already.
    """
    if path.exists():
        raise ArchiveFileError(str(path), "there is such a file already; name another one")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        digest = _write_part(part, records)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError as error:
            raise ArchiveFileError(str(path), "there is such a file already; name another one") from error
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    return digest


def _write_part(part: Path, records: Iterable[Record]) -> bytes:
    import lzma

    with open(part, "wb", opener=_private) as file:
        file.write(MAGIC + b"0" * 64 + b"\n")
        with lzma.open(file, "wb", preset=_PRESET, check=lzma.CHECK_SHA256) as packed:
            for record in records:
                data = _encode((_NAMES[type(record)], *record))
                packed.write(_LENGTH.pack(len(data)) + data)
        file.flush()
    with part.open("r+b") as file:
        digest = _digest(file)
        file.seek(len(MAGIC))
        file.write(digest.hex().encode())
        file.flush()
        os.fsync(file.fileno())
    return digest


def _private(name: str, flags: int) -> int:
    """What was under the permissions of the store is for nobody else."""
    return os.open(name, flags, 0o600)


def _digest(file: IO[bytes]) -> bytes:
    file.seek(_HEADER)
    hashed = sha256()
    while piece := file.read(_PIECE):
        hashed.update(piece)
    return hashed.digest()


def sync_folder(folder: Path) -> None:
    """Makes the name of a new file durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def digest_of(path: Path) -> bytes:
    """The SHA-256 of an archive, checked against its first line. Blocks. Raises `ArchiveFileError`."""
    with _opened(path) as file:
        said = _said(path, file.read(_HEADER))
        digest = _digest(file)
    if digest != said:
        raise ArchiveFileError(
            str(path), "its content does not have the SHA-256 of its first line: it was changed"
        )
    return digest


def read_archive(path: Path) -> Iterator[Record]:
    """The records in their order. Blocks while it reads; memory holds one. Raises `ArchiveFileError`."""
    import lzma

    with _opened(path) as file:
        _said(path, file.read(_HEADER))
        try:
            with lzma.open(file, "rb") as packed:
                while length := packed.read(_LENGTH.size):
                    yield _record(packed.read(_LENGTH.unpack(length)[0]))
        except (lzma.LZMAError, EOFError, struct.error, ValueError, LookupError, TypeError) as error:
            reason = f"it can't be read ({error}): it was changed or cut off"
            raise ArchiveFileError(str(path), reason) from error


def archived_envelopes(path: Path) -> Iterator[Envelope]:
    """The events of an archive, in the order of their positions. Raises `ArchiveFileError` and what decoding raises."""
    blobs: dict[bytes, bytes] = {}
    for record in read_archive(path):
        if isinstance(record, Blob):
            blobs[record.sha256] = record.data
        elif isinstance(record, Row):
            yield decode(record, blobs.__getitem__)


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise ArchiveFileError(
            str(path), f"it can't be opened ({error.strerror}); put it back there"
        ) from error


def _said(path: Path, header: bytes) -> bytes:
    if header.startswith(MAGIC) and header.endswith(b"\n") and len(header) == _HEADER:
        text = header[len(MAGIC) : -1]
        with suppress(ValueError):
            digest = bytes.fromhex(text.decode("ascii"))
            if digest.hex().encode() == text:
                return digest
    raise ArchiveFileError(str(path), "its first line is not that of an archive of this version")


def _record(data: bytes) -> Record:
    name = _decode(data)[0]
    record: Record = _KINDS[name](*msgspec.msgpack.decode(data, type=_TYPES[name])[1:])
    return record
