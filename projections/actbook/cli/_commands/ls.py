"""`actbook ls`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Options

if TYPE_CHECKING:
    from actbook.projections import ExecutionRow, Page

Status = Literal["INCOMPLETE", "QUEUED", "RUNNING", "COMPLETED", "FAILED", "TERMINATED", "REVIEW"]
Sort = Literal[
    "created",
    "-created",
    "queued",
    "-queued",
    "started",
    "-started",
    "ended",
    "-ended",
    "wall",
    "-wall",
    "nodes",
    "-nodes",
    "cost",
    "-cost",
]


_ALWAYS = ("sort", "limit")


def ls(
    *,
    status: list[Status] | None = None,
    graph: str | None = None,
    parent: str | None = None,
    text: str | None = None,
    since: str | None = None,
    until: str | None = None,
    min_wall: float | None = None,
    max_wall: float | None = None,
    min_cost: Annotated[float | None, "CREDITS"] = None,
    max_cost: Annotated[float | None, "CREDITS"] = None,
    sort: Annotated[Sort, Parameter(allow_leading_hyphen=True)] = "-created",
    limit: int = 50,
    options: Options = DEFAULTS,
) -> int:
    """Lists executions, newest first.

    Parameters
    ----------
    status
        Only executions of this status. Repeat it for several.
    graph
        Only executions of this graph: its id, or the graph's file.
    parent
        Only executions that this execution runs as its sub-graphs.
    text
        Only executions whose error contains this text.
    since
        Only executions created at or after this moment (ISO 8601, UTC unless it says otherwise).
    until
        Only executions created before this moment.
    min_wall
        Only executions that are over and took at least so many seconds.
    max_wall
        Only executions that are over and took at most so many seconds.
    min_cost
        Only executions that were charged at least so many credits.
    max_cost
        Only executions that were charged at most so many credits.
    sort
        By what, a leading "-" for descending.
    limit
        At most this many.
    """
    from actbook.cli._session import run_async

    conditions = {
        "status": _statuses(status),
        "graph_id": _graph_id(graph),
        "text": text,
        "since": _moment("--since", since),
        "until": _moment("--until", until),
        "min_wall": min_wall,
        "max_wall": max_wall,
        "min_cost": min_cost,
        "max_cost": max_cost,
        "sort": sort,
        "limit": _positive(limit),
    }
    return run_async(_ls(conditions, parent, options))


async def _ls(conditions: dict[str, object], parent: str | None, options: Options) -> ExitCode:
    from actbook.cli._archived import where_archived
    from actbook.cli._ids import execution_id
    from actbook.cli._printing import print_ids, print_json
    from actbook.cli._records import row_record
    from actbook.cli._session import reading

    async with reading(options) as engine:
        await engine.catch_up()
        if parent is not None:
            conditions["parent_id"] = await execution_id(engine, parent, options.user)
        rows = await engine.queries.executions(options.user, **conditions)  # type: ignore[arg-type]
        gone = await asyncio.to_thread(where_archived, engine.journal.store, [row.id for row in rows])
    if options.output == "json":
        print_json([row_record(row) | ({"archived": gone[row.id]} if row.id in gone else {}) for row in rows])
    elif options.output == "ids":
        print_ids(row.id for row in rows)
    else:
        _show(rows, conditions, gone)
    return ExitCode.OK


def _show(rows: Page[ExecutionRow], conditions: dict[str, object], gone: dict[str, str]) -> None:
    from rich.table import Table
    from rich.text import Text

    from actbook.cli._printing import console, note, one_line, seconds, show
    from actbook.cli._records import iso
    from actbook.cli._statuses import look

    if not rows:
        note(
            "No executions"
            + (
                " that fit."
                if any(conditions[k] is not None for k in conditions if k not in _ALWAYS)
                else "."
            )
        )
        return
    narrow = console().width < 130
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    table.add_column("id", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("graph", no_wrap=True, overflow="ellipsis", max_width=28)
    table.add_column("created", no_wrap=True)
    table.add_column("took", no_wrap=True, justify="right")
    table.add_column("nodes", no_wrap=True, justify="right")
    if not narrow:
        table.add_column("outputs or error", no_wrap=True, overflow="ellipsis", ratio=1)
    for row in rows:
        glyph, style = look(row.status)
        created = (iso(row.created_at) or "")[:19].replace("T", " ")
        cells = [
            Text(row.id),
            Text(f"{glyph} {row.status}{' archived' if narrow and row.id in gone else ''}", style=style),
            Text(row.graph_name or row.graph_id[:8]),
            Text(created, style="dim"),
            Text(seconds(row.wall) if row.wall else ""),
            Text(_nodes(row)),
        ]
        last = gone.get(row.id) or row.error or one_line(row.outputs, 100)
        table.add_row(*cells, *([] if narrow else [Text(last, style="dim")]))
    show(table)
    if rows.next is not None:
        note(f"… and more; --limit {len(rows) * 2} shows them.")


def _nodes(row: ExecutionRow) -> str:
    failed = f" ({row.node_error_count} failed)" if row.node_error_count else ""
    done = row.node_done_count
    count = str(done) if done == row.node_exec_count else f"{done}/{row.node_exec_count}"
    return count + failed


def _statuses(given: list[Status] | None) -> list[object] | None:
    from actbook.events import ExecutionStatus

    return [ExecutionStatus(each) for each in given] if given else None


def _graph_id(given: str | None) -> str | None:
    """The id, also of a graph that is named by its file."""
    from pathlib import Path

    if given is None or not Path(given).is_file():
        return given
    from actbook.cli._sources import read_graph

    return read_graph(Path(given)).id


def _moment(option: str, given: str | None) -> object:
    from actbook.cli._problems import UsageError
    from actbook.cli._records import moment

    if given is None:
        return None
    try:
        return moment(given)
    except ValueError:
        raise UsageError(
            f"{option} {given!r} is no moment. Write ISO 8601, such as 2026-01-31T12:00:00Z."
        ) from None


def _positive(limit: int) -> int:
    from actbook.cli._problems import UsageError

    if limit < 1:
        raise UsageError(f"--limit {limit} lists nothing. Give a number from 1 on.")
    return limit
