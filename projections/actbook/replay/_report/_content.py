"""What a report tells, as data for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from actbook.events import ChildStarted, Envelope, GraphExecution, NodeExecution, as_datetime
from actbook.graphs import Graph
from actbook.journal import Fault
from actbook.replay._export._cloudevents import plain
from actbook.replay._export._objects import numbers_of
from actbook.replay._report._clipping import clip
from actbook.replay._report._steps import Step, Steps

_ROWS = 200
"""Nodes that the table of costs names; those that cost least are added up."""


def content(
    events: Sequence[Envelope], graph: Graph, labels: Mapping[str, str], faults: Sequence[Fault]
) -> dict[str, Any]:
    """Plain data. Times of day are texts; all others are µs since the first event."""
    steps = Steps(events)
    start = events[0].at if events else 0
    places = {node.id: number for number, node in enumerate(graph.nodes)}
    told = [_event(step, start) for step in steps]
    state = steps.state
    nodes = list(state.node_executions.values())
    return {
        "facts": _facts(state, graph, events),
        "labels": [labels.get(node.id, node.id) for node in graph.nodes],
        "statuses": str(state.status),
        "nodes": [_node(node, places, start) for node in nodes],
        "events": told,
        "end": events[-1].at - start if events else 0,
        "inputs": clip(state.inputs),
        "outputs": clip(state.outputs),
        "costs": _costs(nodes, labels, state.stats.cost),
        "checked": _checked(faults, events, steps.broken),
    }


def _facts(state: GraphExecution, graph: Graph, events: Sequence[Envelope]) -> list[tuple[str, str]]:
    children = [event.payload.execution_id for event in events if isinstance(event.payload, ChildStarted)]
    found = {
        "Execution": state.id,
        "User": state.user_id,
        "Graph": f"{graph.name or graph.id}, version {state.graph_version}",
        "Created": _moment(state.created_at),
        "Started": _moment(state.started_at),
        "Ended": _moment(state.ended_at),
        "Duration": _seconds(state.wall) if state.ended_at else "",
        "Node executions": str(state.stats.node_exec_count),
        "Failed nodes": str(state.stats.node_error_count or ""),
        "Cost": f"{state.stats.cost:g}" if state.stats.cost else "",
        "Attempt": str(state.attempt) if state.attempt > 1 else "",
        "Parent": state.parent.execution_id if state.parent else "",
        "Forked from": f"{state.origin.execution_id} at {state.origin.version}" if state.origin else "",
        "Sub-graphs": ", ".join(children[:20])
        + (f" and {len(children) - 20} more" if len(children) > 20 else ""),
        "Error": clip(state.error),
        "Reason": clip(state.reason),
    }
    return [(name, value) for name, value in found.items() if value]


def _event(step: Step, start: int) -> list[Any]:
    event = step.event
    cause = event.cause
    return [
        event.version,
        event.position,
        event.at - start,
        event.topic,
        list(numbers_of(event.payload)),
        [[number, str(status)] for number, status in step.moves],
        step.changes,
        clip(plain(event)),
        f"event {cause.hex()}" if isinstance(cause, bytes) else cause,
    ]


def _node(node: NodeExecution, places: Mapping[str, int], start: int) -> list[Any]:
    times = (node.queued_at, node.started_at, node.ended_at)
    return [
        node.number,
        places.get(node.node_id, -1),
        str(node.status),
        *(at - start if at else None for at in times),
        node.attempt,
        node.cost,
        clip(node.error),
        node.skipped,
    ]


def _costs(
    nodes: Sequence[NodeExecution], labels: Mapping[str, str], total: float
) -> list[tuple[str, int, float, float]]:
    """Per node: executions, seconds of wall time, credits; the run's own charges last."""
    rows: dict[str, tuple[int, float, float]] = {}
    for node in nodes:
        count, wall, cost = rows.get(node.node_id, (0, 0.0, 0.0))
        rows[node.node_id] = (count + 1, wall + node.wall, cost + node.cost)
    found = [(labels.get(node_id, node_id), *row) for node_id, row in rows.items()]
    found.sort(key=lambda row: (-row[3], -row[2]))
    rest = total - sum(row[3] for row in found)
    if len(found) > _ROWS:
        more = found[_ROWS:]
        sums = (sum(row[1] for row in more), sum(row[2] for row in more), sum(row[3] for row in more))
        found = [*found[:_ROWS], (f"{len(more)} more nodes", *sums)]
    return [*found, ("the execution itself", 1, 0.0, rest)] if abs(rest) > 1e-9 else found


def _checked(faults: Sequence[Fault], events: Sequence[Envelope], broken: int) -> dict[str, Any]:
    told = [f"version {fault.version}, {fault.kind}: {fault.message}" for fault in faults]
    if broken and not faults:
        told.append(f"version {broken} does not fit the state before it")
    return {"faults": told, "events": len(events), "hash": events[-1].hash.hex() if events else ""}


def _moment(at: int) -> str:
    return f"{as_datetime(at):%Y-%m-%d %H:%M:%S} UTC" if at else ""


def _seconds(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f} min {rest:.0f} s" if minutes else f"{rest:.2f} s"
