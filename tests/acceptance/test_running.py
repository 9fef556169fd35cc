"""Running a graph: which values meet, and in which order they travel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from tests.acceptance.runs import count, nothing, run
from tests.engine.kit import (
    World,
    finish,
    play,
    pure,
)

from actbook.events import (
    ExecutionStatus,
)

S = ExecutionStatus


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


def tooled(input: Any, context: Any) -> Iterator[tuple[str, Any]]:
    yield "tools_^_a_~_value", "for a"
    yield "tools_^_b_~_value", "for b"
    yield "tools_^_a_~_other", "for nobody"


class Tools(msgspec.Struct):
    tools: Any = None
    error: str = ""


def test_a_tool_call_travels_to_exactly_its_node_and_pin() -> None:
    async def test() -> None:
        made = World(Tools=pure(tooled, Output=Tools), Echo=pure())
        a_graph = made.graph(
            "x:Input t:Tools a:Echo b:Echo p:Output q:Output",
            "x.result > t.value", "t.tools > a.value", "t.tools > b.value", "a.out > p.value", "b.out > q.value",
        )  # fmt: skip
        async with made.open() as engine:
            done = await finish(engine, a_graph, inputs={"x": 1})
            assert done.outputs == {"p": ["for a"], "q": ["for b"]}

    play(test())


class Required(msgspec.Struct):
    value: int


def test_a_required_pin_that_got_none_never_becomes_runnable() -> None:
    async def test() -> None:
        made = World(Nothing=pure(nothing), Strict=pure(Input=Required))
        a_graph = made.graph(
            "x:Input n:Nothing s:Strict y:Output", "x.result > n.value", "n.out > s.value", "s.out > y.value"
        )
        async with made.open() as engine:
            done = await finish(engine, a_graph, inputs={"x": 1})
            assert (done.status, done.outputs) == (S.COMPLETED, {})
            [waiting] = [each for each in done.node_executions.values() if each.node_id == "s"]
            assert (waiting.status, waiting.inputs) == (S.INCOMPLETE, {"value": None})

    play(test())


def test_masks_are_laid_over_what_arrives() -> None:
    state = run(
        "p:Input l:Each j:Join y:Output",
        "p.result > l.value", "l.out > j.a", "j.out > y.value",
        inputs={"p": "ab"}, nodes_input_masks={"j": {"b": "!"}},
    )  # fmt: skip
    assert state.outputs == {"y": ["a!", "b!"]}
    masked = run(
        "p:Input l:Each j:Join y:Output",
        "p.result > l.value", "l.out > j.a", "j.out > y.value",
        inputs={"p": "ab"}, nodes_input_masks={"j": {"a": "x", "b": "!"}},
    )  # fmt: skip
    assert masked.outputs == {"y": ["x!", "x!"]}


def test_a_masked_pin_needs_no_value_of_its_link() -> None:
    state = run(
        "p:Input q:Input l:Each r:Each j:Join y:Output",
        "p.result > l.value", "q.result > r.value", "l.out > j.a", "r.out > j.b", "j.out > y.value",
        inputs={"p": "ab", "q": ""}, nodes_input_masks={"j": {"b": "!"}},
    )  # fmt: skip
    assert state.outputs == {"y": ["a!", "b!"]}


def test_a_mask_does_not_stand_in_for_another_pins_link() -> None:
    state = run(
        "p:Input j:Join n:Nothing y:Output",
        "p.result > j.a", "p.result > n.value", "n.error > j.b", "j.out > y.value",
        inputs={"p": 1}, nodes_input_masks={"j": {"a": "masked"}},
    )  # fmt: skip
    assert state.outputs == {}
    assert count(state, "j", S.INCOMPLETE) == 1


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
