from __future__ import annotations

import copy
import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.graphs.sample_blocks import AddBlock, ChoiceBlock, GivenBlock, ShownBlock, SwitchBlock, lookup

from actbook.graphs import ActbookError, Graph, GraphFormatError, GraphSettings, Link, Node


def link(source: str, sink: str, source_name: str = "result", sink_name: str = "value", **more: Any) -> Link:
    return Link(source_id=source, source_name=source_name, sink_id=sink, sink_name=sink_name, **more)


def exported() -> dict[str, Any]:
    """The shape of an exported file: copies, unknown fields, nulls and missing fields."""
    edge = {"id": "l1", "source_id": "n1", "source_name": "result", "sink_id": "n2", "sink_name": "value"}
    return {
        "id": "g1",
        "version": 7,
        "name": "Echo",
        "description": None,
        "is_active": True,
        "instructions": "Say something",
        "nodes": [
            {
                "id": "n1",
                "block_id": GivenBlock.id,
                "input_default": {"name": "In", "secret": False, "placeholder_values": []},
                "metadata": {"position": {"x": -1.5, "y": 2}, "customized_name": "Start"},
                "input_links": [],
                "output_links": [edge],
                "graph_id": "g1",
                "webhook": None,
            },
            {"id": "n2", "block_id": ShownBlock.id, "input_default": {"name": "Out"}, "metadata": {}},
        ],
        "links": [edge, {**edge, "id": "l2", "sink_name": "title", "is_static": True, "colour": "red"}],
        "sub_graphs": [
            {"id": "g2", "version": 1, "name": "Inner", "description": "", "is_active": True}
            | {"nodes": [], "links": [], "input_schema": {"properties": {}}, "forked_from_id": None}
        ],
        "user_id": "",
        "created_at": "2026-01-02T03:04:05.678Z",
        "input_schema": {"type": "object", "properties": {"In": {}}, "required": ["In"]},
        "trigger_setup_info": None,
    }


def test_an_exported_file_comes_out_equal() -> None:
    document = exported()
    graph = Graph.from_json(json.dumps(document))
    assert json.loads(graph.to_json()) == document
    assert Graph.from_json(graph.to_json()) == graph
    assert graph.extra["instructions"] == "Say something"
    assert graph.nodes[0].metadata["position"] == {"x": -1.5, "y": 2}
    assert graph.sub_graphs[0].extra["forked_from_id"] is None


def test_a_changed_field_is_written_even_if_it_was_missing() -> None:
    graph = Graph.from_dict(exported())
    graph.description = "Now it has one"
    graph.links[0].is_static = True
    graph.sub_graphs[0].user_id = "u"
    document = graph.to_dict()
    assert document["description"] == "Now it has one"
    assert document["links"][0]["is_static"] is True
    assert document["sub_graphs"][0]["user_id"] == "u"


def test_from_dict_keeps_nothing_of_what_it_is_given() -> None:
    document = exported()
    graph = Graph.from_dict(document)
    graph.nodes[0].input_default["name"] = "Changed"
    assert document == exported()


def test_the_old_spelling_of_sub_graphs() -> None:
    document = exported()
    document["subgraphs"] = document.pop("sub_graphs")
    graph = Graph.from_dict(document)
    assert [each.id for each in graph.sub_graphs] == ["g2"]
    assert graph.to_dict() == document
    other = {**exported(), "subgraphs": {"g1": ["n1"]}}
    assert Graph.from_dict(other).to_dict() == other
    del other["sub_graphs"]
    assert Graph.from_dict(other).to_dict() == other


def test_building_by_hand() -> None:
    first, second = (
        Node(block_id=GivenBlock.id),
        Node(id="n2", block_id=ShownBlock.id, input_default={"name": "o"}),
    )
    graph = Graph(nodes=[first, second], links=[link(first.id, "n2")])
    uuid.UUID(graph.id)
    uuid.UUID(first.id)
    assert (graph.version, graph.name, graph.is_active, graph.sub_graphs, graph.user_id) == (
        1,
        "",
        True,
        [],
        "",
    )
    assert Graph.from_json(graph.to_json()) == graph
    assert json.loads(graph.to_json())["links"][0]["is_static"] is False


