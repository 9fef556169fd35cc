"""Questions to the views."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from actbook.events import ExecutionStatus
from actbook.journal import Store
from actbook.projections._errors import SortError
from actbook.projections._filters import Filters, Moment, Statuses
from actbook.projections._page import Page, read_cursor, write_cursor
from actbook.projections._query_rows import (
    EXECUTION_FIELDS,
    NODE_EXECUTION_FIELDS,
    ExecutionRow,
    ExecutionTree,
    NodeExecutionRow,
    UsageRow,
    execution_row,
    node_execution_row,
    usage_row,
)
from actbook.projections._reading import Reading
from actbook.projections._usage import USAGE, check_usage_names, usage_sql

_GRAPH_NAME = (
    "coalesce((SELECT name FROM graphs g WHERE g.graph_id=e.graph_id AND g.version=e.graph_version), '')"
)
_EXECUTION_COLUMNS = ", ".join(
    _GRAPH_NAME if name == "graph_name" else f"e.{name}" for name in EXECUTION_FIELDS
)
_EXECUTIONS = f"SELECT {_EXECUTION_COLUMNS} FROM executions e"
_NODE_EXECUTIONS = f"SELECT {', '.join(NODE_EXECUTION_FIELDS)} FROM node_executions"

_SORTS = {
    "created": "seq",
    "started": "coalesce(started_at, 0)",
    "ended": "coalesce(ended_at, 0)",
    "wall": "wall",
    "cost": "cost",
    "nodes": "node_exec_count",
}


class Queries:
    """Reads the views of a store on a thread of its own; the tables are those of a `Runner` that ran on it.

    With a `user_id` only what belongs to that user is found. What was committed a moment ago may be missing:
    `Runner.wait` for its position first.
    """

    def __init__(self, store: Store) -> None:
        self._reading = Reading(store)

    async def executions(
        self,
        user_id: str | None = None,
        *,
        status: Statuses | None = None,
        graph_id: str | None = None,
        parent_id: str | None = None,
        text: str | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        sort: str = "-created",
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[ExecutionRow]:
        """Executions that fit all conditions. `text` is looked for in the error; `since` and `until` bound the creation.

        `sort`: created, started, ended, wall, cost or nodes, with "-" in front to descend. `cursor`: `next`
        of the page before, asked for with the same conditions. Raises `SortError`, `CursorError`,
        `ValueError`.
        """
        _check(limit)
        filters = Filters().equal(user_id=user_id, graph_id=graph_id, parent_id=parent_id).status(status)
        filters.between("created_at", since, until).contains("error", text)
        order = _order(sort)
        if cursor is not None:
            direction = "<" if sort.startswith("-") else ">"
            filters.add(f"({order}, seq) {direction} (?, ?)", *read_cursor(sort, cursor, 2))
        down = " DESC" if sort.startswith("-") else ""
        by = f"{order}{down}, seq{down}" if order != "seq" else f"seq{down}"
        sql = f"SELECT {_EXECUTION_COLUMNS}, {order} FROM executions e{filters.where} ORDER BY {by} LIMIT ?"
        found = await self._select(sql, [*filters.values, limit + 1])
        rows = [execution_row(values[:-1]) for values in found[:limit]]
        if len(found) <= limit or not rows:
            return Page(rows)
        return Page(rows, write_cursor(sort, (found[limit - 1][-1], rows[-1].seq)))

    async def execution(self, id: str, user_id: str | None = None) -> ExecutionRow | None:  # noqa: A002
        """One execution; None when there is none, or it is another user's."""
        filters = Filters().equal(id=id, user_id=user_id)
        found = await self._select(_EXECUTIONS + filters.where, filters.values)
        return execution_row(found[0]) if found else None

    async def node_executions(
        self,
        execution_id: str,
        *,
        status: Statuses | None = None,
        user_id: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[NodeExecutionRow]:
        """Node executions of one execution, by number."""
        _check(limit)
        filters = Filters().equal(execution_id=execution_id).status(status)
        if user_id is not None:
            filters.add("EXISTS(SELECT 1 FROM executions e WHERE e.id=execution_id AND e.user_id=?)", user_id)
        if cursor is not None:
            filters.add("number>?", *read_cursor("number", cursor, 1))
        sql = f"{_NODE_EXECUTIONS}{filters.where} ORDER BY number LIMIT ?"
        rows = [node_execution_row(v) for v in await self._select(sql, [*filters.values, limit + 1])]
        if len(rows) <= limit or not limit:
            return Page(rows[:limit])
        return Page(rows[:limit], write_cursor("number", (rows[limit - 1].number,)))

    async def usage(
        self,
        user_id: str | None = None,
        *,
        by: Iterable[str] = USAGE.key,
        graph_id: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> list[UsageRow]:
        """Sums of charges by some of user_id, day, graph_id, block_id and kind, in their order.

        `since` included, `until` not: days in UTC as YYYY-MM-DD. Raises `ValueError` for any other name.
        """
        wanted = check_usage_names(by)
        filters = Filters().equal(user_id=user_id, graph_id=graph_id)
        if since is not None:
            filters.add("day>=?", since)
        if until is not None:
            filters.add("day<?", until)
        found = await self._select(usage_sql(wanted, filters.where), filters.values)
        return [usage_row(values) for values in found]

    async def counts(self, user_id: str | None = None) -> dict[ExecutionStatus, int]:
        """Number of executions by status; statuses without any are left out."""
        filters = Filters().equal(user_id=user_id)
        sql = f"SELECT status, count(*) FROM executions{filters.where} GROUP BY status"
        return {ExecutionStatus(status): count for status, count in await self._select(sql, filters.values)}

    async def tree(self, root_id: str, user_id: str | None = None) -> ExecutionTree | None:
        """An execution with all executions below it; None when there is none, or it is another user's."""
        root = await self.execution(root_id, user_id)
        if root is None:
            return None
        below = "WITH RECURSIVE below(id) AS (SELECT ? UNION SELECT c.id FROM executions c JOIN below b ON c.parent_id=b.id)"
        sql = f"{below} {_EXECUTIONS} JOIN below USING (id) ORDER BY seq"
        rows = [execution_row(values) for values in await self._select(sql, [root_id])]
        return _tree(root_id, rows)

    async def close(self) -> None:
        """Ends the thread."""
        await self._reading.close()

    async def _select(self, sql: str, values: Sequence[Any]) -> list[Any]:
        return await self._reading.run(partial(_fetch, sql, values))


def _fetch(sql: str, values: Sequence[Any], connection: sqlite3.Connection) -> list[Any]:
    return connection.execute(sql, values).fetchall()


def _check(limit: int) -> None:
    if limit < 0:
        raise ValueError(f"limit {limit} is negative: ask for 0 or more rows")


def _order(sort: str) -> str:
    try:
        return _SORTS[sort.removeprefix("-")]
    except KeyError:
        raise SortError(sort, list(_SORTS)) from None


def _tree(root_id: str, rows: Sequence[ExecutionRow]) -> ExecutionTree | None:
    """Built from the youngest up: a child is always younger than its parent."""
    children: dict[str | None, list[ExecutionTree]] = {}
    for row in reversed(rows):
        tree = ExecutionTree(row, tuple(reversed(children.pop(row.id, ()))))
        if row.id == root_id:
            return tree
        children.setdefault(row.parent_id, []).append(tree)
    return None
