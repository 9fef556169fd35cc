"""The difference of two executions: what was given, what came out, and each node execution with its counterpart."""

from __future__ import annotations

from typing import Any, NamedTuple

from actbook.events import GraphExecution, NodeExecution
from actbook.replay._difference import Change, difference


class NodeDifference(NamedTuple):
    """The `occurrence`-th execution of a node (from 0, in order of creation) in both executions.

    `a` and `b` are its numbers there, 0 where there is none; `took` the seconds of both from start to end. `changes`
    are those of status, inputs, outputs and error.
    """

    node_id: str
    occurrence: int
    a: int
    b: int
    changes: tuple[Change, ...]
    took: tuple[float, float]


class ExecutionDifference(NamedTuple):
    """`changes` are those of the whole: graph, inputs, status, outputs, error. `nodes` holds all pairs, equal ones too."""

    changes: tuple[Change, ...]
    nodes: tuple[NodeDifference, ...]
    took: tuple[float, float]

    @property
    def different(self) -> tuple[NodeDifference, ...]:
        """The pairs that differ in more than time."""
        return tuple(node for node in self.nodes if node.changes)


def compare(a: GraphExecution, b: GraphExecution) -> ExecutionDifference:
    """Compares two retained states. Nodes are matched by id, so a fork or another graph version can be compared too."""
    mine, other = _by_node(a), _by_node(b)
    keys = [*mine, *(key for key in other if key not in mine)]
    nodes = tuple(_pair(key, mine.get(key), other.get(key)) for key in keys)
    return ExecutionDifference(tuple(difference(_whole(a), _whole(b))), nodes, (a.wall, b.wall))


def _by_node(state: GraphExecution) -> dict[tuple[str, int], NodeExecution]:
    counts: dict[str, int] = {}
    found: dict[tuple[str, int], NodeExecution] = {}
    for _, node in sorted(state.node_executions.items()):
        occurrence = counts.get(node.node_id, 0)
        counts[node.node_id] = occurrence + 1
        found[node.node_id, occurrence] = node
    return found


def _pair(key: tuple[str, int], a: NodeExecution | None, b: NodeExecution | None) -> NodeDifference:
    changes = tuple(difference(_told(a), _told(b)))
    return NodeDifference(*key, a.number if a else 0, b.number if b else 0, changes, (_took(a), _took(b)))


def _told(node: NodeExecution | None) -> dict[str, Any]:
    if node is None:
        return {}
    return {
        "status": str(node.status),
        "inputs": node.data or node.inputs,
        "outputs": node.pins,
        "error": node.error,
    }


def _whole(state: GraphExecution) -> dict[str, Any]:
    return {
        "graph_id": state.graph_id,
        "graph_version": state.graph_version,
        "inputs": state.inputs,
        "status": str(state.status),
        "outputs": state.outputs,
        "error": state.error,
    }


def _took(node: NodeExecution | None) -> float:
    return (node.ended_at - node.started_at) / 1e6 if node and node.started_at and node.ended_at else 0.0
