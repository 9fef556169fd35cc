from __future__ import annotations

from typing import Any

import pytest
from tests.graphs.sample_blocks import AddBlock, ChildBlock, GivenBlock, ShownBlock, lookup

from actbook.graphs import BlockType, Graph, GraphStructureError, Link, Node, Plan, UnknownBlock


def link(source: str, source_name: str, sink: str, sink_name: str, **more: Any) -> Link:
    return Link(source_id=source, source_name=source_name, sink_id=sink, sink_name=sink_name, **more)


AGENT_CONSTANTS = {
    "graph_id": "g",
    "graph_version": 1,
    "inputs": {},
    "input_schema": {"properties": {"Question?": {"type": "string"}}, "required": ["Question?"]},
    "output_schema": {"properties": {"Results!": {}}},
}


def plan() -> Plan:
    graph = Graph(
        id="g",
        version=3,
        nodes=[
            Node(id="add", block_id=AddBlock.id, input_default={"b": 34}),
            Node(id="in", block_id=GivenBlock.id, input_default={"name": "In"}),
            Node(id="out", block_id=ShownBlock.id, input_default={"name": "Out"}),
            Node(id="agent", block_id=ChildBlock.id, input_default=AGENT_CONSTANTS),
            Node(id="gone", block_id="gone"),
        ],
        links=[
            link("in", "result", "add", "a"),
            link("add", "result_#_status", "out", "value"),
            link("add", "result", "agent", "Question?"),
            link("add", "result", "out", "title"),
            link("add", "error", "out", "name"),
            link("add", "tools_^_ask_~_q", "agent", "Question?"),
            link("add", "tools", "gone", "q"),
            link("agent", "Results!", "in", "value"),
            link("add", "result", "add", "values_#_k", is_static=True),
        ],
    )
    return Plan.compile(graph, lookup)


def sent(yielded: list[tuple[Any, Any]]) -> list[tuple[str, str, Any]]:
    return [(each.sink_id, each.sink_name, value) for each, value in yielded]


def test_the_prepared_nodes() -> None:
    made = plan()
    assert (made.graph_id, made.version, list(made.nodes)) == ("g", 3, ["add", "in", "out", "agent", "gone"])
    assert made.starting == ("in",)
    node = made.nodes["add"]
    assert (node.block_type, node.inline, node.effects) == (BlockType.STANDARD, True, False)
    assert node.linked == {"a", "values_#_k"}
    assert node.static_in == {"a", "values_#_k"}
    assert [each.source_name for each in node.out_by_base["result"]] == [
        "result_#_status",
        "result",
        "result",
        "result",
    ]
    assert [each.exact for each in node.out] == [False, True, True, True, False, True, True]
    assert made.nodes["agent"].schema.required == {"Question?"}
    assert made.nodes["agent"].out_schema.names == ("Results!",)
    assert isinstance(made.nodes["gone"].block, UnknownBlock)


def test_a_static_source_makes_its_links_static() -> None:
    made = plan()
    assert [each.is_static for each in made.nodes["in"].out] == [True]
    assert [each.is_static for each in made.nodes["add"].out] == [False] * 6 + [True]


def test_deliveries_in_link_order() -> None:
    made = plan()
    assert sent(made.deliveries("add", "result", {"status": 1})) == [
        ("out", "value", 1),
        ("agent", "Question?", {"status": 1}),
        ("out", "title", {"status": 1}),
        ("add", "values_#_k", {"status": 1}),
    ]
    assert sent(made.deliveries("agent", "Results!", 5)) == [("in", "value", 5)]


def test_none_is_delivered_on_the_pin_but_not_through_a_path() -> None:
    made = plan()
    assert sent(made.deliveries("add", "error", None)) == [("out", "name", None)]
    assert [name for _, name, _ in sent(made.deliveries("add", "result", {"status": None}))] == [
        *("Question?", "title", "values_#_k"),
    ]


def test_tool_pins_go_to_their_sink_only() -> None:
    made = plan()
    assert sent(made.deliveries("add", "tools_^_agent_~_Question?", "why")) == [("agent", "Question?", "why")]
    assert sent(made.deliveries("add", "tools_^_gone_~_q", "why")) == [("gone", "q", "why")]
    assert made.deliveries("add", "tools_^_other_~_q", "why") == []
    assert sent(made.deliveries("add", "tools", [1])) == [("gone", "q", [1])]


def test_a_pin_without_links_delivers_nothing() -> None:
    assert plan().deliveries("in", "error", "x") == []
    assert plan().deliveries("out", "output", "x") == []


def test_accepting_inputs() -> None:
    made = plan()
    data, name, warnings = made.accept("add", {"a": "5", "values_#_k": 1})
    assert data == {"b": 34.0, "a": 5.0, "values_#_k": 1, "values": {"k": 1}}
    assert (name, warnings) == ("AddBlock", ())
    refused = "Input data missing or mismatch for `AddBlock`: unpopulated links {'values_#_k'}"
    assert made.accept("add", {"a": 5}) == (None, refused, ())
    assert made.accept("add", {"a": 5}) == (None, refused, ())
    assert made.accept("gone", {"q": 1})[1] == "Block for gone not found."


def test_a_mask_lies_over_the_inputs_and_fills_links() -> None:
    made = plan()
    inputs = {"values": {"x": 1}, "values_#_k": 1, "a": 1.0}
    data, _, _ = made.accept("add", inputs, {"values": {"y": 2}, "b": 7.0})
    assert data is not None
    assert (data["values"], data["b"]) == ({"y": 2}, 7.0)
    assert made.accept("add", {"a": 1.0}, {"values_#_k": 3})[0] is not None
    assert inputs == {"values": {"x": 1}, "values_#_k": 1, "a": 1.0}


def test_accepted_inputs_share_no_dict_between_executions() -> None:
    made = plan()
    first, _, _ = made.accept("out", {"value": 1, "title": "t", "name": "n"})
    assert first is not None
    first["name"] = "changed"
    second, _, _ = made.accept("out", {"value": 1, "title": "t", "name": "n"})
    assert second is not None
    assert second["name"] == "n"


def test_a_link_that_leads_nowhere_is_refused() -> None:
    graph = Graph(nodes=[Node(id="add", block_id=AddBlock.id)], links=[link("add", "result", "nobody", "a")])
    with pytest.raises(GraphStructureError, match="nobody is not in the graph"):
        Plan.compile(graph, lookup)
