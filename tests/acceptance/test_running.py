"""Running a graph: matching, order, static links, failure, skipped nodes, sub-graphs, people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import msgspec
import pytest
from tests.acceptance.blocks import REGISTRY, KeyBlock, graph, node
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
    topics,
)

from actbook.engine import Engine, ReviewError
from actbook.engine.credentials import MemoryCredentials
from actbook.events import ExecutionStatus, GraphExecution, Limits, Settings
from actbook.graphs import Graph, UnknownBlock

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


def test_values_meet_in_order() -> None:
    state = run(
        "p:Input q:Input l:Each r:Each j:Join y:Output",
        "p.result > l.value", "q.result > r.value", "l.out > j.a", "r.out > j.b", "j.out > y.value",
        inputs={"p": "abc", "q": "123"},
    )  # fmt: skip
    assert (state.status, state.outputs) == (S.COMPLETED, {"y": ["a1", "b2", "c3"]})


def test_what_never_completes_stays_and_the_graph_completes() -> None:
    state = run(
        "p:Input q:Input l:Each r:Each j:Join y:Output",
        "p.result > l.value", "q.result > r.value", "l.out > j.a", "r.out > j.b", "j.out > y.value",
        inputs={"p": "abcd", "q": "1"},
    )  # fmt: skip
    assert (state.status, state.outputs) == (S.COMPLETED, {"y": ["a1"]})
    assert count(state, "j", S.INCOMPLETE) == 3


def test_two_links_into_one_pin_make_separate_executions() -> None:
    state = run(
        "p:Input q:Input a:Echo y:Output",
        "p.result > a.value", "q.result > a.value", "a.out > y.value",
        inputs={"p": 1, "q": 2},
    )  # fmt: skip
    assert count(state, "a") == 2
    assert state.outputs == {"y": [1, 2]}


def test_a_yield_makes_one_delivery_per_link() -> None:
    state = run(
        "p:Input j:Join y:Output", "p.result > j.a", "p.result > j.b", "j.out > y.value", inputs={"p": 7}
    )
    assert state.outputs == {"y": ["77"]}


def test_outputs_of_a_node_travel_in_the_order_of_its_executions() -> None:
    state = run(
        "p:Input l:Each s:Slow y:Output",
        "p.result > l.value", "l.out > s.value", "s.out > y.value",
        inputs={"p": [0, 1, 2, 3]},
    )  # fmt: skip
    assert state.outputs == {"y": [0, 1, 2, 3]}


def test_none_on_the_exact_pin_is_delivered() -> None:
    state = run(
        "p:Input n:Nothing a:Echo y:Output",
        "p.result > n.value",
        "n.out > a.value",
        "a.out > y.value",
        inputs={"p": 1},
    )
    assert count(state, "a", S.COMPLETED) == 1
    assert state.outputs == {"y": [None]}


def test_none_through_a_path_is_not_delivered() -> None:
    state = run(
        "p:Input i:Inner a:Echo b:Echo y:Output",
        "p.result > i.value", "i.out_#_a > a.value", "i.out_#_b_$_1 > b.value", "b.out > y.value",
        inputs={"p": 1},
    )  # fmt: skip
    assert count(state, "a") == 0
    assert state.outputs == {"y": [2]}


def test_flat_pins_build_the_value_of_a_base() -> None:
    state = run(
        "p:Input q:Input a:Echo y:Output",
        "p.result > a.value_#_x", "q.result > a.value_#_y", "a.out > y.value",
        inputs={"p": 1, "q": 2},
    )  # fmt: skip
    assert state.outputs == {"y": [{"x": 1, "y": 2}]}


def test_a_static_link_latches() -> None:
    state = run(
        "p:Input q:Input l:Each s:Static j:Join y:Output",
        "p.result > l.value", "q.result > s.value", "l.out > j.a", "s.out > j.b", "j.out > y.value",
        inputs={"p": "abc", "q": "!"},
    )  # fmt: skip
    assert state.outputs == {"y": ["a!", "b!", "c!"]}


def test_a_static_link_by_itself() -> None:
    state = run(
        "p:Input q:Input l:Each e:Echo j:Join y:Output",
        "p.result > l.value", "q.result > e.value", "l.out > j.a", "e.out >> j.b", "j.out > y.value",
        inputs={"p": "ab", "q": "!"},
    )  # fmt: skip
    assert state.outputs == {"y": ["a!", "b!"]}


def test_a_failure_goes_out_on_error_and_the_graph_goes_on() -> None:
    state = run(
        "p:Input l:Each k:Picky y:Output e:Output",
        "p.result > l.value", "l.out > k.value", "k.out > y.value", "k.error > e.value",
        inputs={"p": [1, 2, 3]},
    )  # fmt: skip
    assert state.status is S.COMPLETED
    assert state.outputs == {"y": ["saw 1", "saw 2", "saw 3"], "e": ["no twos"]}
    assert (state.stats.node_error_count, count(state, "k", S.FAILED)) == (1, 1)


def test_an_error_without_words_is_told_by_its_class() -> None:
    state = run("p:Input k:Speechless e:Output", "p.result > k.value", "k.error > e.value", inputs={"p": 1})
    assert state.outputs == {"e": ["KeyError"]}


def test_a_yield_on_error_ends_the_block() -> None:
    state = run(
        "p:Input k:Told y:Output e:Output",
        "p.result > k.value",
        "k.out > y.value",
        "k.error > e.value",
        inputs={"p": 1},
    )
    assert state.outputs == {"y": ["before"], "e": ["told so"]}
    assert count(state, "k", S.FAILED) == 1


def test_a_failure_without_links_still_completes_the_graph() -> None:
    state = run("p:Input k:Speechless", "p.result > k.value", inputs={"p": 1})
    assert (state.status, state.outputs, state.stats.node_error_count) == (S.COMPLETED, {}, 1)


def test_a_bound_ends_a_loop() -> None:
    state = run(
        "p:Input a:Echo",
        "p.result > a.value",
        "a.out > a.value",
        inputs={"p": 1},
        limits=Limits(node_executions=50),
    )
    assert state.status is S.FAILED
    assert state.error
    assert not any(node.status in (S.RUNNING, S.QUEUED) for node in state.node_executions.values())


def test_a_graph_has_a_time_limit() -> None:
    async def test() -> None:
        gate = Gate()
        made = World(Hold=gate.block())
        async with made.open() as engine:
            a_graph = made.graph("x:Input a:Hold", "x.result > a.value")
            done = await finish(engine, a_graph, inputs={"x": 1}, limits=Limits(timeout=0.05))
            assert done.status is S.FAILED
            assert gate.inside == 0

    play(test())


def test_a_node_has_a_time_limit() -> None:
    async def test() -> None:
        gate = Gate()
        made = World(Hold=gate.block(execution_timeout_seconds=0.05))
        async with made.open() as engine:
            a_graph = made.graph("x:Input a:Hold e:Output", "x.result > a.value", "a.error > e.value")
            done = await finish(engine, a_graph, inputs={"x": 1})
            assert done.outputs == {"e": ["Node execution exceeded 0.05s wall-clock cap"]}

    play(test())


def test_a_skipped_node_ends_without_outputs() -> None:
    async def test() -> None:
        optional = graph(
            node("k", KeyBlock, {"credentials_optional": True}),
            node(
                "l",
                KeyBlock,
                {"credentials_optional": True},
            ),
            links="k.out>l.value",
        )
        async with Engine.open("memory:", registry=REGISTRY, credentials=MemoryCredentials()) as engine:
            await engine.save_graph(optional, USER)
            begun = await engine.add_graph_execution("g", USER)
            done = await engine.wait(begun.id, PATIENCE)
            state = (await engine.history(begun.id)).state()
            assert (done.status, set(done.skip)) == (S.COMPLETED, {"k", "l"})
            [skipped] = state.node_executions.values()
            assert (skipped.node_id, skipped.status, skipped.skipped) == ("k", S.COMPLETED, True)
            assert skipped.outputs == []

    play(test())


def test_an_unknown_block_fails_by_its_id() -> None:
    with pytest.raises(ValueError, match=r"^Block gone no longer exists$"):
        list(UnknownBlock("gone").run(None, None))  # type: ignore[arg-type]


def called(made: World, block_name: str, *, options: dict[str, Any] | None = None) -> Graph:
    child = made.graph(
        f"x:Input a:{block_name} y:Output", "x.result > a.value", "a.out > y.value", called="child"
    )
    parent = made.graph(
        "x:Input g:Agent y:Output",
        "x.result > g.x", "g.y > y.value",
        called="parent", sub_graphs=[child], g=agent(child),
    )  # fmt: skip
    parent.node("g").metadata.update(options or {})
    return parent


def test_the_outputs_of_a_sub_graph_come_out_once_each() -> None:
    async def test() -> None:
        made = world()
        async with made.open() as engine:
            done = await finish(engine, called(made, "Each"), inputs={"x": [1, 2, 3]})
            assert (done.status, done.outputs) == (S.COMPLETED, {"y": [1, 2, 3]})
            created = [
                event
                for event in await engine.journal.read_log(limit=1000)
                if event.topic == "execution.created"
            ]
            assert [event.stream_id == done.id for event in created] == [True, False]
            child = await engine.get_graph_execution(created[1].stream_id)
            assert child.parent is not None
            assert (child.parent.execution_id, child.root_id) == (done.id, done.id)

    play(test())


def test_a_run_that_waits_for_its_child_ends_when_that_does() -> None:
    async def test() -> None:
        gate = Gate()
        made = World(Hold=gate.block())
        async with made.open() as engine:
            begun = await begin(engine, called(made, "Hold"), inputs={"x": 5})
            await gate.reached()
            assert (await engine.get_graph_execution(begun.id)).status is S.RUNNING
            gate.open()
            assert (await engine.wait(begun.id, PATIENCE)).outputs == {"y": [5]}

    play(test())


def judged(made: World, **constants: Any) -> Graph:
    return made.graph(
        "x:Input r:Review yes:Output no:Output said:Output",
        "x.result > r.data", "r.approved_data > yes.value", "r.rejected_data > no.value", "r.review_message > said.value",
        r=constants,
    )  # fmt: skip


def decided(decide: Callable[[Engine, str], Any], **options: Any) -> GraphExecution:
    async def test() -> GraphExecution:
        made = World()
        async with made.open() as engine:
            state = await finish(engine, judged(made, **options), inputs={"x": "draft"})
            assert state.status is S.REVIEW
            [number] = state.reviews
            await decide(engine, f"{state.id}.{number}")
            ended: GraphExecution = await engine.wait(state.id, PATIENCE)
            return ended

    found: GraphExecution = play(test())
    return found


def test_without_safe_mode_people_are_not_asked() -> None:
    async def test() -> None:
        made = World()
        async with made.open() as engine:
            free = Settings(human_in_the_loop_safe_mode=False)
            done = await finish(engine, judged(made), inputs={"x": "draft"}, settings=free)
            assert done.outputs == {"yes": ["draft"], "said": ["Auto-approved (safe mode disabled)"]}

    play(test())


def test_approving() -> None:
    done = decided(lambda engine, review: engine.review(USER, review, True))
    assert (done.status, done.outputs["yes"]) == (S.COMPLETED, ["draft"])


def test_approving_with_changes_and_a_message() -> None:
    done = decided(lambda engine, review: engine.review(USER, review, True, data="better", message="fixed"))
    assert done.outputs == {"yes": ["better"], "said": ["fixed"]}


def test_rejecting() -> None:
    done = decided(lambda engine, review: engine.review(USER, review, False, message="no"))
    assert done.outputs == {"no": ["draft"], "said": ["no"]}


def test_what_is_not_editable() -> None:
    async def decide(engine: Engine, review: str) -> None:
        with pytest.raises(ReviewError) as refused:
            await engine.review(USER, review, True, data="better")
        assert str(refused.value) == f"Review {review} is not editable"
        await engine.review(USER, review, True)
        await engine.review(USER, review, True)

    assert decided(decide, editable=False).outputs["yes"] == ["draft"]


def test_a_review_is_decided_while_other_branches_run() -> None:
    async def test() -> None:
        gate = Gate()
        made = World(Hold=gate.block())
        a_graph = made.graph(
            "x:Input r:Review h:Hold yes:Output held:Output",
            "x.result > r.data", "x.result > h.value", "r.approved_data > yes.value", "h.out > held.value",
        )  # fmt: skip
        async with made.open() as engine:
            begun = await begin(engine, a_graph, inputs={"x": 1})
            await gate.reached()
            await engine.catch_up()
            state = await engine.get_graph_execution(begun.id)
            assert state.status is S.RUNNING
            [number] = state.reviews
            await engine.review(USER, f"{begun.id}.{number}", True)
            gate.open()
            done = await engine.wait(begun.id, PATIENCE)
            assert (done.status, done.outputs) == (S.COMPLETED, {"yes": [1], "held": [1]})

    play(test())


@pytest.mark.parametrize("approved", [True, False])
def test_sensitive_actions_ask_first(approved: bool) -> None:
    async def test() -> None:
        ran: list[Any] = []

        def act(input: Any, context: Any) -> Iterator[tuple[str, Any]]:
            ran.append(input.value)
            yield "out", input.value

        made = World(Act=block(act, is_sensitive_action=True, execution="inline"))
        a_graph = made.graph(
            "x:Input a:Act y:Output e:Output", "x.result > a.value", "a.out > y.value", "a.error > e.value"
        )
        async with made.open() as engine:
            asked = Settings(sensitive_action_safe_mode=True)
            state = await finish(engine, a_graph, inputs={"x": 1}, settings=asked)
            assert (state.status, ran) == (S.REVIEW, [])
            [number] = state.reviews
            await engine.review(USER, f"{state.id}.{number}", approved, message="hm")
            done = await engine.wait(state.id, PATIENCE)
            assert done.status is S.COMPLETED
            text = "Block execution rejected by reviewer: hm"
            assert done.outputs == ({"y": [1]} if approved else {"e": [text]})
            assert ran == ([1] if approved else [])
            assert (await topics(engine, state.id)).count("execution.parked") == 1

    play(test())


def test_a_loop_of_ten_thousand_iterations_ends_exactly() -> None:
    def step(input: Any, context: Any) -> Iterator[tuple[str, Any]]:
        if input.value < 10_000:
            yield "out", input.value + 1
        else:
            yield "error", "over"

    async def test() -> None:
        made = World(Step=pure(step))
        a_graph = made.graph(
            "x:Input a:Step e:Output", "x.result > a.value", "a.out > a.value", "a.error > e.value"
        )
        async with made.open() as engine:
            done = await finish(engine, a_graph, inputs={"x": 1})
            assert done.outputs == {"e": ["over"]}
            assert done.stats.node_exec_count == 10_002

    play(test())
