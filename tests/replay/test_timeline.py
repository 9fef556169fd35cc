"""Timelines, comparisons, causes and re-execution of recorded executions."""

from __future__ import annotations

import gc
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.kit import USER, World, agent, effect, finish, play, pure

from actbook.events import ChildStarted, ExecutionCreated, ExecutionStatus, NodeQueued, fold
from actbook.graphs import Graph
from actbook.replay import History, Kinship, Rerun, rerun
from actbook.replay._collector import collector_paused


def fork_and_join() -> tuple[World, Graph]:
    """`a` feeds `b` and `c`, both feed `d`."""
    made = World(Echo=pure(), Slow=effect())
    links = ("x.result > a.value", "a.out > b.value", "a.out > c.value", "b.out > y.value", "c.out > z.value")
    return made, made.graph("x:Input a:Echo b:Echo c:Slow y:Output z:Output", *links)


async def ran(made: World, graph: Graph, *given: Any) -> list[History]:
    async with made.open() as engine:
        ids = [(await finish(engine, graph, inputs={"x": each})).id for each in given]
        return [await engine.history(each) for each in ids]


def test_a_timeline_has_every_node_execution_with_its_times() -> None:
    (history,) = play(ran(*fork_and_join(), 1))
    line, state = history.timeline(), history.state()
    assert [span.number for span in line.spans] == sorted(state.node_executions)
    for span in line.spans:
        node = state.node_executions[span.number]
        assert (span.queued_at, span.started_at, span.ended_at) == (
            node.queued_at,
            node.started_at,
            node.ended_at,
        )
        assert span.wait == (node.started_at - node.queued_at) / 1e6
        assert span.run == (node.ended_at - node.started_at) / 1e6


def test_after_is_the_node_execution_whose_value_came_last() -> None:
    (history,) = play(ran(*fork_and_join(), 1))
    spans = {span.node_id: span for span in history.timeline().spans}
    by_number = {span.number: span.node_id for span in spans.values()}
    after = {name: by_number.get(span.after, "") for name, span in spans.items()}
    assert after == {"x": "", "a": "x", "b": "a", "c": "a", "y": "b", "z": "c"}


def test_the_critical_path_leads_from_the_first_to_the_one_that_ended_last() -> None:
    (history,) = play(ran(*fork_and_join(), 1))
    line = history.timeline()
    spans = {span.number: span for span in line.spans}
    path = [spans[number] for number in line.critical_path]
    assert (path[-1].ended_at, path[-1].number) == max((span.ended_at, span.number) for span in line.spans)
    assert path[0].after == 0
    assert [span.number for span in path[:-1]] == [span.after for span in path[1:]]
    assert all(one.queued_at <= two.queued_at for one, two in pairwise(path))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 60))
def test_at_every_version_the_timeline_is_sound(version: int) -> None:
    history = recorded_once()
    line = History(history.events[:version]).timeline()
    assert all(span.after < span.number and span.wait >= 0 and span.run >= 0 for span in line.spans)
    assert bool(line.critical_path) == any(span.ended_at for span in line.spans)


_KEPT: list[History] = []


def recorded_once() -> History:
    if not _KEPT:
        _KEPT.extend(play(ran(*fork_and_join(), 7)))
    return _KEPT[0]


def test_steps_tell_every_event_once_and_end_where_the_history_ends() -> None:
    history = recorded_once()
    steps = list(history.steps())
    assert [step.event for step in steps] == list(history.events)
    changes = [change for step in steps for change in step.changes]
    assert [new for path, _, new in changes if path == "status"][-1] == "COMPLETED"


def test_the_changes_of_a_step_are_the_same_whenever_they_are_asked_for() -> None:
    history = recorded_once()
    at_once = [step.changes for step in history.steps()]
    assert [step.changes for step in list(history.steps())] == at_once


def test_the_changes_of_all_steps_make_up_the_last_state() -> None:
    history = recorded_once()
    told = {path: after for step in history.steps() for path, _, after in step.changes}
    state = history.state()
    for number, node in state.node_executions.items():
        assert told[f"node {number}.status"] == node.status
        assert told[f"node {number}.ended_at"] == node.ended_at
        # What a node has before its first event counts as new; what arrives later comes by pin.
        data = told.get(f"node {number}.data", {}) | {
            name: told[path] for name in node.data if (path := f"node {number}.data.{name}") in told
        }
        assert data == node.data
        outputs = [told[f"node {number}.outputs[{index}]"] for index in range(len(node.outputs))]
        assert outputs == [list(each) for each in node.outputs]
    assert told["status"] == state.status
    assert told["stats.node_exec_count"] == state.stats.node_exec_count


def test_the_collector_is_paused_while_anybody_reads_and_only_then() -> None:
    with collector_paused():
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_execution_does_not_differ_from_itself() -> None:
    history = recorded_once()
    found = history.compare(history)
    assert (found.changes, found.different) == ((), ())
    assert len(found.nodes) == 6


def test_the_difference_of_two_executions_names_what_differs() -> None:
    one, two = play(ran(*fork_and_join(), 1, 2))
    found = one.compare(two)
    assert {change.path for change in found.changes} >= {("inputs", "x"), ("outputs", "y", 0)}
    changed = {node.node_id: {change.path[0] for change in node.changes} for node in found.different}
    assert set(changed) == {"x", "a", "b", "c", "y", "z"}
    assert changed["a"] == {"inputs", "outputs"}
    back = two.compare(one)
    assert {(c.path, c.after, c.before) for c in back.changes} == {
        (c.path, c.before, c.after) for c in found.changes
    }


