"""Whether the credentials that a graph's nodes name are there, and fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from actbook.actors._credentials_store import CredentialsStore, look_up
from actbook.blocks import Registry
from actbook.engine.credentials._environment import EnvironmentCredentials
from actbook.engine.credentials._groups import discriminated, lookup_of, with_sub_graphs
from actbook.graphs import (
    AGENT_BLOCK_ID,
    Block,
    BlockLookup,
    Credentials,
    CredentialsField,
    CredentialsMetaInput,
    Graph,
    Node,
    base_name,
    validate_structure,
)
from actbook.graphs._pin import credentials_struct

Masks = Mapping[str, Mapping[str, Any]]
NodeErrors = dict[str, dict[str, str]]

_REQUIRED = "These credentials are required"
_MISMATCH = "Invalid credentials: type/provider mismatch"


class _Use(NamedTuple):
    """One credentials pin of one node. `meta` None: nothing is named; `fault`: what is named can't be read."""

    node: Node
    field: CredentialsField
    meta: CredentialsMetaInput | None
    fault: str = ""


async def _validate_node_input_credentials(
    graph: Graph,
    user_id: str,
    masks: Masks | None = None,
    *,
    store: CredentialsStore | None = None,
    registry: Registry | None = None,
    lookup: BlockLookup | None = None,
) -> tuple[NodeErrors, set[str]]:
    """What is wrong, by node and pin, and the nodes to skip: optional ones that lack credentials and have no fault.

    Sub-graphs included. Each distinct credential is looked up once, all at the same time. Raises
    `CredentialsStoreError` when the store fails: that is never told as a fault of the graph.
    """
    uses = list(_uses(graph, lookup_of(registry, lookup), masks or {}))
    ids = {use.meta.id for use in uses if use.meta is not None}
    found = await look_up(store or EnvironmentCredentials(), user_id, sorted(ids)) if ids else {}
    errors: NodeErrors = {}
    lacking: set[str] = set()
    for use in uses:
        node = use.node
        if use.meta is None and not use.fault and (node.credentials_optional or not use.field.required):
            if node.credentials_optional:
                lacking.add(node.id)
        elif fault := _fault(use, found):
            errors.setdefault(node.id, {})[use.field.name] = fault
    return errors, lacking - errors.keys()


async def validate_graph_with_credentials(
    graph: Graph,
    user_id: str,
    masks: Masks | None = None,
    *,
    store: CredentialsStore | None = None,
    registry: Registry | None = None,
    lookup: BlockLookup | None = None,
) -> tuple[NodeErrors, set[str]]:
    """The faults of structure and of credentials, by node and pin (those of credentials win), and the nodes to skip.

    Raises `GraphStructureError`, a ValueError, for what spoils the graph as a whole, and `CredentialsStoreError`.
    """
    find = lookup_of(registry, lookup)
    errors = validate_structure(graph, find, masks, for_run=True)
    faults, skip = await _validate_node_input_credentials(graph, user_id, masks, store=store, lookup=find)
    for node_id, fields in faults.items():
        errors.setdefault(node_id, {}).update(fields)
    return errors, skip


def asks_for_credentials(graph: Graph, lookup: BlockLookup) -> bool:
    """Whether any node of the graph, or of one below it, has a credentials pin."""
    return any(
        (block := lookup(node.block_id)) is not None and block.input_schema.credentials
        for each in with_sub_graphs(graph)
        for node in each.nodes
    )


def _fault(use: _Use, found: Mapping[str, Credentials | None]) -> str:
    meta = use.meta
    if use.fault or meta is None:
        return use.fault or _REQUIRED
    stored = found[meta.id]
    if stored is None:
        return f"Unknown credentials #{meta.id}"
    field = use.field
    same = (stored.provider, stored.type) == (meta.provider, meta.type)
    fits = meta.type in field.types and (not field.providers or meta.provider in field.providers)
    return "" if same and fits else _MISMATCH


def _uses(graph: Graph, lookup: BlockLookup, masks: Masks) -> Iterator[_Use]:
    """Of the graph, then of each sub-graph as each AGENT node calls it, then of those that none calls."""
    known = {(each.id, each.version): each for each in with_sub_graphs(graph)}
    called: set[tuple[str, int]] = {(graph.id, graph.version)}
    waiting: list[tuple[Graph, Masks]] = [(graph, masks)]
    seen: set[tuple[Any, ...]] = set()
    while waiting:
        each, given = waiting.pop(0)
        yield from _uses_of(each, lookup, given)
        for node in each.nodes:
            sub_graph = _called_by(node, known)
            place = (each.id, each.version, node.id)
            if sub_graph is not None and place not in seen:
                seen.add(place)
                called.add((sub_graph.id, sub_graph.version))
                waiting.append((sub_graph, masks_for_child(node.input_default, given)))
        if not waiting:
            rest = next((key for key in known if key not in called), None)
            if rest is not None:
                called.add(rest)
                waiting.append((known[rest], masks))


def masks_for_child(constants: Mapping[str, Any], masks: Masks) -> dict[str, dict[str, Any]]:
    """The masks of a sub-graph's run: those that its AGENT node holds, with the caller's own over them."""
    own = constants.get("nodes_input_masks")
    merged = {node: dict(fields) for node, fields in own.items()} if isinstance(own, Mapping) else {}
    for node, fields in masks.items():
        merged.setdefault(node, {}).update(fields)
    return merged


def _called_by(node: Node, known: Mapping[tuple[str, int], Graph]) -> Graph | None:
    if node.block_id != AGENT_BLOCK_ID:
        return None
    wanted, version = node.input_default.get("graph_id"), node.input_default.get("graph_version")
    return next((each for (name, n), each in known.items() if name == wanted and version in (None, n)), None)


def _uses_of(graph: Graph, lookup: BlockLookup, masks: Masks) -> Iterator[_Use]:
    for node in graph.nodes:
        block = lookup(node.block_id)
        if block is None or not block.input_schema.credentials:
            continue
        mask = masks.get(node.id) or {}
        linked = {base_name(link.sink_name) for link in graph.links_into(node.id)} - mask.keys()
        values = {**node.input_default, **mask}
        for field in block.input_schema.credentials.values():
            yield _use(node, block, discriminated(field, block.input_schema, values, linked), mask)


def _use(node: Node, block: Block, field: CredentialsField, mask: Mapping[str, Any]) -> _Use:
    if field.name in mask:
        value = mask[field.name]
    else:
        # What an optional node was drawn with may be long gone: it counts only when this run names it.
        value = None if node.credentials_optional else node.input_default.get(field.name)
    if value is None or (isinstance(value, Mapping) and not value.get("id")):
        return _Use(node, field, None)
    declared = credentials_struct(block.input_schema.fields[field.name].annotation) or CredentialsMetaInput
    try:
        return _Use(node, field, msgspec.convert(value, declared, from_attributes=True))
    except msgspec.ValidationError as error:
        return _Use(node, field, None, f"Invalid credentials: {error}")
