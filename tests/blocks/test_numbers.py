"""The calculator."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actbook.blocks.standard.numbers import CalculatorBlock, calculate
from actbook.blocks.testing import assert_outputs, run_block

OPERATIONS = ("Add", "Subtract", "Multiply", "Divide", "Power")


@pytest.mark.parametrize(
    ("operation", "a", "b", "result"),
    [
        ("Add", 5, 34, 39.0),
        ("Add", "2", 0.5, 2.5),
        ("Subtract", 1, 3, -2.0),
        ("Multiply", 4, 2.5, 10.0),
        ("Divide", 7, 2, 3.5),
        ("Power", 2, 10, 1024.0),
        ("Divide", 1, 0, math.inf),
        ("Divide", -1, 0, math.inf),
        ("Divide", 0, 0, math.inf),
        ("Power", 0, -1, math.inf),
    ],
)
def test_result(operation: str, a: float | str, b: float, result: float) -> None:
    assert_outputs(CalculatorBlock, {"operation": operation, "a": a, "b": b}, ("result", result))


@pytest.mark.parametrize(
    ("a", "result"), [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2), (1e300, 1e300), (7.0, 7)]
)
def test_rounding_is_half_to_even_and_gives_an_int(a: float, result: float) -> None:
    data = {"operation": "Add", "a": a, "b": 0, "round_result": True}
    assert_outputs(CalculatorBlock, data, ("result", result))


@pytest.mark.parametrize(
    ("operation", "a", "b", "rounded"),
    [
        ("Power", 1e300, 2, False),
        ("Power", -8, 1 / 3, False),
        ("Multiply", 1e308, 10, True),
        ("Add", math.inf, 1, True),
        ("Add", math.nan, 1, True),
    ],
)
def test_what_is_no_real_number_is_nan(operation: str, a: float, b: float, rounded: bool) -> None:
    outputs = run_block(CalculatorBlock, {"operation": operation, "a": a, "b": b, "round_result": rounded})
    assert [pin for pin, _ in outputs] == ["result"]
    assert math.isnan(outputs[0][1])


@settings(deadline=None)
@given(st.sampled_from(OPERATIONS), st.floats(), st.floats(), st.booleans())
def test_never_fails(operation: str, a: float, b: float, rounded: bool) -> None:
    result = calculate(operation, a, b, rounded=rounded)
    assert isinstance(result, int | float)
    assert not isinstance(result, int) or -(2**63) <= result < 2**63
