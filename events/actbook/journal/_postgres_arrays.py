"""A plan's values as the arrays that the database unnests: one parameter per column, in the binary format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from psycopg.types.numeric import Int8

from actbook.journal._plan import COLUMNS, Closed, Opened, Plan

CHUNK_BYTES = 768 * 1024
"""Bytes of states in one statement at most; a single event may have more."""

_OVERHEAD = 160
"""Of a row beside its state, roughly."""

_STATE = COLUMNS - 1

EVENT_ARRAYS = "%b::text[], %b::bigint[], %b::text[], %b::bytea[], %b::bigint[], %b::bytea[], %b::bytea[]"
BESIDE_ARRAYS = (
    "%b::bytea[], %b::bigint[], %b::text[], %b::bigint[], %b::bigint[], %b::text[], %b::bigint[], %b::boolean[],"
    " %b::text[], %b::text[], %b::bigint[]"
)

Arrays = tuple[list[Any] | None, ...]


def event_arrays(rows: list[Any]) -> Arrays:
    """Of flat rows as in a `Plan`; there is one at least."""
    return (
        rows[0::COLUMNS],
        list(map(Int8, rows[1::COLUMNS])),
        rows[2::COLUMNS],
        rows[3::COLUMNS],
        list(map(Int8, rows[4::COLUMNS])),
        rows[5::COLUMNS],
        rows[6::COLUMNS],
    )


def chunks(rows: list[Any]) -> Iterator[list[Any]]:
    """Flat rows in pieces of at most `CHUNK_BYTES`."""
    if sum(map(len, rows[_STATE::COLUMNS])) + _OVERHEAD * len(rows) // COLUMNS <= CHUNK_BYTES:
        yield rows
        return
    start, size = 0, 0
    for index in range(0, len(rows), COLUMNS):
        more = len(rows[index + _STATE]) + _OVERHEAD
        if size and size + more > CHUNK_BYTES:
            yield rows[start:index]
            start, size = index, 0
        size += more
    yield rows[start:]


def beside_arrays(plan: Plan) -> Arrays:
    """What a plan says beside its events. An absent array is unnested to nulls, or means that there is nothing to do."""
    opened = [(stream, entry) for stream, entry in plan.lifecycle.items() if isinstance(entry, Opened)]
    closed = [(stream, entry) for stream, entry in plan.lifecycle.items() if isinstance(entry, Closed)]
    unless = [entry.unless or (None, None) for _, entry in closed]
    asleep = [entry.asleep or (None, None) for _, entry in opened]
    sleeping = any(stream is not None for stream, _ in asleep)
    return (
        list(plan.given_ids) or None,
        _numbers([where.position for where in plan.given_ids.values()]),
        [stream for stream, _ in opened] or None,
        _numbers([entry.row for _, entry in opened]),
        _numbers([entry.priority for _, entry in opened]),
        [stream for stream, _ in asleep] if sleeping else None,
        _numbers([beyond for _, beyond in asleep]) if sleeping else None,
        [entry.claim for _, entry in opened] or None,
        [stream for stream, _ in closed] or None,
        [stream for stream, _ in unless] or None,
        _numbers([beyond for _, beyond in unless]),
    )


def _numbers(values: Sequence[int | None]) -> list[Any] | None:
    return [None if value is None else Int8(value) for value in values] or None
