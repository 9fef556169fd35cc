"""What an event of an execution is about, for process mining: object types, and how events and objects are related."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple, get_type_hints

from actbook.events import (
    BalanceCharged,
    ChildStarted,
    Envelope,
    Event,
    ExecutionClaimed,
    ExecutionCreated,
    execution_of,
    registered_topics,
)

OBJECT_TYPES: dict[str, dict[str, str]] = {
    "execution": {"status": "string", "graph_version": "integer"},
    "node execution": {"status": "string"},
    "node": {"node_id": "string"},
    "block": {"block_id": "string"},
    "graph": {"graph_id": "string"},
    "user": {"user_id": "string"},
    "worker": {"worker": "string"},
    "stream": {"stream_id": "string"},
}
"""Attributes per object type; `status` changes with time."""

_TYPES = {str: "string", int: "integer", float: "float", bool: "boolean"}
EVERY_EVENT = {"version": "integer", "position": "integer"}


class Related(NamedTuple):
    """An object that an event is about, and in which role."""

    kind: str
    name: str
    role: str

    @property
    def object_id(self) -> str:
        return f"{self.kind}:{self.name}"


@cache
def event_attributes(kind: type[Event]) -> dict[str, str]:
    """The fields of an event type that hold one plain value, with their types in OCEL."""
    hints = get_type_hints(kind)
    return {name: _TYPES[hints[name]] for name in kind.__struct_fields__ if hints[name] in _TYPES}


def all_event_types() -> dict[str, dict[str, str]]:
    """Of every registered event type."""
    return {topic: event_attributes(kind) for topic, kind in sorted(registered_topics().items())}


def related(event: Envelope, created: Created | None) -> Iterator[Related]:
    """The objects of an event. `created`: of the node execution that it names, if it names one."""
    payload = event.payload
    stream = event.stream_id
    execution = execution_of(stream) or (stream if ":" not in stream else "")
    if execution:
        yield Related("execution", execution, "of" if ":" not in stream else "asked of")
    else:
        yield Related("stream", stream, "of")
    if event.user_id:
        yield Related("user", event.user_id, "on behalf of")
    for number in numbers_of(payload) if execution else ():
        yield Related("node execution", f"{execution}.{number}", "of")
    if created is not None:
        yield Related("node", f"{created.graph_id}/{created.node_id}", "of")
        yield Related("block", created.block_id, "runs")
    yield from _named(payload)


def _named(payload: Event) -> Iterator[Related]:
    if isinstance(payload, ExecutionCreated):
        yield Related("graph", payload.graph_id, "runs")
        if payload.parent is not None:
            yield Related("execution", payload.parent.execution_id, "child of")
        if payload.origin is not None:
            yield Related("execution", payload.origin.execution_id, "forked from")
    elif isinstance(payload, ExecutionClaimed):
        yield Related("worker", payload.worker, "claimed by")
    elif isinstance(payload, ChildStarted):
        yield Related("execution", payload.execution_id, "starts")
    elif isinstance(payload, BalanceCharged):
        yield Related("execution", payload.execution_id, "charged for")


class Created(NamedTuple):
    """Where a node execution stands in its graph."""

    graph_id: str
    node_id: str
    block_id: str


def numbers_of(payload: Event) -> tuple[int, ...]:
    """The node executions that an event names."""
    many = getattr(payload, "node_execs", None)
    if many is not None:
        return tuple(many)
    number: Any = getattr(payload, "node_exec", 0)
    return (number,) if isinstance(number, int) and number else ()
