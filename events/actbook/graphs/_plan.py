"""A graph prepared for running: what every delivery and every acceptance asks, found without searching."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ._block import Block, BlockLookup, BlockType, UnknownBlock
from ._data_object import NO_VALUE
from ._graph import Graph, Node, unique_links
from ._input_check import InputCheck, Verdict
from ._node_options import NodeOptions, node_options
from ._node_pins import output_pins
from ._own_cycle import without_latches_in_own_cycles
from ._pins import base_name, select_output
from ._plan_link import PlanLink, plan_link
from ._schema import PinSchema
from ._structure_errors import GraphStructureError


class PlanNode(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One node with everything that running it needs."""

    id: str
    node: Node
    block: Block
    block_type: BlockType
    schema: PinSchema
    out_schema: PinSchema
    linked: frozenset[str]
    out: tuple[PlanLink, ...]
    out_by_base: Mapping[str, tuple[PlanLink, ...]]
    out_exact: Mapping[str, tuple[PlanLink, ...]]
    static_in: frozenset[str]
    inline: bool
    effects: bool
    check: InputCheck
    options: NodeOptions


class Plan(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Immutable. Compile it once per graph version and process."""

    graph_id: str
    version: int
    nodes: Mapping[str, PlanNode]
    starting: tuple[str, ...]

    @classmethod
    def compile(cls, graph: Graph, lookup: BlockLookup) -> Plan:
        """Raises GraphStructureError for a link to or from a node that is not in the graph."""
        blocks = {node.id: lookup(node.block_id) or UnknownBlock(node.block_id) for node in graph.nodes}
        into: dict[str, list[PlanLink]] = {node_id: [] for node_id in blocks}
        out: dict[str, list[PlanLink]] = {node_id: [] for node_id in blocks}
        for link in unique_links(graph.links):
            for end in (link.source_id, link.sink_id):
                if end not in blocks:
                    raise GraphStructureError(
                        f"Link {link.id}: node {end} is not in the graph. Remove the link."
                    )
            prepared = plan_link(link, blocks[link.source_id].static_output)
            out[link.source_id].append(prepared)
            into[link.sink_id].append(prepared)
        inputs = {node_id for node_id, block in blocks.items() if block.block_type is BlockType.INPUT}
        once = without_latches_in_own_cycles(into, out, inputs)
        if once:
            for ends in (into, out):
                for node_id, links in ends.items():
                    ends[node_id] = [once.get(link.id, link) for link in links]
        return cls(
            graph_id=graph.id,
            version=graph.version,
            nodes={
                node.id: _plan_node(node, blocks[node.id], into[node.id], out[node.id])
                for node in graph.nodes
            },
            starting=tuple(node_id for node_id, links in into.items() if not links or node_id in inputs),
        )

    def deliveries(self, node_id: str, pin: str, value: Any) -> list[tuple[PlanLink, Any]]:
        """What one yield sends along the node's links, in link order."""
        node = self.nodes[node_id]
        links = node.out_exact.get(pin)
        if links is not None:
            return [(link, value) for link in links]
        candidates = node.out_by_base.get(base_name(pin))
        if candidates is None:
            return []
        return list(_selected(candidates, pin, value))

    def accept(
        self, node_id: str, inputs: Mapping[str, Any], mask: Mapping[str, Any] | None = None
    ) -> Verdict:
        """The run input when the inputs, with the mask over them, are enough; else None and why.

        The third part tells what conversion lost. Changes nothing that it is given.
        """
        if mask:
            inputs = {**{name: value for name, value in inputs.items() if name not in mask}, **mask}
        return self.nodes[node_id].check.accept(inputs)


def _selected(links: Iterable[PlanLink], pin: str, value: Any) -> Iterable[tuple[PlanLink, Any]]:
    for link in links:
        selected = select_output(pin, value, link.source_name, link.sink_id, link.sink_name)
        if selected is not NO_VALUE:
            yield link, selected


def _plan_node(node: Node, block: Block, into: list[PlanLink], out: list[PlanLink]) -> PlanNode:
    linked = frozenset(link.sink_name for link in into)
    by_base: dict[str, list[PlanLink]] = {}
    for link in out:
        by_base.setdefault(base_name(link.source_name), []).append(link)
    check = InputCheck(node, block, linked)
    return PlanNode(
        id=node.id,
        node=node,
        block=block,
        block_type=block.block_type,
        schema=check.pins,
        out_schema=output_pins(node, block),
        linked=linked,
        out=tuple(out),
        out_by_base={base: tuple(links) for base, links in by_base.items()},
        out_exact={
            base: tuple(links) for base, links in by_base.items() if all(link.exact for link in links)
        },
        static_in=frozenset(link.sink_name for link in into if link.is_static),
        inline=block.execution == "inline",
        effects=block.effects,
        check=check,
        options=node_options(node, block),
    )
