"""What the starting nodes of a run begin with, and when a run can't begin."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from tests.acceptance.blocks import (
    INPUT,
    REGISTRY,
    HookBlock,
    KeyBlock,
    LinkedBlock,
    NoteBlock,
    TypedBlock,
    graph,
    node,
)
from tests.engine.kit import play

from actbook.engine import Engine, GraphNotFoundError, GraphValidationError
from actbook.engine.admission import (
    _construct_starting_node_execution_input,
    validate_and_construct_node_execution_input,
)
from actbook.engine.credentials import MemoryCredentials
from actbook.graphs import Graph

NO_START = (
    "No starting nodes found for the graph, make sure an AgentInput or blocks with no inbound links are present as"
    " starting nodes."
)


def starting(a_graph: Graph, inputs: Any = None, masks: Any = None) -> Any:
    return play(
        _construct_starting_node_execution_input(
            a_graph, "ada", inputs or {}, masks, registry=REGISTRY, credentials=MemoryCredentials()
        )
    )


def test_inputs_reach_their_nodes_in_graph_order() -> None:
    two = graph(node("b", INPUT, name="second"), node("a", INPUT, name="first"))
    found = starting(two, {"first": 1, "second": 2})
    assert [name for name, _ in found] == ["b", "a"]
    assert {name: data["value"] for name, data in found} == {"a": 1, "b": 2}


def test_a_given_none_counts() -> None:
    [(_, data)] = starting(graph(node("i", INPUT, name="x", value=5)), {"x": None})
    assert data["value"] is None


def test_an_input_that_is_not_given_keeps_its_default() -> None:
    [(_, data)] = starting(graph(node("i", INPUT, name="x", value=5)))
    assert data["value"] == 5


def test_an_input_with_an_empty_name_is_a_name() -> None:
    [(_, data)] = starting(graph(node("i", INPUT, name="")), {"": 3})
    assert data["value"] == 3


def test_a_linked_input_starts_too() -> None:
    looped = graph(
        node("i", INPUT, name="x"), node("n", LinkedBlock), links="i.result>n.needed n.out>i.value"
    )
    assert [name for name, _ in starting(looped, {"x": 1})] == ["i"]


def test_masks_are_laid_over() -> None:
    the_graph = graph(node("i", INPUT, name="x"), node("n", TypedBlock, text="a", number=1))
    found = dict(starting(the_graph, {"x": 1}, {"i": {"value": 2}, "n": {"number": "7"}}))
    assert found["i"]["value"] == 2
    assert found["n"] == {"text": "a", "number": 7}


def test_notes_do_not_start() -> None:
    assert [
        name for name, _ in starting(graph(node("n", NoteBlock, text="hi"), node("i", INPUT, name="x")))
    ] == ["i"]


@pytest.mark.parametrize(
    "a_graph",
    [
        graph(),
        graph(node("n", NoteBlock)),
        graph(node("p", LinkedBlock), node("q", LinkedBlock), links="p.out>q.needed q.out>p.needed"),
    ],
    ids=["empty", "only notes", "only a cycle"],
)
def test_a_graph_without_starting_nodes(a_graph: Graph) -> None:
    with pytest.raises(ValueError) as refused:
        starting(a_graph)
    assert str(refused.value) == NO_START


def test_all_faults_come_at_once() -> None:
    broken = graph(node("a", TypedBlock), node("b", LinkedBlock), node("c", INPUT, name="credentials"))
    with pytest.raises(GraphValidationError) as refused:
        starting(broken)
    assert str(refused.value) == "Graph validation failed: 3 issues on 3 nodes"
    assert set(refused.value.node_errors) == {"a", "b", "c"}
    assert refused.value.node_errors["a"] == {"text": "This field is required"}


def test_faults_of_structure_and_of_credentials_come_together() -> None:
    with pytest.raises(GraphValidationError) as refused:
        starting(graph(node("a", TypedBlock), node("k", KeyBlock)))
    assert str(refused.value) == "Graph validation failed: 2 issues on 2 nodes"
    assert refused.value.node_errors["k"] == {"credentials": "These credentials are required"}


def test_data_that_does_not_fit_is_told_with_the_text_of_its_check() -> None:
    wrong = graph(node("n", TypedBlock, text="a", mode="c"))
    with pytest.raises(ValueError, match=r"^Input data missing or mismatch for `TypedBlock`: ") as refused:
        starting(wrong)
    assert not isinstance(refused.value, GraphValidationError)


def test_a_webhook_waits_for_its_caller() -> None:
    hooked = graph(node("h", HookBlock))
    with pytest.raises(ValueError, match="triggered from outside"):
        starting(hooked)
    assert starting(hooked, masks={"h": {"payload": {"a": 1}}}) == [("h", {"payload": {"a": 1}})]


def test_a_skipped_node_stays_in_the_list() -> None:
    optional = graph(node("k", KeyBlock, {"credentials_optional": True}, value=1), node("i", INPUT, name="x"))
    assert [name for name, _ in starting(optional)] == ["k", "i"]


def test_unknown_inputs_are_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        starting(graph(node("i", INPUT, name="x")), {"x": 1, "typo": 2})
    assert any("typo" in record.getMessage() for record in caplog.records)


async def _admitted(a_graph: Graph, *arguments: Any, user: str = "ada", **options: Any) -> Any:
    async with Engine.open("memory:", registry=REGISTRY, credentials=MemoryCredentials()) as engine:
        saved = await engine.save_graph(a_graph, "ada")
        before = await engine.journal.last_position()
        try:
            return await validate_and_construct_node_execution_input(saved.id, user, *arguments, **options)
        finally:
            assert await engine.journal.last_position() == before


def test_everything_about_a_run_before_it_begins() -> None:
    the_graph = graph(node("i", INPUT, name="x"), node("n", TypedBlock, text="a"))
    found = play(_admitted(the_graph, {"x": 5}, nodes_input_masks={"n": {"number": 3}}))
    saved, inputs, masks, skip = found
    assert (saved.id, saved.version) == ("g", 1)
    assert dict(inputs) == {"i": {"name": "x", "value": 5}, "n": {"text": "a", "number": 3}}
    assert masks == {"n": {"number": 3}}
    assert skip == set()


def test_optional_nodes_without_credentials_are_skipped() -> None:
    optional = graph(node("k", KeyBlock, {"credentials_optional": True}))
    _, inputs, masks, skip = play(_admitted(optional, {}))
    assert ([name for name, _ in inputs], masks, skip) == (["k"], {}, {"k"})


def test_chosen_credentials_become_masks_and_explicit_masks_win() -> None:
    meta = {"id": "chosen", "provider": "airtable", "type": "api_key"}
    explicit = {"credentials": None}
    optional = graph(
        node("k", KeyBlock, {"credentials_optional": True}),
        node("l", KeyBlock, {"credentials_optional": True}),
    )
    chosen = {"airtable_api_key-oauth2_credentials": meta}
    with pytest.raises(GraphValidationError) as refused:
        play(_admitted(optional, {}, None, chosen, {"l": explicit}))
    assert refused.value.node_errors == {"k": {"credentials": "Unknown credentials #chosen"}}


@pytest.mark.parametrize("version", [None, 1, 7])
def test_a_graph_that_is_not_there(version: int | None) -> None:
    async def test() -> None:
        async with Engine.open("memory:"):
            await validate_and_construct_node_execution_input("nowhere", "ada", {}, version)

    with pytest.raises(GraphNotFoundError) as refused:
        play(test())
    assert str(refused.value) == "Graph #nowhere not found."


def test_somebody_elses_graph_looks_like_one_that_is_not_there() -> None:
    with pytest.raises(GraphNotFoundError) as refused:
        play(_admitted(graph(node("i", INPUT, name="x")), {}, user="eve"))
    assert str(refused.value) == "Graph #g not found."
