"""What waits for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actbook.cli._exit_codes import ExitCode

if TYPE_CHECKING:
    from actbook.cli._options import Options
    from actbook.projections import Page, ReviewRow


async def list_waiting(limit: int, options: Options) -> ExitCode:
    """Prints the reviews that nobody decided yet, as the options say."""
    from actbook.cli._printing import print_ids, print_json
    from actbook.cli._problems import UsageError
    from actbook.cli._session import reading

    if limit < 1:
        raise UsageError(f"--limit {limit} lists nothing. Give a number from 1 on.")
    async with reading(options) as engine:
        await engine.catch_up()
        rows = await engine.queries.reviews(options.user, limit=limit)
    if options.output == "json":
        print_json([_record(row) for row in rows])
    elif options.output == "ids":
        print_ids(row.id for row in rows)
    else:
        _show(rows)
    return ExitCode.OK


def _record(row: ReviewRow) -> dict[str, Any]:
    from actbook.cli._records import iso

    return {
        "id": row.id,
        "execution_id": row.execution_id,
        "node_id": row.node_id,
        "block_id": row.block_id,
        "graph_id": row.graph_id,
        "graph_name": row.graph_name,
        "user_id": row.user_id,
        "name": row.name,
        "data": row.data,
        "editable": row.editable,
        "requested_at": iso(row.requested_at),
    }


def _show(rows: Page[ReviewRow]) -> None:
    from rich.table import Table
    from rich.text import Text

    from actbook.cli._printing import note, one_line, show
    from actbook.cli._records import iso

    if not rows:
        note("Nothing waits for a person.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for name in ("id", "graph", "asked", "name", "data"):
        table.add_column(
            name, no_wrap=True, overflow="ellipsis" if name in ("graph", "name", "data") else "fold"
        )
    for row in rows:
        asked = (iso(row.requested_at) or "")[:19].replace("T", " ")
        cells = (row.id, row.graph_name or row.graph_id[:8], asked, row.name, one_line(row.data))
        table.add_row(*map(Text, cells))
    show(table)
    if rows.next is not None:
        note(f"… and more; --limit {len(rows) * 2} shows them.")
