"""Arithmetic."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec

from actbook.graphs import ExecutionContext

from .._pure import PureBlock

_OPERATIONS: dict[str, Callable[[float, float], Any]] = {
    "Add": operator.add,
    "Subtract": operator.sub,
    "Multiply": operator.mul,
    "Divide": operator.truediv,
    "Power": operator.pow,
}


class CalculatorBlock(PureBlock):
    """Never fails: a division by zero is infinity; what overflows or is no real number is NaN."""

    id = "b1ab9b19-67a6-406d-abf5-2dba76d00c79"
    description = "Adds, subtracts, multiplies, divides or raises to a power."

    class Input(msgspec.Struct, kw_only=True):
        operation: Literal["Add", "Subtract", "Multiply", "Divide", "Power"]
        a: float
        b: float
        round_result: bool = False

    class Output(msgspec.Struct):
        result: float

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        yield "result", calculate(input.operation, input.a, input.b, rounded=input.round_result)


def calculate(operation: str, a: float, b: float, *, rounded: bool = False) -> float:
    """`rounded` gives an int, half to even; a whole number beyond 64 bits stays the float it is."""
    try:
        result = _OPERATIONS[operation](a, b)
        if isinstance(result, complex):
            return math.nan
        return _rounded(result) if rounded else result
    except ZeroDivisionError:
        return math.inf
    except (OverflowError, ValueError):
        return math.nan


def _rounded(value: float) -> float:
    whole = round(value)
    return whole if -(2**63) <= whole < 2**63 else float(value)
