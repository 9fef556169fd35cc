from __future__ import annotations

from typing import Any

import pytest
from tests.graphs.sample_blocks import GivenBlock, ShownBlock, lookup

from actbook.graphs import AGENT_BLOCK_ID, Graph, GraphFormatError, Node, bind_sub_graphs


def named(*names: str) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {} for name in names}, "required": []}


def agent(
    graph_id: str, version: int | None, takes: list[str], gives: list[str], node_id: str = "agent"
) -> Node:
    constants: dict[str, Any] = {"graph_id": graph_id, "graph_version": version, "inputs": {}}
    schemas = {"input_schema": named(*takes), "output_schema": named(*gives)}
    return Node(id=node_id, block_id=AGENT_BLOCK_ID, input_default={**constants, **schemas})


def stored(graph_id: str, version: int, takes: list[str], gives: list[str], *nodes: Node) -> Graph:
    schemas = {"input_schema": named(*takes), "output_schema": named(*gives)}
    return Graph(id=graph_id, version=version, nodes=list(nodes), extra=schemas)


def test_a_reference_in_the_document_stays() -> None:
    graph = Graph(nodes=[agent("child", 2, ["q"], ["r"])], sub_graphs=[stored("child", 2, [], [])])
    bound, rebindings = bind_sub_graphs(graph)
    assert bound is graph
    assert rebindings == []


def test_a_graph_may_use_itself() -> None:
    graph = Graph(id="self", version=1, nodes=[agent("self", 1, ["q"], ["r"])])
    assert bind_sub_graphs(graph)[1] == []


def test_a_lost_reference_is_bound_by_version_and_names() -> None:
    inner_agent = agent("old-leaf", 16, ["Question"], ["Answer", "Error"], "inner")
    graph = Graph(
        id="root",
        nodes=[agent("old", 10, ["Info"], ["Error", "Results!"])],
        sub_graphs=[
            stored("other", 9, ["Info"], ["Results!", "Error"]),
            stored("leaf", 16, ["Question"], ["Error", "Answer"]),
            stored("middle", 10, ["Info"], ["Results!", "Error"], inner_agent),
            stored("narrow", 10, ["Info"], ["Error"]),
        ],
    )
    before = graph.to_dict()
    bound, rebindings = bind_sub_graphs(graph)
    assert [(each.graph_id, each.node_id, each.wanted_id, each.bound_id) for each in rebindings] == [
        ("root", "agent", "old", "middle"),
        ("middle", "inner", "old-leaf", "leaf"),
    ]
    assert all(each.resolved for each in rebindings)
    assert graph.to_dict() == before
    constants = bound.nodes[0].input_default
    assert (constants["graph_id"], constants["graph_version"]) == ("middle", 10)
    assert bound.sub_graphs[2].nodes[0].input_default["graph_id"] == "leaf"
    assert bind_sub_graphs(bound)[1] == []


def test_names_come_from_the_nodes_when_none_are_stored() -> None:
    child = Graph(
        id="child",
        nodes=[
            Node(block_id=GivenBlock.id, input_default={"name": "q"}),
            Node(block_id=ShownBlock.id, input_default={"name": "r"}),
        ],
    )
    graph = Graph(nodes=[agent("old", 1, ["q"], ["r"])], sub_graphs=[child])
    assert [each.bound_id for each in bind_sub_graphs(graph, lookup)[1]] == ["child"]
    assert [each.bound_id for each in bind_sub_graphs(graph)[1]] == [None]


def test_a_missing_version_matches_any() -> None:
    graph = Graph(nodes=[agent("old", None, ["q"], [])], sub_graphs=[stored("child", 4, ["q"], [])])
    bound, rebindings = bind_sub_graphs(graph)
    assert (rebindings[0].wanted_version, rebindings[0].bound_version) == (None, 4)
    assert bound.nodes[0].input_default["graph_version"] == 4
    exact = Graph(nodes=[agent("child", None, ["q"], [])], sub_graphs=[stored("child", 4, ["q"], [])])
    assert bind_sub_graphs(exact)[1] == []


def test_ambiguity_is_refused_with_the_candidates() -> None:
    twins = [stored("one", 3, ["q"], ["r"]), stored("two", 3, ["q"], ["r"])]
    graph = Graph(nodes=[agent("old", 3, ["q"], ["r"])], sub_graphs=twins)
    with pytest.raises(GraphFormatError, match="one version 3, two version 3"):
        bind_sub_graphs(graph)


def test_the_same_sub_graph_twice_is_one_candidate() -> None:
    twins = [stored("one", 3, ["q"], ["r"]), stored("one", 3, ["q"], ["r"])]
    graph = Graph(nodes=[agent("old", 3, ["q"], ["r"])], sub_graphs=twins)
    assert [each.bound_id for each in bind_sub_graphs(graph)[1]] == ["one"]


def test_what_nothing_fits_is_reported_only() -> None:
    graph = Graph(nodes=[agent("elsewhere", 1, ["q"], ["r"])])
    bound, rebindings = bind_sub_graphs(graph)
    assert bound is graph
    assert [(each.wanted_id, each.resolved) for each in rebindings] == [("elsewhere", False)]
