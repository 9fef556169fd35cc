"""Several lists at once, and lists within lists."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, zip_longest
from typing import Any

import msgspec

from actbook.graphs import ExecutionContext

from .._equality import identities, identity, without_duplicates
from .._pure import PureBlock

Items = list[Any]
MAX_DEPTH = 1_000


class ConcatenateListsBlock(PureBlock):
    id = "3cf9298b-5817-4141-9d80-7c2cc5199c8e"
    description = "Puts lists one after the other."

    class Input(msgspec.Struct, kw_only=True):
        lists: Items
        deduplicate: bool = False
        remove_none: bool = False

    class Output(msgspec.Struct):
        concatenated_list: Items
        length: int

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        items = list(chain.from_iterable(_checked(input.lists, none_allowed=True)))
        if input.remove_none:
            items = [item for item in items if item is not None]
        if input.deduplicate:
            items = without_duplicates(items)
        yield "concatenated_list", items
        yield "length", len(items)


class FlattenListBlock(PureBlock):
    id = "cc45bb0f-d035-4756-96a7-fe3e36254b4d"
    description = "Takes the items of inner lists out, level by level or all at once."

    class Input(msgspec.Struct, kw_only=True):
        nested_list: Items
        max_depth: int = -1

    class Output(msgspec.Struct):
        flattened_list: Items
        length: int
        original_depth: int

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        if input.max_depth < -1:
            raise ValueError(
                f"max_depth must be -1 (unlimited) or a non-negative integer, got {input.max_depth}"
            )
        depth = depth_of(input.nested_list)
        items = flattened(input.nested_list, depth if input.max_depth == -1 else input.max_depth)
        yield "flattened_list", items
        yield "length", len(items)
        yield "original_depth", depth


class InterleaveListsBlock(PureBlock):
    id = "9f616084-1d9f-4f8e-bc00-5b9d2a75cd75"
    description = "Takes items from lists in turn; short lists drop out."

    class Input(msgspec.Struct, kw_only=True):
        lists: Items

    class Output(msgspec.Struct):
        interleaved_list: Items
        length: int

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        gap = object()
        rounds = zip_longest(*_checked(input.lists), fillvalue=gap)
        items = [item for each in rounds for item in each if item is not gap]
        yield "interleaved_list", items
        yield "length", len(items)


class ZipListsBlock(PureBlock):
    id = "0d0e684f-5cb9-4c4b-b8d1-47a0860e0c07"
    description = "Groups the first items of all lists, then the second ones, and so on."

    class Input(msgspec.Struct, kw_only=True):
        lists: Items
        pad_to_longest: bool = False
        fill_value: Any = None

    class Output(msgspec.Struct):
        zipped_list: Items
        length: int

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        lists = _checked(input.lists)
        groups = (
            zip_longest(*lists, fillvalue=input.fill_value)
            if input.pad_to_longest
            else zip(*lists, strict=False)
        )
        items = [list(group) for group in groups]
        yield "zipped_list", items
        yield "length", len(items)


class ListDifferenceBlock(PureBlock):
    id = "05309873-9d61-447e-96b5-b804e2511829"
    description = "Gives the items of one list that are not in another."

    class Input(msgspec.Struct, kw_only=True):
        list_a: Items
        list_b: Items
        symmetric: bool = False

    class Output(msgspec.Struct):
        difference: Items
        length: int

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        items = _without(input.list_a, input.list_b)
        if input.symmetric:
            items += _without(input.list_b, input.list_a)
        yield "difference", items
        yield "length", len(items)


class ListIntersectionBlock(PureBlock):
    id = "b6eb08b6-dbe3-411b-b9b4-2508cb311a1f"
    description = "Gives the items that two lists share."

    class Input(msgspec.Struct, kw_only=True):
        list_a: Items
        list_b: Items

    class Output(msgspec.Struct):
        intersection: Items
        length: int

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        others = identities(input.list_b)
        items = without_duplicates(item for item in input.list_a if identity(item) in others)
        yield "intersection", items
        yield "length", len(items)


def depth_of(items: Items) -> int:
    """1 for a list without inner lists. Raises ValueError beyond `MAX_DEPTH`."""
    depth = 0
    level: list[Items] = [items]
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError(f"Lists are nested deeper than {MAX_DEPTH} levels")
        level = [item for each in level for item in each if isinstance(item, list)]
    return depth


def flattened(items: Items, levels: int) -> Items:
    """Without recursion: inner lists are opened `levels` deep."""
    flat: Items = []
    open_lists = [iter(items)]
    while open_lists:
        for item in open_lists[-1]:
            if isinstance(item, list) and len(open_lists) <= levels:
                open_lists.append(iter(item))
                break
            flat.append(item)
        else:
            open_lists.pop()
    return flat


def _without(items: Items, others: Items) -> Items:
    unwanted = identities(others)
    return [item for item in items if identity(item) not in unwanted]


def _checked(lists: Items, *, none_allowed: bool = False) -> list[Items]:
    checked: list[Items] = []
    for index, each in enumerate(lists):
        if isinstance(each, list):
            checked.append(each)
        elif each is not None or not none_allowed:
            raise ValueError(
                f"Invalid input at index {index}: expected a list, got {type(each).__name__}. "
                "All items in 'lists' must be lists (e.g., [[1, 2], [3, 4]])."
            )
    return checked