def test_a_node_execution_without_counterpart_has_number_0_there() -> None:
    history = recorded_once()
    queued = next(e.version for e in history.events if isinstance(e.payload, NodeQueued))
    found = history.compare(History(history.events[: queued - 1]))
    assert [node.b for node in found.nodes] == [0] * 6
    assert [node.a for node in History(()).compare(history).nodes] == [0] * 6


# -- re-execution ----------------------------------------------------------------------------------------------------


async def again(made: World, graph: Graph) -> dict[str, Rerun]:
    (history,) = await ran(made, graph, 5)
    return {each.node_id: each async for each in rerun(history.state(), made.registry)}


def test_pure_blocks_yield_again_what_they_yielded_and_others_are_not_run() -> None:
    calls = count()

    async def acts(input: Any, context: Any) -> Any:
        next(calls)
        yield "out", input.value

    made = World(Echo=pure(), Act=effect(acts))
    graph = made.graph(
        "x:Input e:Echo f:Act y:Output", "x.result > e.value", "e.out > f.value", "f.out > y.value"
    )
    found = play(again(made, graph))
    assert {name: each.verdict for name, each in found.items()} == {
        "x": "matched",
        "e": "matched",
        "f": "skipped",
        "y": "matched",
    }
    assert found["f"].why == "its block has effects"
    assert next(calls) == 1


def test_a_block_that_yields_something_else_is_found() -> None:
    calls = count()

    def forgetful(input: Any, context: Any) -> Any:
        yield "out", next(calls)

    made = World(Odd=pure(forgetful))
    found = play(again(made, made.graph("x:Input o:Odd", "x.result > o.value")))
    assert (found["o"].verdict, found["o"].recorded, found["o"].yielded) == (
        "different",
        (("out", 0),),
        (("out", 1),),
    )


@pytest.mark.parametrize("error", [ValueError, RuntimeError])
def test_a_block_that_fails_again_the_same_way_matches(error: type[Exception]) -> None:
    def fails(input: Any, context: Any) -> Any:
        if input.value == 5:
            raise error("no such thing")
        yield "out", 1

    made = World(Bad=pure(fails))
    assert play(again(made, made.graph("x:Input o:Bad", "x.result > o.value")))["o"].verdict == "matched"


def test_a_block_that_is_gone_is_skipped() -> None:
    async def test() -> None:
        made = World(Echo=pure())
        (history,) = await ran(made, made.graph("x:Input e:Echo", "x.result > e.value"), 5)
        found = {each.node_id: each async for each in rerun(history.state(), World().registry)}
        assert (found["e"].verdict, found["e"].why) == ("skipped", "its block is not installed")

    play(test())


# -- trees -----------------------------------------------------------------------------------------------------------


async def parent_and_child() -> Kinship:
    made = World(Echo=pure())
    child = made.graph("x:Input e:Echo y:Output", "x.result > e.value", "e.out > y.value", called="child")
    parent = made.graph(
        "x:Input a:Agent y:Output", "x.result > a.x", "a.y > y.value", called="parent", a=agent(child)
    )
    async with made.open() as engine:
        await engine.save_graph(child, USER)
        state = await finish(engine, parent, inputs={"x": 4})
        assert (state.status, state.outputs) == (ExecutionStatus.COMPLETED, {"y": [4]})
        return await Kinship.load(engine.journal, state.id)


def test_causes_lead_across_parent_child_and_inbox() -> None:
    kin = play(parent_and_child())
    positions = [event.position for event in kin.events]
    assert positions == sorted(set(positions))
    assert len({event.stream_id for event in kin.events}) == 3
    root = kin.events[0].stream_id
    started = next(event for event in kin.events if isinstance(event.payload, ChildStarted))
    created = next(e for e in kin.events if isinstance(e.payload, ExecutionCreated) and e.stream_id != root)
    assert kin.causes(created)[:1] == [started]
    by_topic = {event.topic: event for event in kin.events if event.stream_id != root}
    sent = {event.topic: event for event in kin.events if ":" in event.stream_id}
    assert kin.cause(sent["child.finished"]) is by_topic["execution.completed"]
    fed = kin.cause(sent["child.output"])
    assert fed is not None
    assert (fed.stream_id, fed.topic) == (created.stream_id, "node.completed")
    handled = [event for event in kin.events if event.topic == "node.output" and event.stream_id == root]
    assert created in kin.causes(handled[-1])
    assert kin.causes(handled[-1])[-1] is kin.events[0]
    for event in kin.events:
        assert all(cause.position < event.position for cause in kin.causes(event))
        assert all(kin.cause(effect) is event for effect in kin.effects(event))
    below = [effect for event in kin.events for effect in kin.effects(event)]
    assert len(below) + len(kin.roots()) == len(kin.events)


def test_the_state_of_the_whole_tree_at_every_position() -> None:
    kin = play(parent_and_child())
    for event in kin.events:
        states = kin.states(event.position)
        upto = [each for each in kin.events if each.position <= event.position]
        assert set(states) == {each.stream_id for each in upto if ":" not in each.stream_id}
        for name, state in states.items():
            assert state == fold([each for each in upto if each.stream_id == name], retain=True)
    assert {str(state.status) for state in kin.states().values()} == {"COMPLETED"}
    assert kin.states(0) == {}
