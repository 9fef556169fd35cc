"""Whether a graph's parts fit together: blocks, links, required fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ._block import AGENT_BLOCK_ID, Block, BlockLookup, BlockType, UnknownBlock
from ._credentials import is_credentials_name
from ._graph import Graph, Link, Node
from ._node_options import option_faults
from ._node_pins import constants, input_pins, output_pins
from ._pin import MISSING, Pin
from ._pins import base_name, is_tool_pin
from ._schema import PinSchema
from ._structure_errors import GraphStructureError

NodeErrors = dict[str, dict[str, str]]
Masks = Mapping[str, Mapping[str, Any]]

_REQUIRED = "This field is required"
_ALWAYS_COMPLETE = frozenset({BlockType.INPUT, BlockType.OUTPUT, BlockType.AGENT})


def validate_structure(
    graph: Graph, lookup: BlockLookup, masks: Masks | None = None, for_run: bool = False
) -> NodeErrors:
    """The faults of single fields, by node and field, sub-graphs included; empty when there are none.

    Without `for_run` the graph may be a draft: only INPUT, OUTPUT and AGENT nodes must be complete. Raises
    GraphStructureError, a ValueError, for what spoils the graph as a whole.
    """
    errors: NodeErrors = {}
    for each in _with_sub_graphs(graph):
        blocks = _blocks(each, lookup)
        for link in each.links:
            _check_link(link, blocks)
        linked: dict[str, set[str]] = {}
        for link in each.links:
            linked.setdefault(link.sink_id, set()).add(base_name(link.sink_name))
        for node, block in blocks.values():
            given = _Given(node, block, linked.get(node.id, set()), (masks or {}).get(node.id) or {})
            if found := dict(_node_errors(given, for_run)):
                errors.setdefault(node.id, {}).update(found)
    return errors


def _with_sub_graphs(graph: Graph) -> Iterator[Graph]:
    waiting = [graph]
    while waiting:
        each = waiting.pop(0)
        yield each
        waiting.extend(each.sub_graphs)


def _blocks(graph: Graph, lookup: BlockLookup) -> dict[str, tuple[Node, Block]]:
    found: dict[str, tuple[Node, Block]] = {}
    for node in graph.nodes:
        block = lookup(node.block_id)
        if block is None or isinstance(block, UnknownBlock):
            raise GraphStructureError(
                f"Node {node.id}: block {node.block_id} is not registered. Register it or replace the node."
            )
        if block.disabled:
            raise GraphStructureError(f"Block {node.block_id} is disabled and cannot be used in graphs")
        if node.id in found:
            raise GraphStructureError(
                f"Node {node.id} is in graph {graph.id} twice. Give each node its own id."
            )
        found[node.id] = (node, block)
    return found


def _check_link(link: Link, blocks: Mapping[str, tuple[Node, Block]]) -> None:
    prefix = f"Link {link.source_id}.{link.source_name} -> {link.sink_id}.{link.sink_name}"
    ends = ((link.source_id, link.source_name, output_pins), (link.sink_id, link.sink_name, input_pins))
    for node_id, name, pins_of in ends:
        if node_id not in blocks:
            raise GraphStructureError(f"{prefix}, node {node_id} is not in the graph. Remove the link.")
        pins = pins_of(*blocks[node_id])
        if not (_has_pin(pins, name) or is_tool_pin(name)):
            allowed = ", ".join(sorted(pins.names))
            raise GraphStructureError(f"{prefix}, `{name}` invalid, Allowed fields: {allowed}")


def _has_pin(pins: PinSchema, name: str) -> bool:
    return name in pins.fields or base_name(name) in pins.fields


class _Given:
    """What a node gets from outside the run: constants, links (by base name) and its mask."""

    def __init__(self, node: Node, block: Block, linked: set[str], mask: Mapping[str, Any]) -> None:
        self.node = node
        self.block = block
        self.pins = input_pins(node, block)
        self.linked = linked
        self.constants = constants(node, block)
        self.mask = mask
        self.names = {base_name(name) for name in (*self.constants, *mask)} | linked

    def is_set(self, name: str) -> bool:
        """Linked, or holds more than nothing and blanks."""
        if name in self.linked:
            return True
        return any(_is_filled(values.get(name)) for values in (self.mask, self.constants))

    def has_value(self, name: str) -> bool:
        pin = self.pins.fields.get(name)
        return self.is_set(name) or (pin is not None and _is_filled(pin.fresh_default()))


def _is_filled(value: Any) -> bool:
    return value is not None and value is not MISSING and str(value).strip() != ""


def _node_errors(given: _Given, for_run: bool) -> Iterator[tuple[str, str]]:
    if for_run or given.block.block_type in _ALWAYS_COMPLETE:
        yield from _missing(given)
    if given.block.block_type is BlockType.INPUT:
        name = given.node.input_default.get("name")
        if isinstance(name, str) and is_credentials_name(name):
            reserved = "'credentials' and `*_credentials` are reserved"
            yield "name", f"'{name}' is a reserved input name: {reserved}"
    if given.node.metadata:
        yield from option_faults(given.node)
    if for_run:
        for pin in given.pins.fields.values():
            yield from _unmet(given, pin)


def _missing(given: _Given) -> Iterator[tuple[str, str]]:
    for name in sorted(given.pins.required - given.names - given.pins.credentials.keys()):
        yield name, _REQUIRED
    if given.block.id == AGENT_BLOCK_ID and not given.node.input_default.get("graph_id"):
        yield "graph_id", _REQUIRED


def _unmet(given: _Given, pin: Pin) -> Iterator[tuple[str, str]]:
    missing = [name for name in pin.depends_on if not given.has_value(name)]
    if missing and (pin.required or given.is_set(pin.name)):
        yield pin.name, f"Requires {', '.join(missing)} to be set"
