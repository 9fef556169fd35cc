"""Crashing graph actors, failing stores, lost ownership: rebuilt from the stream, bounded, fenced; in a real engine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
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
    effect,
    finish,
    play,
    pure,
    sqlite,
    topics,
    when,
)

from actbook.actors import SubmissionError, Timing
from actbook.engine import Engine
from actbook.events import (
    Append,
    Decider,
    Draft,
    ExecutionClaimed,
    ExecutionStatus,
    GraphExecution,
    Report,
)
from actbook.graphs import Graph
from actbook.journal import Journal
from actbook.journal._errors import StoreIOError

COMPLETED, FAILED = ExecutionStatus.COMPLETED, ExecutionStatus.FAILED


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    """What is logged here is long and expected."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def chain(world: World, *kinds: str) -> Graph:
    names = [f"n{number}" for number in range(len(kinds))]
    nodes = " ".join(f"{name}:{kind}" for name, kind in zip(names, kinds, strict=True))
    pairs = zip(names, [*names[1:], "y"], strict=True)
    links = [f"{a}.out > {b}.value" for a, b in pairs]
    return world.graph(f"x:Input {nodes} y:Output", "x.result > n0.value", *links)


def break_reports(monkeypatch: pytest.MonkeyPatch, breaks: Callable[[GraphExecution, Report], bool]) -> None:
    """Makes the decision about some reports crash the actor."""
    original = Decider._HANDLERS[Report]

    def report(decider: Decider, command: Report) -> None:
        if breaks(decider.state, command):
            raise ZeroDivisionError("a fault in a handler")
        original(decider, command)

    monkeypatch.setitem(Decider._HANDLERS, Report, report)


