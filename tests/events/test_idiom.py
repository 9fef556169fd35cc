"""Shapes that real agent graphs are made of: collector loop, default for empty, counters, error links."""

from __future__ import annotations

import re
from itertools import permutations
from typing import Any

import msgspec
import pytest
from tests.events.harness import BLOCKS, Body, Run, StaticBlock, plan_of
from tests.events.harness import EchoBlock as Echo
from tests.events.harness import GraphOutputBlock as Output
from tests.events.harness import PairBlock as Pair
from tests.events.harness import SourceBlock as Source

from actbook.events import ExecutionStatus, Limits
from actbook.graphs import Block, Graph, Link, Node, Plan

S = ExecutionStatus


class CollectBlock(Block):
    id = "00000000-0000-4000-8000-000000000101"

    class Input(msgspec.Struct):
        items: list[Any] = []
        entry: Any = None

    class Output(msgspec.Struct):
        updated_list: list[Any] = []
        error: str = ""


class ConditionBlock(Block):
    id = "00000000-0000-4000-8000-000000000102"

    class Input(msgspec.Struct):
        value1: Any
        value2: Any
        yes_value: Any = None

    class Output(msgspec.Struct):
        yes_output: Any = None
        no_output: Any = None
        error: str = ""


def collector(expected: int) -> Plan:
    """Fan-out → collect into a list → go on once when the list is long enough."""
    nodes: dict[str, tuple[type[Block], dict[str, Any]]] = {
        "fan": (Source, {}),
        "seed": (Source, {}),
        "expected": (StaticBlock, {"value": expected}),
        "collect": (CollectBlock, {}),
        "count": (Echo, {}),
        "condition": (ConditionBlock, {}),
        "done": (Echo, {}),
    }
    links = [
        ("fan", "out", "collect", "entry"),
        ("seed", "out", "collect", "items"),
        ("collect", "updated_list", "collect", "items"),
        ("collect", "updated_list", "count", "value"),
        ("collect", "updated_list", "condition", "yes_value"),
        ("count", "out", "condition", "value1"),
        ("expected", "out", "condition", "value2"),
        ("condition", "yes_output", "done", "value"),
    ]
    graph = Graph(
        nodes=[Node(id=name, block_id=kind.id, input_default=data) for name, (kind, data) in nodes.items()],
        links=[Link(source_id=a, source_name=b, sink_id=c, sink_name=d) for a, b, c, d in links],
    )
    blocks = {**BLOCKS, CollectBlock.id: CollectBlock(), ConditionBlock.id: ConditionBlock()}
    return Plan.compile(graph, blocks.get)


def bodies(entries: int, done: list[Any]) -> dict[str, Body]:
    def condition(data: dict[str, Any]) -> list[tuple[str, Any]]:
        if data["value1"] >= data["value2"]:
            return [("yes_output", data["yes_value"])]
        return [("no_output", data["value1"])]

    def finish(data: dict[str, Any]) -> list[tuple[str, Any]]:
        done.append(data["value"])
        return []

    return {
        "fan": lambda data: [("out", n) for n in range(entries)],
        "seed": lambda data: [("out", [])],
        "expected": lambda data: [("out", data["value"])],
        "collect": lambda data: [("updated_list", [*data["items"], data["entry"]])],
        "count": lambda data: [("out", len(data["value"]))],
        "condition": condition,
        "done": finish,
    }


@pytest.mark.parametrize("entries", [1, 2, 30])
def test_collector_loop(entries: int) -> None:
    done: list[Any] = []
    run = Run(collector(entries))
    run.drive(bodies(entries, done))
    assert done == [list(range(entries))]
    assert run.status() is S.COMPLETED
    left = [(node.node_id, node.inputs) for node in run.state.node_executions.values()]
    assert left == [("collect", {"items": list(range(entries))})]


