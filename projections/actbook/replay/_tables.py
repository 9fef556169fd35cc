"""The tables beside the events of an SQLite file: what in them can't be so."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from actbook.journal import Fault
from actbook.journal._archived import archived_positions
from actbook.journal._sqlite_schema import SCHEMA_VERSION
from actbook.replay.proof import Checkpoint, ProofError

_MEDIA_TYPES = ("text/plain", "application/octet-stream", "application/msgpack")


def faults_of_meta(connection: sqlite3.Connection) -> Iterator[Fault]:
    """What the file says of itself."""
    try:
        meta: dict[Any, Any] = dict(connection.execute("SELECT key, value FROM meta"))
    except sqlite3.OperationalError:
        yield _fault("index", "tables are missing: meta")
        return
    if meta.get("schema_version") != str(SCHEMA_VERSION):
        found = meta.get("schema_version", "none")
        yield _fault("index", f"meta: the schema version is {found!r}, not '{SCHEMA_VERSION}'")
    try:
        datetime.fromisoformat(meta.get("created_at", ""))
    except (TypeError, ValueError):
        yield _fault("index", f"meta: created_at is {meta.get('created_at', 'none')!r}, which is no moment")


def faults_of_lost_ids(connection: sqlite3.Connection) -> Iterator[Fault]:
    """Ids that callers gave to events which are neither here nor in an archive."""
    sql = "SELECT event_id, position FROM given_ids WHERE position NOT IN (SELECT position FROM events)"
    for event_id, position in connection.execute(sql).fetchall():
        if isinstance(position, int) and archived_positions(connection, position - 1, position):
            continue
        shown = event_id.hex() if isinstance(event_id, bytes) else repr(event_id)
        text = f"the index of given ids names {shown} at position {position!r}, where no event is"
        yield Fault("", 0, position if isinstance(position, int) else 0, "index", text)


def faults_of_media_types(connection: sqlite3.Connection) -> Iterator[Fault]:
    """Big values of kinds that nobody records."""
    marks = ",".join("?" * len(_MEDIA_TYPES))
    sql = f"SELECT sha256, media_type FROM blobs WHERE media_type NOT IN ({marks})"
    for digest, media_type in connection.execute(sql, _MEDIA_TYPES):
        shown = digest.hex() if isinstance(digest, bytes) else repr(digest)
        yield _fault("blob", f"big value {shown} has the media type {media_type!r}, which no value has")


def faults_of_doubles(connection: sqlite3.Connection) -> Iterator[Fault]:
    """Events that were recorded a second time, under the id of the first."""
    sql = (
        "SELECT stream_id, version, position, event_id FROM events WHERE event_id IN"
        " (SELECT event_id FROM events GROUP BY event_id HAVING count(*)>1) ORDER BY position"
    )
    first: dict[Any, Any] = {}
    for stream_id, version, position, event_id in connection.execute(sql):
        if first.setdefault(event_id, position) != position:
            text = f"its id is that of the event at position {first[event_id]!r}: one of them is a copy"
            yield Fault(str(stream_id), _number(version), _number(position), "edited", text)


def faults_of_unknown_ids(connection: sqlite3.Connection) -> Iterator[Fault]:
    """Ids that no journal makes were given by callers, who rely on being refused when they come with them again."""
    sql = (
        "SELECT stream_id, version, position FROM events WHERE hex(substr(event_id, 7, 1)) NOT LIKE '7_'"
        " AND event_id NOT IN (SELECT event_id FROM given_ids)"
    )
    for stream_id, version, position in connection.execute(sql):
        text = "its id was given by a caller, and the index of given ids lacks it"
        yield Fault(str(stream_id), _number(version), _number(position), "index", text)


def faults_of_sleepers(connection: sqlite3.Connection) -> Iterator[Fault]:
    """Executions that would never be woken: what they wait for is not there any more."""
    sql = (
        "SELECT stream_id, waits_on, waits_beyond, ifnull((SELECT max(version) FROM events e"
        " WHERE e.stream_id=u.waits_on), 0) AS head FROM unfinished u WHERE waits_on IS NOT NULL"
        " AND (typeof(waits_beyond)<>'integer' OR waits_beyond>head OR waits_on<>'inbox:'||stream_id)"
    )
    for stream_id, waits_on, beyond, head in connection.execute(sql):
        text = f"it sleeps until {waits_on} has gone beyond {beyond!r}, and that ends at {head}"
        yield Fault(str(stream_id), 0, 0, "index", text)


def faults_of_notes(connection: sqlite3.Connection) -> Iterator[Fault]:
    """Checkpoints that stand under another size or time than they say."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name='checkpoints'").fetchone():
        return
    for size, at, note in connection.execute("SELECT size, at, note FROM checkpoints"):
        try:
            said = Checkpoint.parse(note)
        except (ProofError, AttributeError, TypeError):
            continue  # told where notes are checked
        if said.size != size:
            yield _fault("checkpoint", f"a checkpoint over {said.size} events stands under the size {size!r}")
        if _stamp(at) not in note:
            yield _fault(
                "checkpoint", f"a checkpoint over {said.size} events stands under another time, {at!r}"
            )


def _stamp(at: object) -> str:
    """As a note says it."""
    try:
        moment = datetime.fromtimestamp(_number(at) // 1_000_000, UTC)
    except (ValueError, OverflowError, OSError):
        return "no moment"
    return f"at {moment:%Y-%m-%dT%H:%M:%S}Z"


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _fault(kind: Any, text: str) -> Fault:
    return Fault("", 0, 0, kind, text)
