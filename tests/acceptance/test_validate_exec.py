"""Whether a node can run with the data it has: the order of the checks, and their texts."""

from __future__ import annotations

import logging
from copy import deepcopy
from typing import Any

import pytest
from tests.acceptance.blocks import REGISTRY, LinkedBlock, TypedBlock, graph, node

from actbook.engine.admission import validate_exec
from actbook.graphs import Node

MISMATCH = "Input data missing or mismatch for `{}`: "
TYPED = MISMATCH.format("TypedBlock")
LINKED = MISMATCH.format("LinkedBlock")


def check(the_node: Node, data: dict[str, Any], resolve_input: bool = True) -> tuple[Any, str]:
    before = deepcopy(data), deepcopy(the_node.input_default)
    verdict = validate_exec(the_node, data, resolve_input, registry=REGISTRY)
    assert (data, the_node.input_default) == before
    return verdict


def linked(*pins: str, **data: Any) -> Node:
    """A node whose pins are fed by links."""
    other = node("other", LinkedBlock)
    links = " ".join(f"other.out>n.{pin}" for pin in pins)
    return graph(other, node("n", LinkedBlock, **data), links=links).nodes[1]


def test_an_unknown_block() -> None:
    assert check(node("n", "nowhere"), {}) == (None, "Block for nowhere not found.")


def test_an_unknown_block_is_told_before_anything_else() -> None:
    unknown = graph(node("a", LinkedBlock), node("n", "nowhere"), links="a.out>n.x").nodes[1]
    assert check(unknown, {})[1] == "Block for nowhere not found."


def test_success_gives_the_data_and_the_name_of_the_block() -> None:
    assert check(node("n", TypedBlock), {"text": "a"}) == ({"text": "a"}, "TypedBlock")


def test_a_linked_pin_must_receive_a_value_even_with_a_default() -> None:
    assert check(linked("given", needed=1, given=3), {}) == (None, LINKED + "unpopulated links {'given'}")


def test_missing_links_are_named_in_order() -> None:
    found = check(linked("needed", "given"), {})
    assert found == (None, LINKED + "unpopulated links {'given', 'needed'}")


def test_missing_links_count_before_missing_input() -> None:
    assert check(linked("given"), {})[1] == LINKED + "unpopulated links {'given'}"


def test_a_dynamic_pin_of_a_link_counts_verbatim() -> None:
    fed = linked("needed_#_k")
    assert check(fed, {"needed": {"k": 1}})[1] == LINKED + "unpopulated links {'needed_#_k'}"
    data, name = check(fed, {"needed_#_k": 1})
    assert (data["needed"], name) == ({"k": 1}, "LinkedBlock")


def test_none_on_a_link_counts_as_there() -> None:
    data, _ = check(linked("given", needed=1), {"given": None})
    assert data == {"needed": 1, "given": None}


def test_defaults_are_overlaid_by_data() -> None:
    assert check(node("n", TypedBlock, text="a", number=1), {"number": 2})[0] == {"text": "a", "number": 2}


def test_dynamic_pins_are_merged_when_asked_for() -> None:
    the_node = node("n", TypedBlock, text="a")
    merged = check(the_node, {"items_$_0": 1, "items_$_1": 2})[0]
    assert merged["items"] == [1, 2]
    assert merged["items_$_1"] == 2
    assert "items" not in check(the_node, {"items_$_0": 1}, resolve_input=False)[0]


@pytest.mark.parametrize(
    ("pin", "value", "converted"),
    [
        ("number", "5.7", 5),
        ("share", "0.5", 0.5),
        ("share", 1, 1.0),
        ("flag", "true", True),
        ("items", '["1", 2]', [1, 2]),
        ("mapping", '{"a": 1}', {"a": 1}),
        ("inherited", "9", 9),
        ("text", 5, "5"),
        ("text", True, "true"),
        ("number", 3, 3),
    ],
)
def test_values_are_converted_to_the_declared_types(pin: str, value: Any, converted: Any) -> None:
    data, name = check(node("n", TypedBlock), {"text": "a", pin: value})
    assert name == "TypedBlock"
    assert data[pin] == converted
    assert type(data[pin]) is type(converted)


def test_missing_input_names_the_pins() -> None:
    assert check(node("n", TypedBlock), {"number": 1}) == (None, TYPED + "missing input {'text'}")


def test_none_counts_as_given_but_never_fits_a_required_pin() -> None:
    data, text = check(node("n", TypedBlock), {"text": None})
    assert data is None
    assert text.startswith(TYPED)
    assert "missing input" not in text
    assert "text" in text


def test_none_on_an_optional_pin_is_dropped_before_the_check() -> None:
    assert check(node("n", TypedBlock), {"text": "a", "number": None})[1] == "TypedBlock"


def test_a_mismatch_is_told_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        data, text = check(node("n", TypedBlock), {"text": "a", "mode": "c"})
    assert data is None
    assert text.startswith(TYPED)
    assert "mode" in text
    assert any(text in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("data", [{"text": "a", "items_$_x": 1}, {"text": "a", "items_$_-1": 1}])
def test_a_pin_that_can_not_be_merged_is_no_escape(data: dict[str, Any]) -> None:
    found, text = check(node("n", TypedBlock), data)
    assert found is None
    assert text.startswith(TYPED)
    assert "index must be an integer" in text


def test_a_value_that_can_not_be_converted_is_no_escape() -> None:
    found, text = check(node("n", TypedBlock), {"text": "a", "number": float("inf")})
    assert found is None
    assert text.startswith(TYPED + "Failed to convert")


def test_data_that_no_pin_takes_is_let_through() -> None:
    data, name = check(node("n", TypedBlock), {"text": "a", "unknown": 1})
    assert name == "TypedBlock"
    assert data["text"] == "a"
