"""Questions to the views."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, TypeVar, Unpack

from actbook.events import ExecutionStatus
from actbook.journal import Store
from actbook.projections._conditions import ExecutionConditions, execution_filters, execution_order
from actbook.projections._filters import Filters, Moment, Statuses, microseconds
from actbook.projections._latency_rows import LatencyRow, check_latency_names, latency_rows, latency_sql
from actbook.projections._page import Page, read_cursor, write_cursor
from actbook.projections._query_rows import (
    EXECUTION_FIELDS,
    NODE_EXECUTION_FIELDS,
    ExecutionRow,
    ExecutionTree,
    NodeExecutionRow,
    UsageRow,
    execution_row,
    execution_tree,
    node_execution_row,
    usage_row,
)
from actbook.projections._reading import Reading
from actbook.projections._structure import opened_reviews
from actbook.projections._usage import USAGE, check_usage_names, usage_sql
from actbook.projections._view_rows import (
    OUTPUT_FIELDS,
    SCHEDULE_FIELDS,
    OutputRow,
    QueueRow,
    ReviewRow,
    ScheduleRow,
    WorkerRow,
    output_row,
    plain_row,
    review_row,
    schedule_row,
)
from actbook.projections._view_sql import (
    ANCESTORS,
    BELOW,
    GRAPH_NAME,
    REVIEWS,
    WORKERS,
    WORKERS_OF_USER,
    queue_sql,
)

R = TypeVar("R")

ReviewStatus = Literal["WAITING", "APPROVED", "REJECTED", "TERMINATED"]

_EXECUTION_COLUMNS = ", ".join(
    GRAPH_NAME if name == "graph_name" else f"e.{name}" for name in EXECUTION_FIELDS
)
_EXECUTIONS = f"SELECT {_EXECUTION_COLUMNS} FROM executions e"
_NODE_EXECUTIONS = f"SELECT {', '.join(NODE_EXECUTION_FIELDS)} FROM node_executions"
_OUTPUTS = f"SELECT {', '.join(OUTPUT_FIELDS)} FROM outputs"
_SCHEDULES = f"SELECT {', '.join(SCHEDULE_FIELDS)} FROM schedules"
_OF_USER = "EXISTS(SELECT 1 FROM executions e WHERE e.id=execution_id AND e.user_id=?)"


class Queries:
    """Reads the views of a store on a thread of its own; the tables are those of a `Runner` that ran on it.

    With a `user_id` only what belongs to that user is found; without one, everything is. What was committed a
    moment ago may be missing: `Runner.wait` for its position first. A `cursor` is `next` of the page before,
    asked for with the same conditions; pages neither repeat nor leave out a row because others came meanwhile.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._reading = Reading(store)

    async def executions(
        self,
        user_id: str | None = None,
        *,
        sort: str = "-created",
        limit: int = 50,
        cursor: str | None = None,
        **conditions: Unpack[ExecutionConditions],
    ) -> Page[ExecutionRow]:
        """Executions that fit all conditions, which `ExecutionConditions` explains.

        `sort`: created, queued, started, ended, wall, cost, nodes, status, user, graph or error, with "-" in
        front to descend; those that are equal, by creation. Raises `SortError`, `CursorError`, `ValueError`.
        """
        _check(limit)
        filters = execution_filters(user_id, conditions)
        order = execution_order(sort)
        down, direction = (" DESC", "<") if sort.startswith("-") else ("", ">")
        if cursor is not None:
            last = read_cursor(sort, cursor, 2, text=order.is_text)
            filters.add(f"({order.by}, seq) {direction} (?, ?)", *last)
        by = f"{order.by}{down}, seq{down}" if order.by != "seq" else f"seq{down}"
        sql = (
            f"SELECT {_EXECUTION_COLUMNS}, {order.by} FROM executions e{filters.where} ORDER BY {by} LIMIT ?"
        )
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

    async def counts(
        self, user_id: str | None = None, **conditions: Unpack[ExecutionConditions]
    ) -> dict[ExecutionStatus, int]:
        """Number of executions that fit, by status; statuses without any are left out."""
        filters = execution_filters(user_id, conditions)
        sql = f"SELECT status, count(*) FROM executions{filters.where} GROUP BY status"
        return {ExecutionStatus(status): count for status, count in await self._select(sql, filters.values)}

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
        filters = Filters().equal(execution_id=execution_id).status(status)
        if user_id is not None:
            filters.add(_OF_USER, user_id)
        by = ("number",)
        return await self._page(_NODE_EXECUTIONS, filters, by, node_execution_row, limit, cursor)

    async def outputs(
        self,
        execution_id: str,
        name: str | None = None,
        *,
        user_id: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[OutputRow]:
        """Values of an execution's outputs, or of one of them: by node execution, and within one as they were yielded."""
        filters = Filters().equal(execution_id=execution_id, name=name)
        if user_id is not None:
            filters.add(_OF_USER, user_id)
        return await self._page(_OUTPUTS, filters, ("number", "position", "item"), output_row, limit, cursor)

    async def reviews(
        self,
        user_id: str | None = None,
        *,
        status: ReviewStatus | None = "WAITING",
        execution_id: str | None = None,
        graph_id: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[ReviewRow]:
        """What waits for a person, whoever waits longest first; with `status` None, or another one, what was decided too."""
        filters = Filters()
        if status == "WAITING":
            filters.add("r.status='WAITING'")  # a literal, since the index is of such rows only
        else:
            filters.equal(**{"r.status": status})
        filters.equal(**{"r.execution_id": execution_id, "e.graph_id": graph_id})
        if user_id is not None:
            filters.add(
                "coalesce(e.user_id, '')=?", user_id
            )  # no lead: what waits is less than what the user ever ran
        page = await self._page(REVIEWS, filters, ("requested",), review_row, limit, cursor)
        if self._store.keys is None:
            return page
        return Page(await self._reading.run(lambda _: opened_reviews(self._store, page)), page.next)

    async def usage(
        self,
        user_id: str | None = None,
        *,
        by: Iterable[str] = USAGE.key,
        graph_id: str | None = None,
        block_id: str | None = None,
        kind: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> list[UsageRow]:
        """Sums of charges by some of user_id, day, graph_id, block_id and kind, in their order.

        `since` included, `until` not: days in UTC as YYYY-MM-DD. Raises `ValueError` for any other name.
        """
        wanted = check_usage_names(by)
        filters = Filters().equal(user_id=user_id, graph_id=graph_id, block_id=block_id, kind=kind)
        filters.days(since, until)
        found = await self._select(usage_sql(wanted, filters.where), filters.values)
        return [usage_row(values) for values in found]

    async def latency(
        self,
        user_id: str | None = None,
        *,
        by: Iterable[str] = ("day", "block_id"),
        block_id: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> list[LatencyRow]:
        """How many node executions ended, and how long they waited and ran, by some of user_id, day and block_id.

        `since` included, `until` not: days in UTC as YYYY-MM-DD. Raises `ValueError` for any other name.
        """
        wanted = check_latency_names(by)
        filters = Filters().equal(user_id=user_id, block_id=block_id).days(since, until)
        return latency_rows(await self._select(latency_sql(wanted, filters.where), filters.values))

    async def queue(self, user_id: str | None = None, *, at: Moment | None = None) -> list[QueueRow]:
        """What waits for a place, for a person or for its beginning, by kind, priority and status.

        Executions whose time to start is later than `at`, by default now, do not wait yet.
        """
        now = time.time_ns() // 1000 if at is None else microseconds(at)
        values = {"at": now} if user_id is None else {"at": now, "user_id": user_id}
        found = await self._select(queue_sql(of_user=user_id is not None), values)
        return [
            QueueRow(
                kind=kind,
                status=ExecutionStatus(status),
                priority=priority,
                count=count,
                oldest_at=since,
                oldest_id=oldest,
            )
            for kind, status, priority, count, since, oldest in found
        ]

    async def schedules(
        self, user_id: str | None = None, *, graph_id: str | None = None, removed: bool = False
    ) -> list[ScheduleRow]:
        """Schedules, oldest first; `removed` ones too if asked for."""
        filters = Filters().equal(user_id=user_id, graph_id=graph_id)
        if not removed:
            filters.add("status<>'removed'")
        found = await self._select(f"{_SCHEDULES}{filters.where} ORDER BY seq", filters.values)
        return [schedule_row(values) for values in found]

    async def workers(self, user_id: str | None = None) -> list[WorkerRow]:
        """Who claimed executions, whoever was heard of last first; of a user, as far as that user's executions tell."""
        if user_id is None:
            found = await self._select(WORKERS, ())
        else:
            found = await self._select(WORKERS_OF_USER, {"user_id": user_id})
        return [plain_row(WorkerRow, values) for values in found]

    async def tree(self, root_id: str, user_id: str | None = None) -> ExecutionTree | None:
        """An execution with all executions below it; None when there is none, or it is another user's."""
        if await self.execution(root_id, user_id) is None:
            return None
        sql = f"{BELOW} {_EXECUTIONS} JOIN below USING (id) ORDER BY seq"
        rows = [execution_row(values) for values in await self._select(sql, [root_id])]
        return execution_tree(root_id, rows)

    async def ancestors(self, id: str, user_id: str | None = None) -> list[ExecutionRow]:  # noqa: A002
        """The executions above one, the topmost first; none of them when it is another user's."""
        if await self.execution(id, user_id) is None:
            return []
        sql = f"{ANCESTORS} {_EXECUTIONS} JOIN above USING (id) ORDER BY seq"
        return [execution_row(values) for values in await self._select(sql, [id])]

    async def close(self) -> None:
        """Ends the thread."""
        await self._reading.close()

    async def _page(
        self,
        select: str,
        filters: Filters,
        by: tuple[str, ...],
        make: Callable[[Sequence[Any]], R],
        limit: int,
        cursor: str | None,
    ) -> Page[R]:
        """Rows in ascending order of columns that name a row among those that fit; numbers all."""
        _check(limit)
        columns = ", ".join(by)
        if cursor is not None:
            marks = ", ".join("?" * len(by))
            filters.add(f"({columns}) > ({marks})", *read_cursor(columns, cursor, len(by)))
        sql = f"{select}{filters.where} ORDER BY {columns} LIMIT ?"
        found = await self._select(sql, [*filters.values, limit + 1])
        rows = [make(values) for values in found[:limit]]
        if len(found) <= limit or not rows:
            return Page(rows)
        return Page(rows, write_cursor(columns, [getattr(rows[-1], name) for name in by]))

    async def _select(self, sql: str, values: Sequence[Any] | Mapping[str, Any]) -> list[Any]:
        return await self._reading.run(partial(_fetch, sql, values))


def _fetch(sql: str, values: Sequence[Any] | Mapping[str, Any], connection: sqlite3.Connection) -> list[Any]:
    return connection.execute(sql, values).fetchall()


def _check(limit: int) -> None:
    if limit < 0:
        raise ValueError(f"limit {limit} is negative: ask for 0 or more rows")
