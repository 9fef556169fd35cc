"""Node executions as a table for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from actbook.cli._printing import note, one_line, seconds, show
from actbook.cli._statuses import look

if TYPE_CHECKING:
    from actbook.events import GraphExecution, NodeExecution


def show_nodes(state: GraphExecution, labels: Mapping[str, str], limit: int) -> None:
    """The first `limit` node executions, by number."""
    nodes = [state.node_executions[number] for number in sorted(state.node_executions)]
    if not nodes:
        return
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    table.add_column("#", no_wrap=True, justify="right")
    table.add_column("status", no_wrap=True)
    table.add_column("node", no_wrap=True, overflow="ellipsis", max_width=32)
    table.add_column("took", no_wrap=True, justify="right")
    table.add_column("outputs", no_wrap=True, overflow="ellipsis", ratio=1)
    for node in nodes[:limit]:
        glyph, style = look(node.status)
        table.add_row(
            str(node.number),
            Text(f"{glyph} {node.status}{_tries(node)}", style=style),
            Text(labels.get(node.node_id, node.node_id[:8])),
            seconds(node.wall) if node.ended_at else "",
            Text(_outcome(node), style="red" if node.error else "dim"),
        )
    show(table)
    if len(nodes) > limit:
        note(f"… and {len(nodes) - limit} more; --limit {len(nodes)} shows them.")


def _tries(node: NodeExecution) -> str:
    return f" ({node.attempt}. attempt)" if node.attempt > 1 else ""


def _outcome(node: NodeExecution) -> str:
    if node.error:
        return one_line(node.error, 200)
    if node.review is not None and node.review.approved is None:
        return f"waits for a person: {one_line(node.review.data, 200)}"
    if node.child_id and not node.outputs:
        return f"runs {node.child_id}"
    if node.outputs:
        return one_line(node.pins, 200)
    return (
        one_line(node.reason, 200)
        if node.reason
        else f"has {one_line(sorted(node.inputs), 200)}"
        if node.inputs
        else ""
    )
