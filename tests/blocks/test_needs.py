"""What shape a made-up value needs, read from what the graph does with it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from tests.blocks.graph_building import AI, graph, node

from actbook.blocks import default_registry
from actbook.blocks._needs import NUMBER, TEXT, Need, Needs, both
from actbook.graphs import AGENT_BLOCK_ID, Graph, Node


def _need(made: Graph, pin: str = "response", source: str = "ai") -> Need:
    return Needs([made], default_registry().lookup).of_output(made, made.node(source), pin)


def test_nothing_downstream_needs_text() -> None:
    assert _need(graph(node("ai", AI), links="")) == TEXT


def test_lookups_after_an_xml_parser_become_tags() -> None:
    made = graph(
        node("ai", AI),
        node("xml", "XMLParser"),
        node("body", "FindInDictionary", key="body"),
        node("title", "FindInDictionary", key="title"),
        links="""
            ai.response -> xml.input_xml
            xml.parsed_xml -> body.input
            xml.parsed_xml -> title.input
        """,
    )
    assert _need(made) == Need("xml", {"body": TEXT, "title": TEXT})


def test_a_list_that_is_stepped_through_has_items_with_the_key_looked_up() -> None:
    made = graph(
        node("ai", AI),
        node("xml", "XMLParser"),
        node("all", "FindInDictionary", key="stories"),
        node("count", "CountItems"),
        node("each", "StepThroughItems"),
        node("one", "FindInDictionary", key="story"),
        links="""
            ai.response -> xml.input_xml
            xml.parsed_xml -> all.input
            all.output -> count.collection
            all.output -> each.items
            each.item -> one.input
        """,
    )
    story = Need("dict", {"story": TEXT})
    assert _need(made) == Need("xml", {"stories": Need("list", item=story)})


def test_needs_pass_through_stored_and_chosen_values() -> None:
    made = graph(
        node("ai", AI),
        node("store", "StoreValue"),
        node("choose", "Condition", operator="<", value2="3"),
        node("xml", "XMLParser"),
        node("find", "FindInDictionary", key="a"),
        links="""
            ai.response -> store.input
            store.output -> choose.yes_value
            choose.yes_output -> xml.input_xml
            xml.parsed_xml -> find.input
        """,
    )
    assert _need(made) == Need("xml", {"a": TEXT})


@pytest.mark.parametrize(
    ("block", "pin", "constants", "need"),
    [
        ("Condition", "value1", {"operator": "<", "value2": "3"}, NUMBER),
        ("Condition", "value1", {"operator": "==", "value2": "3"}, TEXT),
        ("Condition", "value1", {"operator": "<"}, TEXT),
        ("Calculator", "a", {}, NUMBER),
        ("StepThroughItems", "items_str", {}, Need("json", item=Need("list", item=TEXT))),
        ("StepThroughItems", "items_object", {}, Need("dict", {"first": TEXT})),
        ("JSONDecoder", "json_str", {}, Need("json", item=Need("dict"))),
        ("FindInDictionary", "input", {"key": 0}, Need("list", item=TEXT)),
        ("FindInDictionary", "input", {}, Need("dict")),
        ("UniversalTypeConverter", "value", {"type": "number"}, NUMBER),
        ("UniversalTypeConverter", "value", {"type": "string"}, TEXT),
        ("ExtractTextInformation", "text", {"pattern": r"<mail>(.*?)<\/mail>"}, Need("xml", {"mail": TEXT})),
        ("ExtractTextInformation", "text", {"pattern": r"\d+"}, TEXT),
        ("StoreValue", "input", {"data": 1}, TEXT),
        ("CombineTexts", "input", {}, Need("list", item=TEXT)),
        ("CombineTexts", "input_$_0", {}, TEXT),
        ("AddToDictionary", "entries", {}, Need("dict")),
        ("FillTextTemplate", "values_#_x", {}, TEXT),
        ("AgentOutput", "value", {}, TEXT),
        ("CreateList", "no_such_pin", {}, TEXT),
    ],
)
def test_one_consumer(block: str, pin: str, constants: dict[str, object], need: Need) -> None:
    made = graph(node("ai", AI), node("sink", block, **constants), links=f"ai.response -> sink.{pin}")
    assert _need(made) == need


def test_a_link_that_takes_a_part_needs_the_whole_around_it() -> None:
    made = graph(
        node("ai", AI),
        node("sum", "Calculator"),
        node("out", "AgentOutput", name="x"),
        links="""
            ai.response_#_total_$_0 -> sum.a
            ai.response_#_status -> out.value
        """,
    )
    assert _need(made) == Need("dict", {"total": Need("list", item=NUMBER), "status": TEXT})


def test_needs_cross_the_border_of_a_sub_graph_both_ways() -> None:
    child = graph(
        node("in", "AgentInput", name="Info"),
        node("sum", "Calculator"),
        node("ai", AI),
        node("out", "AgentOutput", name="Results!"),
        links="""
            in.result -> sum.a
            ai.response -> out.value
        """,
        id="child",
        version=3,
    )
    agent = Node(id="agent", block_id=AGENT_BLOCK_ID, input_default={"graph_id": "child", "graph_version": 3})
    parent = graph(
        node("ai", AI),
        agent,
        node("xml", "XMLParser"),
        node("find", "FindInDictionary", key="ceo"),
        links="""
            ai.response -> agent.Info
            agent.Results! -> xml.input_xml
            xml.parsed_xml -> find.input
        """,
    )
    needs = Needs([parent, child], default_registry().lookup)
    assert needs.of_output(parent, parent.node("ai"), "response") == NUMBER
    assert needs.of_output(child, child.node("ai"), "response") == Need("xml", {"ceo": TEXT})


def test_a_cycle_ends() -> None:
    made = graph(
        node("ai", AI),
        node("one", "StoreValue"),
        node("two", "StoreValue"),
        links="""
            ai.response -> one.input
            one.output -> two.input
            two.output -> one.input
        """,
    )
    assert _need(made) == TEXT


def test_uniting_needs() -> None:
    one, other = Need("dict", {"a": TEXT, "b": NUMBER}), Need("dict", {"a": NUMBER, "c": TEXT})
    assert both(one, other) == Need("dict", {"a": NUMBER, "b": NUMBER, "c": TEXT})
    assert both(TEXT, one) == one
    assert both(one, NUMBER) == one
    assert both(Need("list"), Need("list", item=one)) == Need("list", item=one)


def test_many_ways_that_meet_again_are_followed_once() -> None:
    names = [f"n{number}" for number in range(40)]
    links = "\n".join(
        f"{first}.output -> {second}.{pin}" for first, second in pairwise(names) for pin in ("input", "data")
    )
    made = graph(
        node("ai", AI),
        *(node(name, "StoreValue") for name in names),
        node("sum", "Calculator"),
        links=f"ai.response -> n0.input\n{links}\nn39.output -> sum.a",
    )
    assert _need(made) == NUMBER
