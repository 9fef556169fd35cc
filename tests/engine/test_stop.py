"""Stopping: in every status, durable before anything else, cascading, within one time limit, repeatable."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine.kit import (
    PATIENCE,
    USER,
    Gate,
    World,
    agent,
    begin,
    block,
    effect,
    finish,
    play,
    pure,
    sqlite,
    topics,
    when,
)

from actbook.actors import (
    Capacity,
    Submit,
    Supervisor,
    Timing,
    _graph_execution,
    load_state,
    wait_for_stop,
)
from actbook.engine import Engine, NotFoundError, StillStoppingError
from actbook.engine._preparation import Preparation
from actbook.events import (
    CancelRequested,
    ExecutionStatus,
    ExecutionTerminated,
    GraphExecution,
    InboxHandled,
    Limits,
    NodeTerminated,
    inbox_of,
)
from actbook.graphs import Graph
from actbook.journal import Journal

TERMINATED = ExecutionStatus.TERMINATED


def held(gate: Gate) -> tuple[World, Graph]:
    world = World(Hold=gate.block(), Echo=pure())
    return world, world.graph("x:Input h:Hold y:Output", "x.result > h.value", "h.out > y.value")


async def last(engine: Engine, execution_id: str) -> int:
    return await engine.journal.head(execution_id) + await engine.journal.head(inbox_of(execution_id))


def test_a_running_execution_ends_terminated_with_actor_reason_and_time() -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            await gate.reached()
            state = await engine.stop_graph_execution(USER, run.id, reason="enough")
            assert (state.status, state.actor, state.reason) == (TERMINATED, USER, "enough")
            assert state.ended_at >= state.started_at > 0
            assert (gate.inside, state.outputs, state.stats.node_error_count) == (0, {}, 0)
            assert not state.running
            events = await engine.journal.read_stream(run.id)
            ended = [e.payload for e in events if isinstance(e.payload, NodeTerminated)]
            assert ended == [NodeTerminated((2,), "enough")]
            assert sum(isinstance(e.payload, ExecutionTerminated) for e in events) == 1

    play(test())


def test_a_stop_and_its_end_are_one_commit_when_the_bodies_stop_at_once() -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            await gate.reached()
            before = await last(engine, run.id)
            commits: list[int] = []
            forget = engine.journal.on_commit(commits.append)
            await engine.stop_graph_execution(USER, run.id)
            forget()
            assert await last(engine, run.id) > before + 1
            assert len(commits) == 2  # the request, and all that it led to

    play(test())


def test_bodies_that_stop_at_once_are_part_of_the_decision_and_slow_ones_follow_it() -> None:
    async def clumsy(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
        gate.entered += 1
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
        yield "out", 1

    gate = Gate()

    async def ends_of(world: World, graph: Graph) -> list[str]:
        async with world.open() as engine:
            gate.entered = 0
            run = await begin(engine, graph, inputs={"x": 1})
            while not gate.entered:  # noqa: ASYNC110
                await asyncio.sleep(0)
            before = await engine.journal.head(run.id)
            await engine.stop_graph_execution(USER, run.id)
            return (await topics(engine, run.id))[before:]

    async def test() -> None:
        end = ["node.terminated", "inbox.handled", "execution.terminated"]
        assert await ends_of(*held(gate)) == end
        world = World(Slow=block(clumsy))
        slow = world.graph("x:Input s:Slow", "x.result > s.value")
        assert await ends_of(world, slow) == ["execution.stopping", "inbox.handled", end[0], end[2]]

    play(test())


def test_stopping_again_changes_nothing() -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            await gate.reached()
            first = await engine.stop_graph_execution(USER, run.id)
            written = await last(engine, run.id)
            again = await engine.stop_graph_execution(USER, run.id, reason="other")
            assert (again.status, again.reason) == (first.status, first.reason)
            assert await last(engine, run.id) == written

    play(test())


def test_five_stops_at_once_have_one_outcome() -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            await gate.reached()
            states = await asyncio.gather(*(engine.stop_graph_execution(USER, run.id) for _ in range(5)))
            assert {state.status for state in states} == {TERMINATED}
            assert (await topics(engine, run.id)).count("execution.terminated") == 1

    play(test())


def test_a_finished_execution_stays_as_it_is() -> None:
    async def test() -> None:
        world = World(Echo=pure())
        graph = world.graph("x:Input e:Echo y:Output", "x.result > e.value", "e.out > y.value")
        async with world.open() as engine:
            done = await finish(engine, graph, inputs={"x": 1})
            written = await last(engine, done.id)
            state = await engine.stop_graph_execution(USER, done.id)
            assert (state.status, state.outputs) == (ExecutionStatus.COMPLETED, {"y": [1]})
            assert await last(engine, done.id) == written

    play(test())


@pytest.mark.parametrize("user", ["eve", ""])
def test_what_belongs_to_somebody_else_is_not_found_and_nothing_is_written(user: str) -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            await gate.reached()
            position = await engine.journal.last_position()
            with pytest.raises(NotFoundError, match=f"Graph execution #{run.id} not found."):
                await engine.stop_graph_execution(user, run.id)
            with pytest.raises(NotFoundError, match="not found"):
                await engine.stop_graph_execution(USER, "no-such-id")
            assert await engine.journal.last_position() == position
            assert gate.inside == 1
            gate.open()
            assert (await engine.wait(run.id, PATIENCE)).status is ExecutionStatus.COMPLETED

    play(test())


def test_with_a_wait_of_zero_it_returns_at_once_and_the_request_is_durable() -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            await gate.reached()
            await engine.stop_graph_execution(USER, run.id, 0)
            inbox = await engine.journal.read_stream(inbox_of(run.id))
            assert [event.payload for event in inbox] == [CancelRequested(USER, "Stopped by user", True)]
            assert (await engine.wait(run.id, PATIENCE)).status is TERMINATED

    play(test())


def test_a_body_that_will_not_stop_makes_the_stop_time_out_with_a_clear_text() -> None:
    async def test() -> None:
        entered, leave = threading.Event(), threading.Event()

        def stubborn(input: Any, context: Any) -> Iterator[tuple[str, Any]]:
            entered.set()
            leave.wait(PATIENCE)
            yield "out", 1

        world = World(Stubborn=block(stubborn, execution="blocking"))
        graph = world.graph("x:Input s:Stubborn y:Output", "x.result > s.value", "s.out > y.value")
        async with world.open(timing=Timing(grace=0.3, linger=0.02)) as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            await asyncio.to_thread(entered.wait, PATIENCE)
            text = (
                f"Graph execution #{run.id} will need to take longer than 0.05 seconds to stop. "
                "You can check the status of the execution in the UI or try again later."
            )
            with pytest.raises(TimeoutError) as caught:
                await engine.stop_graph_execution(USER, run.id, 0.05)
            assert str(caught.value) == text
            assert isinstance(caught.value, StillStoppingError)
            state = await engine.stop_graph_execution(USER, run.id, PATIENCE)
            assert state.status is TERMINATED
            events = await engine.journal.read_stream(run.id)
            assert [e.payload.abandoned for e in events if isinstance(e.payload, NodeTerminated)] == [(2,)]
            leave.set()

    play(test())


def test_a_blocking_body_can_hear_that_it_should_stop() -> None:
    async def test() -> None:
        entered = threading.Event()

        def polite(input: Any, context: Any) -> Iterator[tuple[str, Any]]:
            entered.set()
            wait_for_stop(PATIENCE)
            yield "out", "too late"

        world = World(Polite=block(polite, execution="blocking"))
        graph = world.graph("x:Input s:Polite y:Output", "x.result > s.value", "s.out > y.value")
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            await asyncio.to_thread(entered.wait, PATIENCE)
            state = await engine.stop_graph_execution(USER, run.id)
            assert (state.status, state.outputs) == (TERMINATED, {})
            events = await engine.journal.read_stream(run.id)
            assert [e.payload.abandoned for e in events if isinstance(e.payload, NodeTerminated)] == [()]

    play(test())


def test_a_thread_that_can_not_be_ended_keeps_its_place_until_it_ends_itself() -> None:
    async def test() -> None:
        entered, leave = threading.Event(), threading.Event()

        def stuck(input: Any, context: Any) -> Iterator[tuple[str, Any]]:
            if input.value == "stuck":
                entered.set()
                leave.wait(PATIENCE)
            yield "out", input.value

        world = World(Stuck=block(stuck, execution="blocking"))
        graph = world.graph("x:Input s:Stuck y:Output", "x.result > s.value", "s.out > y.value")
        one = Capacity(blocking=1, abandoned=0)
        async with world.open(timing=Timing(grace=0.02, linger=0.02), capacity=one) as engine:
            run = await begin(engine, graph, inputs={"x": "stuck"})
            await asyncio.to_thread(entered.wait, PATIENCE)
            assert (await engine.stop_graph_execution(USER, run.id)).status is TERMINATED
            others = [await begin(engine, graph, inputs={"x": number}) for number in range(3)]
            with pytest.raises(TimeoutError):
                await engine.wait(others[0].id, 0.05)
            leave.set()
            for number, other in enumerate(others):
                assert (await engine.wait(other.id, PATIENCE)).outputs == {"y": [number]}

    play(test())


def test_what_a_body_yields_while_it_is_being_stopped_is_no_output() -> None:
    async def test() -> None:
        started = asyncio.Event()

        async def talks(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
            yield "out", "before"
            try:
                started.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                yield "out", "after"
                raise

        world = World(Talks=effect(talks))
        graph = world.graph("x:Input t:Talks y:Output", "x.result > t.value", "t.out > y.value")
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            await started.wait()
            await when(engine, lambda e: e.topic == "node.output")
            state = await engine.stop_graph_execution(USER, run.id)
            assert state.status is TERMINATED
            assert "after" not in state.outputs.get("y", [])

    play(test())


def test_nodes_that_wait_for_a_place_never_start() -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        async with world.open(capacity=Capacity(async_=1)) as engine:
            first = await begin(engine, graph, inputs={"x": 1})
            await gate.reached()
            second = await begin(engine, graph, inputs={"x": 2})
            await when(engine, lambda e: e.stream_id == second.id and e.topic == "node.completed")
            assert (await engine.stop_graph_execution(USER, second.id)).status is TERMINATED
            assert "node.started" not in (await topics(engine, second.id))[8:]
            gate.open()
            await engine.wait(first.id, PATIENCE)
            assert gate.values == [1]

    play(test())


def test_a_queued_execution_never_starts_after_it_was_stopped(tmp_path: Path) -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        url = sqlite(tmp_path)
        async with world.open(url, take_over=False, candidate=False) as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            assert run.status is ExecutionStatus.QUEUED
            await engine.stop_graph_execution(USER, run.id, 0)
        async with world.open(url) as engine:
            state = await engine.wait(run.id, PATIENCE)
            assert state.status is TERMINATED
            assert "execution.started" not in await topics(engine, run.id)
            assert gate.entered == 0

    play(test())


def test_a_stop_survives_the_death_of_the_process(tmp_path: Path) -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        url = sqlite(tmp_path)
        async with world.open(url) as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            await gate.reached()
        async with world.open(url, candidate=False) as engine:
            # Nobody owns the store: the request is all that there is.
            with pytest.raises(TimeoutError):
                await engine.stop_graph_execution(USER, run.id, 0.01)
        async with world.open(url) as engine:
            state = await engine.wait(run.id, PATIENCE)
            assert state.status is TERMINATED
            assert gate.entered == 1

    play(test())


def test_a_run_with_a_time_limit_can_be_stopped() -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 1}, limits=Limits(timeout=30.0))
            await gate.reached()
            assert (await engine.stop_graph_execution(USER, run.id)).status is TERMINATED

    play(test())


# -- sub-graphs ------------------------------------------------------------------------------------------------------


def nested(world: World, depth: int, width: int = 1) -> Graph:
    """`depth` levels of sub-graphs around a node that is held at the gate."""
    inner = world.graph("x:Input h:Hold y:Output", "x.result > h.value", "h.out > y.value", called="level0")
    for level in range(1, depth + 1):
        names = [f"a{n}" for n in range(width)]
        inner = world.graph(
            "x:Input y:Output " + " ".join(f"{name}:Agent" for name in names),
            *(f"x.result > {name}.x" for name in names),
            *(f"{name}.y > y.value" for name in names),
            called=f"level{level}",
            sub_graphs=[inner, *inner.sub_graphs],
            **{name: agent(inner) for name in names},
        )
    return inner


async def family(engine: Engine) -> list[GraphExecution]:
    created = [e for e in await engine.journal.read_log(limit=10_000) if e.topic == "execution.created"]
    return [await engine.get_graph_execution(event.stream_id) for event in created]


@pytest.mark.parametrize(("depth", "width"), [(3, 1), (2, 3)])
def test_a_stop_cascades_over_all_levels(depth: int, width: int) -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        async with world.open() as engine:
            run = await begin(engine, nested(world, depth, width), inputs={"x": 1})
            await gate.reached(width**depth)
            state = await engine.stop_graph_execution(USER, run.id, 10.0)
            assert state.status is TERMINATED
            members = await family(engine)
            assert len(members) == sum(width**level for level in range(depth + 1))
            assert {member.status for member in members} == {TERMINATED}
            assert gate.inside == 0
            assert {member.correlation_id for member in members} == {run.id}

    play(test())


def test_a_sub_graph_that_is_stopped_with_its_parent_tells_it_nothing_more() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        async with world.open() as engine:
            run = await begin(engine, nested(world, 1), inputs={"x": 1})
            await gate.reached()
            await engine.stop_graph_execution(USER, run.id)
            (request,) = await engine.journal.read_stream(inbox_of(run.id))
            (child,) = [member for member in await family(engine) if member.parent is not None]
            (passed_on,) = await engine.journal.read_stream(inbox_of(child.id))
            assert passed_on.cause == request.event_id

    play(test())


def test_children_that_will_not_stop_share_one_time_limit() -> None:
    async def test() -> None:
        def deaf(input: Any, context: Any) -> Iterator[tuple[str, Any]]:
            entered.set()
            leave.wait(PATIENCE)
            yield "out", 1

        entered, leave = threading.Event(), threading.Event()
        world = World(Hold=block(deaf, execution="blocking"))
        async with world.open(timing=Timing(grace=0.5, linger=0.02)) as engine:
            run = await begin(engine, nested(world, 3), inputs={"x": 1})
            await asyncio.to_thread(entered.wait, PATIENCE)
            loop = asyncio.get_running_loop()
            since = loop.time()
            stopped = await engine.stop_graph_execution(USER, run.id, 0.1)
            assert loop.time() - since < 0.4
            # The child that will not stop does not keep its parent from stopping.
            assert stopped.status is TERMINATED
            await engine.stop_graph_execution(USER, run.id, PATIENCE)
            leave.set()
            assert {member.status for member in await family(engine)} == {TERMINATED}

    play(test())


def test_without_cascade_the_children_go_on() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        async with world.open() as engine:
            run = await begin(engine, nested(world, 1), inputs={"x": 1})
            await gate.reached()
            state = await engine.stop_graph_execution(USER, run.id, cascade=False)
            assert state.status is TERMINATED
            assert gate.inside == 1
            gate.open()
            child = next(each for each in await family(engine) if each.parent is not None)
            done = await engine.wait(child.id, PATIENCE)
            assert (done.status, done.outputs) == (ExecutionStatus.COMPLETED, {"y": [1]})
            parent = await engine.get_graph_execution(run.id)
            assert (parent.status, parent.outputs) == (TERMINATED, {})

    play(test())


def test_a_child_launched_while_its_parent_is_being_stopped_runs_no_body() -> None:
    async def test() -> None:
        for yields in range(40):
            gate = Gate()
            world = World(Hold=gate.block())
            async with world.open() as engine:
                run = await begin(engine, nested(world, 1), inputs={"x": 1})
                await when(engine, lambda e: e.topic == "child.started")
                for _ in range(yields):
                    await asyncio.sleep(0)
                state = await engine.stop_graph_execution(USER, run.id)
                assert state.status is TERMINATED
                inside = gate.inside
                members = await family(engine)
                assert {member.status for member in members} == {TERMINATED}
                assert inside == 0
                if gate.entered:
                    break

    play(test())


def test_a_stop_waits_for_a_child_that_is_being_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner heard of the stop first, looks for it, and does not find it; it is created meanwhile, and ends."""
    prepare = Preparation.child_of
    may_create, offered = asyncio.Event(), asyncio.Event()
    looked, may_go_on = asyncio.Event(), asyncio.Event()
    accept = Supervisor._accept

    def offer(self: Supervisor, message: Submit) -> None:
        accept(self, message)
        if message.create.parent is not None:
            offered.set()

    async def slowly(self: Preparation, *args: Any) -> Any:
        await may_create.wait()
        return await prepare(self, *args)

    async def look(journal: Journal, execution_id: str) -> GraphExecution | None:
        state = await load_state(journal, execution_id)
        if state is None:
            looked.set()
            await may_go_on.wait()
        return state

    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        async with world.open() as engine:
            run = await begin(engine, nested(world, 1), inputs={"x": 1})
            await when(engine, lambda e: e.topic == "child.started")
            stop = asyncio.create_task(engine.stop_graph_execution(USER, run.id))
            async with asyncio.timeout(PATIENCE):
                await looked.wait()
            assert not stop.done()
            may_create.set()
            async with asyncio.timeout(PATIENCE):
                await offered.wait()
            may_go_on.set()
            assert (await stop).status is TERMINATED
            members = await family(engine)
            assert [member.status for member in members] == [TERMINATED] * 2
            assert {member.correlation_id for member in members} == {run.id}
            assert not gate.entered

    monkeypatch.setattr(Preparation, "child_of", slowly)
    monkeypatch.setattr(Supervisor, "_accept", offer)
    monkeypatch.setattr(_graph_execution, "load_state", look)
    play(test())


