"""Dictionaries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from actbook.graphs import ExecutionContext

from .._json_text import from_json_text
from .._pure import PureBlock

Dictionary = dict[str, Any]
Key = str | int


class FindInDictionaryBlock(PureBlock):
    """Never reads attributes. Text is read as JSON first; what is no JSON has no keys."""

    id = "0e50422c-6dee-4145-83d6-3a5a392f65de"
    description = (
        "Looks a key up in a dictionary, an index in a list, or a key in all dictionaries of a list."
    )

    class Input(msgspec.Struct, kw_only=True):
        input: Any
        key: Key

    class Output(msgspec.Struct):
        output: Any
        missing: Any

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        found, value = _find(_parsed(input.input), input.key)
        if found:
            yield "output", value
        else:
            yield "missing", input.input


class CreateDictionaryBlock(PureBlock):
    id = "b924ddf4-de4f-4b56-9a85-358930dcbc91"
    description = "Makes a dictionary of values."

    class Input(msgspec.Struct, kw_only=True):
        values: Dictionary

    class Output(msgspec.Struct):
        dictionary: Dictionary

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        yield "dictionary", input.values


class AddToDictionaryBlock(PureBlock):
    id = "31d1064e-7446-4693-a7d4-65e5ca1180d1"
    description = "Sets a key, or several entries, in a dictionary."

    class Input(msgspec.Struct, kw_only=True):
        dictionary: Dictionary = {}
        key: str = ""
        value: Any = None
        entries: Dictionary = {}

    class Output(msgspec.Struct):
        updated_dictionary: Dictionary

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        single = {input.key: input.value} if input.key and input.value is not None else {}
        yield "updated_dictionary", {**input.dictionary, **single, **input.entries}


class RemoveFromDictionaryBlock(PureBlock):
    id = "46afe2ea-c613-43f8-95ff-6692c3ef6876"
    description = "Removes a key from a dictionary."

    class Input(msgspec.Struct, kw_only=True):
        dictionary: dict[Any, Any]
        key: Key
        return_value: bool = False

    class Output(msgspec.Struct):
        updated_dictionary: dict[Any, Any]
        removed_value: Any

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        rest = dict(input.dictionary)
        removed = rest.pop(_checked_key(rest, input.key))
        yield "updated_dictionary", rest
        if input.return_value:
            yield "removed_value", removed


class ReplaceDictionaryValueBlock(PureBlock):
    id = "27e31876-18b6-44f3-ab97-f6226d8b3889"
    description = "Replaces the value of a key that is there."

    class Input(msgspec.Struct, kw_only=True):
        dictionary: dict[Any, Any]
        key: Key
        value: Any

    class Output(msgspec.Struct):
        updated_dictionary: dict[Any, Any]
        old_value: Any

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        key = _checked_key(input.dictionary, input.key)
        yield "updated_dictionary", {**input.dictionary, key: input.value}
        yield "old_value", input.dictionary[key]


class DictionaryIsEmptyBlock(PureBlock):
    id = "a3cf3f64-6bb9-4cc6-9900-608a0b3359b0"
    description = "Tells whether a dictionary is empty."

    class Input(msgspec.Struct, kw_only=True):
        dictionary: dict[Any, Any]

    class Output(msgspec.Struct):
        is_empty: bool

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        yield "is_empty", not input.dictionary


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return from_json_text(value)
    except ValueError:
        return None


def _find(container: Any, key: Key) -> tuple[bool, Any]:
    if isinstance(container, dict):
        return key in container, container.get(key)
    if not isinstance(container, list):
        return False, None
    if isinstance(key, int):
        inside = 0 <= key < len(container)
        return inside, container[key] if inside else None
    return True, _values_of_all(container, key)


def _values_of_all(items: list[Any], key: str) -> list[Any]:
    """Of the dictionaries in a list. The first one stands for the rest: if it lacks the key, nothing is
    found.
    """
    dictionaries = [item for item in items if isinstance(item, dict)]
    if not dictionaries or key not in dictionaries[0]:
        return []
    return [each[key] for each in dictionaries if key in each]


def _checked_key(dictionary: dict[Any, Any], key: Key) -> Key:
    if key not in dictionary:
        raise ValueError(f"Key '{key}' not found in dictionary")
    return key
