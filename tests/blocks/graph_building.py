"""Graphs in few words."""

from __future__ import annotations

from typing import Any

from actbook.blocks.standard import standard_id
from actbook.graphs import Graph, Link, Node

AI = "1f292d4a-41a4-4977-9684-7c8d560b9f91"
AI_LIST = "9c0b0450-d199-458b-a731-072189dd6593"
EXECUTE_CODE = "0b02b072-abe7-11ef-8372-fb5d162dd712"
ORCHESTRATOR = "3b191d9f-356f-482d-8238-ba04b6d18381"
WEB_REQUEST = "6595ae1f-b924-42cb-9a41-551a0611c4b4"
MAPS = "f47ac10b-58cc-4372-a567-0e02b2c3d479"
UNKNOWN = "0a2b1f43-3f4a-4a1f-9a55-0d2c6a3a4a21"


def node(name: str, block: str, title: str = "", /, **constants: Any) -> Node:
    """`block`: a standard block without `Block` at its end, or an id."""
    block_id = block if "-" in block else standard_id(f"{block}Block")
    metadata = {"customized_name": title} if title else {}
    return Node(id=name, block_id=block_id, input_default=constants, metadata=metadata)


def graph(*nodes: Node, links: str, **fields: Any) -> Graph:
    """`links`: one `source.pin -> sink.pin` per line."""
    found = []
    for line in filter(None, map(str.strip, links.splitlines())):
        source, sink = (end.strip().split(".", 1) for end in line.split("->"))
        found.append(Link(source_id=source[0], source_name=source[1], sink_id=sink[0], sink_name=sink[1]))
    return Graph(nodes=list(nodes), links=found, **fields)