# -- against completion ----------------------------------------------------------------------------------------------


def test_a_cancel_races_completion_to_one_end() -> None:
    """Stops after every possible number of loop turns; whatever wins, there is one end, and what was told holds."""

    async def test() -> None:
        async def works(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
            await asyncio.sleep(input.value % 20 * 0.0001)
            yield "out", input.value

        world = World(Echo=effect(works), Pure=pure())
        graph = world.graph(
            "x:Input e:Echo p:Pure f:Echo y:Output",
            "x.result > e.value",
            "e.out > p.value",
            "p.out > f.value",
            "f.out > y.value",
        )
        ends: list[ExecutionStatus] = []
        async with world.open() as engine:
            for turns in range(300):
                run = await begin(engine, graph, inputs={"x": turns})
                for _ in range(turns % 60):
                    await asyncio.sleep(0)
                state = await engine.stop_graph_execution(USER, run.id)
                ends.append(state.status)
                events = await engine.journal.read_stream(run.id)
                terminal = [e for e in events if e.topic in ("execution.completed", "execution.terminated")]
                assert len(terminal) == 1
                assert state.status is (
                    ExecutionStatus.COMPLETED if terminal[0].topic == "execution.completed" else TERMINATED
                )
                after = events[terminal[0].version :]
                assert {type(e.payload) for e in after} <= {InboxHandled}
                if state.status is ExecutionStatus.COMPLETED:
                    assert state.outputs == {"y": [turns]}
        assert set(ends) == {TERMINATED, ExecutionStatus.COMPLETED}

    play(test())
