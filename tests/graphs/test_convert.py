from __future__ import annotations

import datetime
import math
from enum import Enum
from types import MappingProxyType
from typing import Annotated, Any, Literal, NewType, Optional, Union

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actbook.graphs import ActbookError, ConversionError, convert, convert_noting


class Hue(Enum):
    RED = "red"


class Level(Enum):
    LOW = 1


class Point(msgspec.Struct):
    x: int


class Measured(float):
    pass


UserId = NewType("UserId", int)


@pytest.mark.parametrize(
    ("value", "target", "expected"),
    [
        (5.5, int, 5),
        ("5.7", int, 5),
        (" 1e3 ", int, 1000),
        ("12345678901234567890", int, 12345678901234567890),
        ("", int, 0),
        ("x", int, 0),
        (None, int, 0),
        (math.nan, int, 0),
        ("nan", int, 0),
        ([1, 2, 3], int, 3),
        ({"a": 1}, int, 1),
        ((), int, 0),
        ({1, 2}, float, 2.0),
        (True, int, 1),
        (" 2.5 ", float, 2.5),
        (5, float, 5.0),
        (Measured(1.5), float, 1.5),
        (None, float, 0.0),
        ("inf", float, math.inf),
        (object(), int, 0),
        ("true", bool, True),
        ("TRUE", bool, True),
        ("1", bool, True),
        (" true", bool, False),
        ("yes", bool, False),
        ("", bool, False),
        (2, bool, True),
        (0, bool, False),
        ([0], bool, True),
        (None, bool, False),
        (True, str, "true"),
        (None, str, "null"),
        ({"a": [1]}, str, '{"a": [1]}'),
        (4.0, str, "4.0"),
        (["é"], str, '["é"]'),
        (Point(1), str, '{"x": 1}'),
        (Hue.RED, str, "red"),
        (datetime.date(2024, 5, 6), str, "2024-05-06"),
        ((1, 2), list, [1, 2]),
        ({"a": 1}, list, [("a", 1)]),
        ("[1, 2]", list, [1, 2]),
        ("[1,", list, ["[1,"]),
        ("", list, [""]),
        ("5", list, ["5"]),
        (5, list, [5]),
        ('{"a": 1}', dict, {"a": 1}),
        ("5", dict, {"value": 5}),
        ("[1]", dict, {"value": [1]}),
        ("x", dict, {"value": "x"}),
        (5, dict, {"value": 5}),
        ([7, 8], dict, {0: 7, 1: 8}),
        (Point(3), dict, {"x": 3}),
        (MappingProxyType({"a": 1}), dict, {"a": 1}),
        (Level.LOW, int, 1),
        ("x", Literal["a"] | None, "x"),
        (None, Hue | str, "null"),
        ("7", Hue | Level | int, 7),
        ([1, 2], set, {1, 2}),
        ("ab", set, {"ab"}),
        ({"a": 1}, set, {("a", 1)}),
        ("ab", tuple, ("ab",)),
        ([1], tuple, (1,)),
        ("[5,4,2]", list[int], [5, 4, 2]),
        (["1", 2.0], list[int], [1, 2]),
        ('[[1, "2"]]', list[list[int]], [[1, 2]]),
        ({"1": "2"}, dict[int, float], {1: 2.0}),
        ([1, 2], dict[str, int], {"0": 1, "1": 2}),
        (["1", "1"], set[int], {1}),
        (["1", 2], tuple[int, ...], (1, 2)),
        (["1", 2], tuple[int, str], (1, "2")),
        (None, Optional[int], None),  # noqa: UP045
        ("5", Optional[int], 5),  # noqa: UP045
        (["1", None], list[int | None], [1, None]),
        ("42", Union[int, str], "42"),  # noqa: UP007
        ("5.7", int | float, 5.7),
        ("7", int | float, 7),
        ("abc", int | list[str], ["abc"]),
        ("abc", int | bool, 0),
        ({"x": 1}, Point | None, {"x": 1}),
        ("2024-05-06", datetime.date | int, "2024-05-06"),
        ("red", Hue, Hue.RED),
        ("red", Hue | None, Hue.RED),
        ("3", Annotated[int, "metadata"], 3),
        ("3", UserId, 3),
        ("a", Literal["b"], "a"),
        ("soon", datetime.datetime, "soon"),
        ({"x": "1"}, Point, {"x": "1"}),
        ("anything", Any, "anything"),
    ],
)
def test_compat_conversion(value: Any, target: Any, expected: Any) -> None:
    converted = convert(value, target)
    assert converted == expected
    assert type(converted) is type(expected)


@pytest.mark.parametrize(
    ("value", "target"),
    [
        (math.inf, int),
        ("inf", int),
        ("-1e999", int),
        (10**400, float),
        ("blue", Hue),
        ("1", Level),
        ("blue", Hue | None),
        (5, Hue | Level),
        ([[1]], set),
        ({("a", 1): 2}, str),
        ([1], tuple[int, str]),
    ],
)
def test_what_cannot_be_converted(value: Any, target: Any) -> None:
    with pytest.raises(ConversionError, match=r"Failed to convert .* to "):
        convert(value, target)


