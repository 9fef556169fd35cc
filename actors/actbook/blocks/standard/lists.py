"""One list and its items."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sized
from typing import Any

import msgspec

from actbook.graphs import Block, ExecutionContext

from .._json_text import json_text
from .._pure import PureBlock

Items = list[Any]


class AddToListBlock(PureBlock):
    id = "aeb08fc1-2fc1-4141-bc8e-f758f183a822"
    description = "Adds entries to a list, at a position or at the end."

    class Input(msgspec.Struct, kw_only=True):
        list: Items = []
        entry: Any = None
        entries: Items = []
        position: int | None = None

    class Output(msgspec.Struct):
        updated_list: Items

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        new = input.entries if input.entry is None else [*input.entries, input.entry]
        at = len(input.list) if input.position is None else input.position
        yield "updated_list", [*input.list[:at], *new, *input.list[at:]]


class CountItemsBlock(PureBlock):
    id = "3c9c2f42-b0c3-435f-ba35-05f7a25c772a"
    description = "Counts the items of a collection; -1 for what is none."

    class Input(msgspec.Struct, kw_only=True):
        collection: Any

    class Output(msgspec.Struct):
        count: int

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        collection = input.collection
        if isinstance(collection, Sized):
            yield "count", len(collection)
        elif isinstance(collection, Iterable):
            yield "count", sum(1 for _ in collection)
        else:
            yield "count", -1


class CreateListBlock(Block):
    """A limit of 0 is none. Tokens are estimated, the same on every machine; a value too large for a chunk
    has its own.
    """

    id = "a912d5c7-6e00-4542-b2a9-8034136930e4"
    description = "Makes a list of values, in chunks when a limit is given."
    effects = False

    class Input(msgspec.Struct, kw_only=True):
        values: Items
        max_size: int | None = None
        max_tokens: int | None = None

    class Output(msgspec.Struct):
        list: Items

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        for chunk in chunks(input.values, input.max_size or 0, input.max_tokens or 0):
            yield "list", chunk


class RemoveFromListBlock(PureBlock):
    id = "d93c5a93-ac7e-41c1-ae5c-ef67e6e9b826"
    description = "Removes the item at an index, or the first equal to a value."

    class Input(msgspec.Struct, kw_only=True):
        list: Items
        value: Any = None
        index: int | None = None
        return_item: bool = False

    class Output(msgspec.Struct):
        updated_list: Items
        removed_item: Any

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        rest = list(input.list)
        removed = rest.pop(_index_to_remove(input))
        yield "updated_list", rest
        if input.return_item:
            yield "removed_item", removed


class GetListItemBlock(PureBlock):
    id = "262ca24c-1025-43cf-a578-534e23234e97"
    description = "Gives the item at an index; negative ones count from the end."

    class Input(msgspec.Struct, kw_only=True):
        list: Items
        index: int

    class Output(msgspec.Struct):
        item: Any

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        yield "item", input.list[_checked_index(input.list, input.index)]


class ReplaceListItemBlock(PureBlock):
    id = "fbf62922-bea1-4a3d-8bac-23587f810b38"
    description = "Puts another value at an index."

    class Input(msgspec.Struct, kw_only=True):
        list: Items
        index: int
        value: Any

    class Output(msgspec.Struct):
        updated_list: Items
        old_item: Any

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        index = _checked_index(input.list, input.index)
        updated = list(input.list)
        updated[index] = input.value
        yield "updated_list", updated
        yield "old_item", input.list[index]


class FindInListBlock(PureBlock):
    id = "5e2c6d0a-1e37-489f-b1d0-8e1812b23333"
    description = "Finds the index of the first item equal to a value."

    class Input(msgspec.Struct, kw_only=True):
        list: Items
        value: Any

    class Output(msgspec.Struct):
        index: int
        found: bool
        not_found_value: Any

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        if input.value in input.list:
            yield "index", input.list.index(input.value)
            yield "found", True
        else:
            yield "found", False
            yield "not_found_value", input.value


class ListIsEmptyBlock(PureBlock):
    id = "896ed73b-27d0-41be-813c-c1c1dc856c03"
    description = "Tells whether a list is empty."

    class Input(msgspec.Struct, kw_only=True):
        list: Items

    class Output(msgspec.Struct):
        is_empty: bool

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        yield "is_empty", not input.list


class ReverseListOrderBlock(PureBlock):
    id = "422cb708-3109-4277-bfe3-bc2ae5812777"
    description = "Reverses a list."

    class Input(msgspec.Struct, kw_only=True):
        input_list: Items

    class Output(msgspec.Struct):
        reversed_list: Items

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        yield "reversed_list", input.input_list[::-1]


_TOKEN = re.compile(r"[^\W\d_]+|\d{1,3}|[^\w\s]|_")
_LETTERS_PER_TOKEN = 8


def token_count(value: Any) -> int:
    """About how many tokens a language model reads: words in pieces of 8 letters, digits in threes, signs
    singly.
    """
    return sum(math.ceil(len(piece) / _LETTERS_PER_TOKEN) for piece in _TOKEN.findall(_text(value)))


def _text(value: Any) -> str:
    try:
        return value if isinstance(value, str) else json_text(value)
    except ValueError:
        return str(value)


def chunks(values: Items, max_size: int, max_tokens: int) -> Iterator[Items]:
    """Closes a chunk before the value that would exceed a limit. No values: one empty chunk."""
    chunk: Items = []
    tokens = 0
    for value in values:
        more = token_count(value) if max_tokens > 0 else 0
        if chunk and (0 < max_size <= len(chunk) or 0 < max_tokens < tokens + more):
            yield chunk
            chunk, tokens = [], 0
        chunk.append(value)
        tokens += more
    if chunk or not values:
        yield chunk


def _checked_index(items: Items, index: int) -> int:
    if not -len(items) <= index < len(items):
        raise ValueError("Index out of range")
    return index


def _index_to_remove(input: RemoveFromListBlock.Input) -> int:
    if input.index is not None and -len(input.list) <= input.index < len(input.list):
        return input.index
    if input.index is None and input.value is not None and input.value in input.list:
        return input.list.index(input.value)
    raise ValueError("Index or value not found")
