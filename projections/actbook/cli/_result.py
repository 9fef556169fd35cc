"""The result of an execution, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from actbook.cli._printing import note, seconds, show, whole
from actbook.cli._statuses import look
from actbook.events import ExecutionStatus

if TYPE_CHECKING:
    from actbook.events import GraphExecution


MOST = 50
"""Values shown of one output."""


def show_result(state: GraphExecution) -> None:
    """Status, what it cost in time and nodes, and the outputs."""
    glyph, style = look(state.status)
    count, errors = state.stats.node_exec_count, state.stats.node_error_count
    facts = [f"{count} node execution{'' if count == 1 else 's'}"]
    if errors:
        facts.append(f"{errors} failed")
    if state.wall:
        facts.append(f"in {seconds(state.wall)}")
    if state.stats.cost:
        facts.append(f"{state.stats.cost:g} credits")
    show(Text.assemble((f"{glyph} {state.status}", style), f"  {', '.join(facts)}  ", (state.id, "dim")))
    for name, values in state.outputs.items():
        for value in values[:MOST]:
            show(Text.assemble((f"{name}: ", "bold"), whole(value)))
        if len(values) > MOST:
            note(f"… and {len(values) - MOST} more values of {name}; -o json holds all.")
    if state.error or state.reason:
        by = f" (by {state.actor})" if state.actor else ""
        show(Text.assemble(("because: ", "bold"), f"{state.error or state.reason}{by}"))
    if state.status is ExecutionStatus.REVIEW:
        show(Text(f"`actbook show {state.id}` shows what is to be judged; `actbook review` decides."))
