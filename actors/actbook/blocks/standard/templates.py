"""Text templates."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, NoReturn

import msgspec

from actbook.graphs import Block, ExecutionContext

from .._template import rendered


class FillTextTemplateBlock(Block):
    """Jinja2 in a sandbox: no loader, no globals but `range`, bounded in time and size."""

    id = "db7d8f02-2f44-4c55-ab7a-eae0941f0c30"
    description = "Fills values into a text template."
    effects = False

    class Input(msgspec.Struct, kw_only=True):
        values: dict[str, Any]
        format: str
        escape_html: bool = False

    class Output(msgspec.Struct):
        output: str

    def run(
        self,
        input: Input,
        context: ExecutionContext,
    ) -> Iterator[tuple[str, Any]] | AsyncIterator[tuple[str, Any]]:
        return rendered(
            input.format,
            input.values,
            escape_html=input.escape_html,
            outputs=lambda text: [("output", text)],
            failed=_raise,
        )


def _raise(error: ValueError) -> NoReturn:
    raise error
