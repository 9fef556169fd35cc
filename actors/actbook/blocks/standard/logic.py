"""Blocks that choose a way."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec

from actbook.graphs import Block, ExecutionContext, convert

from .._json_text import from_json_text
from .._pure import PureBlock

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}

_MAX_ITEMS = 10_000
_MAX_TEXT_BYTES = 1_048_576


def comparable(value: Any) -> Any:
    """Text trimmed and read as a number if it is one; everything else as it is."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    try:
        return float(text)
    except ValueError:
        return text


class ConditionBlock(PureBlock):
    id = "715696a0-e1da-45c8-b209-c2fa9c3b0be6"
    description = "Compares two values and takes the yes or the no way."

    class Input(msgspec.Struct, kw_only=True):
        value1: Any
        operator: Literal["==", "!=", ">", "<", ">=", "<="]
        value2: Any
        yes_value: Any = None
        no_value: Any = None

    class Output(msgspec.Struct):
        result: bool
        yes_output: Any
        no_output: Any

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        left, right = comparable(input.value1), comparable(input.value2)
        try:
            result = bool(_COMPARISONS[input.operator](left, right))
        except Exception as error:
            raise ValueError(f"Comparison failed: {error or type(error).__name__}") from None
        yield "result", result
        if result:
            yield "yes_output", left if input.yes_value is None else input.yes_value
        else:
            yield "no_output", right if input.no_value is None else input.no_value


class IfInputMatchesBlock(PureBlock):
    id = "6dbbc4b3-ca6c-42b6-b508-da52d23e13f2"
    description = (
        "Takes the yes way when the input equals the value, if need be after conversion to the input's type."
    )

    class Input(msgspec.Struct, kw_only=True):
        input: Any
        value: Any
        yes_value: Any = None
        no_value: Any = None

    class Output(msgspec.Struct):
        result: bool
        yes_output: Any
        no_output: Any

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        matches = input.input == input.value or input.input == _converted(input.value, type(input.input))
        yield "result", matches
        if matches:
            yield "yes_output", input.yes_value
        else:
            yield "no_output", input.no_value


def _converted(value: Any, wanted: type) -> Any:
    try:
        return convert(value, wanted)
    except Exception:
        return value


class StepThroughItemsBlock(Block):
    """One `item` and one `key` per element: of `items`, then `items_object`, then `items_str`, which is
    JSON.
    """

    id = "f66a3543-28d3-4ab5-8945-9b336371e2ce"
    description = "Goes through a list, a dictionary or a JSON text, one element after the other."
    effects = False

    class Input(msgspec.Struct, kw_only=True):
        items: list[Any] = []
        items_object: dict[Any, Any] = {}
        items_str: str = ""

    class Output(msgspec.Struct):
        item: Any
        key: Any

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        for source in (input.items, input.items_object, input.items_str):
            for key, item in _elements(source):
                yield "item", item
                yield "key", key


def _elements(source: Any) -> list[tuple[Any, Any]]:
    elements = _read_elements(source) if isinstance(source, str) and source else source
    if not isinstance(elements, list | dict | str):
        raise ValueError(
            f"items_str must be JSON of a list, an object or a text, not of {type(elements).__name__}"
        )
    if len(elements) > _MAX_ITEMS:
        raise ValueError(f"Too many items: {len(elements)} > {_MAX_ITEMS}")
    return list(elements.items() if isinstance(elements, dict) else enumerate(elements))


def _read_elements(text: str) -> Any:
    size = len(text.encode(errors="surrogatepass"))
    if size > _MAX_TEXT_BYTES:
        raise ValueError(f"Input too large: {size} bytes > {_MAX_TEXT_BYTES} bytes")
    return from_json_text(text)
