"""Plain text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from actbook.graphs import ExecutionContext

from .._pure import PureBlock


class CombineTextsBlock(PureBlock):
    id = "e30a4d42-7b7d-4e6a-b36e-1f9b8e3b7d85"
    description = "Joins texts, with a delimiter between them."

    class Input(msgspec.Struct, kw_only=True):
        input: list[str]
        delimiter: str = ""

    class Output(msgspec.Struct):
        output: str

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        yield "output", input.delimiter.join(input.input)


class TextSplitBlock(PureBlock):
    id = "d5ea33c8-a575-477a-b42f-2fe3be5055ec"
    description = "Splits a text at a delimiter."

    class Input(msgspec.Struct, kw_only=True):
        text: str
        delimiter: str
        strip: bool = True

    class Output(msgspec.Struct):
        texts: list[str]

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        parts = input.text.split(input.delimiter) if input.text else []
        yield "texts", [part.strip() for part in parts] if input.strip else parts


class TextReplaceBlock(PureBlock):
    id = "7e7c87ab-3469-4bcc-9abe-67705091b713"
    description = "Replaces every occurrence of a text by another."

    class Input(msgspec.Struct, kw_only=True):
        text: str
        old: str
        new: str

    class Output(msgspec.Struct):
        output: str

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        yield "output", input.text.replace(input.old, input.new)


class WordCharacterCountBlock(PureBlock):
    id = "ab2a782d-22cf-4587-8a70-55b59b3f9f90"
    description = "Counts the words and characters of a text."

    class Input(msgspec.Struct, kw_only=True):
        text: str

    class Output(msgspec.Struct):
        word_count: int
        character_count: int

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        yield "word_count", len(input.text.split())
        yield "character_count", len(input.text)
