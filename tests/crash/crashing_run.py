"""The process that the crash tests kill: opens the store, runs what is unfinished, and ends when all is terminal.

`python crashing_run.py STORE RUNS` prints `ready` once it owns the store and `done` when every run has ended.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from actbook.blocks import Registry, default_registry
from actbook.engine import Engine
from actbook.engine.billing import Billing, Tariff
from actbook.graphs import AGENT_BLOCK_ID, Block, BlockCost, Graph, Link, Node

INPUT = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b"
OUTPUT = "363ae599-353e-4804-937e-b2ee3cef3da4"
STEP = "f66a3543-28d3-4ab5-8945-9b336371e2ce"
CALCULATOR = "b1ab9b19-67a6-406d-abf5-2dba76d00c79"
ITEMS = 120
USER = "crash"
CREDITS = 1_000_000


class _In(msgspec.Struct):
    item: int


class _Out(msgspec.Struct):
    item: int = 0
    error: str = ""


class EffectBlock(Block):
    """Takes a moment, yields twice: a crash between the two must neither lose nor double one."""

    id = "5b8d6c1e-8f0b-4d51-9a53-0c8a53f6a001"
    Input = _In
    Output = _Out
    costs = (BlockCost(3),)

    async def run(self, input: _In, context: Any) -> AsyncIterator[tuple[str, Any]]:
        yield "item", input.item
        await asyncio.sleep(0.002)
        yield "item", -input.item


def registry() -> Registry:
    """The standard blocks and the one above."""
    blocks = Registry(parent=default_registry())
    blocks.register(EffectBlock)
    return blocks


def child_graph() -> Graph:
    """Input → + 1000 → Output."""
    return Graph(
        id="child",
        nodes=[
            Node(id="in", block_id=INPUT, input_default={"name": "x"}),
            Node(id="add", block_id=CALCULATOR, input_default={"operation": "Add", "b": 1000}),
            Node(id="out", block_id=OUTPUT, input_default={"name": "y"}),
        ],
        links=[
            Link(source_id="in", source_name="result", sink_id="add", sink_name="a"),
            Link(source_id="add", source_name="result", sink_id="out", sink_name="value"),
        ],
    )


def graph() -> Graph:
    """A list is walked; each item has an effect; results go to an output, and the first of the list through a sub-graph."""
    schema = {"type": "object", "properties": {"x": {}}, "required": ["x"]}
    agent = {
        "graph_id": "child",
        "graph_version": 1,
        "inputs": {},
        "input_schema": schema,
        "output_schema": {"type": "object", "properties": {"y": {}}, "required": ["y"]},
    }
    return Graph(
        id="crash",
        nodes=[
            Node(id="in", block_id=INPUT, input_default={"name": "items"}),
            Node(id="step", block_id=STEP),
            Node(id="effect", block_id=EffectBlock.id),
            Node(id="all", block_id=OUTPUT, input_default={"name": "all"}),
            Node(id="count", block_id=INPUT, input_default={"name": "count"}),
            Node(id="agent", block_id=AGENT_BLOCK_ID, input_default=agent),
            Node(id="sub", block_id=OUTPUT, input_default={"name": "sub"}),
        ],
        links=[
            Link(source_id="in", source_name="result", sink_id="step", sink_name="items"),
            Link(source_id="step", source_name="item", sink_id="effect", sink_name="item"),
            Link(source_id="effect", source_name="item", sink_id="all", sink_name="value"),
            Link(source_id="count", source_name="result", sink_id="agent", sink_name="x"),
            Link(source_id="agent", source_name="y", sink_id="sub", sink_name="value"),
        ],
        sub_graphs=[child_graph()],
    )


async def main(url: str, runs: int) -> None:
    policy = Billing(tariff=Tariff(execution_threshold=0, minimum=0))
    async with Engine.open(url, registry=registry(), billing=policy) as engine:
        print("ready", flush=True)
        await engine.top_up(USER, CREDITS, key="once")
        saved = await engine.save_graph(graph(), USER)
        inputs = {"items": list(range(1, ITEMS + 1)), "count": 7}
        for number in range(runs):
            await engine.add_graph_execution(
                saved.id, USER, inputs, graph_version=saved.version, idempotency_key=f"run-{number}"
            )
        ids = await engine.journal.unfinished()
        for execution_id in ids:
            await engine.wait(execution_id)
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
