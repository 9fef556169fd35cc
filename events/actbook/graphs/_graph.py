"""A graph: nodes, the links between their pins, and the sub-graphs its AGENT nodes use."""

from __future__ import annotations

import copy
import hashlib
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Self

import msgspec

from ._block import BlockLookup, BlockType
from ._document import GraphFormatError, Reader, decode_document
from ._graph_schema import interface_schema

_LINKS = uuid.UUID("0d6f6c0a-3c5e-5f0e-8b1d-4a1f6e2c7b90")


def _new_id() -> str:
    return str(uuid.uuid4())


class _Element(msgspec.Struct, kw_only=True, dict=True):
    """`extra` holds the fields of the document that nothing here knows; they survive load and save."""

    extra: dict[str, Any] = {}
    absent: dict[str, bool] = {}

    def _document(self, fields: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
        """The known fields as they were: missing or null ones stay so while they hold their default."""
        document = dict(fields)
        for field, was_null in self.absent.items():
            if field in document and document[field] == defaults.get(field):
                del document[field]
                if was_null:
                    document[field] = None
        return {**self.extra, **document}


class Link(_Element, kw_only=True):
    """Carries what a source pin yields to a sink pin. A static link latches its newest value."""

    source_id: str
    source_name: str
    sink_id: str
    sink_name: str
    is_static: bool = False
    id: str = ""

    def __post_init__(self) -> None:
        # An id that follows from the link itself: the same graph written again is the same content.
        self.id = self.id or str(uuid.uuid5(_LINKS, "\n".join(self.key)))

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Two links with the same key are one link."""
        return (self.source_id, self.sink_id, self.source_name, self.sink_name)

    @classmethod
    def read(cls, value: Any, place: str = "link") -> Self:
        reader = Reader(value, place)
        return cls(
            source_id=reader.required_text("source_id"),
            source_name=reader.required_text("source_name"),
            sink_id=reader.required_text("sink_id"),
            sink_name=reader.required_text("sink_name"),
            is_static=reader.take("is_static", bool, False),
            id=reader.take("id", str, None) or "",
            absent=_without(reader.absent, "id"),
            extra=reader.rest,
        )

    def to_dict(self) -> dict[str, Any]:
        fields = {
            "id": self.id,
            "source_id": self.source_id,
            "source_name": self.source_name,
            "sink_id": self.sink_id,
            "sink_name": self.sink_name,
            "is_static": self.is_static,
        }
        return self._document(fields, {"is_static": False})


class Node(_Element, kw_only=True):
    """One use of a block: `input_default` holds its constants by pin, `metadata` what editors keep."""

    block_id: str
    id: str = msgspec.field(default_factory=_new_id)
    input_default: dict[str, Any] = {}
    metadata: dict[str, Any] = {}

    @property
    def credentials_optional(self) -> bool:
        return bool(self.metadata.get("credentials_optional", False))

    @property
    def input_links(self) -> list[Link]:
        """The links into this node: those of the graph it belongs to, else the copies in its own document."""
        graph: Graph | None = vars(self).get("graph")
        if graph is not None:
            return graph.links_into(self.id)
        copies = self.extra.get("input_links")
        return [Link.read(link, "input_links") for link in copies] if isinstance(copies, list) else []

    @classmethod
    def read(cls, value: Any, place: str = "node") -> Self:
        reader = Reader(value, place)
        return cls(
            id=reader.required_text("id"),
            block_id=reader.required_text("block_id"),
            input_default=reader.take("input_default", dict, {}),
            metadata=reader.take("metadata", dict, {}),
            absent=reader.absent,
            extra=reader.rest,
        )

    def to_dict(self) -> dict[str, Any]:
        fields = {
            "id": self.id,
            "block_id": self.block_id,
            "input_default": self.input_default,
            "metadata": self.metadata,
        }
        return self._document(fields, {"input_default": {}, "metadata": {}})


class GraphSettings(msgspec.Struct, kw_only=True):
    """Per user and graph: what waits for a person."""

    human_in_the_loop_safe_mode: bool = True
    sensitive_action_safe_mode: bool = False


_GRAPH_DEFAULTS: dict[str, Any] = {
    "version": 1,
    "name": "",
    "description": "",
    "is_active": True,
    "user_id": "",
    "created_at": None,
    "nodes": [],
    "links": [],
    "sub_graphs": [],
    "subgraphs": [],
}


class Graph(_Element, kw_only=True):
    """A document of nodes and links. A version never changes once an execution refers to it: save a new one.

    Lookups scan: code that runs a graph compiles a `Plan`.
    """

    id: str = msgspec.field(default_factory=_new_id)
    version: int = 1
    name: str = ""
    description: str = ""
    is_active: bool = True
    nodes: list[Node] = []
    links: list[Link] = []
    sub_graphs: list[Graph] = []
    user_id: str = ""
    created_at: str | None = None
    sub_graphs_key: str = "sub_graphs"

    def __post_init__(self) -> None:
        self.links = unique_links(self.links)
        for node in self.nodes:
            vars(node)["graph"] = self

    @classmethod
    def from_json(cls, document: str | bytes) -> Self:
        """Raises GraphFormatError, which names the place, for anything that is not a graph document."""
        return cls._read_guarded(decode_document(document))

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Like `from_json`; the given dict is copied, not kept."""
        try:
            owned = copy.deepcopy(document)
        except RecursionError as error:
            raise GraphFormatError("", "nested too deeply. Flatten its constants.") from error
        return cls._read_guarded(owned)

    @classmethod
    def _read_guarded(cls, value: Any) -> Self:
        try:
            return cls.read(value)
        except RecursionError as error:
            raise GraphFormatError("sub_graphs", "nested too deeply. Put them side by side.") from error

    @classmethod
    def read(cls, value: Any, place: str = "") -> Self:
        reader = Reader(value, place)
        if "nodes" not in reader.rest:
            raise GraphFormatError(reader.at("nodes"), "missing. A graph has a list of nodes, empty or not.")
        key = _sub_graphs_key(reader.rest)
        graph = cls(
            id=reader.take("id", str, None) or _new_id(),
            version=reader.take("version", int, 1),
            name=reader.take("name", str, ""),
            description=reader.take("description", str, ""),
            is_active=reader.take("is_active", bool, True),
            user_id=reader.take("user_id", str, ""),
            created_at=reader.take("created_at", str, None),
            nodes=[Node.read(*item) for item in _items(reader, "nodes")],
            links=[Link.read(*item) for item in _items(reader, "links")],
            sub_graphs=[cls.read(*item) for item in _items(reader, key)],
            sub_graphs_key=key,
        )
        graph.absent = _without(reader.absent, "id")
        graph.extra = reader.rest
        return graph

    def to_dict(self) -> dict[str, Any]:
        """The document: what was loaded and not changed comes out equal, unknown fields included."""
        fields = {
            "id": self.id,
            "version": self.version,
            "name": self.name,
            "description": self.description,
            "is_active": self.is_active,
            "user_id": self.user_id,
            "created_at": self.created_at,
            "nodes": [node.to_dict() for node in self.nodes],
            "links": [link.to_dict() for link in self.links],
            self.sub_graphs_key: [graph.to_dict() for graph in self.sub_graphs],
        }
        plain: dict[str, Any] = msgspec.to_builtins(self._document(fields, _GRAPH_DEFAULTS), str_keys=True)
        return plain

    def to_json(self) -> bytes:
        return msgspec.json.encode(self.to_dict())

    def content_hash(self) -> str:
        """SHA-256 (hex) of the document with sorted keys: equal documents have equal hashes."""
        return hashlib.sha256(msgspec.json.encode(self.to_dict(), order="deterministic")).hexdigest()

    def node(self, node_id: str) -> Node:
        """Raises KeyError for an id that is not in this graph."""
        for node in self.nodes:
            if node.id == node_id:
                return node
        raise KeyError(node_id)

    def links_from(self, node_id: str) -> list[Link]:
        return [link for link in self.links if link.source_id == node_id]

    def links_into(self, node_id: str) -> list[Link]:
        return [link for link in self.links if link.sink_id == node_id]

    def starting_nodes(self, lookup: BlockLookup) -> list[Node]:
        """The nodes that no link leads to, and every INPUT node, in graph order."""
        sinks = {link.sink_id for link in self.links}
        return [node for node in self.nodes if node.id not in sinks or _is_input(node, lookup)]

    def input_schema(self, lookup: BlockLookup) -> dict[str, Any]:
        """JSON schema of what a run takes: one property per INPUT node."""
        return interface_schema(self.nodes, lookup, BlockType.INPUT)

    def output_schema(self, lookup: BlockLookup) -> dict[str, Any]:
        """JSON schema of what a run gives: one property per OUTPUT node."""
        return interface_schema(self.nodes, lookup, BlockType.OUTPUT)


def unique_links(links: Iterable[Link]) -> list[Link]:
    """The first of the links with the same ends and pins."""
    return list({link.key: link for link in reversed(list(links))}.values())[::-1]


def _is_input(node: Node, lookup: BlockLookup) -> bool:
    block = lookup(node.block_id)
    return block is not None and block.block_type is BlockType.INPUT


def _without(absent: dict[str, bool], field: str) -> dict[str, bool]:
    return {name: was_null for name, was_null in absent.items() if name != field}


def _sub_graphs_key(document: Mapping[str, Any]) -> str:
    """Old documents call them `subgraphs`: read when it holds graphs and the new name is absent."""
    old = document.get("subgraphs")
    if "sub_graphs" in document or not isinstance(old, list):
        return "sub_graphs"
    return "subgraphs" if all(isinstance(item, Mapping) and "nodes" in item for item in old) else "sub_graphs"


def _items(reader: Reader, field: str) -> list[tuple[Any, str]]:
    found: list[Any] = reader.take(field, list, [])
    return [(item, f"{reader.at(field)}[{index}]") for index, item in enumerate(found)]
