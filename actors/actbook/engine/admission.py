"""Admission: what a submitted run must satisfy, and the inputs its starting nodes begin with."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from actbook.engine._errors import GraphValidationError
from actbook.graphs import (
    BlockLookup,
    BlockType,
    Graph,
    Node,
    UnknownBlock,
    validate_exec,
    validate_structure,
)

logger = logging.getLogger("actbook.admission")

Masks = Mapping[str, Mapping[str, Any]]
StartingInputs = list[tuple[str, dict[str, Any]]]

NO_STARTING_NODES = (
    "No starting nodes found for the graph, make sure an AgentInput or blocks with no inbound links are present as"
    " starting nodes."
)


def _merge_nodes_input_masks(first: Masks | None, second: Masks | None) -> dict[str, dict[str, Any]]:
    """Both masks as one, field by field; `second` wins. Nothing is changed and no dict is shared with the arguments."""
    merged = {node: dict(fields) for node, fields in (first or {}).items()}
    for node, fields in (second or {}).items():
        merged.setdefault(node, {}).update(fields)
    return merged


def _construct_starting_node_execution_input(
    graph: Graph, lookup: BlockLookup, graph_inputs: Mapping[str, Any], masks: Masks | None = None
) -> StartingInputs:
    """The validated input of each starting node, in graph order.

    Raises `GraphValidationError` with everything that is wrong, or `ValueError` for an input that does not fit.
    """
    check_structure(graph, lookup, masks)
    return starting_inputs(graph, lookup, graph_inputs, masks)


def check_structure(graph: Graph, lookup: BlockLookup, masks: Masks | None = None) -> None:
    """Raises `GraphValidationError` with every fault of the graph, or `ValueError` for one that spoils it as a whole."""
    errors = validate_structure(graph, lookup, masks, for_run=True)
    if errors:
        raise GraphValidationError(errors)


def starting_inputs(
    graph: Graph, lookup: BlockLookup, graph_inputs: Mapping[str, Any], masks: Masks | None = None
) -> StartingInputs:
    """The validated input of each starting node of a sound graph, in graph order. Raises `ValueError`."""
    starting = list(_starting_inputs(graph, lookup, graph_inputs, masks or {}))
    if not starting:
        raise ValueError(NO_STARTING_NODES)
    return starting


def warn_of_unknown_inputs(graph: Graph, names: list[str]) -> None:
    """A run is accepted with inputs that nothing takes; most likely a name was mistyped."""
    if names:
        logger.warning("Graph #%s has no input called %s; ignored.", graph.id, ", ".join(names))


def missing_inputs(graph: Graph, lookup: BlockLookup, graph_inputs: Mapping[str, Any]) -> list[str]:
    """Names of required inputs that were not given, in graph order."""
    return [name for name in graph.input_schema(lookup)["required"] if name not in graph_inputs]


def _starting_inputs(
    graph: Graph, lookup: BlockLookup, graph_inputs: Mapping[str, Any], masks: Masks
) -> Iterator[tuple[str, dict[str, Any]]]:
    for node in graph.starting_nodes(lookup):
        block = lookup(node.block_id) or UnknownBlock(node.block_id)
        if block.block_type is BlockType.NOTE:
            continue
        data = {**_given(node, block.block_type, graph_inputs), **masks.get(node.id, {})}
        if block.block_type in (BlockType.WEBHOOK, BlockType.WEBHOOK_MANUAL) and "payload" not in data:
            raise ValueError(
                f"Graph #{graph.id} is triggered from outside by {block.name}: it starts when the webhook calls, "
                "not by a submitted run."
            )
        linked = (
            {link.sink_name for link in graph.links_into(node.id)}
            if block.block_type is not BlockType.INPUT
            else ()
        )
        accepted, text = validate_exec(node, data, lookup=lookup, linked=linked)
        if accepted is None:
            raise ValueError(text)
        yield node.id, accepted


def _given(node: Node, block_type: BlockType, graph_inputs: Mapping[str, Any]) -> dict[str, Any]:
    name = node.input_default.get("name")
    if block_type is BlockType.INPUT and isinstance(name, str) and name in graph_inputs:
        return {"value": graph_inputs[name]}
    return {}
