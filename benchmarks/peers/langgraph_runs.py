"""LangGraph's part, with its SQLite checkpointer: python -m benchmarks.peers.langgraph_runs URL SHAPE SIZE IN_FLIGHT.

`durability="sync"`: a checkpoint is committed before the next step begins, as in the other competitors.
"""

from __future__ import annotations

import asyncio
import importlib
import operator
from typing import Annotated, Any, TypedDict
from uuid import uuid4

from benchmarks.peers.window import Work, asked, compete

Saver: Any = importlib.import_module("langgraph.checkpoint.sqlite.aio").AsyncSqliteSaver
langgraph: Any = importlib.import_module("langgraph.graph")  # by name: type checkers need not have it
Send: Any = importlib.import_module("langgraph.types").Send


class State(TypedDict):
    value: Annotated[int, operator.add]


async def step(state: State) -> State:
    """Adds nothing."""
    return {"value": 0}


def _chain(size: int) -> Any:
    graph = langgraph.StateGraph(State)
    for number in range(size):
        graph.add_node(f"n{number}", step)
        graph.add_edge(f"n{number - 1}" if number else langgraph.START, f"n{number}")
    graph.add_edge(f"n{size - 1}", langgraph.END)
    return graph


def _fan(size: int) -> Any:
    graph = langgraph.StateGraph(State)
    graph.add_node("work", step)
    graph.add_node("sink", step)
    graph.add_conditional_edges(
        langgraph.START, lambda _: [Send("work", {"value": n}) for n in range(size)], ["work"]
    )
    graph.add_edge("work", "sink")
    graph.add_edge("sink", langgraph.END)
    return graph


async def main(work: Work) -> None:
    """Runs until it is told to end."""
    async with Saver.from_conn_string(work.url.removeprefix("sqlite:///")) as saver:
        graph = (_fan if work.shape == "fan" else _chain)(work.size).compile(checkpointer=saver)

        async def run() -> int:
            config = {"configurable": {"thread_id": uuid4().hex}, "recursion_limit": work.size + 10}
            await graph.ainvoke({"value": 0}, config, durability="sync")
            return work.size

        await compete(run, work.in_flight)


if __name__ == "__main__":
    asyncio.run(main(asked()))
