"""Which executions are old enough to leave the store: whole trees that have ended."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import NamedTuple

from actbook.events import ExecutionStatus
from actbook.journal import Store
from actbook.replay._archive import ArchiveError, of_file

_ENDED = tuple(status.value for status in ExecutionStatus if status.is_terminal)
_IN = f"({','.join('?' * len(_ENDED))})"
_TOPS = (
    "SELECT id, ended_at FROM executions WHERE root_id IS NULL AND status IN {statuses}{more} ORDER BY seq"
)
_BUSY = f"SELECT DISTINCT root_id FROM executions WHERE root_id IS NOT NULL AND status NOT IN {_IN}"
_LATE = "SELECT DISTINCT root_id FROM executions WHERE root_id IS NOT NULL AND ended_at>=?"
_BELOW = "SELECT id FROM executions WHERE root_id=? ORDER BY seq"
_GONE = "SELECT stream_id FROM archived_streams"


class Choice(NamedTuple):
    """Ended executions whose last event came before `ended_before` (µs since the epoch, UTC), of a graph, a user, or some
    statuses. Sub-graphs' executions go with the one that began them all, whose graph, user and status count.
    """

    ended_before: int | None = None
    graph_id: str | None = None
    user_id: str | None = None
    statuses: tuple[str, ...] = ()


def ended_trees(store: Store, choice: Choice) -> list[str]:
    """Ids of the executions that fit and of all below them, oldest first. The views have to be up to date. Blocks.

    Raises `ArchiveError` for a status that is no end.
    """
    statuses = choice.statuses or _ENDED
    if not set(statuses) <= set(_ENDED):
        raise ArchiveError(f"Only executions that have ended can leave the store: {', '.join(_ENDED)}.")
    more, values = "", list(statuses)
    for column, value in (("graph_id", choice.graph_id), ("user_id", choice.user_id)):
        if value is not None:
            more += f" AND {column}=?"
            values.append(value)
    sql = _TOPS.format(statuses=f"({','.join('?' * len(statuses))})", more=more)
    with closing(of_file(store).open_views_reader()) as connection:
        kept = {row[0] for row in connection.execute(_BUSY, _ENDED)} | _gone(connection)
        limit = choice.ended_before
        if limit is not None:
            kept |= {row[0] for row in connection.execute(_LATE, (limit,))}
        tops = [
            top
            for top, ended in connection.execute(sql, values).fetchall()
            if top not in kept and (limit is None or (ended or 0) < limit)
        ]
        return _with_all_below(connection, tops)


def trees_of(store: Store, ids: Iterable[str]) -> list[str]:
    """The executions and all below them. The views have to be up to date. Blocks.

    Raises `ArchiveError` unless each began by itself and has ended with all that is below it.
    """
    with closing(of_file(store).open_views_reader()) as connection:
        gone = _gone(connection)
        found = _with_all_below(connection, list(dict.fromkeys(ids)))
        for each in found:
            row = connection.execute("SELECT status, root_id FROM executions WHERE id=?", (each,)).fetchone()
            if row is None or each in gone:
                raise ArchiveError(f"Execution {each} is not in this store any more, or never was.")
            if row[0] not in _ENDED:
                raise ArchiveError(f"Execution {each} is {row[0]}; only what has ended can leave the store.")
            if row[1] is not None and row[1] not in found:
                raise ArchiveError(
                    f"Execution {each} belongs to {row[1]}; archive that, and this goes with it."
                )
    return found


def _with_all_below(connection: sqlite3.Connection, tops: Sequence[str]) -> list[str]:
    found: dict[str, None] = {}
    for top in tops:
        found[top] = None
        found.update((row[0], None) for row in connection.execute(_BELOW, (top,)))
    return list(found)


def _gone(connection: sqlite3.Connection) -> set[str]:
    try:
        return {row[0] for row in connection.execute(_GONE)}
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return set()
        raise
