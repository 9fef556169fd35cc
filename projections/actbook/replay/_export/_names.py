"""What nodes are called in pictures and logs."""

from __future__ import annotations

from collections import Counter

from actbook.blocks import default_registry
from actbook.graphs import Graph, Node


def plain_labels(graph: Graph) -> dict[str, str]:
    """A label per node: its own name, its block's, or its id; several of one name are numbered."""
    labels = {node.id: _label(node) for node in graph.nodes}
    counts, seen = Counter(labels.values()), Counter[str]()
    for node_id, label in labels.items():
        if counts[label] > 1:
            seen[label] += 1
            labels[node_id] = f"{label} {seen[label]}"
    return labels


def _label(node: Node) -> str:
    custom = node.metadata.get("customized_name")
    if isinstance(custom, str) and custom.strip():
        return custom.strip()
    found = default_registry().lookup(node.block_id)
    name = found.name.removesuffix("Block") if found is not None else node.id
    given = node.input_default.get("name")
    if name in ("AgentInput", "AgentOutput") and isinstance(given, str) and given:
        return f"{name.removeprefix('Agent')}: {given}"
    return name
