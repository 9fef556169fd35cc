"""How fast a long execution is read back: its state from a snapshot, and its whole history. Prints one JSON line.

python benchmarks/replay.py [--values 33300]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec

from actbook.blocks import Registry, default_registry
from actbook.engine import Engine
from actbook.graphs import Block, Graph, Link, Node
from actbook.replay import History


class Value(msgspec.Struct):
    value: Any


class Out(msgspec.Struct):
    out: Any = None


class ManyBlock(Block):
    id = "5b5f3f0e-6f0c-4c55-9d43-0d6a4a3f7a01"
    Input, Output, execution, effects = Value, Out, "inline", False

    def run(self, input: Any, context: Any) -> Iterator[tuple[str, Any]]:
        yield from (("out", number) for number in range(input.value))


class EchoBlock(Block):
    id = "5b5f3f0e-6f0c-4c55-9d43-0d6a4a3f7a02"
    Input, Output, execution, effects = Value, Out, "inline", False

    def run(self, input: Any, context: Any) -> Iterator[tuple[str, Any]]:
        yield "out", input.value


async def measure(values: int, folder: str) -> dict[str, float]:
    """Seconds. Each value makes three events."""
    registry = Registry(parent=default_registry())
    for kind in (ManyBlock, EchoBlock):
        registry.register(kind)
    many = Node(id="many", block_id=ManyBlock.id, input_default={"value": values})
    link = Link(source_id="many", source_name="out", sink_id="echo", sink_name="value")
    nodes = [many, Node(id="echo", block_id=EchoBlock.id, input_default={})]
    url = f"sqlite:///{Path(folder) / 'runs.db'}"
    async with Engine.open(url, registry=registry) as engine:
        await engine.save_graph(Graph(id="many", nodes=nodes, links=[link]), "ada")
        run = await engine.add_graph_execution("many", "ada", {})
        await engine.wait(run.id)
    async with Engine.open(url, registry=registry, candidate=False) as engine:
        began = perf_counter()
        state = await engine.get_graph_execution(run.id)
        snapshot = perf_counter()
        history = await History.load(engine.journal, run.id)
        loaded = perf_counter()
        history.state()
        folded = perf_counter()
        history.timeline()
        lined = perf_counter()
        for _step in history.steps():
            pass
        found = {"from_snapshot": snapshot - began, "load": loaded - snapshot, "fold": folded - loaded}
        rest = {"timeline": lined - folded, "steps": perf_counter() - lined}
        return {"events": state.version, "cold": folded - snapshot, **found, **rest}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--values", type=int, default=33_300)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(measure(parser.parse_args().values, folder))))


if __name__ == "__main__":
    main()
