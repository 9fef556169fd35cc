"""What a graph takes and gives as a whole, read from its INPUT and OUTPUT nodes."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ._block import Block, BlockLookup, BlockType
from ._pin import MISSING

if TYPE_CHECKING:
    from ._graph import Node

_LEFT_OUT = frozenset({"description", "default", "secret", "advanced", "title"})


def interface_schema(nodes: Iterable[Node], lookup: BlockLookup, block_type: BlockType) -> dict[str, Any]:
    """One property per node of the type, under the name in its constants; nodes without a name are left out.

    Required are the names whose node holds no value.
    """
    properties: dict[str, Any] = {}
    required: dict[str, None] = {}
    for node in nodes:
        block = lookup(node.block_id)
        name = node.input_default.get("name")
        if block is None or block.block_type is not block_type or not isinstance(name, str):
            continue
        value = _value(node, block)
        properties[name] = _property(node, block, name, value)
        if value is None:
            required[name] = None
    return {"type": "object", "properties": properties, "required": list(required)}


def _value(node: Node, block: Block) -> Any:
    value = node.input_default.get("value")
    pin = block.input_schema.fields.get("value")
    if value is not None or pin is None:
        return copy.deepcopy(value)
    default = pin.fresh_default()
    return None if default is MISSING else default


def _property(node: Node, block: Block, name: str, value: Any) -> dict[str, Any]:
    constants = node.input_default
    pin = block.input_schema.fields.get("value")
    declared = copy.deepcopy(dict(pin.json_schema)) if pin is not None else {}
    schema = {key: part for key, part in declared.items() if key not in _LEFT_OUT}
    if options := _options(node, block):
        schema["enum"] = options
    schema["secret"] = False
    schema["advanced"] = bool(constants.get("advanced")) and value is not None
    schema["title"] = constants.get("title") or name
    if description := constants.get("description"):
        schema["description"] = description
    if value is not None:
        schema["default"] = value
    return schema


def _options(node: Node, block: Block) -> list[Any]:
    """`placeholder_values` is the old key of the choices."""
    if "options" not in block.input_schema.fields:
        return []
    options = node.input_default.get("options") or node.input_default.get("placeholder_values")
    return copy.deepcopy(options) if isinstance(options, list) else []