@pytest.mark.parametrize("order", list(permutations(["fan", "seed", "expected"])))
def test_collector_loop_whoever_comes_first(order: tuple[str, ...]) -> None:
    done: list[Any] = []
    run = Run(collector(5))
    acts = bodies(5, done)
    for node_id in order:
        node = run.of(node_id)[0]
        run.step(node.number, *acts[node_id](node.data))
    run.drive(acts)
    assert done == [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize("texts", [["x"], [""], ["a", "", "b", "", ""]])
def test_default_for_empty(texts: list[str]) -> None:
    """Each negative gives exactly one default, a positive none."""
    plan = plan_of(
        {"s": Source, "extract": Echo, "default": StaticBlock, "o": Output},
        "s.out > extract.value",
        "extract.out > o.value",
        "extract.item > default.value",
        "default.out > o.value",
    )
    run = Run(plan)
    pattern = re.compile(r"^(?!\s*$).+")
    run.drive(
        {
            "s": lambda data: [("out", text) for text in texts],
            "extract": lambda data: [("out" if pattern.match(data["value"]) else "item", data["value"])],
            "default": lambda data: [("out", "N/A")],
            "o": lambda data: [("output", data["value"])],
        }
    )
    assert sorted(run.state.outputs["result"]) == sorted(text or "N/A" for text in texts)


def test_counter_with_a_static_step_counts_until_its_body_says_stop() -> None:
    """The latched step joins every value that comes round, so the body has to end the loop."""
    plan = plan_of(
        {"seed": Source, "step": Source, "add": Pair, "o": Output},
        "seed.out > add.a",
        "step.out >> add.b",
        "add.out > add.a",
        "add.item > o.value",
    )

    def add(data: dict[str, Any]) -> list[tuple[str, Any]]:
        total = data["a"] + data["b"]
        return [("out", total)] if total < 10 else [("item", total)]

    run = Run(plan)
    run.drive(
        {
            "seed": lambda data: [("out", 0)],
            "step": lambda data: [("out", 3)],
            "add": add,
            "o": lambda data: [("output", data["value"])],
        }
    )
    assert run.state.outputs == {"result": [12]}


@pytest.mark.parametrize("step", ["one.out > add.b", "one.out >> add.b"], ids=["ordinary", "static"])
def test_retry_counter_with_a_step_per_error(step: str) -> None:
    """One round per error, three tries in all. A static step too counts once: it comes back over the node's own cycle."""
    plan = plan_of(
        {"seed": Source, "prompt": Source, "ai": Echo, "one": Echo, "add": Pair, "retry": Echo, "o": Output},
        "prompt.out > ai.value",
        "retry.out > ai.value",
        "ai.error > one.value",
        step,
        "seed.out > add.a",
        "add.out > add.a",
        "add.out > retry.value",
        "ai.out > o.value",
        o={"name": "answer"},
    )
    tries: list[Any] = []

    def ai(data: dict[str, Any]) -> list[tuple[str, Any]]:
        tries.append(data["value"])
        raise ValueError("overloaded")

    run = Run(plan, limits=Limits(node_executions=100))
    run.drive(
        {
            "seed": lambda data: [("out", 0)],
            "prompt": lambda data: [("out", "hello")],
            "ai": ai,
            "one": lambda data: [("out", 1)],
            "add": lambda data: [("out", data["a"] + data["b"])],
            "retry": lambda data: [("out", "again")] if data["value"] < 3 else [],
        }
    )
    assert tries == ["hello", "again", "again"]
    assert run.status() is S.COMPLETED
    assert run.state.stats.node_error_count == 3
    left = [node.inputs for node in run.state.node_executions.values() if node.status is S.INCOMPLETE]
    assert left == [{"a": 3}]


def test_error_links_carry_the_text_like_a_value() -> None:
    plan = plan_of({"a": Source, "b": Source, "o": Output}, "a.error > o.value", "b.error > o.value")

    def fail(data: dict[str, Any]) -> list[tuple[str, Any]]:
        raise ValueError("not reachable")

    run = Run(plan)
    run.drive({"a": fail, "b": fail, "o": lambda data: [("output", data["value"])]})
    assert run.state.outputs == {"result": ["not reachable", "not reachable"]}
