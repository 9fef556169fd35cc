"""The OUTPUT block: what a graph gives back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec

from actbook.graphs import Block, BlockType, ExecutionContext

from .._template import rendered


class AgentOutputBlock(Block):
    id = "363ae599-353e-4804-937e-b2ee3cef3da4"
    description = "A graph output, optionally put into a text template."
    block_type = BlockType.OUTPUT
    static_output = True
    effects = False

    class Input(msgspec.Struct, kw_only=True):
        name: str
        value: Any = None
        title: str | None = None
        description: str | None = None
        format: str = ""
        escape_html: bool = False
        advanced: bool = False

    class Output(msgspec.Struct):
        output: Any
        name: Any

    def run(
        self,
        input: Input,
        context: ExecutionContext,
    ) -> Iterator[tuple[str, Any]] | AsyncIterator[tuple[str, Any]]:
        if not input.format:
            return _as_given(input.name, input.value)
        return rendered(
            input.format,
            {input.name: input.value},
            escape_html=input.escape_html,
            outputs=lambda text: [("output", text)],
            failed=lambda error: [("output", f"Error: {error}, {input.value}")],
        )


def _as_given(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    yield "output", value
    yield "name", name
