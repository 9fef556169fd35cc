"""Blocks and graphs for simulated runs, and what must hold of every history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from actbook.blocks import Registry, default_registry
from actbook.events import Envelope, ExecutionStatus, GraphExecution, fold
from actbook.graphs import AGENT_BLOCK_ID, Block, Graph, Link, Node
from actbook.journal import MemoryStore, verify_chain
from actbook.replay import History

INPUT = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b"
OUTPUT = "363ae599-353e-4804-937e-b2ee3cef3da4"
ENDS = frozenset({"execution.completed", "execution.failed", "execution.terminated"})
AFTERWARDS = frozenset({"inbox.handled", "execution.claimed"})

Yields = Iterator[tuple[str, Any]]


class In(msgspec.Struct):
    value: Any = None


class Out(msgspec.Struct):
    out: Any = None
    error: str = ""


class EffectBlock(Block):
    """Yields each value twice, the second time negated."""

    id = "5b8d6c1e-8f0b-4d51-9a53-0c8a53f6b001"
    Input = In
    Output = Out

    def run(self, input: In, context: Any) -> Yields:
        yield "out", input.value
        yield "out", -input.value


class BlockingBlock(Block):
    id = "5b8d6c1e-8f0b-4d51-9a53-0c8a53f6b002"
    execution = "blocking"
    Input = In
    Output = Out

    def run(self, input: In, context: Any) -> Yields:
        yield "out", input.value


class PureBlock(Block):
    id = "5b8d6c1e-8f0b-4d51-9a53-0c8a53f6b003"
    execution = "inline"
    effects = False
    Input = In
    Output = Out

    def run(self, input: In, context: Any) -> Yields:
        yield "out", input.value


class RangeBlock(Block):
    id = "5b8d6c1e-8f0b-4d51-9a53-0c8a53f6b004"
    execution = "inline"
    effects = False
    Input = In
    Output = Out

    def run(self, input: In, context: Any) -> Yields:
        for number in range(1, input.value + 1):
            yield "out", number


def registry() -> Registry:
    blocks = Registry(parent=default_registry())
    for each in (EffectBlock, BlockingBlock, PureBlock, RangeBlock):
        blocks.register(each)
    return blocks


def _chain(called: str, *kinds: str, sub_graph: Graph | None = None) -> Graph:
    """x → each block in a row → y."""
    nodes = [Node(id="x", block_id=INPUT, input_default={"name": "x"})]
    links: list[Link] = []
    last, pin = "x", "result"
    for number, kind in enumerate((*kinds, OUTPUT)):
        name = f"n{number}"
        data: dict[str, Any] = {"name": "y"} if kind == OUTPUT else {}
        sink = "value"
        if kind == AGENT_BLOCK_ID:
            assert sub_graph is not None
            data, sink = _agent(sub_graph), "x"
        nodes.append(Node(id=name, block_id=kind, input_default=data))
        links.append(Link(source_id=last, source_name=pin, sink_id=name, sink_name=sink))
        last, pin = name, "y" if kind == AGENT_BLOCK_ID else "out"
    return Graph(id=called, nodes=nodes, links=links, sub_graphs=[sub_graph] if sub_graph else [])


def _agent(graph: Graph) -> dict[str, Any]:
    return {
        "graph_id": graph.id,
        "graph_version": graph.version,
        "inputs": {},
        "input_schema": {"type": "object", "properties": {"x": {}}, "required": []},
        "output_schema": {"type": "object", "properties": {"y": {}}},
    }


def small() -> Graph:
    """An effect, a pure block and a blocking one in a row."""
    return _chain("small", EffectBlock.id, PureBlock.id, BlockingBlock.id)


def nested() -> Graph:
    """Every number of a range through a sub-graph that has one of its own."""
    inner = _chain("inner", PureBlock.id, EffectBlock.id)
    middle = _chain("middle", EffectBlock.id, AGENT_BLOCK_ID, sub_graph=inner)
    return _chain("outer", RangeBlock.id, AGENT_BLOCK_ID, BlockingBlock.id, sub_graph=middle)


SMALL_OUTPUTS = {"y": [3, -3]}
NESTED_OUTPUTS = {"y": [v for n in (1, 2) for v in (n, -n, -n, n)]}


def sound(store: MemoryStore, execution_id: str) -> GraphExecution:
    """The state of an execution whose history was checked: whole, legal, with one end and nothing of weight after it."""
    events: Sequence[Envelope] = store.read_stream(execution_id)
    assert History(events, verify_chain(store.read_rows(execution_id))).verify() == []
    assert [event.version for event in events] == list(range(1, len(events) + 1))
    assert len({event.event_id for event in events}) == len(events)
    ends = [event.version for event in events if event.topic in ENDS]
    assert len(ends) == 1, f"{len(ends)} ends: {[event.topic for event in events]}"
    after = {event.topic for event in events[ends[0] :]}
    assert after <= AFTERWARDS
    state = fold(events)
    assert state.status.is_terminal
    assert [*state.running, *state.ready, *state.reviews] == []
    handled = [event.payload for event in events if event.topic == "inbox.handled"]
    versions = [getattr(payload, "version", 0) for payload in handled]
    assert versions == sorted(set(versions))
    return state


def finished(store: MemoryStore) -> dict[str, GraphExecution]:
    """All executions, each checked."""
    states = {each: sound(store, each) for each in store.stream_ids() if ":" not in each}
    assert store.unfinished() == []
    for state in states.values():
        if state.parent is not None and state.status is not ExecutionStatus.TERMINATED:
            assert state.parent.execution_id in states
    return states
