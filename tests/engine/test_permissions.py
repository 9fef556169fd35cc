"""One user neither sees nor changes what is another's, through any door; graphs can be shared."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from tests.engine.kit import PATIENCE, USER, World, agent, begin, finish, play, pure

from actbook.engine import (
    Engine,
    ExecutionNotFoundError,
    GraphNotFoundError,
    NotFoundError,
    SharingError,
)
from actbook.events import ExecutionStatus, GraphExecution, Schedule
from actbook.graphs import Graph

EVE = "eve"
BOB = "bob"
COMPLETED = ExecutionStatus.COMPLETED

OPEN_TO_ALL = frozenset(
    {"open", "run_sync", "is_owner", "owner", "journal", "queries", "catch_up", "save_graph", "executions"}
)
"""What is about nothing of anybody, or is listed per user and looked at by tests of their own."""


def chain(world: World, called: str = "graph", output: str = "y") -> Graph:
    return world.graph(
        f"x:Input a:Echo {output}:Output", "x.result > a.value", f"a.out > {output}.value", called=called
    )


def judged(world: World) -> Graph:
    return world.graph(
        "x:Input r:Review y:Output", "x.result > r.data", "r.approved_data > y.value", called="judged"
    )


def _methods() -> list[str]:
    return [
        name
        for name, member in inspect.getmembers(Engine, inspect.iscoroutinefunction)
        if not name.startswith("_") and name not in OPEN_TO_ALL
    ]


def _of_one_thing(name: str) -> bool:
    """Whether a method is about one execution, node execution, graph or schedule."""
    parameters = inspect.signature(getattr(Engine, name)).parameters
    return bool({"graph_exec_id", "node_exec_id", "graph_id", "schedule_id"} & set(parameters))


def _arguments(
    name: str, user: str, state: GraphExecution, schedule: Schedule, review: str
) -> dict[str, Any]:
    """Everything that the method must be given."""
    known: dict[str, Any] = {
        "user_id": user,
        "graph_exec_id": state.id,
        "node_exec_id": review,
        "graph_id": state.graph_id,
        "schedule_id": schedule.id,
        "approved": True,
        "cron": "@daily",
        "position": 1,
        "with_user": user,
    }
    given: dict[str, Any] = {}
    for parameter in list(inspect.signature(getattr(Engine, name)).parameters.values())[1:]:
        needed = parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
        resumes = name == "add_graph_execution" and parameter.name == "graph_exec_id"
        if needed or (parameter.name in known and not resumes and parameter.name != "position"):
            assert parameter.name in known, f"teach this test a value for {name}({parameter.name})"
            given[parameter.name] = known[parameter.name]
    return given


@pytest.mark.parametrize("name", _methods())
def test_no_method_lets_a_stranger_at_anything(name: str) -> None:
    if not _of_one_thing(name):
        assert "user_id" in inspect.signature(getattr(Engine, name)).parameters, f"{name} asks for no user"
        return

    async def test() -> None:
        world = World(Echo=pure())
        async with world.open() as engine:
            state = await finish(engine, judged(world), inputs={"x": 1})
            [number] = state.reviews
            schedule = await engine.add_schedule(state.graph_id, USER, cron="0 0 29 2 *", inputs={"x": 1})
            before = await engine.journal.last_position()
            arguments = _arguments(name, EVE, state, schedule, f"{state.id}.{number}")
            assert arguments.get("user_id") == EVE, f"{name} asks for no user"
            with pytest.raises(NotFoundError):
                await getattr(engine, name)(**arguments)
            assert await engine.journal.last_position() == before

    play(test())


def test_lists_hold_only_what_is_ones_own() -> None:
    async def test() -> None:
        world = World(Echo=pure())
        async with world.open() as engine:
            state = await finish(engine, chain(world), inputs={"x": 1})
            await engine.add_schedule(state.graph_id, USER, cron="@yearly", inputs={"x": 1})
            await engine.catch_up()
            queries = engine.queries
            assert [row.id for row in await queries.executions(USER)] == [state.id]
            assert list(await queries.executions(EVE)) == []
            assert await queries.execution(state.id, EVE) is None
            assert await queries.tree(state.id, EVE) is None
            assert list(await queries.node_executions(state.id, user_id=EVE)) == []
            assert await queries.counts(EVE) == {}
            assert await engine.schedules(EVE) == []

    play(test())


def test_no_user_can_make_up_anothers_key() -> None:
    async def test() -> None:
        world = World(Echo=pure())
        async with world.open() as engine:
            graph = await engine.save_graph(chain(world))
            keys = [("ada\nx", "k"), ("ada", "x\nk"), ("", "ada\nx\nk")]
            runs = [
                await engine.add_graph_execution(graph.id, user, {"x": 1}, idempotency_key=key)
                for user, key in keys
            ]
            assert len({run.id for run in runs}) == len(keys)

    play(test())


def test_what_is_saved_without_a_user_is_for_everybody() -> None:
    async def test() -> None:
        world = World(Echo=pure())
        async with world.open() as engine:
            graph = await engine.save_graph(chain(world))
            assert (await engine.graph(graph.id, user_id=EVE)).id == graph.id
            run = await engine.add_graph_execution(graph.id, EVE, {"x": 1})
            assert (await engine.wait(run.id, PATIENCE, EVE)).status is COMPLETED

    play(test())


@pytest.mark.parametrize("how", [{"with_user": BOB}, {"public": True}])
def test_a_shared_graph_can_be_run_and_that_be_taken_back(how: dict[str, Any]) -> None:
    async def test() -> None:
        world = World(Echo=pure())
        async with world.open() as engine:
            graph = await engine.save_graph(chain(world), USER)
            for version in (None, 1):
                with pytest.raises(GraphNotFoundError):
                    await engine.add_graph_execution(graph.id, BOB, {"x": 1}, graph_version=version)
            for _ in range(2):
                await engine.share_graph(graph.id, USER, **how)
            run = await engine.add_graph_execution(graph.id, BOB, {"x": 1})
            assert (await engine.wait(run.id, PATIENCE)).outputs == {"y": [1]}
            assert (await engine.get_graph(graph.id, user_id=BOB)).version == 1
            with pytest.raises(ExecutionNotFoundError):
                await engine.get_graph_execution(run.id, USER)
            if "with_user" in how:
                with pytest.raises(GraphNotFoundError):
                    await engine.graph(graph.id, user_id=EVE)
            await engine.unshare_graph(graph.id, USER, **how)
            for version in (None, 1):
                with pytest.raises(GraphNotFoundError):
                    await engine.graph(graph.id, version, BOB)

    play(test())


def test_a_shared_graph_can_not_be_changed_by_those_it_is_shared_with() -> None:
    async def test() -> None:
        world = World(Echo=pure())
        async with world.open() as engine:
            await engine.save_graph(chain(world), USER)
            await engine.share_graph("graph", USER, public=True)
            his = await engine.save_graph(chain(world, output="z"), BOB)
            assert his.version == 2
            assert (await engine.graph("graph", user_id=USER)).version == 1
            assert (await engine.graph("graph", user_id=EVE)).version == 1
            assert (await engine.graph("graph", user_id=BOB)).version == 2
            with pytest.raises(GraphNotFoundError):
                await engine.graph("graph", 2, EVE)
            again = await engine.save_graph(chain(world, output="z"), BOB)
            assert again.version == 2

    play(test())


def test_who_saves_the_same_graph_may_use_that_version_and_no_other() -> None:
    async def test() -> None:
        world = World(Echo=pure())
        async with world.open() as engine:
            await engine.save_graph(chain(world), USER)
            await engine.save_graph(chain(world, output="z"), USER)
            for _ in range(2):
                assert (await engine.save_graph(chain(world), BOB)).version == 1
            assert (await engine.graph("graph", user_id=BOB)).version == 1
            with pytest.raises(GraphNotFoundError):
                await engine.graph("graph", 2, BOB)
            assert (await engine.graph("graph")).version == 2

    play(test())


def test_many_may_save_one_graph_at_once() -> None:
    async def test() -> None:
        import asyncio

        world = World(Echo=pure())
        async with world.open() as engine:
            users = [f"user {number}" for number in range(20)]
            saved = await asyncio.gather(*(engine.save_graph(chain(world), user) for user in users))
            assert {graph.version for graph in saved} == {1}
            for user in users:
                assert (await engine.graph("graph", user_id=user)).version == 1

    play(test())


def parent_of(world: World, child: Graph, *, embedded: bool) -> Graph:
    graph = world.graph(
        "x:Input a:Agent y:Output",
        "x.result > a.x",
        "a.y > y.value",
        called="parent",
        sub_graphs=[child] if embedded else [],
    )
    graph.nodes[1].input_default = agent(child)
    return graph


@pytest.mark.parametrize("embedded", [True, False])
def test_a_sub_graph_run_may_use_what_the_shared_parent_may(embedded: bool) -> None:
    async def test() -> None:
        world = World(Echo=pure())
        async with world.open() as engine:
            child = chain(world, "child")
            await engine.save_graph(child, USER)
            parent = await engine.save_graph(parent_of(world, child, embedded=embedded), USER)
            await engine.share_graph(parent.id, USER, with_user=BOB)
            run = await engine.add_graph_execution(parent.id, BOB, {"x": 5})
            assert (await engine.wait(run.id, PATIENCE)).outputs == {"y": [5]}
            with pytest.raises(GraphNotFoundError):
                await engine.graph("child", user_id=BOB)
            with pytest.raises(GraphNotFoundError):
                await engine.add_graph_execution("child", BOB, {"x": 5})

    play(test())


def test_naming_anothers_graph_as_a_sub_graph_does_not_reach_it() -> None:
    async def test() -> None:
        world = World(Echo=pure())
        async with world.open() as engine:
            child = await engine.save_graph(chain(world, "child"), USER)
            mine = await finish(engine, parent_of(world, child, embedded=False), user=EVE, inputs={"x": 5})
            assert (mine.outputs, mine.stats.node_error_count) == ({}, 1)
            # What she has word for word from another one is hers, not what it names.
            await engine.save_graph(parent_of(world, child, embedded=False), USER)
            run = await engine.add_graph_execution("parent", EVE, {"x": 5})
            assert (await engine.wait(run.id, PATIENCE)).outputs == {}

    play(test())


@pytest.mark.parametrize("how", [{}, {"with_user": BOB, "public": True}])
def test_it_must_be_said_with_whom_to_share(how: dict[str, Any]) -> None:
    async def test() -> None:
        world = World(Echo=pure())
        async with world.open() as engine:
            await engine.save_graph(chain(world), USER)
            for call in (engine.share_graph, engine.unshare_graph):
                with pytest.raises(SharingError, match="one of them"):
                    await call("graph", USER, **how)

    play(test())


def test_the_operator_sees_and_shares_everything() -> None:
    async def test() -> None:
        world = World(Echo=pure())
        async with world.open() as engine:
            run = await begin(engine, chain(world), inputs={"x": 1})
            assert (await engine.graph("graph")).version == 1
            assert (await engine.wait(run.id, PATIENCE)).user_id == USER
            await engine.share_graph("graph", None, with_user=BOB)
            assert (await engine.graph("graph", user_id=BOB)).version == 1

    play(test())


@pytest.mark.parametrize("reopen", [True, False])
def test_sharing_is_recorded(reopen: bool, tmp_path: Any) -> None:
    async def test() -> None:
        world, url = World(Echo=pure()), f"sqlite:///{tmp_path}/x.db"
        async with world.open(url) as engine, world.open(url) as other:
            await engine.save_graph(chain(world), USER)
            with pytest.raises(GraphNotFoundError):
                await other.graph("graph", 1, BOB)
            await engine.share_graph("graph", USER, with_user=BOB)
            look: Callable[[Engine], Any] = lambda at: at.graph("graph", 1, BOB)  # noqa: E731
            assert (await look(other)).version == 1
        async with world.open(url) as again:
            assert (await look(again)).version == 1

    play(test())
