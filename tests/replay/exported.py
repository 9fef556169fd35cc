"""Stores for the tests of exports: runs with a failure, a sub-graph, a big value, hostile texts and several users."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

from tests.engine.kit import World, agent, effect, finish, play, pure

from actbook.engine import Engine
from actbook.events import GraphExecution
from actbook.graphs import Graph
from actbook.journal import Row, SQLiteStore, Store

HOSTILE = (
    "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>\u2028<!-- ]]> \x00\x0b"
)


async def _closed(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
    if input.value is not None:
        raise ValueError('the <shop> is closed & "dark"')
    yield "out", None


def world() -> tuple[World, Graph]:
    made = World(Echo=pure(), Effect=effect(), Closed=effect(_closed))
    child = made.graph("x:Input e:Echo y:Output", "x.result > e.value", "e.out > y.value", called="child")
    graph = made.graph(
        "x:Input first:Effect shop:Closed sub:Agent y:Output bad:Output",
        "x.result > first.value",
        "first.out > shop.value",
        "first.out > sub.x",
        "sub.y > y.value",
        "shop.error > bad.value",
        called="parent",
        sub_graphs=[child],
        sub=agent(child),
    )
    graph.name = HOSTILE
    return made, graph


async def run_all(engine: Engine, graph: Graph) -> list[GraphExecution]:
    """Of ada a hostile and a big one, of bob a small one."""
    ran = [await finish(engine, graph, inputs={"x": value}) for value in (HOSTILE, "big " * 40_000)]
    other = graph_of_bob()
    ran.append(await finish(engine, other, user="bob", inputs={"x": 1}))
    await engine.catch_up()
    return ran


def graph_of_bob() -> Graph:
    return World().graph("x:Input y:Output", "x.result > y.value", called="bobs")


def recorded(folder: Path, name: str = "runs.db") -> tuple[SQLiteStore, list[str]]:
    """A store with these runs, and their ids."""
    made, graph = world()

    async def run() -> list[str]:
        async with made.open(f"sqlite:///{folder / name}") as engine:
            return [state.id for state in await run_all(engine, graph)]

    ids: list[str] = play(run())
    return SQLiteStore(str(folder / name)), ids


def written(path: Path, pieces: Iterable[bytes]) -> Path:
    path.write_bytes(b"".join(pieces))
    return path


def everything(store: Store) -> dict[str, list[Row]]:
    """All streams as they are stored, without positions."""
    return {
        stream: [row._replace(position=0) for row in store.read_rows(stream)]
        for stream in store.stream_ids(limit=10_000)
    }
