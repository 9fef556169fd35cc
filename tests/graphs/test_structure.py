from __future__ import annotations

from typing import Any, ClassVar

import pytest
from tests.graphs.sample_blocks import AddBlock, GivenBlock, OldBlock, SecretBlock, ShownBlock, lookup

from actbook.graphs import (
    AGENT_BLOCK_ID,
    ActbookError,
    Graph,
    GraphStructureError,
    Link,
    Node,
    UnknownBlock,
    validate_structure,
)


def node(node_id: str, block: Any, **constants: Any) -> Node:
    return Node(id=node_id, block_id=block if isinstance(block, str) else block.id, input_default=constants)


def link(source: str, source_name: str, sink: str, sink_name: str) -> Link:
    return Link(source_id=source, source_name=source_name, sink_id=sink, sink_name=sink_name)


def errors(*nodes: Node, links: list[Link] | None = None, **more: Any) -> dict[str, dict[str, str]]:
    return validate_structure(
        Graph(nodes=list(nodes), links=links or []), lookup, **{"for_run": True, **more}
    )


def refused(*nodes: Node, links: list[Link] | None = None, match: str) -> None:
    with pytest.raises(ValueError, match=match) as caught:
        errors(*nodes, links=links)
    assert isinstance(caught.value, GraphStructureError)
    assert isinstance(caught.value, ActbookError)


def test_a_sound_graph_has_no_errors() -> None:
    nodes = node("i", GivenBlock, name="In"), node("a", AddBlock, b=1), node("o", ShownBlock, name="Out")
    links = [
        link("i", "result", "a", "a"),
        link("a", "result_#_x", "o", "value"),
        link("a", "error", "o", "title"),
    ]
    assert errors(*nodes, links=links) == {}


class TestWholeGraphFaults:
    def test_a_link_end_that_is_no_node(self) -> None:
        add = node("a", AddBlock, a=1, b=1)
        refused(add, links=[link("a", "result", "z", "a")], match="Link a.result -> z.a, node z is not in")
        refused(add, links=[link("z", "result", "a", "a")], match="node z is not in")

    def test_an_unknown_block(self) -> None:
        refused(node("a", "gone"), match="block gone is not registered")
        with pytest.raises(GraphStructureError, match="not registered"):
            validate_structure(Graph(nodes=[node("a", "gone")]), UnknownBlock)

    def test_a_disabled_block(self) -> None:
        refused(node("a", OldBlock), match=f"^Block {OldBlock.id} is disabled and cannot be used in graphs$")

    def test_a_node_id_used_twice(self) -> None:
        refused(node("a", AddBlock), node("a", AddBlock), match="Node a is in graph .* twice")

    @pytest.mark.parametrize(
        ("source", "sink", "match"),
        [
            ("nope", "a", "^Link .*, `nope` invalid, Allowed fields: error, result, tools$"),
            ("result", "nope_#_k", "^Link .*, `nope_#_k` invalid, Allowed fields: a, b, values$"),
            ("result", "values_#_", "`values_#_` invalid"),
        ],
    )
    def test_a_pin_the_block_does_not_have(self, source: str, sink: str, match: str) -> None:
        refused(node("a", AddBlock, a=1, b=1), links=[link("a", source, "a", sink)], match=match)

    def test_faults_of_sub_graphs_count(self) -> None:
        graph = Graph(sub_graphs=[Graph(sub_graphs=[Graph(nodes=[node("a", OldBlock)])])])
        with pytest.raises(GraphStructureError, match="disabled"):
            validate_structure(graph, lookup)


def test_tool_pins_always_pass() -> None:
    tool = "tools_^_search_~_query"
    nodes = node("s", SecretBlock, query="q"), node("a", AddBlock, a=1)
    assert errors(*nodes, links=[link("s", tool, "a", "b")]) == {}


def test_required_fields_need_a_default_a_link_or_a_mask() -> None:
    required = "This field is required"
    assert errors(node("a", AddBlock)) == {"a": {"a": required, "b": required}}
    assert errors(node("a", AddBlock, **{"a_#_x": 1, "b": None})) == {}
    assert errors(node("a", AddBlock, a=1), links=[link("a", "result", "a", "b_$_0")]) == {}
    assert errors(node("a", AddBlock, a=1), masks={"a": {"b": 1}, "other": {}}) == {}
    assert errors(node("a", AddBlock, a=1), masks={"other": {"b": 1}}) == {"a": {"b": required}}


def test_credentials_are_checked_elsewhere() -> None:
    assert errors(node("s", SecretBlock)) == {"s": {"query": "This field is required"}}


def test_a_draft_may_be_incomplete_but_for_its_ends() -> None:
    assert errors(node("a", AddBlock), for_run=False) == {}
    found = errors(node("o", ShownBlock), node("i", GivenBlock), for_run=False)
    assert found == {"o": {"name": "This field is required"}, "i": {"name": "This field is required"}}


@pytest.mark.parametrize("name", ["credentials", "my_credentials"])
def test_reserved_input_names(name: str) -> None:
    text = f"'{name}' is a reserved input name: 'credentials' and `*_credentials` are reserved"
    assert errors(node("i", GivenBlock, name=name)) == {"i": {"name": text}}
    assert errors(node("o", ShownBlock, name=name)) == {}


class TestDependencies:
    def test_unset_ones_are_named_in_their_order(self) -> None:
        found = errors(node("s", SecretBlock, query="q", row="3", sheet=" "))
        assert found == {"s": {"row": "Requires credentials, sheet to be set"}}

    def test_set_ones_are_not(self) -> None:
        one = node("s", SecretBlock, query="q", row="3", credentials={"id": "c"})
        assert errors(one) == {"s": {"row": "Requires sheet to be set"}}
        assert errors(one, links=[link("s", "status", "s", "sheet")]) == {}
        assert errors(one, masks={"s": {"sheet": "x"}}) == {}

    def test_an_unset_field_depends_on_nothing(self) -> None:
        assert errors(node("s", SecretBlock, query="q")) == {}


class TestAgentNodes:
    CONSTANTS: ClassVar[dict[str, Any]] = {
        "graph_id": "child",
        "graph_version": 1,
        "inputs": {"Given!": 1},
        "input_schema": {"properties": {"Given!": {}, "Asked?": {}}, "required": ["Given!", "Asked?"]},
        "output_schema": {"properties": {"Results!": {}}},
    }

    def test_their_own_schemas_count(self) -> None:
        agent = node("g", AGENT_BLOCK_ID, **self.CONSTANTS)
        assert errors(agent) == {"g": {"Asked?": "This field is required"}}
        assert errors(agent, links=[link("g", "Results!", "g", "Asked?")]) == {}
        refused(
            agent,
            links=[link("g", "Nothing", "g", "Asked?")],
            match="`Nothing` invalid, Allowed fields: Results!",
        )
        refused(agent, links=[link("g", "Results!", "g", "graph_id")], match="`graph_id` invalid")

    def test_a_graph_must_be_named(self) -> None:
        assert errors(node("g", AGENT_BLOCK_ID)) == {"g": {"graph_id": "This field is required"}}


def test_errors_of_sub_graphs_merge_in_by_node_id() -> None:
    inner = Graph(nodes=[node("b", AddBlock, a=1)])
    graph = Graph(nodes=[node("a", AddBlock, b=1)], sub_graphs=[inner])
    required = "This field is required"
    assert validate_structure(graph, lookup, for_run=True) == {"a": {"a": required}, "b": {"b": required}}
    assert validate_structure(graph, lookup, masks={"b": {"b": 1}}, for_run=True) == {"a": {"a": required}}