def test_the_error_carries_both_sides() -> None:
    with pytest.raises(ValueError) as caught:
        convert("blue", Hue)
    assert isinstance(caught.value, ConversionError)
    assert isinstance(caught.value, ActbookError)
    assert (caught.value.value, caught.value.target) == ("blue", Hue)
    assert str(caught.value) == f"Failed to convert blue to {Hue}"


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(ConversionError) as caught:
        convert("b" * 100_000, Hue)
    assert len(str(caught.value)) < 300


def test_a_satisfying_value_comes_back_itself() -> None:
    for value, target in (([1, 2], list[int]), ({"a": [1]}, dict[str, list[int]]), ([], str | list[int])):
        assert convert(value, target) is value


def test_the_order_of_a_union_decides() -> None:
    assert convert("x", list[str] | set[str]) == ["x"]
    assert convert("x", set[str] | list[str]) == {"x"}
    assert convert(["x"], list[int | bool]) == [0]
    assert convert(["x"], list[bool | int]) == [False]


def test_the_value_is_never_changed() -> None:
    value = {"a": ["1", {"b": "2"}]}
    assert convert(value, dict[str, list[int]]) == {"a": [1, 1]}
    assert value == {"a": ["1", {"b": "2"}]}


def test_strict_converts_nothing() -> None:
    assert convert(5, int, mode="strict") == 5
    assert convert(None, int | None, mode="strict") is None
    for value, target in (("5", int), (True, int), (5, float), ([1, "2"], list[int]), ("c", Literal["b"])):
        with pytest.raises(TypeError):
            convert(value, target, mode="strict")


def test_a_value_that_cannot_be_shown() -> None:
    class Silent:
        def __str__(self) -> str:
            raise RuntimeError

    with pytest.raises(ConversionError, match="<Silent: RuntimeError>"):
        convert(Silent(), Hue)


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="compat"):
        convert(1, str, mode="loose")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "target", "lossy"),
    [
        ("5.7", int, True),
        ("5.0", int, False),
        ("x", float, True),
        (2**60 + 1, float, True),
        (5, float, False),
        ("no", bool, True),
        ("false", bool, False),
        (2, bool, True),
        ([1, 2], int, True),
        ([1, 1], set, True),
        ({1: "a", "1": "b"}, dict[str, str], True),
        ([1, 2, 3], tuple[int, int], True),
        ([math.nan], str, True),
        ([1.5], str, False),
        (("a",), list, False),
        ("5.7", int | float, False),
        ("x", int | float, True),
    ],
)
def test_losses_are_noted(value: Any, target: Any, lossy: bool) -> None:
    _, losses = convert_noting(value, target)
    assert bool(losses) is lossy


def test_a_value_that_holds_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ConversionError):
        convert(loop, list[list[str]])
    with pytest.raises(ConversionError):
        convert(loop, str)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
targets = st.sampled_from(
    [
        *(int, float, bool, str, list, dict, list[int], list[str], dict[str, Any], dict[str, float]),
        *(int | str, str | None, list[int | None], tuple[str, ...], dict[str, list[bool]] | None),
    ]
)


@given(json_values, targets)
def test_a_converted_value_satisfies_its_type(value: Any, target: Any) -> None:
    try:
        converted = convert(value, target)
    except ConversionError:
        return
    assert convert(converted, target, mode="strict") is converted
    assert convert_noting(converted, target) == (converted, []) or _holds_nan(converted)


def _holds_nan(value: Any) -> bool:
    return "nan" in repr(value)


@pytest.mark.parametrize("value", [str(2**64), str(-(2**63) - 1), "1e30", 1e30, -1e19, "9" * 400])
def test_no_whole_number_comes_out_that_nothing_could_record(value: Any) -> None:
    with pytest.raises(ConversionError):
        convert(value, int)
    with pytest.raises(ConversionError):
        convert([value], list[int])


def test_the_largest_and_smallest_recordable_numbers_do() -> None:
    assert convert(str(2**64 - 1), int) == 2**64 - 1
    assert convert(str(-(2**63)), int) == -(2**63)


@pytest.mark.parametrize("target", [list, dict, list[int], dict[str, Any], list[Any] | None])
def test_a_json_text_of_such_a_number_becomes_no_container(target: Any) -> None:
    text = f'{{"a": {10**30}}}' if target in (dict, dict[str, Any]) else f"[{10**30}]"
    with pytest.raises(ConversionError):
        convert(text, target)
    assert convert("[123456789012345678]", list) == [123456789012345678]
    assert convert('["12345678901234567890123"]', list) == ["12345678901234567890123"]
