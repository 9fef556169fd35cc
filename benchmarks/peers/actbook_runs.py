"""actbook's part: python -m benchmarks.peers.actbook_runs URL SHAPE SIZE IN_FLIGHT."""

from __future__ import annotations

import asyncio
import os

from actbook.engine import Engine, tune_process
from actbook.graphs import Graph
from benchmarks.peers.window import Work, asked, compete
from benchmarks.workloads import EffectBlock, PureBlock, chain, fan_out, registry

USER = "bench"


async def main(work: Work) -> None:
    """Runs until it is told to end."""
    async with Engine.open(work.url, registry=registry()) as engine:
        graph = await engine.save_graph(_graph(work), USER)

        async def run() -> int:
            execution = await engine.add_graph_execution(graph.id, USER)
            done = await engine.wait(execution.id)
            assert done.status == "COMPLETED", done.status
            return work.size

        await compete(run, work.in_flight)


def _graph(work: Work) -> Graph:
    if work.shape == "fan":
        graph = fan_out(work.size, EffectBlock)
    else:
        graph = chain(work.size, PureBlock if work.shape == "pure" else EffectBlock)
    graph.id = f"{graph.id}-{os.getpid()}"
    return graph


if __name__ == "__main__":
    tune_process()
    asyncio.run(main(asked()))