def test_equal_links_are_one_link() -> None:
    links = [
        link("a", "b", id="1"),
        link("a", "b", id="2", is_static=True),
        link("a", "b", sink_name="x", id="3"),
    ]
    assert [each.id for each in Graph(links=links).links] == ["1", "3"]


def test_finding_parts() -> None:
    graph = Graph.from_dict(exported())
    assert graph.node("n2").block_id == ShownBlock.id
    assert [each.id for each in graph.links_from("n1")] == ["l1", "l2"]
    assert graph.links_into("n1") == []
    with pytest.raises(KeyError):
        graph.node("n3")


def test_a_node_knows_the_links_into_it() -> None:
    graph = Graph.from_dict(exported())
    assert [each.sink_name for each in graph.node("n2").input_links] == ["value", "title"]
    alone = Node.read({"id": "n", "block_id": "b", "input_links": [exported()["links"][0]]})
    assert [each.sink_name for each in alone.input_links] == ["value"]
    assert Node(block_id="b").input_links == []
    assert [each.sink_name for each in copy.deepcopy(graph).nodes[1].input_links] == ["value", "title"]


def test_optional_credentials_are_a_mark_on_the_node() -> None:
    assert Node(block_id="b", metadata={"credentials_optional": True}).credentials_optional
    assert not Node(block_id="b").credentials_optional


def test_starting_nodes_are_unlinked_or_inputs() -> None:
    nodes = [Node(id=name, block_id=AddBlock.id) for name in ("c", "a", "b")]
    nodes.insert(1, Node(id="in", block_id=GivenBlock.id))
    graph = Graph(nodes=nodes, links=[link("a", "b"), link("b", "b", sink_name="a"), link("b", "in")])
    assert [node.id for node in graph.starting_nodes(lookup)] == ["c", "in", "a"]


def test_input_and_output_schema() -> None:
    def made(block: type, **constants: Any) -> Node:
        return Node(block_id=block.id, input_default=constants)  # type: ignore[attr-defined]

    graph = Graph(
        nodes=[
            made(GivenBlock, name="Topic", description="About what", advanced=True),
            made(GivenBlock, name="Tone", title="The tone", value="dry", advanced=True),
            made(ChoiceBlock, name="Size", placeholder_values=["S", "L"], secret=False),
            made(ChoiceBlock, name="Free", options=[], value=""),
            made(SwitchBlock, name="Loud", value=None),
            made(GivenBlock),
            made(ShownBlock, name="Result"),
            made(ShownBlock, name="Result"),
            made(AddBlock, name="Not me"),
        ]
    )
    text = {"anyOf": [{"type": "string", "format": "short-text"}, {"type": "null"}]}
    plain = {"secret": False, "advanced": False}
    assert graph.input_schema(lookup) == {
        "type": "object",
        "properties": {
            "Topic": {**plain, "title": "Topic", "description": "About what"},
            "Tone": {"secret": False, "advanced": True, "title": "The tone", "default": "dry"},
            "Size": {**text, **plain, "title": "Size", "enum": ["S", "L"]},
            "Free": {**text, **plain, "title": "Free", "default": ""},
            "Loud": {"type": "boolean", **plain, "title": "Loud", "default": False},
        },
        "required": ["Topic", "Size"],
    }
    assert graph.output_schema(lookup) == {
        "type": "object",
        "properties": {"Result": {**plain, "title": "Result"}},
        "required": ["Result"],
    }


def test_the_content_hash_follows_the_content() -> None:
    graph = Graph.from_dict(exported())
    reordered = Graph.from_dict(dict(reversed(exported().items())))
    assert graph.content_hash() == reordered.content_hash()
    assert len(graph.content_hash()) == 64
    reordered.nodes[0].input_default["name"] = "Other"
    assert graph.content_hash() != reordered.content_hash()


