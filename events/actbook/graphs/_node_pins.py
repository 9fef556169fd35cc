"""The pins of one node: those of its block, or, for an AGENT node, the ones in its own constants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._block import Block, BlockType
from ._graph import Node
from ._node_options import has_error_pin
from ._schema import PinSchema


def input_pins(node: Node, block: Block) -> PinSchema:
    if block.block_type is not BlockType.AGENT:
        return block.input_schema
    return PinSchema.from_json_schema(node.input_default.get("input_schema"), constants(node, block))


def output_pins(node: Node, block: Block) -> PinSchema:
    if block.block_type is not BlockType.AGENT:
        return block.output_schema
    pins = PinSchema.from_json_schema(node.input_default.get("output_schema"))
    return pins.with_error() if has_error_pin(node) else pins


def constants(node: Node, block: Block) -> Mapping[str, Any]:
    """The node's own values by pin; an AGENT node nests them under `inputs`."""
    if block.block_type is not BlockType.AGENT:
        return node.input_default
    nested = node.input_default.get("inputs")
    return nested if isinstance(nested, dict) else {}
