from __future__ import annotations

import copy
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actbook.graphs import (
    NO_VALUE,
    ActbookError,
    PinPathError,
    base_name,
    is_dynamic,
    merge_execution_input,
    parse_execution_output,
    select_output,
)


class Person(msgspec.Struct):
    name: str
    _secret: str = "s"

    def shout(self) -> str:
        return self.name.upper()


class Plain:
    kind = "plain"

    def __init__(self) -> None:
        self.name = "Ann"
        self._hidden = 1

    def method(self) -> int:
        return 1

    @property
    def boom(self) -> int:
        raise RuntimeError("read")


@dataclass(slots=True)
class Slotted:
    name: str


class Hostile:
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


class Pair(NamedTuple):
    left: int
    right: int


@pytest.mark.parametrize(
    ("name", "base", "dynamic"),
    [
        ("out", "out", False),
        ("out_$_0", "out", True),
        ("out_#_a b_@_c", "out", True),
        ("a_$_", "a_$_", False),
        ("a_$__#_b", "a_$__#_b", False),
        ("_$_0", "_$_0", False),
        ("tools_^_n_~_p", "tools", False),
        ("tools_^_n_~_p_#_k", "tools", True),
    ],
)
def test_names(name: str, base: str, dynamic: bool) -> None:
    assert base_name(name) == base
    assert is_dynamic(name) is dynamic


@pytest.mark.parametrize(
    ("value", "selector", "expected"),
    [
        ({"a": 1}, "out", {"a": 1}),
        ([10, 20], "out_$_1", 20),
        ({"k": [{"x y": 3}]}, "out_#_k_$_0_#_x y", 3),
        (Person("Bo"), "out_@_name", "Bo"),
        (Plain(), "out_@_name", "Ann"),
        (Plain(), "out_@_kind", "plain"),
        (Slotted("Cy"), "out_@_name", "Cy"),
        (Pair(1, 2), "out_@_right", 2),
        (SimpleNamespace(a={"b": 5}), "out_@_a_#_b", 5),
    ],
)
def test_reading_along_a_path(value: Any, selector: str, expected: Any) -> None:
    assert parse_execution_output(("out", value), selector) == expected


@pytest.mark.parametrize(
    ("value", "selector"),
    [
        ([1], "other"),
        ([1], "out_$_1"),
        ([1], "out_$_-1"),
        ([1], "out_$_x"),
        ([1], "out_$_١"),
        ((1,), "out_$_0"),
        ("text", "out_$_0"),
        ({"a": 1}, "out_$_0"),
        ({1: "a"}, "out_#_1"),
        ([1], "out_#_0"),
        ({"a": 1}, "out_@_a"),
        ({"a": 1}, "out_@_keys"),
        ("text", "out_@_upper"),
        (Person("Bo"), "out_@_shout"),
        (Person("Bo"), "out_@__secret"),
        (Plain(), "out_@_method"),
        (Plain(), "out_@__hidden"),
        (Plain(), "out_@_boom"),
        (Plain(), "out_@___class__"),
        (Plain, "out_@_kind"),
        (None, "out_#_a"),
        ({"a": None}, "out_#_a_#_b"),
        ({"a": 1}, "out_#_"),
        ({"a": 1}, "other_#_a"),
    ],
)
def test_no_match_is_no_value(value: Any, selector: str) -> None:
    assert parse_execution_output(("out", value), selector) is None
    assert select_output("out", value, selector) is NO_VALUE


def test_an_object_that_raises_on_every_look() -> None:
    assert select_output("out", Hostile(), "out_@_name") is NO_VALUE


def test_a_none_on_the_pin_is_a_value_and_one_on_a_path_is_not() -> None:
    assert select_output("out", None, "out") is None
    assert select_output("out", {"a": None}, "out_#_a") is NO_VALUE


def test_a_dynamic_output_name_meets_the_same_selector_only() -> None:
    assert parse_execution_output(("out_#_a", 1), "out_#_a") == 1
    assert select_output("out_#_a", {"b": 2}, "out_#_b") is NO_VALUE


class TestToolPins:
    NAME = "tools_^_node-1_~_query"

    @pytest.mark.parametrize("selector", ["tools", "tools_^_search_web_~_the_query"])
    def test_routed_by_sink(self, selector: str) -> None:
        assert select_output(self.NAME, 7, selector, "node-1", "query") == 7
        assert select_output(self.NAME, 7, selector, "node-2", "query") is NO_VALUE
        assert select_output(self.NAME, 7, selector, "node-1", "other") is NO_VALUE

    def test_an_equal_name_is_no_short_cut(self) -> None:
        assert select_output(self.NAME, 7, self.NAME, "node-2", "query") is NO_VALUE

    def test_other_links_get_nothing(self) -> None:
        assert parse_execution_output((self.NAME, 7), "result") is None

    def test_the_sink_must_be_known(self) -> None:
        with pytest.raises(ValueError, match="must be provided for tool pin routing"):
            parse_execution_output((self.NAME, 7), "tools")

    def test_a_dynamic_sink_pin(self) -> None:
        assert select_output("tools_^_n_~_values_#_k", 1, "tools", "n", "values_#_k") == 1

    def test_the_plain_tools_pin(self) -> None:
        assert parse_execution_output(("tools", [1]), "tools") == [1]


def test_paths_of_one_base_build_one_value_beside_the_flattened_keys() -> None:
    data = {"l_$_1": "b", "l_$_0": "a", "d_#_x y": 1, "d_#_z_$_0": 2, "plain": 3}
    assert merge_execution_input(data) == {**data, "l": ["a", "b"], "d": {"x y": 1, "z": [2]}}


