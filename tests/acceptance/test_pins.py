"""Dynamic pins: reading an output through a link, building an input from many pins."""

from __future__ import annotations

from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actbook.graphs import merge_execution_input, parse_execution_output


class Person(msgspec.Struct):
    name: str = "Ada"
    friends: list[str] = msgspec.field(default_factory=lambda: ["Bob"])
    _hidden: int = 1

    def greet(self) -> str:
        return "hello"


NESTED = {"a": [{"b": {"c": 5}}]}


@pytest.mark.parametrize(
    ("output", "selector", "value"),
    [
        (("out", 1), "out", 1),
        (("out", None), "out", None),
        (("out", 1), "other", None),
        (("out", [1, 2]), "out_$_0", 1),
        (("out", [1, 2]), "out_$_1", 2),
        (("out", [1, 2]), "out_$_2", None),
        (("out", [1, 2]), "out_$_-1", None),
        (("out", [1, 2]), "out_$_x", None),
        (("out", "text"), "out_$_0", None),
        (("out", (1, 2)), "out_$_0", None),
        (("out", {"0": "a"}), "out_$_0", None),
        (("out", {"k": 1}), "out_#_k", 1),
        (("out", {"k": 1}), "out_#_z", None),
        (("out", {1: "a"}), "out_#_1", None),
        (("out", [1]), "out_#_0", None),
        (("out", {"k": None}), "out_#_k", None),
        (("out", Person()), "out_@_name", "Ada"),
        (("out", Person()), "out_@_friends_$_0", "Bob"),
        (("out", Person()), "out_@_greet", None),
        (("out", Person()), "out_@__hidden", None),
        (("out", Person()), "out_@_missing", None),
        (("out", SimpleNamespace(x=1)), "out_@_x", 1),
        (("out", {"k": 1}), "out_@_k", None),
        (("out", "text"), "out_@_upper", None),
        (("out", NESTED), "out_#_a_$_0_#_b_#_c", 5),
        (("out", NESTED), "out_#_a_$_0_#_b_#_d", None),
        (("out", NESTED), "out_#_a_$_1_#_b", None),
        (("out_#_k", 1), "out_#_k", 1),
        (("out", 1), "out_$_", None),
        (("out", {"": 1}), "out_#_", None),
        (("other", [1]), "out_$_0", None),
        (("out", None), "out_$_0", None),
        (("out", {"a b": 1}), "out_#_a b", 1),
    ],
)
def test_an_output_is_read_through_a_link(output: tuple[str, Any], selector: str, value: Any) -> None:
    assert parse_execution_output(output, selector) == value


def test_reading_runs_no_code_of_the_value_and_never_raises() -> None:
    class Trap:
        @property
        def secret(self) -> int:
            raise RuntimeError("must not be asked")

        def __getattr__(self, name: str) -> int:
            raise RuntimeError("must not be asked")

    assert parse_execution_output(("out", Trap()), "out_@_secret") is None
    assert parse_execution_output(("out", Trap()), "out_@_other") is None
    assert parse_execution_output(("out", Trap()), "out_#_k") is None


@pytest.mark.parametrize(
    ("selector", "node_id", "pin", "value"),
    [
        ("tools", "n1", "p1", "call"),
        ("tools_^_anything", "n1", "p1", "call"),
        ("tools", "n2", "p1", None),
        ("tools", "n1", "p2", None),
        ("out", "n1", "p1", None),
    ],
)
def test_a_tool_pin_travels_to_exactly_its_node_and_pin(
    selector: str, node_id: str, pin: str, value: Any
) -> None:
    assert parse_execution_output(("tools_^_n1_~_p1", "call"), selector, node_id, pin) == value


@pytest.mark.parametrize("sink", [(None, None), ("n1", None), (None, "p1")])
def test_a_tool_pin_without_its_sink_is_an_error(sink: tuple[str | None, str | None]) -> None:
    with pytest.raises(ValueError, match="must be provided for tool pin routing"):
        parse_execution_output(("tools_^_n1_~_p1", "call"), "tools", *sink)


@pytest.mark.parametrize(
    ("data", "merged"),
    [
        ({}, {}),
        ({"a": 1}, {"a": 1}),
        ({"a_$_0": 1, "a_$_1": 2}, {"a": [1, 2]}),
        ({"a_$_2": 1}, {"a": [None, None, 1]}),
        ({"a_$_1": 2, "a_$_0": 1}, {"a": [1, 2]}),
        ({"a_#_x": 1, "a_#_y": 2}, {"a": {"x": 1, "y": 2}}),
        ({"a_#_x_$_1": 5}, {"a": {"x": [None, 5]}}),
        ({"a_$_0_#_k": 5, "a_$_0_#_l": 6}, {"a": [{"k": 5, "l": 6}]}),
        ({"a": [1, 2], "a_$_0": 9}, {"a": [9, 2]}),
        ({"a": {"x": 1}, "a_#_y": 2}, {"a": {"x": 1, "y": 2}}),
        ({"a_$_0": 9, "a": [1, 2]}, {"a": [1, 2]}),
        ({"a_$_0": 1, "a_#_k": 2}, {"a": {"k": 2}}),
        ({"a_#_k": 2, "a_$_0": 1}, {"a": [1]}),
        ({"a": "text", "a_$_0": 1}, {"a": [1]}),
        ({"a": "text", "a_#_k": 1}, {"a": {"k": 1}}),
        ({"a": None, "a_$_0": 1}, {"a": [1]}),
        ({"a_$_": 1}, {}),
        ({"_$_0": 1}, {}),
        ({"a_$__$_0": 1}, {}),
    ],
)
def test_paths_of_one_base_build_one_value_beside_the_flat_keys(
    data: dict[str, Any], merged: dict[str, Any]
) -> None:
    assert merge_execution_input(data) == {**data, **merged}


def test_an_attribute_path_builds_an_object() -> None:
    built = merge_execution_input({"o_@_name": "Ada", "o_@_age": 36})["o"]
    assert (built.name, built.age) == ("Ada", 36)


@pytest.mark.parametrize("pin", ["a_$_x", "a_$_1.5", "a_$_-1", "a_$_0_$_z"])
def test_a_bad_index_is_told(pin: str) -> None:
    with pytest.raises(ValueError, match="index must be an integer"):
        merge_execution_input({pin: 1})


@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "a_$_0", "a_$_3", "a_#_k", "a_#_k_$_1", "b_@_x", "b_#_y"]),
        st.one_of(st.integers(), st.text(max_size=3), st.lists(st.integers(), max_size=3), st.none()),
    )
)
def test_inputs_are_never_changed(data: dict[str, Any]) -> None:
    before = deepcopy(data)
    merged = merge_execution_input(data)
    assert data == before
    assert set(data) <= set(merged)
