"""Condition, IfInputMatches, StepThroughItems."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actbook.blocks.standard.logic import ConditionBlock, IfInputMatchesBlock, StepThroughItemsBlock
from actbook.blocks.testing import BlockInputError, assert_outputs, error_of, run_block


@pytest.mark.parametrize(
    ("value1", "operator", "value2", "pin", "output"),
    [
        (1, "==", "1", "yes_output", 1),
        (" 1_000 ", ">", 3, "yes_output", 1000.0),
        ("inf", ">", 3, "yes_output", float("inf")),
        ("  text ", "==", "text", "yes_output", "text"),
        (2, "<", "1", "no_output", 1.0),
        (1, "!=", 1, "no_output", 1),
        (3, ">=", 3, "yes_output", 3),
        (3, "<=", 2, "no_output", 2),
        ("True", "==", True, "no_output", True),
        ("1", "==", True, "yes_output", 1.0),
        ([1], "<", [2], "yes_output", [1]),
        ("b", ">", "a", "yes_output", "b"),
    ],
)
def test_condition(value1: Any, operator: str, value2: Any, pin: str, output: Any) -> None:
    data = {"value1": value1, "operator": operator, "value2": value2}
    assert_outputs(ConditionBlock, data, ("result", pin == "yes_output"), (pin, output))


def test_not_a_number_equals_nothing() -> None:
    outputs = run_block(ConditionBlock, {"value1": "nan", "operator": "==", "value2": "nan"})
    assert outputs[0] == ("result", False)


@pytest.mark.parametrize("given_value", ["", 0, False, [], "v"])
def test_given_outputs_replace_the_compared_values(given_value: Any) -> None:
    data = {"value1": 1, "value2": 1, "yes_value": given_value, "no_value": given_value}
    assert run_block(ConditionBlock, {**data, "operator": "=="})[1] == ("yes_output", given_value)
    assert run_block(ConditionBlock, {**data, "operator": "!="})[1] == ("no_output", given_value)


@pytest.mark.parametrize(
    ("value1", "value2", "text"),
    [
        ("a", 3, "Comparison failed: '>' not supported between instances of 'str' and 'int'"),
        ({}, {}, "Comparison failed: '>' not supported between instances of 'dict' and 'dict'"),
    ],
)
def test_incomparable(value1: Any, value2: Any, text: str) -> None:
    assert error_of(ConditionBlock, {"value1": value1, "operator": ">", "value2": value2}) == text


def test_an_unknown_operator_is_refused() -> None:
    with pytest.raises(BlockInputError, match="operator"):
        run_block(ConditionBlock, {"value1": 1, "operator": "=", "value2": 1})


@pytest.mark.parametrize(
    ("given_input", "value", "matches"),
    [
        (10, 10, True),
        (10, "10", True),
        (10, "10.7", True),
        ("10", 10, True),
        (0, "x", True),
        ("a", "b", False),
        ([1], "[1]", True),
        (True, "true", True),
        (True, "yes", False),
        (1, True, True),
    ],
)
def test_if_input_matches(given_input: Any, value: Any, matches: bool) -> None:
    data = {"input": given_input, "value": value, "yes_value": "y", "no_value": "n"}
    way = ("yes_output", "y") if matches else ("no_output", "n")
    assert_outputs(IfInputMatchesBlock, data, ("result", matches), way)


def test_the_ways_may_be_none() -> None:
    assert_outputs(IfInputMatchesBlock, {"input": 1, "value": 1}, ("result", True), ("yes_output", None))
    assert_outputs(IfInputMatchesBlock, {"input": 1, "value": 2}, ("result", False), ("no_output", None))


def _steps(*pairs: tuple[Any, Any]) -> list[tuple[str, Any]]:
    return [output for key, item in pairs for output in (("item", item), ("key", key))]


@pytest.mark.parametrize(
    ("data", "outputs"),
    [
        ({}, []),
        ({"items": [], "items_object": {}, "items_str": ""}, []),
        ({"items": ["a", None]}, _steps((0, "a"), (1, None))),
        ({"items_object": {"k": 1}}, _steps(("k", 1))),
        ({"items_str": '[1, {"a": 2}]'}, _steps((0, 1), (1, {"a": 2}))),
        ({"items_str": '{"a": 2}'}, _steps(("a", 2))),
        ({"items_str": '"xy"'}, _steps((0, "x"), (1, "y"))),
        ({"items_str": "[]"}, []),
        (
            {"items_str": "[3]", "items_object": {"k": 2}, "items": [1]},
            _steps((0, 1), ("k", 2), (0, 3)),
        ),
    ],
)
def test_step_through(data: dict[str, Any], outputs: list[tuple[str, Any]]) -> None:
    assert run_block(StepThroughItemsBlock, data) == outputs


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"items": [0] * 10_001}, "Too many items: 10001 > 10000"),
        ({"items_object": {str(n): n for n in range(10_001)}}, "Too many items: 10001 > 10000"),
        ({"items_str": '"' + "é" * 600_000 + '"'}, "Input too large: 1200002 bytes > 1048576 bytes"),
        ({"items_str": "5"}, "items_str must be JSON of a list, an object or a text, not of int"),
    ],
)
def test_step_through_refuses(data: dict[str, Any], text: str) -> None:
    assert run_block(StepThroughItemsBlock, data) == [("error", text)]


def test_step_through_bad_json() -> None:
    assert "malformed" in error_of(StepThroughItemsBlock, {"items_str": "[1, x]"})


def test_what_was_stepped_through_before_an_error_stays() -> None:
    outputs = run_block(StepThroughItemsBlock, {"items": ["a"], "items_str": "5"})
    assert outputs[:2] == _steps((0, "a"))
    assert outputs[2][0] == "error"


@settings(deadline=None)
@given(st.lists(st.integers(), max_size=50))
def test_items_and_keys_alternate(items: list[int]) -> None:
    outputs = run_block(StepThroughItemsBlock, {"items": items})
    assert [value for pin, value in outputs if pin == "item"] == items
    assert [value for pin, value in outputs if pin == "key"] == list(range(len(items)))
    assert [pin for pin, _ in outputs] == ["item", "key"] * len(items)
