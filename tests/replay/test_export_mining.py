"""OCEL 2.0, XES and pictures: what the standards ask of a document, checked without other people's programs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.replay.exported import HOSTILE, recorded, world

from actbook.graphs import Graph, Link, Node
from actbook.journal import MemoryStore, SQLiteStore
from actbook.replay._export._layout import HEIGHT, WIDTH, lay_out
from actbook.replay.export import Selection, export_ocel, export_xes, svg

ALL = Selection()
NAME = re.compile(r"[A-Za-z_:][\w:.-]*")
OCEL_TYPES: dict[str, Callable[[str], object]] = {
    "string": str,
    "integer": int,
    "float": float,
    "boolean": {"true": True, "false": False}.__getitem__,
    "time": datetime.fromisoformat,
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SQLiteStore, list[str]]]:
    store, executions = recorded(tmp_path_factory.mktemp("source"))
    yield store, executions
    store.close()


@pytest.fixture(scope="module")
def ocel(source: tuple[SQLiteStore, list[str]]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(b"".join(export_ocel(source[0], ALL)))
    return found


@pytest.fixture(scope="module")
def xes(source: tuple[SQLiteStore, list[str]]) -> ElementTree.Element:
    return ElementTree.fromstring(b"".join(export_xes(source[0], ALL)))


def test_ocel_has_its_four_parts_with_declared_types(ocel: dict[str, Any]) -> None:
    assert set(ocel) == {"objectTypes", "eventTypes", "objects", "events"}
    for part in ("object", "event"):
        declared = {
            kind["name"]: {each["name"]: each["type"] for each in kind["attributes"]}
            for kind in ocel[f"{part}Types"]
        }
        assert set().union(*(each.values() for each in declared.values())) <= set(OCEL_TYPES)
        for each in ocel[f"{part}s"]:
            for attribute in each["attributes"]:
                kind = declared[each["type"]][attribute["name"]]
                assert isinstance(attribute["value"], str), (each["type"], attribute)
                OCEL_TYPES[kind](attribute["value"])
                assert ("time" in attribute) == (part == "object")


def test_ocel_ids_are_unique_and_relations_lead_somewhere(ocel: dict[str, Any]) -> None:
    objects = [each["id"] for each in ocel["objects"]]
    events = [each["id"] for each in ocel["events"]]
    assert len(set(objects)) == len(objects)
    assert len(set(events)) == len(events)
    for each in (*ocel["objects"], *ocel["events"]):
        assert {relation["objectId"] for relation in each["relationships"]} <= set(objects)
        assert all(relation["qualifier"] for relation in each["relationships"])
    assert all(each["relationships"] for each in ocel["events"])
    assert all(datetime.fromisoformat(each["time"]).tzinfo for each in ocel["events"])


def test_ocel_holds_every_event_and_the_statuses_of_its_objects(
    ocel: dict[str, Any], source: tuple[SQLiteStore, list[str]]
) -> None:
    store, ids = source
    assert len(ocel["events"]) == store.last_position()
    objects = {each["id"]: each for each in ocel["objects"]}
    for execution in ids:
        found = objects[f"execution:{execution}"]
        statuses = [each["value"] for each in found["attributes"] if each["name"] == "status"]
        assert statuses == ["INCOMPLETE", "QUEUED", "RUNNING", "COMPLETED"]
    failed = [
        each
        for each in objects.values()
        if {"name": "status", "value": "FAILED"}.items()
        <= {
            key: value
            for attribute in each["attributes"]
            for key, value in attribute.items()
            if key != "time"
        }.items()
    ]
    assert [each["type"] for each in failed] == ["node execution"] * 2


def test_ocel_relates_a_sub_graph_to_its_parent(
    ocel: dict[str, Any], source: tuple[SQLiteStore, list[str]]
) -> None:
    children = [
        relation["objectId"]
        for each in ocel["objects"]
        for relation in each["relationships"]
        if relation["qualifier"] == "child of"
    ]
    assert sorted(children) == sorted(f"execution:{each}" for each in source[1][:2])


def test_xes_follows_the_order_that_the_schema_asks_for(xes: ElementTree.Element) -> None:
    order = ["extension", "global", "classifier", "string", "trace"]
    tags = [child.tag for child in xes]
    assert tags == sorted(tags, key=order.index)
    assert float(xes.attrib["xes.version"]) == 1849.2016
    assert {each.attrib["scope"] for each in xes.iter("global")} == {"trace", "event"}
    attributes = [
        each for tag in ("string", "date", "int", "float", "boolean", "id") for each in xes.iter(tag)
    ]
    assert all(NAME.fullmatch(each.attrib["key"]) and "value" in each.attrib for each in attributes)
    assert all(re.fullmatch(r"[A-Za-z_][\w.-]*", each.attrib["name"]) for each in xes.iter("extension"))
    for trace in xes.iter("trace"):
        tags = [child.tag for child in trace]
        assert tags == sorted(tags, key=["string", "event"].index)


def test_xes_has_a_trace_per_execution_and_the_steps_of_its_nodes(
    xes: ElementTree.Element, source: tuple[SQLiteStore, list[str]]
) -> None:
    traces = {value(trace, "concept:name"): trace for trace in xes.iter("trace")}
    assert set(source[1]) < set(traces)
    assert len(traces) == 5
    steps = [
        (value(event, "concept:name"), value(event, "lifecycle:transition"))
        for event in traces[source[1][2]].iter("event")
    ]
    assert steps == [
        (name, step) for name in ("Input: x", "Output: y") for step in ("schedule", "start", "complete")
    ]
    broken = [
        value(e, "error")
        for e in traces[source[1][0]].iter("event")
        if value(e, "lifecycle:transition") == "ate_abort"
    ]
    assert broken == ['the <shop> is closed & "dark"']


def value(element: ElementTree.Element, key: str) -> str:
    return next((child.attrib["value"] for child in element if child.attrib.get("key") == key), "")


def test_an_empty_store_gives_whole_documents() -> None:
    store = MemoryStore()
    assert json.loads(b"".join(export_ocel(store, ALL)))["events"] == []
    assert list(ElementTree.fromstring(b"".join(export_xes(store, ALL))).iter("trace")) == []


def test_a_picture_is_well_formed_whatever_things_are_called() -> None:
    _, graph = world()
    labels = dict.fromkeys((node.id for node in graph.nodes), HOSTILE)
    root = ElementTree.fromstring(svg(graph, {"x": "COMPLETED", "shop": "FAILED"}, labels))
    boxes = [each for each in root.iter() if each.attrib.get("class") == "node"]
    assert len(boxes) == len(graph.nodes)
    assert [each.attrib.get("data-status") for each in boxes].count("FAILED") == 1
    assert not [
        each for each in root.iter() if each.tag.endswith(("script", "img", "image", "foreignObject"))
    ]


@given(st.data())
def test_boxes_never_overlap_and_links_lead_down(data: st.DataObject) -> None:
    nodes = [str(number) for number in range(data.draw(st.integers(0, 30)))]
    ends = st.tuples(st.sampled_from(nodes or ["-"]), st.sampled_from(nodes or ["-"]))
    edges = data.draw(st.lists(ends, max_size=60))
    layout = lay_out(nodes, edges)
    assert set(layout.boxes) == set(nodes)
    places = list(layout.boxes.values())
    assert not [
        (a, b)
        for number, a in enumerate(places)
        for b in places[number + 1 :]
        if abs(a.x - b.x) < WIDTH and abs(a.y - b.y) < HEIGHT
    ]
    assert all(0 <= box.x <= layout.width - WIDTH and 0 <= box.y <= layout.height - HEIGHT for box in places)
    for source, sink in set(edges):
        if nodes and source != sink and (source, sink) not in layout.against:
            assert layout.boxes[source].y < layout.boxes[sink].y


def test_a_deep_chain_needs_no_recursion() -> None:
    nodes = [Node(id=str(number), block_id="b") for number in range(5_000)]
    links = [
        Link(source_id=str(number), source_name="a", sink_id=str(number + 1), sink_name="b")
        for number in range(4_999)
    ]
    assert svg(Graph(id="deep", nodes=nodes, links=links)).count('class="node"') == 5_000
