"""What a batch of appends means for a store, decided without touching it: rows, outcomes and new stream
heads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
from msgspec import structs

from actbook.events._envelope import Append, Appended, Envelope
from actbook.journal._blobs import BLOB_LIMIT, Blob, split
from actbook.journal._errors import (
    ConflictError,
    DuplicateEventError,
    JournalError,
    PredecessorFailedError,
    UnencodableError,
)
from actbook.journal._event_ids import new_event_id
from actbook.journal._known import Head, Known, Where
from actbook.journal._prepared import Prepared

COLUMNS = 7
"""Values per event in `Plan.rows`: stream_id, version, topic, event_id, at, hash, state."""

Outcome = Appended | Exception


class Opened(NamedTuple):
    """A stream that is unfinished from an event on: its row in the plan, and what its append said along with that."""

    row: int
    priority: int = 0
    asleep: tuple[str, int] | None = None
    claim: bool = False


class Closed(NamedTuple):
    """A stream that is finished, unless the stream named here has gone beyond this version."""

    unless: tuple[str, int] | None = None


_encode = msgspec.msgpack.Encoder().encode
_new_hash = sha256().copy


_PENDING = Appended(0, 0)
"""Stands in the outcomes until `settle` or `fail`."""


_Staged = tuple[int, int, int, bool]
"""An answer that waits for positions: its index in the outcomes, version, row, duplicate."""

_Written = tuple[Append, int]
"""An append that was accepted and the row of its first event."""


def after_failure(stream_id: str, expected: int, reason: Exception) -> JournalError:
    """The answer to a write that builds on a failed one: never tried, since it might fit by accident."""
    if isinstance(reason, ConflictError):
        return ConflictError(stream_id, expected, reason.actual)
    if isinstance(reason, PredecessorFailedError):
        reason = reason.reason
    return PredecessorFailedError(stream_id, reason)


class Plan:
    """Everything one transaction writes, and what it answers.

    The positions of a plan's events are contiguous; `settle` says where they start. A plan `is_unguarded`
    when it expects a version and writes no event whose uniqueness would show that another process was
    faster.
    """

    __slots__ = (
        "_accepted",
        "_companions",
        "_fresh_ids",
        "_known",
        "_recorded",
        "_refused",
        "_staged",
        "blobs",
        "first_position",
        "given_ids",
        "has_failures",
        "heads",
        "is_unguarded",
        "lifecycle",
        "outcomes",
        "rows",
    )

    def __init__(self, known: Known) -> None:
        self._known = known
        self._refused: dict[str, Exception] = {}
        self._recorded: Mapping[bytes, Where] = {}
        self.given_ids: dict[bytes, Where] = {}
        self._staged: list[_Staged] = []
        self._accepted: list[_Written] = []
        self._companions: dict[int, list[_Written]] = {}
        self._fresh_ids: Iterator[bytes] = iter(())
        self.first_position = 0
        self.rows: list[Any] = []
        self.outcomes: list[Outcome] = []
        self.heads: dict[str, Head] = {}
        self.lifecycle: dict[str, Opened | Closed] = {}
        self.blobs: dict[bytes, Blob] = {}
        self.has_failures = False
        self.is_unguarded = False

    @property
    def size(self) -> int:
        """Number of events to write."""
        return len(self.rows) // COLUMNS

    @property
    def last_position(self) -> int:
        return self.first_position + self.size - 1

    @property
    def is_empty(self) -> bool:
        return not (self.rows or self.lifecycle)

    def add(self, batch: Sequence[Prepared]) -> Plan:
        given: list[bytes] = []
        count = 0
        for prepared in batch:
            given += prepared.event_ids
            count += prepared.count
        if given:
            self._recorded = self._known.recorded(given)
        self._fresh_ids = iter(new_event_id.take(count))
        for prepared in batch:
            try:
                self.outcomes.append(self._add(prepared))
            except JournalError as error:
                self.outcomes.append(error)
                self.has_failures = True
                for part in prepared.parts or (prepared,):
                    if part.append.expected is not None:
                        self._refused.setdefault(part.append.stream_id, error)
        return self

    def settle(self, first_position: int) -> None:
        """The events were written, the first one at this position."""
        self.first_position = first_position
        outcomes = self.outcomes
        for index, version, row, duplicate in self._staged:
            outcomes[index] = Appended(version, first_position + row, duplicate)
        for index, companions in self._companions.items():
            answer = outcomes[index]
            if isinstance(answer, Appended):
                outcomes[index] = structs.replace(answer, also=tuple(self._envelopes(companions)))

    def fail(self, error: Exception) -> None:
        """Nothing was written: what would have been accepted has failed."""
        for index, *_ in self._staged:
            self.outcomes[index] = error
        self.has_failures = True
        self.rows.clear()
        self._accepted.clear()

    def envelopes(self) -> list[Envelope]:
        """The written events in position order, made from their drafts without decoding."""
        return self._envelopes(self._accepted)

    def _envelopes(self, written: Sequence[_Written]) -> list[Envelope]:
        made: list[Envelope] = []
        rows = self.rows
        for append, row in written:
            at, position = row * COLUMNS, self.first_position + row
            user_id, correlation_id, traceparent = append.user_id, append.correlation_id, append.traceparent
            for draft in append.drafts:
                stream_id, version, _topic, event_id, when, digest, _state = rows[at : at + COLUMNS]
                about = (user_id, correlation_id, traceparent, draft.payload.SCHEMA_VERSION, digest)
                made.append(
                    Envelope(draft.payload, when, draft.cause, event_id, stream_id, version, position, *about)
                )
                at += COLUMNS
                position += 1
        return made

    def _add(self, prepared: Prepared) -> Outcome:
        if prepared.parts or prepared.event_ids or prepared.size > BLOB_LIMIT:
            return self._add_parts(prepared, prepared.parts or (prepared,))
        append = prepared.append
        head = self.heads.get(append.stream_id)
        if head is None or head[0] != append.expected or not prepared.count or self._refused:
            self._check(append)
        version, row = self._stage(append, prepared.states)
        self._staged.append((len(self.outcomes), version, row, False))
        return _PENDING

    def _add_parts(self, prepared: Prepared, parts: Sequence[Prepared]) -> Outcome:
        if prepared.event_ids:
            duplicate = self._duplicate(prepared.event_ids, parts)
            if duplicate is not None:
                return duplicate
        if len(parts) > 2:
            streams = (part.append.stream_id for part in parts if part.append.expected != 0)
            self.heads.update(self._known.heads([each for each in streams if each not in self.heads]))
        versions: dict[str, int] = {}
        for part in parts:
            stream_id = part.append.stream_id
            version = self._check(part.append, versions.get(stream_id))
            versions[stream_id] = version + len(part.append.drafts)
        lean = [self._lean_states(part) for part in parts]
        accepted = len(self._accepted)
        (version, row), *_ = [self._stage(p.append, states) for p, states in zip(parts, lean, strict=True)]
        self._staged.append((len(self.outcomes), version, row, False))
        if len(parts) > 1:
            self._companions[len(self.outcomes)] = self._accepted[accepted + 1 :]
        self._remember_ids(parts)
        return _PENDING

    def _check(self, append: Append, version: int | None = None) -> int:
        """The version that the append finds; raises when that is not the one it expects."""
        stream_id, expected = append.stream_id, append.expected
        if version is None:
            if self._refused and expected is not None and stream_id in self._refused:
                raise after_failure(stream_id, expected, self._refused[stream_id])
            version = self._head(stream_id, expected)[0]
        if expected is not None:
            if version != expected:
                raise ConflictError(stream_id, expected, version)
            if not append.drafts:
                self.is_unguarded = True
        return version

    def _head(self, stream_id: str, expected: int | None) -> Head:
        head = self.heads.get(stream_id)
        if head is None:
            head = self._known.head(stream_id, expected)
            if expected is not None and head[0] != expected:
                head = self._known.actual_head(stream_id)
            self.heads[stream_id] = head
        return head

    def _lean_states(self, part: Prepared) -> list[bytes]:
        """The part's states without their big values, which go to `blobs`."""
        if part.size <= BLOB_LIMIT:
            return part.states
        lean = []
        for draft, state in zip(part.append.drafts, part.states, strict=True):
            try:
                small, blobs = split(state)
            except ValueError as error:
                raise UnencodableError(draft.payload.TOPIC, str(error)) from error
            self.blobs.update((blob.sha256, blob) for blob in blobs)
            lean.append(small)
        return lean

    def _stage(self, append: Append, states: list[bytes]) -> tuple[int, int]:
        """Adds the rows; returns version and index of the last one."""
        rows, stream_id, drafts = self.rows, append.stream_id, append.drafts
        version, digest = self.heads[stream_id]
        row = len(rows) // COLUMNS
        if append.lifecycle is not None:
            if append.lifecycle == "open":
                about = (append.priority, append.asleep, append.claim)
                self.lifecycle[stream_id] = Opened(row, *about)
            else:
                self.lifecycle[stream_id] = Closed(append.asleep)
        for draft, state, new_id in zip(drafts, states, self._fresh_ids, strict=False):
            version += 1
            topic, at, event_id = draft.payload.TOPIC, draft.at, draft.event_id or new_id
            # what link() of the chain does, spelled out: a third of the time of this loop
            hashed = _new_hash()
            hashed.update(digest + _encode((stream_id, version, topic, event_id, at, state)))
            digest = hashed.digest()
            rows += (stream_id, version, topic, event_id, at, digest, state)
        self.heads[stream_id] = (version, digest)
        self._accepted.append((append, row))
        return version, row + len(drafts) - 1

    def _remember_ids(self, parts: Sequence[Prepared]) -> None:
        row = self.size - sum(len(part.states) for part in parts)
        for part in parts:
            for draft in part.append.drafts:
                if draft.event_id:
                    version = self.rows[row * COLUMNS + 1]
                    self.given_ids[draft.event_id] = Where(part.append.stream_id, version, row)
                row += 1

    def _duplicate(self, event_ids: list[bytes], parts: Sequence[Prepared]) -> Outcome | None:
        """The answer that was given before; None when the event ids are new."""
        recorded, staged = self._recorded, self.given_ids
        found = [event_id for event_id in event_ids if event_id in recorded or event_id in staged]
        stream_id = parts[0].append.stream_id
        if not found:
            if len(set(event_ids)) != len(event_ids):
                raise DuplicateEventError(stream_id, event_ids)
            return None
        if len(found) != len(event_ids) or any(self._moved(part) for part in parts):
            raise DuplicateEventError(stream_id, found)
        return self._repeat(parts[0])

    def _moved(self, part: Prepared) -> bool:
        """Is one of the ids recorded in another stream than the one it is now given for?"""
        places = (self._recorded.get(i) or self.given_ids[i] for i in part.event_ids)
        return any(place.stream_id != part.append.stream_id for place in places)

    def _repeat(self, main: Prepared) -> Outcome:
        for after, draft in enumerate(reversed(main.append.drafts)):
            if place := self._recorded.get(draft.event_id):
                return Appended(place.version + after, place.position + after, duplicate=True)
            if place := self.given_ids.get(draft.event_id):
                self._staged.append((len(self.outcomes), place.version + after, place.position + after, True))
                return _PENDING
        version, _ = self._head(main.append.stream_id, None)
        self._staged.append((len(self.outcomes), version, self.size - 1, True))
        return _PENDING