def test_a_crashed_actor_is_rebuilt_from_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    crashes = iter([True, False, True])
    break_reports(monkeypatch, lambda state, report: report.number == 3 and next(crashes, False))

    async def test() -> None:
        ran: list[int] = []

        async def note(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
            ran.append(context.attempt)
            yield "out", input.value

        world = World(Pure=pure(), Note=effect(note))
        async with world.open() as engine:
            state = await finish(engine, chain(world, "Pure", "Note", "Pure"), inputs={"x": 1})
            assert (state.status, state.outputs) == (COMPLETED, {"y": [1]})
            assert state.epoch == 2
            assert ran == [1, 2]
            recorded = await topics(engine, state.id)
            assert recorded.count("execution.completed") == 1
            assert (await engine.history(state.id)).verify() == []

    play(test())


def test_an_actor_that_crashes_again_and_again_ends_as_failed_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    break_reports(monkeypatch, lambda state, report: report.number == 3)

    async def test() -> None:
        world = World(Pure=pure(), Note=effect())
        async with world.open() as engine:
            state = await finish(engine, chain(world, "Pure", "Note"), inputs={"x": 1})
            assert (state.status, state.outputs) == (FAILED, {})
            assert state.error == "Gave up after its actor crashed again and again: a fault in a handler"
            assert not state.running
            assert await engine.journal.unfinished() == []
            assert state.epoch == 4  # the first one and three restarts

    play(test())


def test_a_crash_hurts_no_other_execution(monkeypatch: pytest.MonkeyPatch) -> None:
    break_reports(monkeypatch, lambda state, report: state.inputs == {"x": "bad"} and report.number == 2)

    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = chain(world, "Hold")
        async with world.open() as engine:
            good = await begin(engine, graph, inputs={"x": "good"})
            bad = await begin(engine, graph, inputs={"x": "bad"})
            gate.open()
            assert (await engine.wait(bad.id, PATIENCE)).status is FAILED
            state = await engine.wait(good.id, PATIENCE)
            assert (state.status, state.epoch) == (COMPLETED, 1)

    play(test())


def test_a_run_whose_graph_is_gone_is_failed_not_retried_for_ever(tmp_path: Path) -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        url = sqlite(tmp_path)
        async with world.open(url) as engine:
            run = await begin(engine, chain(world, "Hold"), inputs={"x": 1})
            await gate.reached()
        async with world.open(url) as engine:

            async def nowhere(state: GraphExecution) -> Any:
                raise LookupError("Graph #graph not found.")

            engine._host.preparation.plan_of = nowhere
            state = await engine.wait(run.id, PATIENCE)
            assert (state.status, gate.entered) == (FAILED, 1)
            assert state.error.endswith("Graph #graph not found.")

    play(test())


def test_a_crash_before_anything_was_recorded_is_not_seen_by_the_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crashes = iter([True, True])
    break_reports(monkeypatch, lambda state, report: next(crashes, False))

    async def test() -> None:
        world = World(Note=effect())
        async with world.open() as engine:
            state = await finish(engine, chain(world, "Note"), inputs={"x": 1})
            assert (state.status, state.outputs) == (COMPLETED, {"y": [1]})
            assert (await topics(engine, state.id)).count("execution.created") == 1

    play(test())


def test_a_submission_whose_actor_always_crashes_is_answered_with_the_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    break_reports(monkeypatch, lambda state, report: True)

    async def test() -> None:
        world = World(Note=effect())
        async with world.open() as engine:
            with pytest.raises(SubmissionError, match=r"was not accepted.*ZeroDivisionError") as caught:
                await finish(engine, chain(world, "Note"), inputs={"x": 1})
            assert isinstance(caught.value.__cause__, ZeroDivisionError)
            assert await engine.journal.unfinished() == []

    play(test())


@pytest.mark.parametrize("number", [1, 2])
def test_a_doomed_child_tells_its_parent(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    break_reports(monkeypatch, lambda state, report: state.parent is not None and report.number == number)

    async def test() -> None:
        world = World(Note=effect())
        inner = world.graph(
            "x:Input n:Note y:Output", "x.result > n.value", "n.out > y.value", called="inner"
        )
        graph = world.graph(
            "x:Input a:Agent y:Output",
            "x.result > a.x",
            "a.y > y.value",
            called="outer",
            sub_graphs=[inner],
            a=agent(inner),
        )
        async with world.open() as engine:
            state = await finish(engine, graph, inputs={"x": 1})
            assert (state.status, state.outputs) == (COMPLETED, {})
            assert await engine.journal.unfinished() == []

    play(test())


# -- a store that fails ----------------------------------------------------------------------------------------------


class Outage:
    """While it lasts, submits of the journal fail: `left` of them, or all."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.failing = False
        self.failures = 0
        self.seen = asyncio.Event()
        submit = Journal.submit

        def failing(journal: Journal, append: Append, done: Any, *, lead: bool = False) -> None:
            if self.failing and journal is engine.journal:
                self.failures += 1
                self.seen.set()
                error = StoreIOError("simulated", "disk I/O error")
                asyncio.get_running_loop().call_soon(done, error)
            else:
                submit(journal, append, done, lead=lead)

        monkeypatch.setattr(Journal, "submit", failing)


@pytest.mark.parametrize("failures", [1, 12])
def test_a_store_that_fails_is_waited_for(monkeypatch: pytest.MonkeyPatch, failures: int) -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block(), Note=effect())
        async with world.open() as engine:
            outage = Outage(engine, monkeypatch)
            run = await begin(engine, chain(world, "Hold", "Note"), inputs={"x": 1})
            await gate.reached()
            outage.failing = True
            gate.open()
            async with asyncio.timeout(PATIENCE):
                while outage.failures < failures:
                    outage.seen.clear()
                    await outage.seen.wait()
            assert (await engine.get_graph_execution(run.id)).status is ExecutionStatus.RUNNING
            outage.failing = False
            state = await engine.wait(run.id, PATIENCE)
            assert (state.status, state.outputs) == (COMPLETED, {"y": [1]})
            assert (await engine.history(run.id)).verify() == []

    play(test())


def test_a_submission_that_the_store_refuses_is_the_callers_to_repeat(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test() -> None:
        world = World(Note=effect())
        graph = chain(world, "Note")
        async with world.open() as engine:
            await engine.save_graph(graph, USER)
            outage = Outage(engine, monkeypatch)
            outage.failing = True
            adding = [
                engine.add_graph_execution(graph.id, USER, {"x": 1}, idempotency_key="k") for _ in range(3)
            ]
            answers = await asyncio.gather(*adding, return_exceptions=True)
            assert [type(answer) for answer in answers] == [StoreIOError] * 3
            outage.failing = False
            assert await engine.journal.unfinished() == []
            run = await engine.add_graph_execution(graph.id, USER, {"x": 1}, idempotency_key="k")
            assert (await engine.wait(run.id, PATIENCE)).outputs == {"y": [1]}

    play(test())


def test_a_child_that_could_not_begin_begins_when_the_store_works_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test() -> None:
        world = World(Note=effect())
        inner = world.graph(
            "x:Input n:Note y:Output", "x.result > n.value", "n.out > y.value", called="inner"
        )
        graph = world.graph(
            "x:Input a:Agent y:Output",
            "x.result > a.x",
            "a.y > y.value",
            called="outer",
            sub_graphs=[inner],
            a=agent(inner),
        )
        async with world.open(timing=Timing(grace=1.0, linger=0.001, retry_after=0.03)) as engine:
            outage = Outage(engine, monkeypatch)
            run = await begin(engine, graph, inputs={"x": 1})
            await when(engine, lambda event: event.topic == "child.started")
            outage.failing = True
            async with asyncio.timeout(PATIENCE):
                await outage.seen.wait()
            outage.failing = False
            state = await engine.wait(run.id, PATIENCE)
            assert (state.status, state.outputs) == (COMPLETED, {"y": [1]})

    play(test())


# -- ownership -------------------------------------------------------------------------------------------------------


def test_who_lost_the_stream_writes_nothing_more_and_stops_its_bodies() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block(), Times=pure(lambda i, c: (("out", n) for n in range(3))))
        graph = world.graph(
            "x:Input h:Hold t:Times g:Hold y:Output",
            "x.result > h.value",
            "h.out > t.value",
            "t.out > y.value",
            "x.result > g.value",
        )
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            await gate.reached(2)
            head = await engine.journal.head(run.id)
            claim = Draft(ExecutionClaimed("somebody else", 2), 1)
            await engine.journal.append(Append(run.id, head, [claim], USER, run.id))
            gate.open()
            await gate.until(lambda gate: gate.inside == 0)
            async with asyncio.timeout(PATIENCE):
                while engine._host.system.find(run.id) is not None:
                    await engine.journal.last_position()
            for _ in range(5):
                await engine.journal.last_position()
            assert await engine.journal.head(run.id) == head + 1
            state = await engine.get_graph_execution(run.id)
            assert (state.worker, state.status, state.outputs) == (
                "somebody else",
                ExecutionStatus.RUNNING,
                {},
            )

    play(test())


def test_a_conflict_with_its_own_late_write_does_not_stop_an_execution(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The actor crashes while a commit is on its way: who is rebuilt meanwhile collides with it, and goes on."""

    async def test() -> None:
        async def twice(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
            yield "out", 1
            await asyncio.sleep(0.005)
            yield "out", 2

        submit, late, ends = Journal.submit, list[Append](), iter([True])

        def slow(journal: Journal, append: Append, done: Any, *, lead: bool = False) -> None:
            if not late and any(draft.payload.TOPIC == "node.output" for draft in append.drafts):
                late.append(append)
                asyncio.get_running_loop().call_later(0.03, submit, journal, append, done)
            else:
                submit(journal, append, done, lead=lead)

        monkeypatch.setattr(Journal, "submit", slow)
        break_reports(
            monkeypatch,
            lambda state, report: report.number == 2 and report.outcome is not None and next(ends, False),
        )
        world = World(Twice=effect(twice))
        async with world.open() as engine:
            state = await finish(engine, chain(world, "Twice"), inputs={"x": 1})
            assert late
            assert (state.status, state.outputs) == (COMPLETED, {"y": [1, 2]})
            assert (await engine.history(state.id)).verify() == []

    play(test())
