"""A timeline as a table with bars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from actbook.cli._printing import note, seconds, show
from actbook.cli._statuses import look

if TYPE_CHECKING:
    from actbook.events import GraphExecution
    from actbook.replay import Span, Timeline

_WIDTH = 40


def show_timeline(state: GraphExecution, line: Timeline, labels: Mapping[str, str], limit: int) -> None:
    """The first `limit` node executions, by number; the bars share one scale."""
    moments = [at for span in line.spans for at in (span.queued_at, span.started_at, span.ended_at) if at]
    show(Text(f"{state.id}  {state.status}  {seconds(state.wall)}", style="bold"))
    if not moments:
        note("Nothing was queued in it yet.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for name in ("#", "waited", "worked"):
        table.add_column(name, no_wrap=True, justify="right")
    table.add_column("", no_wrap=True)
    table.add_column("node", no_wrap=True, overflow="ellipsis", max_width=32)
    table.add_column("", no_wrap=True)
    for span in line.spans[:limit]:
        glyph, style = look(span.status)
        table.add_row(
            str(span.number),
            seconds(span.wait) if span.queued_at else "",
            seconds(span.run) if span.started_at and span.ended_at else "",
            Text("*" if span.number in line.critical_path else ""),
            Text(f"{glyph} {labels.get(span.node_id, span.node_id[:8])}", style=style),
            Text(bar(span, min(moments), max(moments)), style=style),
        )
    show(table)
    if len(line.spans) > limit:
        note(f"… and {len(line.spans) - limit} more; --limit {len(line.spans)} shows them.")


def bar(span: Span, begin: int, end: int, width: int = _WIDTH) -> str:
    """Waiting and working on a scale from `begin` to `end`; what goes on reaches to the end. One mark at least."""
    if not span.queued_at:
        return ""
    scale = width / max(end - begin, 1)
    until = span.ended_at or end
    queued = min(int((span.queued_at - begin) * scale), width - 1)
    started = int(((span.started_at or until) - begin) * scale)
    ended = max(int((until - begin) * scale), queued + 1)
    started = min(max(started, queued), ended - 1 if span.started_at else ended)
    return " " * queued + "░" * (started - queued) + "█" * (ended - started)
