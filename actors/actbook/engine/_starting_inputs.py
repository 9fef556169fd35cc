"""What a run must satisfy before it begins, and the inputs its starting nodes begin with."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from actbook.actors import ExecutionLog
from actbook.engine._errors import GraphValidationError
from actbook.engine._masks import Masks
from actbook.engine.credentials import CredentialsStore, validate_graph_with_credentials
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

StartingInputs = list[tuple[str, dict[str, Any]]]

NO_STARTING_NODES = (
    "No starting nodes found for the graph, make sure an AgentInput or blocks with no inbound links are present as"
    " starting nodes."
)


async def admitted_inputs(
    graph: Graph,
    user_id: str,
    graph_inputs: Mapping[str, Any],
    masks: Masks | None = None,
    *,
    store: CredentialsStore | None = None,
    lookup: BlockLookup,
) -> tuple[StartingInputs, set[str]]:
    """The validated input of each starting node, in graph order, and the nodes to skip.

    Raises `GraphValidationError` with everything that is wrong, `ValueError` for what spoils the graph as a whole and for
    an input that does not fit, or `CredentialsStoreError`.
    """
    errors, skip = await validate_graph_with_credentials(graph, user_id, masks, store=store, lookup=lookup)
    if errors:
        raise GraphValidationError(errors)
    return starting_inputs(graph, lookup, graph_inputs, masks, skip), skip


def check_structure(graph: Graph, lookup: BlockLookup, masks: Masks | None = None) -> None:
    """Raises `GraphValidationError` with every fault of the graph, or `ValueError` for one that spoils it as a whole."""
    errors = validate_structure(graph, lookup, masks, for_run=True)
    if errors:
        raise GraphValidationError(errors)


def starting_inputs(
    graph: Graph,
    lookup: BlockLookup,
    graph_inputs: Mapping[str, Any],
    masks: Masks | None = None,
    skip: Collection[str] = (),
) -> StartingInputs:
    """The validated input of each starting node of a sound graph, in graph order. Raises `ValueError`.

    A node of `skip` will not run: it stays in the list with what it has.
    """
    starting = list(_starting_inputs(graph, lookup, graph_inputs, masks or {}, skip))
    if not starting:
        raise ValueError(NO_STARTING_NODES)
    return starting


def input_names(graph: Graph, lookup: BlockLookup) -> frozenset[str]:
    """The names that the graph's INPUT nodes take."""
    return frozenset(graph.input_schema(lookup)["properties"])


def warn_of_unknown_inputs(
    graph: Graph, known: Collection[str], given: Iterable[str], user_id: str = ""
) -> None:
    """A run is accepted with inputs that nothing takes; most likely a name was mistyped."""
    unknown = sorted(str(name) for name in given if name not in known)
    if unknown:
        log = ExecutionLog(logger, "Admission", user_id=user_id, graph_id=graph.id)
        log.warning("Graph #%s has no input called %s; ignored.", graph.id, ", ".join(unknown))


def _starting_inputs(
    graph: Graph,
    lookup: BlockLookup,
    graph_inputs: Mapping[str, Any],
    masks: Masks,
    skip: Collection[str],
) -> Iterator[tuple[str, dict[str, Any]]]:
    for node in graph.starting_nodes(lookup):
        block = lookup(node.block_id) or UnknownBlock(node.block_id)
        if block.block_type is BlockType.NOTE:
            continue
        data = {**_given(node, block.block_type, graph_inputs), **(masks.get(node.id) or {})}
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
        if accepted is None and node.id in skip:
            accepted = data
        if accepted is None:
            raise ValueError(text)
        yield node.id, accepted


def _given(node: Node, block_type: BlockType, graph_inputs: Mapping[str, Any]) -> dict[str, Any]:
    name = node.input_default.get("name")
    if block_type is BlockType.INPUT and isinstance(name, str) and name in graph_inputs:
        return {"value": graph_inputs[name]}
    return {}
