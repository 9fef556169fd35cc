"""Runs of small graphs, and the blocks they are made of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
from tests.engine.kit import (
    World,
    effect,
    finish,
    play,
    pure,
)

from actbook.events import (
    ExecutionStatus,
    GraphExecution,
)

S = ExecutionStatus


class Pair(msgspec.Struct):
    a: Any
    b: Any


def join(input: Any, context: Any) -> Iterator[tuple[str, Any]]:
    yield "out", f"{input.a}{input.b}"


def each(input: Any, context: Any) -> Iterator[tuple[str, Any]]:
    for value in input.value:
        yield "out", value


def picky(input: Any, context: Any) -> Iterator[tuple[str, Any]]:
    """Fails on 2, after it has told something."""
    yield "out", f"saw {input.value}"
    if input.value == 2:
        raise ValueError("no twos")


def nothing_said(input: Any, context: Any) -> Iterator[tuple[str, Any]]:
    yield from ()
    raise KeyError


def through_error(input: Any, context: Any) -> Iterator[tuple[str, Any]]:
    yield "out", "before"
    yield "error", "told so"
    yield "out", "never"


def nothing(input: Any, context: Any) -> Iterator[tuple[str, Any]]:
    yield "out", None


def inner(input: Any, context: Any) -> Iterator[tuple[str, Any]]:
    yield "out", {"a": None, "b": [1, 2]}


def world() -> World:
    return World(
        Echo=pure(),
        Each=pure(each),
        Join=pure(join, Input=Pair),
        Slow=effect(_slow),
        Picky=pure(picky),
        Speechless=pure(nothing_said),
        Told=pure(through_error),
        Nothing=pure(nothing),
        Inner=pure(inner),
        Static=pure(static_output=True),
    )


async def _slow(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
    """The earlier the value, the longer it takes."""
    for _ in range(20 - 5 * int(input.value)):
        await asyncio.sleep(0)
    yield "out", input.value


def run(nodes: str, *links: str, inputs: dict[str, Any] | None = None, **options: Any) -> GraphExecution:
    """The state at the end, node executions retained."""

    async def test() -> GraphExecution:
        made = world()
        constants = options.pop("constants", {})
        async with made.open() as engine:
            a_graph = made.graph(nodes, *links, **constants)
            done = await finish(engine, a_graph, inputs=inputs or {}, **options)
            history = await engine.history(done.id)
            state: GraphExecution = history.state()
            return state

    found: GraphExecution = play(test())
    return found


def count(state: GraphExecution, node_id: str, status: ExecutionStatus | None = None) -> int:
    found = [each for each in state.node_executions.values() if each.node_id == node_id]
    return sum(1 for each in found if status in (None, each.status))