def changed(path: list[Any], value: Any) -> dict[str, Any]:
    document = exported()
    holder: Any = document
    for key in path[:-1]:
        holder = holder[key]
    if value is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ([], "the top level"),
        ("text", "the top level"),
        ({}, "nodes"),
        (changed(["nodes"], {}), "nodes"),
        (changed(["nodes", 1], 5), r"nodes\[1\]"),
        (changed(["nodes", 1, "block_id"], 5), r"nodes\[1\].block_id"),
        (changed(["nodes", 0, "id"], ...), r"nodes\[0\].id"),
        (changed(["nodes", 0, "input_default"], []), r"nodes\[0\].input_default"),
        (changed(["links", 0, "sink_name"], ""), r"links\[0\].sink_name"),
        (changed(["links", 0, "is_static"], "yes"), r"links\[0\].is_static"),
        (changed(["version"], "7"), "version"),
        (changed(["version"], True), "version"),
        (changed(["sub_graphs", 0, "nodes"], 3), r"sub_graphs\[0\].nodes"),
    ],
)
def test_a_wrong_shape_names_its_place(document: Any, place: str) -> None:
    with pytest.raises(GraphFormatError, match=f"at {place}:") as caught:
        Graph.from_json(json.dumps(document))
    assert isinstance(caught.value, ActbookError)
    assert isinstance(caught.value, ValueError)


def test_documents_that_are_no_json_text() -> None:
    for document, reason in (
        (b'{"nodes": [', "not JSON"),
        (b'{"id": "\xff", "nodes": []}', "not UTF-8"),
        ("\ud800", "not UTF-8"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"nodes": [], "x": "' + b" " * 16 * 1024 * 1024 + b'"}', "too large"),
    ):
        with pytest.raises(GraphFormatError, match=reason):
            Graph.from_json(document)


def test_deeply_nested_sub_graphs_are_refused() -> None:
    document: dict[str, Any] = {"nodes": []}
    for _ in range(100_000):
        document = {"nodes": [], "sub_graphs": [document]}
    with pytest.raises(GraphFormatError, match="nested too deeply"):
        Graph.from_dict(document)
    while document.get("sub_graphs"):
        document = document.pop("sub_graphs")[0]


def test_a_byte_order_mark_is_skipped() -> None:
    assert Graph.from_json(b'\xef\xbb\xbf{"nodes": []}').nodes == []


def test_settings() -> None:
    settings = GraphSettings()
    assert (settings.human_in_the_loop_safe_mode, settings.sensitive_action_safe_mode) == (True, False)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=6,
)
ids = st.uuids().map(str)
unknown = st.dictionaries(st.sampled_from(["webhook", "x", "graph_version", "flags"]), json_values)
pins = st.text(st.characters(codec="utf-8"), min_size=1, max_size=5)


def documents(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    known = st.fixed_dictionaries(required, optional=optional)
    return st.builds(lambda fields, more: {**more, **fields}, known, unknown)


objects = st.dictionaries(pins, json_values, max_size=3)
nodes = documents({"id": ids, "block_id": ids}, {"input_default": st.none() | objects, "metadata": objects})
links = documents(
    {"id": ids, "source_id": ids, "sink_id": ids, "source_name": pins, "sink_name": pins},
    {"is_static": st.none() | st.booleans()},
)
shape = {"id": ids, "nodes": st.lists(nodes, max_size=2)}
options = {
    "version": st.none() | st.integers(1, 99),
    "description": st.none() | pins,
    "links": st.lists(links, max_size=2),
    "user_id": st.just(""),
    "created_at": st.none() | pins,
}
graphs = documents(
    shape, options | {"sub_graphs": st.none() | st.lists(documents(shape, options), max_size=1)}
)


@given(graphs)
def test_every_document_survives_load_and_save(document: dict[str, Any]) -> None:
    graph = Graph.from_json(json.dumps(document))
    assert json.loads(graph.to_json()) == document
    assert Graph.from_json(graph.to_json()) == graph


def test_a_link_without_an_id_has_always_the_same_one() -> None:
    ends = {"source_id": "a", "source_name": "x", "sink_id": "b", "sink_name": "y"}
    link = Link(source_id="a", source_name="x", sink_id="b", sink_name="y")
    assert link.id == Link.read(ends).id == Link.read(ends).id
    assert link.id != Link.read({**ends, "sink_name": "z"}).id
    assert Link.read({**ends, "id": "mine"}).id == "mine"
