"""Graphs and blocks that the benchmarks run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec

from actbook.blocks import Registry, default_registry
from actbook.graphs import AGENT_BLOCK_ID, Block, Graph, Link, Node

Yields = AsyncIterator[tuple[str, Any]]


class Count(msgspec.Struct):
    n: int


class Item(msgspec.Struct):
    item: int


class ItemOut(msgspec.Struct):
    item: int = 0
    error: str = ""


class FanBlock(Block):
    """Yields 0 … n-1."""

    id = "9d3d2c52-8a2e-4d6f-9b38-0d1f6f2f5001"
    Input = Count
    Output = ItemOut
    effects = False

    async def run(self, input: Count, context: Any) -> Yields:
        for number in range(input.n):
            yield "item", number


class EffectBlock(Block):
    """Does nothing, and counts as an effect: it starts only when its start is durable."""

    id = "9d3d2c52-8a2e-4d6f-9b38-0d1f6f2f5002"
    Input = Item
    Output = ItemOut

    async def run(self, input: Item, context: Any) -> Yields:
        yield "item", input.item


class PureBlock(Block):
    """The same without an effect: it may run ahead of the commits."""

    id = "9d3d2c52-8a2e-4d6f-9b38-0d1f6f2f5003"
    Input = Item
    Output = ItemOut
    effects = False
    execution = "inline"

    def run(self, input: Item, context: Any) -> Iterator[tuple[str, Any]]:
        yield "item", input.item


class SinkBlock(Block):
    """Takes values and yields none."""

    id = "9d3d2c52-8a2e-4d6f-9b38-0d1f6f2f5004"
    Input = Item
    Output = ItemOut
    effects = False
    execution = "inline"

    def run(self, input: Item, context: Any) -> Iterator[tuple[str, Any]]:
        yield from ()


class SlowBlock(Block):
    """Waits for an hour unless it is cancelled."""

    id = "9d3d2c52-8a2e-4d6f-9b38-0d1f6f2f5005"
    Input = Item
    Output = ItemOut

    async def run(self, input: Item, context: Any) -> Yields:
        await asyncio.sleep(3600)
        yield "item", input.item


def registry() -> Registry:
    """The blocks above beside the standard ones."""
    blocks = Registry(parent=default_registry())
    for each in (FanBlock, EffectBlock, PureBlock, SinkBlock, SlowBlock):
        blocks.register(each)
    return blocks


def chain(length: int, block: type[Block]) -> Graph:
    """`length` nodes in a row."""
    nodes = [
        Node(id=f"n{i}", block_id=block.id, input_default={} if i else {"item": 0}) for i in range(length)
    ]
    links = [
        Link(source_id=f"n{i}", source_name="item", sink_id=f"n{i + 1}", sink_name="item")
        for i in range(length - 1)
    ]
    return Graph(id=f"chain-{block.__name__}", nodes=nodes, links=links)


def fan_out(width: int, block: type[Block]) -> Graph:
    """1 → `width` → 1: every item goes through the block to one sink node."""
    nodes = [
        Node(id="fan", block_id=FanBlock.id, input_default={"n": width}),
        Node(id="work", block_id=block.id),
        Node(id="sink", block_id=SinkBlock.id),
    ]
    links = [
        Link(source_id="fan", source_name="item", sink_id="work", sink_name="item"),
        Link(source_id="work", source_name="item", sink_id="sink", sink_name="item"),
    ]
    return Graph(id=f"fan-{block.__name__}", nodes=nodes, links=links)


def with_sub_graphs(width: int, block: type[Block]) -> tuple[Graph, Graph]:
    """A graph of one node, and one that runs it as so many sub-graphs."""
    child = Graph(id="child", nodes=[Node(id="node", block_id=block.id, input_default={"item": 1})], links=[])
    constants = {
        "graph_id": "child",
        "graph_version": 1,
        "inputs": {},
        "input_schema": {},
        "output_schema": {},
    }
    agents = [Node(id=f"agent{n}", block_id=AGENT_BLOCK_ID, input_default=constants) for n in range(width)]
    return child, Graph(id="parent", nodes=agents, links=[])
