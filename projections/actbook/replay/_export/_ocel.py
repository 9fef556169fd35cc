"""Object-centric event logs: OCEL 2.0, in JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from actbook.events import Envelope
from actbook.graphs import ActbookError
from actbook.journal import Store
from actbook.replay._export._cloudevents import iso
from actbook.replay._export._moves import Moves
from actbook.replay._export._objects import (
    EVERY_EVENT,
    OBJECT_TYPES,
    Related,
    all_event_types,
    event_attributes,
    related,
)
from actbook.replay._export._selection import Selection, readable
from actbook.replay._export._traced import Traced, Tracer

_json = msgspec.json.Encoder().encode
_EPOCH = "1970-01-01T00:00:00Z"


def export_ocel(store: Store, selection: Selection) -> Iterator[bytes]:
    """One JSON document, in pieces. Blocks while it reads; memory grows with the objects, not with events and values."""
    events = Tracer().follow(readable(store, selection.rows(store)))
    objects = _Objects()
    types = [
        {"name": name, "attributes": _declared(EVERY_EVENT | own)} for name, own in all_event_types().items()
    ]
    yield b'{"objectTypes":' + _json(
        [{"name": name, "attributes": _declared(own)} for name, own in OBJECT_TYPES.items()]
    )
    yield b',\n"eventTypes":' + _json(types) + b',\n"events":['
    comma = b"\n"
    for traced in events:
        yield comma + _json(_event(traced, objects))
        comma = b",\n"
    yield b'\n],\n"objects":['
    comma = b"\n"
    for each in objects.all():
        yield comma + _json(each)
        comma = b",\n"
    yield b"\n]}\n"


def _declared(attributes: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in attributes.items()]


def _text(value: Any) -> str:
    """The published schema wants every value as text; its declared type tells what it is."""
    return value if isinstance(value, str) else _json(value).decode()


def _event(traced: Traced, objects: _Objects) -> dict[str, Any]:
    event = traced.event
    found = list(dict.fromkeys(related(event, traced.created)))
    objects.see(traced, found)
    own = {name: getattr(event.payload, name) for name in event_attributes(type(event.payload))}
    values = {"version": event.version, "position": event.position} | own
    return {
        "id": f"{event.stream_id}/{event.version}",
        "type": event.topic,
        "time": iso(event.at),
        "attributes": [{"name": name, "value": _text(value)} for name, value in values.items()],
        "relationships": [{"objectId": each.object_id, "qualifier": each.role} for each in found],
    }


class _Objects:
    """The objects that events name, with how they are related and the statuses they went through."""

    def __init__(self) -> None:
        self._found: dict[str, Related] = {}
        self._statuses: dict[str, list[tuple[str, str]]] = {}
        self._relations: dict[str, dict[tuple[str, str], None]] = {}
        self._versions: dict[str, int] = {}
        self._moves: dict[str, Moves] = {}

    def see(self, traced: Traced, found: list[Related]) -> None:
        for each in found:
            self._found.setdefault(each.object_id, each)
        event = traced.event
        if ":" in event.stream_id:
            return
        execution = f"execution:{event.stream_id}"
        for each in found:
            if each.kind in ("graph", "user") or (each.kind == "execution" and each.object_id != execution):
                self._relate(execution, each.object_id, each.role)
            elif each.kind == "node execution":
                self._relate(each.object_id, execution, "part of")
        self._place(traced)
        self._move(event, execution)

    def _place(self, traced: Traced) -> None:
        """What is related once for all: a node execution to its node, that to its graph and block."""
        created = traced.created
        numbers = getattr(traced.event.payload, "node_exec", 0)
        if created is None or not numbers:
            return
        node = f"node:{created.graph_id}/{created.node_id}"
        graph = Related("graph", created.graph_id, "of")
        self._found.setdefault(graph.object_id, graph)
        self._relate(f"node execution:{traced.event.stream_id}.{numbers}", node, "run of")
        self._relate(node, graph.object_id, "part of")
        self._relate(node, f"block:{created.block_id}", "runs")

    def _relate(self, source: str, target: str, role: str) -> None:
        self._relations.setdefault(source, {})[target, role] = None

    def _move(self, event: Envelope, execution: str) -> None:
        moves = self._moves.setdefault(event.stream_id, Moves())
        try:
            found = moves.apply(event)
        except (ActbookError, LookupError):
            return  # a damaged history: verification tells of it, and what can be read is exported
        for number, status in found:
            name = f"node execution:{event.stream_id}.{number}" if number else execution
            self._statuses.setdefault(name, []).append((iso(event.at), str(status)))
        self._versions[execution] = moves.state.graph_version
        if moves.state.ended_at:
            moves.forget_values()

    def all(self) -> Iterator[dict[str, Any]]:
        for object_id, each in self._found.items():
            yield {
                "id": object_id,
                "type": each.kind,
                "attributes": self._attributes(object_id, each),
                "relationships": [
                    {"objectId": target, "qualifier": role}
                    for target, role in self._relations.get(object_id, ())
                    if target in self._found
                ],
            }

    def _attributes(self, object_id: str, each: Related) -> list[dict[str, Any]]:
        if each.kind in ("execution", "node execution"):
            moves = self._statuses.get(object_id, ())
            found: list[dict[str, Any]] = [
                {"name": "status", "time": time, "value": status} for time, status in moves
            ]
            if object_id in self._versions:
                version = self._versions[object_id]
                found.append({"name": "graph_version", "time": _EPOCH, "value": _text(version)})
            return found
        (name,) = OBJECT_TYPES[each.kind]
        value = each.name.rpartition("/")[2] if each.kind == "node" else each.name
        return [{"name": name, "time": _EPOCH, "value": value}]
