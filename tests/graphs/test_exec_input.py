from __future__ import annotations

import copy
import logging
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.graphs.sample_blocks import AddBlock, Hue, SecretBlock, SumBlock, lookup

from actbook.graphs import (
    AGENT_BLOCK_ID,
    Graph,
    Link,
    Node,
    UnknownBlock,
    validate_exec,
    validate_exec_noting,
)

PREFIX = "Input data missing or mismatch for `{}`: "


def check(node: Node, data: dict[str, Any], *linked: str, **more: Any) -> tuple[dict[str, Any] | None, str]:
    return validate_exec(node, data, lookup=lookup, linked=linked, **more)


def add(**constants: Any) -> Node:
    return Node(id="n", block_id=AddBlock.id, input_default=constants)


def summed(**constants: Any) -> Node:
    return Node(id="n", block_id=SumBlock.id, input_default=constants)


def agent(**schema: Any) -> Node:
    inputs = {"Rows": 3}
    constants = {"graph_id": "g", "graph_version": 1, "inputs": inputs, "input_schema": schema}
    return Node(block_id=AGENT_BLOCK_ID, input_default=constants)


def test_an_unknown_block() -> None:
    node = Node(block_id="gone")
    assert check(node, {}) == (None, "Block for gone not found.")
    assert validate_exec(node, {}, block=UnknownBlock("gone"))[1] == "Block for gone not found."


def test_a_linked_pin_needs_a_value_even_if_it_has_a_default() -> None:
    result = check(add(a=1.0, b=2.0), {}, "b", "a", "values_#_k")
    assert result == (None, PREFIX.format("AddBlock") + "unpopulated links {'a', 'b', 'values_#_k'}")
    assert check(add(a=1.0, b=2.0), {"b": 5.0}, "b") == ({"a": 1.0, "b": 5.0}, "AddBlock")


def test_the_links_of_its_graph_count_when_none_are_given() -> None:
    node = add(a=1.0, b=2.0)
    Graph(nodes=[node], links=[Link(source_id="n", source_name="result", sink_id="n", sink_name="a")])
    assert validate_exec(node, {}, lookup=lookup)[1].endswith("unpopulated links {'a'}")


def test_missing_input_is_sorted() -> None:
    assert check(add(), {}) == (None, PREFIX.format("AddBlock") + "missing input {'a', 'b'}")
    assert check(add(a=1.0), {}) == (None, PREFIX.format("AddBlock") + "missing input {'b'}")


def test_unknown_keys_stay() -> None:
    assert check(add(a=1.0, b=2.0, secret=False), {"extra": 1}) == (
        {"a": 1.0, "b": 2.0, "secret": False, "extra": 1},
        "AddBlock",
    )


def test_none_is_present_but_never_enough_for_a_required_pin() -> None:
    data, text = check(add(b=1.0), {"a": None}, "a")
    assert data is None
    assert text.startswith(PREFIX.format("AddBlock"))
    assert "`a`" in text
    assert "missing input" not in text
    assert "unpopulated" not in text


def test_none_on_an_optional_pin_stays_and_means_its_default() -> None:
    assert check(summed(), {"a": None, "items": None})[0] == {"a": None, "items": None}


def test_dynamic_pins_are_merged_before_the_checks() -> None:
    node = add(a=1, b=2, values={"x": 0})
    data, _ = check(node, {"values_#_k": 5}, "values_#_k")
    assert data == {"a": 1.0, "b": 2.0, "values": {"x": 0, "k": 5}, "values_#_k": 5}
    assert node.input_default == {"a": 1, "b": 2, "values": {"x": 0}}
    assert check(add(b=2.0), {"a_$_0": 5})[0] == {"b": 2.0, "a": 1.0, "a_$_0": 5}


def test_without_resolving_dynamic_pins_stay_plain_keys() -> None:
    data, _ = check(add(a=1.0, b=2.0), {"values_#_k": 5}, resolve_input=False)
    assert data == {"a": 1.0, "b": 2.0, "values_#_k": 5}


def test_the_order_of_arrival_decides_between_whole_and_part() -> None:
    node = add(a=1.0, b=2.0, values={})
    part_last, _ = check(node, {"values": {"w": 1}, "values_#_k": 5})
    whole_last, _ = check(node, {"values_#_k": 5, "values": {"w": 1}})
    assert part_last is not None
    assert whole_last is not None
    assert part_last["values"] == {"w": 1, "k": 5}
    assert whole_last["values"] == {"w": 1}


def test_constants_have_no_order() -> None:
    data, _ = check(add(**{"values_#_k": 5, "values": {"w": 1}, "a": 1.0, "b": 2.0}), {})
    assert data is not None
    assert data["values"] == {"w": 1, "k": 5}


