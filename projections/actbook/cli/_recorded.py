"""What is recorded of an execution, put together for printing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actbook.cli._names import node_labels
from actbook.cli._records import full_record
from actbook.engine import GraphNotFoundError

if TYPE_CHECKING:
    from actbook.engine import Engine
    from actbook.events import GraphExecution
    from actbook.graphs import Graph


async def graph_of(engine: Engine, state: GraphExecution) -> Graph | None:
    """The graph version that an execution runs; None when the store has lost it."""
    try:
        return await engine.graph(state.graph_id, state.graph_version)
    except GraphNotFoundError:
        return None


def labels_of(graph: Graph | None) -> dict[str, str]:
    return {} if graph is None else node_labels(graph)


def record_of(state: GraphExecution, graph: Graph | None) -> dict[str, Any]:
    """The object that `show` and `replay` print."""
    return full_record(state, graph.name if graph is not None else "", labels_of(graph))
