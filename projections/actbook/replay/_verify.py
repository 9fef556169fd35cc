"""Verification of a store, or of a part of it: what is wrong, and where."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from heapq import merge
from pathlib import Path
from typing import NamedTuple

from actbook.events import Envelope, UnknownTopicError, inbox_of
from actbook.journal import Fault, Row, Store, UndecodableError, UpcastError
from actbook.journal._archived_log import archived_log
from actbook.journal._codec import decode
from actbook.replay._archive_check import faults_of_archives
from actbook.replay._evidence import Evidence, evidence_of
from actbook.replay._verify_log import check_log
from actbook.replay._verify_stream import StreamCheck, owner_of
from actbook.replay.proof import Checkpoint, VerifierKey

Progress = Callable[[int], None]
"""Told now and then how many events were looked at."""

STORE = ""
"""The stream id of what concerns the store as a whole."""


_MOST_FOUND = 10


class Checked(NamedTuple):
    """What verification found in one stream, or (with an empty `stream_id`) in the store as a whole."""

    stream_id: str
    events: int
    faults: Sequence[Fault]

    @property
    def ok(self) -> bool:
        return not self.faults


def verify_streams(
    source: Store | Path | str, stream_ids: Sequence[str] | None = None, user_id: str | None = None
) -> Iterator[Checked]:
    """Checks streams one by one: chain, versions, contents, big values, legal moves, snapshots.

    All of them without ids. `user_id`: only executions of that user, with their inboxes. `source` is an open store, or
    the path of a file, which is not written to. Blocks; memory follows one execution and not the store.
    """
    with evidence_of(source) as evidence:
        yield from _streams(evidence, stream_ids, user_id)


def verify_store(
    source: Store | Path | str,
    *,
    keys: Sequence[VerifierKey] = (),
    checkpoints: Sequence[Checkpoint] = (),
    progress: Progress | None = None,
) -> Iterator[Checked]:
    """Checks every stream as `verify_streams` does, and then the store as a whole: what was removed from the log, the
    tables beside it, and its checkpoints.

    `keys`: public keys of who signs checkpoints; without one their signatures are not checked. `checkpoints`: some that
    were kept elsewhere; they find what a rewritten store hides. The last thing given is the store as a whole.
    """
    seen = 0
    with evidence_of(source) as evidence:
        for checked in _streams(evidence, None, None):
            seen += checked.events
            yield checked
            if progress is not None:
                progress(seen)
        events, faults = check_log(evidence, keys, checkpoints)
        if events != seen:
            text = f"the log has {events} events, and {seen} were found by their streams"
            faults.append(Fault(STORE, 0, 0, "index", text))
        faults += evidence.faults_of_tables()
        faults += faults_of_archives(evidence.connection)
        yield Checked(STORE, events, faults)


@contextmanager
def views_of(source: Store | Path | str) -> Iterator[sqlite3.Connection]:
    """A connection that reads the tables beside the events."""
    with evidence_of(source) as evidence:
        yield evidence.connection


def find_executions(source: Store | Path | str, prefix: str, user_id: str | None = None) -> list[str]:
    """Ids of the executions (of the user) that begin so; at most ten. A whole id stands alone."""
    with evidence_of(source) as evidence:
        if ":" not in prefix and evidence.head(prefix) and user_id in (None, owner_of(evidence, prefix)):
            return [prefix]
        found: list[str] = []
        for stream_id in evidence.stream_ids():
            if not isinstance(stream_id, str) or ":" in stream_id or not stream_id.startswith(prefix):
                continue
            if user_id is None or owner_of(evidence, stream_id) == user_id:
                found.append(stream_id)
            if len(found) == _MOST_FOUND:
                break
        return found


def recorded_events(
    source: Store | Path | str, unreadable: Callable[[Row, Exception], Envelope] | None = None
) -> Iterator[Envelope]:
    """All events in the order of their positions, as `verify_store` reads them; raises what `Store.read_log` raises.

    Archived ones too, where their files are. `unreadable` gives what comes instead of an event that can't be decoded.
    """
    with evidence_of(source) as evidence:
        here = (_decoded(row, evidence, unreadable) for row in evidence.log())
        yield from merge(here, archived_log(evidence.connection), key=lambda event: event.position)


def _decoded(
    row: Row, evidence: Evidence, unreadable: Callable[[Row, Exception], Envelope] | None
) -> Envelope:
    try:
        return decode(row, evidence.blob)
    except (UnknownTopicError, UpcastError, UndecodableError) as error:
        if unreadable is None:
            raise
        return unreadable(row, error)


def _streams(evidence: Evidence, stream_ids: Sequence[str] | None, user_id: str | None) -> Iterator[Checked]:
    for stream_id in evidence.stream_ids() if stream_ids is None else stream_ids:
        if user_id is not None:
            if (
                isinstance(stream_id, str)
                and ":" not in stream_id
                and owner_of(evidence, stream_id) == user_id
            ):
                yield from _execution(evidence, stream_id)
        elif isinstance(stream_id, str):
            yield _stream(evidence, stream_id)
        else:
            text = f"{stream_id!r} stands where the id of a stream belongs"
            yield Checked(str(stream_id), 0, [Fault(str(stream_id), 0, 0, "edited", text)])


def _execution(evidence: Evidence, stream_id: str) -> Iterator[Checked]:
    yield _stream(evidence, stream_id)
    if evidence.head(inbox_of(stream_id)):
        yield _stream(evidence, inbox_of(stream_id))


def _stream(evidence: Evidence, stream_id: str) -> Checked:
    check = StreamCheck(evidence, stream_id).run()
    return Checked(stream_id, check.events, check.faults)
