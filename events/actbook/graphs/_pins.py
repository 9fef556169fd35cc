"""Dynamic pins: one name that leads into a value (`list_$_0`, `dict_#_key`, `object_@_attribute`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from ._data_object import NO_VALUE, DataObject, attribute_of, fields_of
from ._errors import ActbookError
from ._schema import TOOL_PREFIX

LIST_DELIMITER, DICT_DELIMITER, ATTRIBUTE_DELIMITER = "_$_", "_#_", "_@_"
MAX_INDEX = 1_000_000

_DELIMITER = re.compile(r"_[$#@]_")
_TOOLS = "tools"

Step = tuple[str, str]
"""A delimiter and the identifier after it."""


class PinPathError(ActbookError, ValueError):
    """A dynamic pin cannot be written. `pin` is its name."""

    def __init__(self, pin: str, reason: str) -> None:
        super().__init__(f"Pin `{pin}`: {reason}")
        self.pin = pin


@lru_cache(maxsize=8192)
def split_pin(name: str) -> tuple[str, tuple[Step, ...]] | None:
    """The base and the steps of a dynamic pin; None for a plain or malformed name."""
    found = _DELIMITER.search(name)
    if found is None or found.start() == 0:
        return None
    base, steps = name[: found.start()], []
    while found is not None:
        following = _DELIMITER.search(name, found.end())
        identifier = name[found.end() : following.start() if following else len(name)]
        if not identifier:
            return None
        steps.append((found.group(), identifier))
        found = following
    return base, tuple(steps)


def is_dynamic(pin: str) -> bool:
    """Whether the name is a well-formed path into a value."""
    return split_pin(pin) is not None


def is_tool_pin(pin: str) -> bool:
    return pin.startswith(TOOL_PREFIX)


def base_name(pin: str) -> str:
    """The pin of the block's schema that the name belongs to."""
    if pin.startswith(TOOL_PREFIX):
        return _TOOLS
    split = split_pin(pin)
    return pin if split is None else split[0]


def parse_execution_output(
    output: tuple[str, Any],
    selector: str,
    sink_node_id: str | None = None,
    sink_pin_name: str | None = None,
) -> Any:
    """What an output `(pin, value)` delivers over a link whose source name is the selector; None for nothing.

    Raises ValueError for a tool pin when the sink is not given.
    """
    value = select_output(output[0], output[1], selector, sink_node_id, sink_pin_name)
    return None if value is NO_VALUE else value


def select_output(
    name: str,
    value: Any,
    selector: str,
    sink_node_id: str | None = None,
    sink_pin_name: str | None = None,
) -> Any:
    """Like `parse_execution_output`, but NO_VALUE for nothing: a None on the exact pin is a value.

    A None found through a path is nothing.
    """
    if name.startswith(TOOL_PREFIX):
        if selector != _TOOLS and not selector.startswith(TOOL_PREFIX):
            return NO_VALUE
        return value if _routes_to(name, sink_node_id, sink_pin_name) else NO_VALUE
    if name == selector:
        return value
    split = split_pin(selector)
    if split is None or split[0] != name:
        return NO_VALUE
    try:
        found = _follow(value, split[1])
    except Exception:  # an object may even raise when it is asked for its class
        return NO_VALUE
    return NO_VALUE if found is None else found


def merge_execution_input(data: Mapping[str, Any]) -> dict[str, Any]:
    """Builds one value per base out of its dynamic pins, beside which the flattened keys stay.

    Later keys win over earlier ones. Nothing given is changed or, where a path leads through it, shared.
    Raises PinPathError, a ValueError, for an index that is not a number from 0 on.
    """
    paths = {name: split for name in data if (split := split_pin(name)) is not None}
    if not paths:
        return dict(data)
    bases = {base for base, _ in paths.values()}
    built: dict[str, Any] = {}
    writer = _Writer()
    for name, value in data.items():
        if name in paths:
            base, steps = paths[name]
            built[base] = writer.write(name, built.get(base), steps, value)
        elif name in bases:
            built[name] = value
    return {**data, **built}


def _routes_to(name: str, sink_node_id: str | None, sink_pin_name: str | None) -> bool:
    if not sink_node_id or not sink_pin_name:
        raise ValueError("sink_node_id and sink_pin_name must be provided for tool pin routing")
    return name == f"{TOOL_PREFIX}{sink_node_id}_~_{sink_pin_name}"


def _follow(value: Any, steps: tuple[Step, ...]) -> Any:
    for delimiter, identifier in steps:
        value = _read(value, delimiter, identifier)
        if value is NO_VALUE:
            break
    return value


def _read(value: Any, delimiter: str, identifier: str) -> Any:
    if delimiter == LIST_DELIMITER:
        index = _index(identifier)
        if index is None or not isinstance(value, list) or index >= len(value):
            return NO_VALUE
        return value[index]
    if delimiter == DICT_DELIMITER:
        return dict.get(value, identifier, NO_VALUE) if isinstance(value, dict) else NO_VALUE
    return attribute_of(value, identifier)


def _index(identifier: str) -> int | None:
    if not (identifier.isascii() and identifier.isdigit()) or len(identifier) > 9:
        return None
    return int(identifier)


class _Writer:
    """Writes along paths; a container that it did not make itself is copied first, once."""

    def __init__(self) -> None:
        self._own: dict[int, Any] = {}

    def write(self, pin: str, root: Any, steps: tuple[Step, ...], value: Any) -> Any:
        top: list[Any] = [root]
        holder: Any = top
        key: Any = 0
        for delimiter, identifier in steps:
            holder[key] = inner = self._owned(holder[key], delimiter)
            key = _slot(inner, pin, identifier) if delimiter == LIST_DELIMITER else identifier
            if delimiter != LIST_DELIMITER:
                inner.setdefault(identifier, None)
            holder = inner
        holder[key] = value
        return top[0]

    def _owned(self, container: Any, delimiter: str) -> Any:
        kind, copied = _KINDS[delimiter]
        if type(container) is kind and id(container) in self._own:
            return container
        own = copied(container)
        self._own[id(own)] = own
        return own


def _slot(items: list[Any], pin: str, identifier: str) -> int:
    """The index, which the list is padded up to."""
    index = _index(identifier)
    if index is None or index > MAX_INDEX:
        raise PinPathError(pin, f"the index must be an integer from 0 to {MAX_INDEX}, not {identifier!r}.")
    items.extend([None] * (index + 1 - len(items)))
    return index


def _list_of(container: Any) -> list[Any]:
    return list(container) if isinstance(container, list | tuple) else []


def _dict_of(container: Any) -> dict[str, Any]:
    return dict(container) if isinstance(container, dict) and not isinstance(container, DataObject) else {}


def _object_of(container: Any) -> DataObject:
    return DataObject(fields_of(container) or {})


_KINDS: dict[str, tuple[type, Callable[[Any], Any]]] = {
    LIST_DELIMITER: (list, _list_of),
    DICT_DELIMITER: (dict, _dict_of),
    ATTRIBUTE_DELIMITER: (DataObject, _object_of),
}
