"""Conversion to declared types, in both modes."""

from __future__ import annotations

import json
import math
from copy import deepcopy
from datetime import datetime
from enum import Enum
from typing import Any, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.kit import World, block, finish, play

from actbook.events import WarningRecorded
from actbook.graphs import ConversionError, convert


class Hue(Enum):
    RED = "red"
    ONE = 1


@pytest.mark.parametrize(
    ("value", "type_", "converted"),
    [
        (5, int, 5),
        ("5", int, 5),
        (" 42 ", int, 42),
        ("5.7", int, 5),
        ("-5.7", int, -5),
        ("1e3", int, 1000),
        ("", int, 0),
        ("   ", int, 0),
        ("abc", int, 0),
        (None, int, 0),
        (5.9, int, 5),
        (True, int, 1),
        ([1, 2, 3], int, 3),
        ([], int, 0),
        ({"a": 1}, int, 1),
        ((1, 2), int, 2),
        ({1}, int, 1),
        (math.nan, int, 0),
        ("5.7", float, 5.7),
        (" 1e3 ", float, 1000.0),
        ("abc", float, 0.0),
        ("", float, 0.0),
        (None, float, 0.0),
        (2, float, 2.0),
        ([1, 2], float, 2.0),
        ({}, float, 0.0),
        ("true", bool, True),
        ("TRUE", bool, True),
        ("True", bool, True),
        ("1", bool, True),
        ("false", bool, False),
        ("0", bool, False),
        ("yes", bool, False),
        (" true", bool, False),
        ("", bool, False),
        (0, bool, False),
        (2, bool, True),
        (0.0, bool, False),
        (None, bool, False),
        ([], bool, False),
        ([0], bool, True),
        ({}, bool, False),
        (True, str, "true"),
        (False, str, "false"),
        (None, str, "null"),
        (5, str, "5"),
        (5.5, str, "5.5"),
        ("", str, ""),
        ((1, 2), list, [1, 2]),
        ({7}, list, [7]),
        ("[1, 2]", list, [1, 2]),
        ("text", list, ["text"]),
        ('{"a": 1}', list, ['{"a": 1}']),
        ("5", list, ["5"]),
        (5, list, [5]),
        ('{"a": 1}', dict, {"a": 1}),
        ("[1]", dict, {"value": [1]}),
        ("5", dict, {"value": 5}),
        ("text", dict, {"value": "text"}),
        (5, dict, {"value": 5}),
        (["a", "b"], dict, {0: "a", 1: "b"}),
        ([1, 1, 2], set, {1, 2}),
        (5, set, {5}),
        ("ab", set, {"ab"}),
        ([1, 2], tuple, (1, 2)),
        ("ab", tuple, ("ab",)),
        (5, tuple, (5,)),
        (["1", "2"], list[int], [1, 2]),
        ("[1, 2]", list[str], ["1", "2"]),
        ("7", list[int], [7]),
        ({"a": "1"}, dict[str, int], {"a": 1}),
        ({1: "x"}, dict[str, str], {"1": "x"}),
        (["1", 2], tuple[int, str], (1, "2")),
        (["1", "2", "3"], tuple[int, ...], (1, 2, 3)),
        (["1", "1"], set[int], {1}),
        ([["1"], ["2"]], list[list[int]], [[1], [2]]),
        ({"a": ["1"]}, dict[str, list[float]], {"a": [1.0]}),
        (None, Optional[int], None),  # noqa: UP045
        ("5", int | None, 5),
        ("5", int | str, "5"),
        (5, int | str, 5),
        ("5.5", int | float, 5.5),
        ("5", int | float, 5),
        (5.5, int | str, "5.5"),
        ([1], list[int] | int, [1]),
        ("abc", int | list[int], 0),
        ("red", Hue, Hue.RED),
        (1, Hue, Hue.ONE),
        ("x", Any, "x"),
        ("c", Literal["a", "b"], "c"),
        ("2026-01-01", datetime, "2026-01-01"),
    ],
)
def test_compat(value: Any, type_: Any, converted: Any) -> None:
    before = deepcopy(value)
    result = convert(value, type_)
    assert result == converted
    assert type(result) is type(converted)
    assert value == before or value != value


def test_pairs_of_a_dict() -> None:
    assert [tuple(pair) for pair in convert({"a": 1, "b": 2}, list)] == [("a", 1), ("b", 2)]


@pytest.mark.parametrize("value", [{"a": [1, None, True]}, [1, "ä", {"b": 2.5}], [], {}])
def test_containers_become_json_text(value: Any) -> None:
    text = convert(value, str)
    assert isinstance(text, str)
    assert json.loads(text) == value


@pytest.mark.parametrize(
    ("value", "type_"),
    [(math.inf, int), (-math.inf, int), ("inf", int), ("blue", Hue), (None, Hue), ([math.inf], list[int])],
)
def test_what_can_not_be_converted(value: Any, type_: Any) -> None:
    with pytest.raises(ConversionError, match="Failed to convert") as refused:
        convert(value, type_)
    assert isinstance(refused.value, ValueError)


def test_the_text_of_a_failed_conversion() -> None:
    with pytest.raises(ConversionError) as refused:
        convert("blue", Hue)
    assert str(refused.value) == f"Failed to convert blue to {Hue}"


@pytest.mark.parametrize(
    ("value", "type_"),
    [(5, int), ("a", str), (None, int | None), ([1], list[int]), ("a", int | str), (5, Any), (Hue.RED, Hue)],
)
def test_strict_returns_what_satisfies(value: Any, type_: Any) -> None:
    assert convert(value, type_, "strict") is value


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ("5", int),
        (5, str),
        (None, int),
        (["1"], list[int]),
        (5.5, int | str),
        ("red", Hue),
        ({"a": "b"}, dict[str, int]),
    ],
)
def test_strict_coerces_nothing(value: Any, type_: Any) -> None:
    with pytest.raises(TypeError):
        convert(value, type_, mode="strict")


@given(
    st.recursive(
        st.none() | st.integers(-9, 9) | st.text(max_size=3), lambda inner: st.lists(inner, max_size=3)
    )
)
def test_what_satisfies_a_type_comes_back_as_it_is(value: Any) -> None:
    assert convert(value, type(value)) is value
    assert convert(value, type(value) | None) is value


def test_a_lossy_conversion_is_a_warning_of_the_node_execution() -> None:
    import msgspec

    class Number(msgspec.Struct):
        value: int

    def pass_on(input: Any, context: Any) -> Any:
        yield "out", input.value

    async def test() -> None:
        world = World(Number=block(pass_on, Input=Number, execution="inline"))
        graph = world.graph("x:Input n:Number y:Output", "x.result > n.value", "n.out > y.value")
        async with world.open() as engine:
            done = await finish(engine, graph, inputs={"x": "5.7"})
            assert done.outputs == {"y": [5]}
            events = [each.payload for each in await engine.journal.read_stream(done.id)]
            [warning] = [each for each in events if isinstance(each, WarningRecorded)]
            assert warning.node_exec == 2
            assert "5.7" in warning.text

    play(test())
