"""What is wrong with a graph before any of it runs."""

from __future__ import annotations

from typing import Any

import pytest
from tests.acceptance.blocks import (
    INPUT,
    OUTPUT,
    REGISTRY,
    DependentBlock,
    KeyBlock,
    LinkedBlock,
    OldBlock,
    StaticBlock,
    ToolsBlock,
    TypedBlock,
    graph,
    node,
)
from tests.engine.kit import agent

from actbook.graphs import AGENT_BLOCK_ID, Graph, Plan, validate_structure

REQUIRED = "This field is required"


def faults(a_graph: Graph, masks: Any = None) -> dict[str, dict[str, str]]:
    return validate_structure(a_graph, REGISTRY.lookup, masks, for_run=True)


def a() -> Any:
    return node("a", LinkedBlock, needed=1)


@pytest.mark.parametrize(
    ("a_graph", "text"),
    [
        (graph(a(), links="a.out>ghost.needed"), "ghost"),
        (graph(a(), links="ghost.out>a.needed"), "ghost"),
        (
            graph(a(), node("n", "c0ffee00-0000-4000-8000-000000000000")),
            "c0ffee00-0000-4000-8000-000000000000",
        ),
        (graph(a(), links="a.nothing>a.needed"), "`nothing` invalid, Allowed fields: error, out"),
        (graph(a(), links="a.out>a.nothing"), "`nothing` invalid, Allowed fields: given, needed"),
        (graph(a(), links="a.out>a.nothing_#_k"), "Allowed fields: given, needed"),
    ],
    ids=["unknown sink", "unknown source", "unknown block", "source pin", "sink pin", "dynamic sink pin"],
)
def test_what_spoils_a_graph_as_a_whole(a_graph: Graph, text: str) -> None:
    with pytest.raises(ValueError) as refused:
        faults(a_graph)
    assert text in str(refused.value)


def test_the_text_of_a_disabled_block() -> None:
    with pytest.raises(ValueError) as refused:
        faults(graph(node("n", OldBlock)))
    assert str(refused.value) == f"Block {OldBlock.id} is disabled and cannot be used in graphs"


def test_the_text_of_a_pin_that_is_not_there_begins_with_the_link() -> None:
    with pytest.raises(ValueError, match=r"^Link .*, `nothing` invalid, Allowed fields: "):
        faults(graph(a(), links="a.out>a.nothing"))


@pytest.mark.parametrize(
    "links",
    [
        "a.out>b.needed",
        "a.out_#_k>b.needed",
        "a.out_$_0_@_x>b.needed",
        "a.out>b.needed_$_1",
        "a.error>b.needed",
    ],
)
def test_pins_are_known_by_their_base_names(links: str) -> None:
    assert faults(graph(a(), node("b", LinkedBlock), links=links)) == {}


def test_tool_pins_always_pass() -> None:
    tools = graph(node("t", ToolsBlock), a(), links="t.tools_^_a_~_needed>a.needed")
    assert faults(tools) == {}


@pytest.mark.parametrize(
    ("nodes", "links", "masks", "found"),
    [
        ([node("n", TypedBlock)], "", None, {"n": {"text": REQUIRED}}),
        ([node("n", TypedBlock, text="a")], "", None, {}),
        ([node("n", TypedBlock)], "", {"n": {"text": "a"}}, {}),
        ([node("n", TypedBlock)], "", {"m": {"text": "a"}}, {"n": {"text": REQUIRED}}),
        ([a(), node("n", TypedBlock)], "a.out>n.text", None, {}),
        ([a(), node("n", TypedBlock)], "a.out>n.text_#_k", None, {}),
        ([node("n", TypedBlock), node("m", LinkedBlock)], "", None, {"n": {"text": REQUIRED}, "m": {"needed": REQUIRED}}),
        ([node("n", KeyBlock)], "", None, {}),
        ([node("n", DependentBlock)], "", None, {}),
        ([node("n", DependentBlock, both="x", a="1", b="2")], "", None, {}),
        ([node("n", DependentBlock, both="x", a="1")], "", None, {"n": {"both": "Requires b to be set"}}),
        ([node("n", DependentBlock, both="x")], "", None, {"n": {"both": "Requires a, b to be set"}}),
        ([node("n", DependentBlock, both="x", a="1")], "", {"n": {"b": "2"}}, {}),
    ],
)  # fmt: skip
def test_faults_are_collected_by_node_and_field(nodes: Any, links: str, masks: Any, found: Any) -> None:
    assert faults(graph(*nodes, links=links), masks) == found


@pytest.mark.parametrize("name", ["credentials", "my_credentials"])
def test_reserved_input_names(name: str) -> None:
    text = f"'{name}' is a reserved input name: 'credentials' and `*_credentials` are reserved"
    assert faults(graph(node("i", INPUT, name=name))) == {"i": {"name": text}}


@pytest.mark.parametrize("name", ["credential", "credentials_id", "x"])
def test_names_that_are_not_reserved(name: str) -> None:
    assert faults(graph(node("i", INPUT, name=name))) == {}


def test_agent_nodes_have_the_pins_of_their_own_constants() -> None:
    child = graph(
        node("x", INPUT, name="x"), node("y", OUTPUT, name="y"), links="x.result>y.value", called="c"
    )
    constants = agent(child)
    ok = graph(a(), node("g", AGENT_BLOCK_ID, **constants), links="a.out>g.x", sub_graphs=[child])
    assert faults(ok) == {}
    wrong = graph(a(), node("g", AGENT_BLOCK_ID, **constants), links="a.out>g.z", sub_graphs=[child])
    with pytest.raises(ValueError, match="`z` invalid, Allowed fields: x"):
        faults(wrong)


def test_errors_of_sub_graphs_merge_in_by_node_id() -> None:
    child = graph(node("inner", TypedBlock), called="c")
    parent = graph(node("outer", TypedBlock), sub_graphs=[child])
    assert faults(parent) == {"outer": {"text": REQUIRED}, "inner": {"text": REQUIRED}}


def test_cycles_are_legal() -> None:
    assert (
        faults(graph(node("p", LinkedBlock), node("q", LinkedBlock), links="p.out>q.needed q.out>p.needed"))
        == {}
    )


def test_links_are_known_by_their_ends_and_pins() -> None:
    doubled = graph(a(), node("b", LinkedBlock), links="a.out>b.needed a.out>b.needed a.out>b.given")
    assert len(doubled.links) == 2


def test_a_static_block_makes_its_links_static() -> None:
    plan = Plan.compile(graph(node("s", StaticBlock), a(), links="s.out>a.needed"), REGISTRY.lookup)
    [link] = plan.nodes["s"].out
    assert link.is_static


def test_starting_nodes_are_the_sinks_of_no_link_and_every_input() -> None:
    the_graph = graph(
        a(),
        node("b", LinkedBlock),
        node("i", INPUT, name="i"),
        links="a.out>b.needed a.out>i.value",
    )
    assert [each.id for each in the_graph.starting_nodes(REGISTRY.lookup)] == ["a", "i"]
