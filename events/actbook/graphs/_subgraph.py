"""Binding AGENT nodes to the sub-graphs of their document: exports renumber graphs, not the references."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ._block import AGENT_BLOCK_ID, BlockLookup
from ._document import GraphFormatError
from ._graph import Graph, Node


class Rebinding(msgspec.Struct, frozen=True, kw_only=True):
    """An AGENT node whose reference is not in the document. `bound_id` is None when nothing else fits."""

    node_id: str
    graph_id: str
    wanted_id: str
    wanted_version: int | None
    bound_id: str | None
    bound_version: int | None

    @property
    def resolved(self) -> bool:
        return self.bound_id is not None


def bind_sub_graphs(graph: Graph, lookup: BlockLookup | None = None) -> tuple[Graph, list[Rebinding]]:
    """The graph with its AGENT nodes bound, and each node whose reference was not in the document.

    A reference is the sub-graph of that id and version, else the only one of that version with the node's
    input and output names; those are read from the sub-graph's stored schemas, or from its nodes through
    `lookup`. The given graph is not changed. Raises GraphFormatError, naming the candidates, when several
    fit.
    """
    closure = list(_closure(graph))
    known = {(each.id, each.version) for each in closure}
    candidates = [_Candidate(each, lookup) for each in _distinct(closure[1:])]
    rebindings: list[Rebinding] = []
    for owner in closure:
        for index, node in enumerate(owner.nodes):
            if node.block_id == AGENT_BLOCK_ID and not _is_known(node, known):
                rebindings.append(_rebinding(owner, index, node, candidates))
    changes = {(each.graph_id, each.node_id): each for each in rebindings if each.resolved}
    return (_rebound(graph, changes) if changes else graph), rebindings


def _closure(graph: Graph) -> Iterator[Graph]:
    yield graph
    for each in graph.sub_graphs:
        yield from _closure(each)


def _distinct(graphs: list[Graph]) -> list[Graph]:
    return list({(graph.id, graph.version): graph for graph in graphs}.values())


def _reference(node: Node) -> tuple[str, int | None]:
    version = node.input_default.get("graph_version")
    return str(node.input_default.get("graph_id") or ""), version if isinstance(version, int) else None


def _is_known(node: Node, known: set[tuple[str, int]]) -> bool:
    graph_id, version = _reference(node)
    if version is None:
        return any(graph_id == each for each, _ in known)
    return (graph_id, version) in known


def _names(schema: Any) -> frozenset[str]:
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    return frozenset(properties) if isinstance(properties, Mapping) else frozenset()


class _Candidate:
    """A sub-graph with its input and output names, as stored and as its nodes say."""

    def __init__(self, graph: Graph, lookup: BlockLookup | None) -> None:
        self.graph = graph
        self.interfaces: set[tuple[frozenset[str], frozenset[str]]] = set()
        if "input_schema" in graph.extra:
            stored = _names(graph.extra["input_schema"]), _names(graph.extra.get("output_schema"))
            self.interfaces.add(stored)
        if lookup is not None:
            self.interfaces.add((_names(graph.input_schema(lookup)), _names(graph.output_schema(lookup))))

    def fits(self, node: Node, version: int | None) -> bool:
        if version not in (None, self.graph.version):
            return False
        wanted = (
            _names(node.input_default.get("input_schema")),
            _names(node.input_default.get("output_schema")),
        )
        return wanted in self.interfaces


def _rebinding(owner: Graph, index: int, node: Node, candidates: list[_Candidate]) -> Rebinding:
    wanted_id, version = _reference(node)
    fitting = [each.graph for each in candidates if each.fits(node, version)]
    if len(fitting) > 1:
        named = ", ".join(f"{graph.id} version {graph.version}" for graph in fitting)
        raise GraphFormatError(
            f"nodes[{index}].input_default.graph_id",
            f"node {node.id} of graph {owner.id} names graph {wanted_id!r} version {version}, which is not in"
            f" the document, and several sub-graphs fit: {named}. Write the id of the right one.",
        )
    found = fitting[0] if fitting else None
    return Rebinding(
        node_id=node.id,
        graph_id=owner.id,
        wanted_id=wanted_id,
        wanted_version=version,
        bound_id=found.id if found else None,
        bound_version=found.version if found else None,
    )


def _rebound(graph: Graph, changes: Mapping[tuple[str, str], Rebinding]) -> Graph:
    bound = Graph.from_dict(graph.to_dict())
    for owner in _closure(bound):
        for node in owner.nodes:
            change = changes.get((owner.id, node.id))
            if change is not None:
                node.input_default["graph_id"] = change.bound_id
                node.input_default["graph_version"] = change.bound_version
    return bound
