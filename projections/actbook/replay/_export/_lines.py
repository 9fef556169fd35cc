"""The lines of an export, read back and checked against what they say themselves."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from actbook.journal import Row
from actbook.replay._export._cloudevents import BLOB_TYPE, END_TYPE, TYPE, blob_event, end_event
from actbook.replay._export._errors import DamagedExportError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_decode = msgspec.json.Decoder().decode


class BlobLine(NamedTuple):
    """A big value, and where its line begins in the file."""

    sha256: bytes
    data: bytes
    offset: int = 0


class EndLine(NamedTuple):
    """How many lines of each kind there were."""

    events: int
    blobs: int


class EventLine(NamedTuple):
    """An event: what is to be stored, and the whole line as it was read."""

    row: Row
    cloud: dict[str, Any]


Line = BlobLine | EndLine | EventLine


def lines_of(path: Path) -> Iterator[tuple[int, Line]]:
    """The lines with their numbers, from 1. Raises `DamagedExportError`; blocks while it reads."""
    offset = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                raise DamagedExportError(str(path), number, "the line was cut off")
            try:
                read = read_line(line)
                yield number, read._replace(offset=offset) if isinstance(read, BlobLine) else read
                offset += len(line)
            except (msgspec.MsgspecError, LookupError, TypeError, ValueError, OverflowError) as error:
                reason = f"this is no line of an export ({_text_of(error)})"
                raise DamagedExportError(str(path), number, reason) from error


def blob_at(path: Path, offset: int) -> bytes:
    """The big value whose line begins there. Blocks."""
    with path.open("rb") as file:
        file.seek(offset)
        read = read_line(file.readline())
    return read.data if isinstance(read, BlobLine) else b""


def read_line(line: bytes) -> Line:
    """One line; raises whatever its damage leads to."""
    cloud = _decode(line)
    if cloud["specversion"] != "1.0":
        raise ValueError("it is of another version of CloudEvents")
    kind = cloud["type"]
    if kind == BLOB_TYPE:
        return _read_blob(cloud)
    if kind == END_TYPE:
        return _read_end(cloud)
    return EventLine(_read_event(cloud, kind), cloud)


def _read_blob(cloud: dict[str, Any]) -> BlobLine:
    data = b64decode(cloud["data_base64"], validate=True)
    digest = bytes.fromhex(cloud["id"])
    if sha256(data).digest() != digest:
        raise ValueError("the content does not have the SHA-256 that its id says")
    _same(cloud, blob_event(digest, data))
    return BlobLine(digest, data)


def _read_end(cloud: dict[str, Any]) -> EndLine:
    counts = EndLine(cloud["data"]["events"], cloud["data"]["blobs"])
    _same(cloud, end_event(*counts))
    return counts


def _same(cloud: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Further attributes may have been added on the way; those that were written have to be there."""
    for name, value in wanted.items():
        if cloud.get(name) != value:
            raise ValueError(f"{name} is not what was written")


def _read_event(cloud: dict[str, Any], kind: str) -> Row:
    if not kind.startswith(TYPE):
        raise ValueError(f"the type {kind!r} is not one of actbook's")
    version = cloud["actbookversion"]
    if not isinstance(version, int) or not isinstance(cloud["actbookstream"], str):
        raise TypeError("stream or version is of the wrong type")
    return Row(
        int(cloud["actbookposition"]),
        cloud["actbookstream"],
        version,
        kind.removeprefix(TYPE),
        bytes.fromhex(cloud["actbookeventid"]),
        _microseconds(cloud["time"]),
        bytes.fromhex(cloud["actbookhash"]),
        b64decode(cloud["actbookstate"], validate=True),
    )


def _microseconds(time: str) -> int:
    since = datetime.fromisoformat(time) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _text_of(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
