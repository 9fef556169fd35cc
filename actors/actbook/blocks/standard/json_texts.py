"""JSON text to values and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from actbook.graphs import ExecutionContext

from .._json_text import from_json_text, json_text
from .._pure import PureBlock


class JSONEncoderBlock(PureBlock):
    id = "9a9d20c5-5b4d-4e94-8022-83b6cb72648a"
    description = "Writes a value as compact JSON text."

    class Input(msgspec.Struct, kw_only=True):
        data: Any

    class Output(msgspec.Struct):
        json_str: str

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        try:
            text = json_text(input.data)
        except ValueError as error:
            raise ValueError(f"JSON Encoding Error: {error}") from None
        yield "json_str", text


class JSONDecoderBlock(PureBlock):
    id = "2b935639-65bc-48fd-9f88-823cd706fcd9"
    description = "Reads a JSON text."

    class Input(msgspec.Struct, kw_only=True):
        json_str: str

    class Output(msgspec.Struct):
        data: Any

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        try:
            value = from_json_text(input.json_str)
        except ValueError as error:
            raise ValueError(f"JSON Decoding Error: {error}") from None
        yield "data", value