def test_indexes_beyond_the_end_pad_with_none() -> None:
    assert merge_execution_input({"l_$_3": 1})["l"] == [None, None, None, 1]
    assert merge_execution_input({"l": [9], "l_$_2": 1})["l"] == [9, None, 1]


@pytest.mark.parametrize("index", ["x", "-1", "1.0", "+1", " 1", "1_0", "99999999", "9" * 5000])
def test_a_bad_index(index: str) -> None:
    with pytest.raises(ValueError, match="index must be an integer") as caught:
        merge_execution_input({f"l_$_{index}": 1})
    assert isinstance(caught.value, PinPathError)
    assert isinstance(caught.value, ActbookError)
    assert caught.value.pin == f"l_$_{index}"


def test_attributes_build_an_object() -> None:
    built = merge_execution_input({"o_@_name": "Ann", "o_@_home_#_city": "Oslo"})["o"]
    assert built.name == "Ann"
    assert built.home == {"city": "Oslo"}
    assert msgspec.json.decode(msgspec.json.encode(built)) == {"name": "Ann", "home": {"city": "Oslo"}}
    with pytest.raises(AttributeError):
        _ = built.missing


def test_attributes_go_on_an_object_that_is_there() -> None:
    person = Person("Ann")
    built = merge_execution_input({"o": person, "o_@_age": 5})["o"]
    assert (built.name, built.age) == ("Ann", 5)
    assert person == Person("Ann")


def test_the_last_key_decides_the_type() -> None:
    assert merge_execution_input({"v_$_0": 1, "v_#_a": 2})["v"] == {"a": 2}
    assert merge_execution_input({"v_#_a": 2, "v_$_0": 1})["v"] == [1]
    assert merge_execution_input({"v_@_b": 2, "v_#_a": 1})["v"] == {"a": 1}
    only_b = merge_execution_input({"v_#_a": 1, "v_@_b": 2})["v"]
    assert only_b.b == 2
    assert not hasattr(only_b, "a")


def test_a_later_whole_value_wins() -> None:
    assert merge_execution_input({"v_$_0": 1, "v": [9]})["v"] == [9]
    assert merge_execution_input({"v": [9], "v_$_1": 1})["v"] == [9, 1]


def test_a_text_is_replaced_not_exploded() -> None:
    assert merge_execution_input({"v": "abc", "v_$_1": "x"})["v"] == [None, "x"]
    assert merge_execution_input({"v": "abc", "v_#_k": "x"})["v"] == {"k": "x"}


def test_a_malformed_path_stays_a_plain_key() -> None:
    data = {"v_$_": 1, "_#_a": 2, "w_#__$_0": 3}
    assert merge_execution_input(data) == data


def test_nested_containers_are_copied_once_along_the_path() -> None:
    data = {"v": {"rows": [[1]], "other": {"x": 1}}, "v_#_rows_$_0_$_1": 2, "v_#_rows_$_0_$_2": 3}
    before = copy.deepcopy(data)
    result = merge_execution_input(data)
    assert result["v"]["rows"] == [[1, 2, 3]]
    assert result["v"]["other"] is data["v"]["other"]  # type: ignore[index]
    assert data == before


def test_a_value_put_in_by_a_path_is_not_changed_by_a_longer_one() -> None:
    leaf = {"k": 1}
    assert merge_execution_input({"v_#_a": leaf, "v_#_a_#_m": 2})["v"] == {"a": {"k": 1, "m": 2}}
    assert leaf == {"k": 1}


def test_a_very_deep_path() -> None:
    result = merge_execution_input({"v" + "_#_k" * 5000: 1})
    depth, value = 0, result["v"]
    while isinstance(value, dict):
        depth, value = depth + 1, value["k"]
    assert (depth, value) == (5000, 1)


identifiers = st.text(st.characters(codec="utf-8", exclude_characters="_"), min_size=1, max_size=4)
steps = st.lists(
    st.tuples(st.just("_$_"), st.integers(0, 3).map(str))
    | st.tuples(st.sampled_from(["_#_", "_@_"]), identifiers),
    min_size=1,
    max_size=4,
)
pin_names = st.builds(lambda base, path: base + "".join(d + i for d, i in path), identifiers, steps)
inputs = st.dictionaries(
    pin_names | identifiers,
    st.recursive(
        st.integers(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(identifiers, inner)
    ),
    max_size=5,
)


@given(inputs)
@settings(max_examples=50)
def test_merging_never_changes_its_input_and_keeps_every_key(data: dict[str, Any]) -> None:
    before = copy.deepcopy(data)
    result = merge_execution_input(data)
    assert data == before
    dynamic = {name for name in data if is_dynamic(name)}
    assert all(result[name] == data[name] for name in dynamic)
    assert set(result) == set(data) | {base_name(name) for name in dynamic}


@given(inputs)
@settings(max_examples=50)
def test_merging_twice_is_merging_once(data: dict[str, Any]) -> None:
    result = merge_execution_input(data)
    assert merge_execution_input(result) == result


@given(pin_names, st.integers())
def test_what_is_written_is_read_back(name: str, value: int) -> None:
    result = merge_execution_input({name: value})
    base = base_name(name)
    assert parse_execution_output((base, result[base]), name) == value


@given(st.text(), st.text(), inputs)
@settings(max_examples=50)
def test_reading_never_raises(name: str, selector: str, value: Any) -> None:
    if not name.startswith("tools_^_"):
        parse_execution_output((name, value), selector)
