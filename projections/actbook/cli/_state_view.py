"""The state of an execution, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from actbook.cli._node_table import show_nodes
from actbook.cli._printing import show, whole
from actbook.cli._recorded import labels_of
from actbook.cli._records import iso
from actbook.cli._result import show_result

if TYPE_CHECKING:
    from actbook.events import GraphExecution
    from actbook.graphs import Graph


def show_state(state: GraphExecution, graph: Graph | None, limit: int) -> None:
    """Result, facts, inputs, and the node executions."""
    show_result(state)
    name = (graph.name if graph is not None else "") or state.graph_id
    _fact("graph", f"{name} v{state.graph_version}")
    _fact("user", state.user_id)
    _fact("created", iso(state.created_at))
    _fact("ended", iso(state.ended_at))
    if state.parent is not None:
        _fact("sub-graph of", f"{state.parent.execution_id}, node execution {state.parent.node_exec}")
    if state.simulation is not None:
        _fact("simulated", "blocks that are not installed were stood in for")
    for input_name, value in state.inputs.items():
        _fact(f"input {input_name}", whole(value))
    show("")
    show_nodes(state, labels_of(graph), limit)


def _fact(name: str, value: str | None) -> None:
    if value:
        show(Text.assemble((f"{name}: ", "dim"), value))
