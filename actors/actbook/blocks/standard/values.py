"""Blocks that hold, convert or annotate one value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from actbook.graphs import BlockType, ExecutionContext, convert

from .._pure import PureBlock


class StoreValueBlock(PureBlock):
    id = "1ff065e9-88e8-4358-9d82-8dc91f622ba9"
    description = "Passes `input` on, or says `data` whenever an input arrives; the last value stays."
    static_output = True

    class Input(msgspec.Struct, kw_only=True):
        input: Any
        data: Any = None

    class Output(msgspec.Struct):
        output: Any

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        yield "output", input.data or input.input


class NoteBlock(PureBlock):
    """Never run in a graph: it holds text for people who read it."""

    id = "cc10ff7b-7753-4ff2-9af6-9399b1a7eddc"
    description = "A note beside the graph."
    block_type = BlockType.NOTE

    class Input(msgspec.Struct, kw_only=True):
        text: str

    class Output(msgspec.Struct):
        output: str

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        yield "output", input.text


_TARGETS: dict[str, Any] = {"string": str, "number": float, "boolean": bool, "list": list, "dictionary": dict}


class UniversalTypeConverterBlock(PureBlock):
    id = "95d1b990-ce13-4d88-9737-ba5c2070c97b"
    description = "Converts any value to text, number, boolean, list or dictionary."

    class Input(msgspec.Struct, kw_only=True):
        value: Any
        type: Literal["string", "number", "boolean", "list", "dictionary"]

    class Output(msgspec.Struct):
        value: Any

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        try:
            converted = convert(input.value, _TARGETS[input.type])
        except Exception as error:
            yield "error", f"Failed to convert value: {error or type(error).__name__}"
        else:
            yield "value", converted
