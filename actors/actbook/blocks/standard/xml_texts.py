"""XML as language models write it."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec

from actbook.graphs import Block, ExecutionContext

from .._lenient_xml import parse_xml
from .._time_bound import Outputs, within

_HEAVY = 100_000


class XMLParserBlock(Block):
    """Takes several top-level elements and ignores text and fences around them; `strict` refuses both."""

    id = "286380af-9529-4b55-8be0-1d7c854abdb5"
    description = "Reads XML into a dictionary."
    effects = False

    class Input(msgspec.Struct, kw_only=True):
        input_xml: str
        strict: bool = False

    class Output(msgspec.Struct):
        parsed_xml: dict[str, Any]

    def run(
        self,
        input: Input,
        context: ExecutionContext,
    ) -> Iterator[tuple[str, Any]] | AsyncIterator[tuple[str, Any]]:
        def work(seconds: float) -> Outputs:
            return [("parsed_xml", parse_xml(input.input_xml, strict=input.strict))]

        return within(work, math.inf, list, heavy=len(input.input_xml) > _HEAVY)
