"""Event logs as XES (IEEE 1849): a trace per execution, an event per step of a node execution's life."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import NAMESPACE_OID, uuid5
from xml.sax.saxutils import quoteattr

from actbook.events import (
    Envelope,
    Event,
    ExecutionClaimed,
    GraphSaved,
    NodeCompleted,
    NodeFailed,
    NodeQueued,
    NodeRetried,
    NodeRetryScheduled,
    NodeReviewDecided,
    NodeReviewRequested,
    NodeSkipped,
    NodeStarted,
    NodeTerminated,
    UsageCharged,
    graph_stream,
)
from actbook.graphs import Graph
from actbook.journal import Store
from actbook.replay._export._cloudevents import iso
from actbook.replay._export._names import plain_labels
from actbook.replay._export._objects import Created, numbers_of
from actbook.replay._export._selection import Selection, readable
from actbook.replay._export._traced import Tracer

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849.2016" xes.features="">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Identity" prefix="identity" uri="http://www.xes-standard.org/identity.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
<extension name="Cost" prefix="cost" uri="http://www.xes-standard.org/cost.xesext"/>
<global scope="trace"><string key="concept:name" value=""/></global>
<global scope="event"><string key="concept:name" value=""/>\
<date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/>\
<string key="lifecycle:transition" value="complete"/></global>
<classifier name="Activity" scope="event" keys="concept:name"/>
<classifier name="Step" scope="event" keys="concept:name lifecycle:transition"/>
<string key="lifecycle:model" value="standard"/>
"""

_TRANSITIONS: dict[type[Event], str] = {
    NodeQueued: "schedule",
    NodeRetried: "schedule",
    NodeStarted: "start",
    NodeRetryScheduled: "suspend",
    NodeReviewRequested: "suspend",
    NodeReviewDecided: "resume",
    NodeCompleted: "complete",
    NodeSkipped: "autoskip",
    NodeFailed: "ate_abort",
    NodeTerminated: "pi_abort",
}


def export_xes(store: Store, selection: Selection) -> Iterator[bytes]:
    """One XML document, in pieces. Blocks while it reads; memory holds one execution at a time."""
    yield _HEAD.encode()
    labels: dict[tuple[str, int], dict[str, str]] = {}
    for execution_id in selection.execution_ids(store):
        yield _trace(store, execution_id, labels).encode()
    yield b"</log>\n"


def _trace(store: Store, execution_id: str, labels: dict[tuple[str, int], dict[str, str]]) -> str:
    steps = list(Tracer().follow(readable(store, iter(store.read_rows(execution_id)))))
    if not steps:
        return ""
    first = steps[0].event
    graph = (getattr(first.payload, "graph_id", ""), getattr(first.payload, "graph_version", 0))
    if graph not in labels:
        labels[graph] = _labels(store, *graph)
    trace = _Trace(labels[graph], [step.event for step in steps])
    head = _string("concept:name", execution_id) + _string("graph", graph[0]) + _string("user", first.user_id)
    return "".join(("<trace>", head, *(trace.step(*step) for step in steps), "\n</trace>\n"))


class _Trace:
    """The events of one trace, one by one."""

    def __init__(self, labels: dict[str, str], events: list[Envelope]) -> None:
        self._labels = labels
        self._worker = ""
        self._nodes: dict[int, Created] = {}
        self._costs: dict[int, float] = {}
        for payload in (event.payload for event in events):
            if isinstance(payload, UsageCharged):
                self._costs[payload.node_exec] = self._costs.get(payload.node_exec, 0.0) + payload.amount

    def step(self, event: Envelope, created: Created | None) -> str:
        payload = event.payload
        if isinstance(payload, ExecutionClaimed):
            self._worker = payload.worker
        numbers = numbers_of(payload)
        if created is not None:
            self._nodes.setdefault(numbers[0], created)
        transition = _TRANSITIONS.get(type(payload))
        return "".join(self._event(event, number, transition) for number in numbers) if transition else ""

    def _event(self, event: Envelope, number: int, transition: str) -> str:
        created = self._nodes.get(number)
        node = created.node_id if created is not None else ""
        text = "\n<event>" + _string("concept:name", self._labels.get(node, node))
        text += _string("concept:instance", f"{event.stream_id}.{number}")
        text += _string("lifecycle:transition", transition)
        text += f'<date key="time:timestamp" value="{iso(event.at)}"/>'
        text += f'<id key="identity:id" value="{uuid5(NAMESPACE_OID, f"{event.event_id.hex()}.{number}")}"/>'
        if self._worker:
            text += _string("org:resource", self._worker)
        if created is not None:
            text += _string("node", node) + _string("block", created.block_id)
        error = getattr(event.payload, "error", "")
        if error:
            text += _string("error", error)
        cost = self._costs.pop(number, 0.0) if transition in ("complete", "ate_abort") else 0.0
        if cost:
            text += f'<float key="cost:total" value="{cost}"/>'
        return text + "</event>"


def _labels(store: Store, graph_id: str, version: int) -> dict[str, str]:
    """Names of the nodes; empty when the graph is not in the store."""
    for event in readable(store, iter(store.read_rows(graph_stream(graph_id)))):
        if isinstance(event.payload, GraphSaved) and event.payload.version == version:
            return plain_labels(Graph.from_dict(event.payload.definition))
    return {}


def _string(key: str, value: str) -> str:
    return f'<string key="{key}" value={quoteattr(_legal(value), _BREAKS)}/>'


_BREAKS = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}


def _legal(text: str) -> str:
    """XML has no place for some characters, not even escaped."""
    return "".join(letter if _is_legal(ord(letter)) else "�" for letter in text)


def _is_legal(code: int) -> bool:
    return code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000