def test_values_are_converted_inherited_fields_too() -> None:
    data, name = check(summed(hue="red"), {"count": "5", "a": "1.5", "items": "[1, 2]", "needed": 2})
    assert data == {"hue": Hue.RED, "count": 5, "a": 1.5, "items": [1, 2], "needed": 2.0}
    assert name == "SumBlock"
    assert data is not None
    assert type(data["needed"]) is float


def test_a_satisfying_value_is_the_same_object() -> None:
    items = [1, 2]
    data, _ = check(summed(), {"items": items})
    assert data is not None
    assert data["items"] is items


def test_conversion_and_merge_errors_are_texts() -> None:
    data, text = check(summed(), {"hue": "green"})
    assert data is None
    assert text == PREFIX.format("SumBlock") + f"Failed to convert green to {Hue} (pin `hue`)"
    data, text = check(add(a=1.0, b=1.0), {"values_$_x": 1})
    assert data is None
    assert text.startswith(PREFIX.format("AddBlock"))
    assert "index must be an integer" in text


def test_a_bad_constant_is_told_at_the_run_unless_data_replaces_it() -> None:
    node = summed(hue="green")
    assert check(node, {})[0] is None
    assert check(node, {"hue": "red"})[0] == {"hue": Hue.RED}


def test_a_mismatch_is_told_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    node = Node(block_id=SecretBlock.id)
    with caplog.at_level(logging.WARNING, logger="actbook.graphs"):
        data, text = check(node, {"query": "q", "credentials": {"id": 5}})
    assert data is None
    assert text.startswith(PREFIX.format("SecretBlock") + "Expected `str`")
    assert text in caplog.text


def test_incomplete_data_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="actbook.graphs"):
        assert check(add(), {})[0] is None
        assert check(add(), {}, "a")[0] is None
    assert caplog.text == ""


def test_losses_are_told() -> None:
    data, _, warnings = validate_exec_noting(
        summed(count="7.5"), {"a": "x", "items": ["1"]}, lookup=lookup, linked=()
    )
    assert data == {"count": 7, "a": 0.0, "items": [1]}
    assert warnings == ("pin `count`: '7.5' became 7", "pin `a`: 'x' became 0.0")


class TestAgentNodes:
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "object",
        "required": ["Topic!", "Rows"],
        "properties": {
            "Topic!": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "Rows": {"type": "integer"},
        },
    }

    def test_defaults_are_the_nested_inputs(self) -> None:
        assert check(agent(**self.SCHEMA), {"Topic!": "x"}) == ({"Rows": 3, "Topic!": "x"}, "ChildBlock")

    def test_required_comes_from_its_own_schema(self) -> None:
        assert check(agent(**self.SCHEMA), {})[1].endswith("missing input {'Topic!'}")
        assert check(agent(**self.SCHEMA), {"Topic!": None})[0] is None

    def test_what_converts_without_loss_does(self) -> None:
        assert check(agent(**self.SCHEMA), {"Topic!": ["x"], "Rows": "5"})[0] == {
            "Topic!": '["x"]',
            "Rows": 5,
        }

    def test_what_would_lose_is_a_mismatch(self) -> None:
        data, text = check(agent(**self.SCHEMA), {"Topic!": "x", "Rows": "many"})
        assert data is None
        assert text == PREFIX.format("ChildBlock") + "Expected `int`, got `str` - at `Rows`"
        assert check(agent(**self.SCHEMA), {"Topic!": "x", "Rows": "inf"})[0] is None


def test_nothing_given_is_changed() -> None:
    node = add(a="1", b=2, values={"l": [1]})
    data: dict[str, Any] = {"values_#_l_$_1": 2, "a": "3"}
    before = copy.deepcopy((node.input_default, data))
    accepted, _ = check(node, data)
    assert accepted is not None
    assert accepted["values"] == {"l": [1, 2]}
    assert (node.input_default, data) == before


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=5,
)
sum_data = st.dictionaries(
    st.sampled_from(["count", "a", "items", "needed", "other", "items_$_1"]), plain_values
)


@given(sum_data)
def test_what_is_accepted_can_be_built(data: dict[str, Any]) -> None:
    node = summed()
    before = copy.deepcopy(data)
    accepted, text = check(node, data)
    assert repr(data) == repr(before)
    if accepted is None:
        assert text.startswith(PREFIX.format("SumBlock"))
    else:
        SumBlock.input_schema.build(accepted)


@given(st.dictionaries(st.sampled_from(["a", "b", "values"]), plain_values))
def test_acceptance_agrees_with_the_schema(data: dict[str, Any]) -> None:
    accepted, _ = check(add(a=1.0, b=1.0), data)
    if accepted is not None:
        assert AddBlock.input_schema.mismatch(accepted) is None
