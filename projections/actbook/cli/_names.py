"""What nodes and blocks are called on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actbook.graphs import Graph, Node

SHORT = 8


def short(identifier: str) -> str:
    """The part of an id that tells it from the others on one screen."""
    return identifier[:SHORT]


def block_name(block_id: str) -> str:
    """The name of a block, installed or one of the known outside blocks; else the start of its id."""
    from actbook.blocks import default_registry
    from actbook.blocks._outside_blocks import OUTSIDE_BLOCKS

    found = default_registry().lookup(block_id)
    if found is not None:
        return found.name
    outside = OUTSIDE_BLOCKS.get(block_id)
    return outside.name if outside is not None else f"block {short(block_id)}"


def node_label(node: Node) -> str:
    """Its own name if it was given one; inputs and outputs are called like what they carry."""
    custom = node.metadata.get("customized_name")
    if isinstance(custom, str) and custom.strip():
        return custom.strip()
    plain = block_name(node.block_id).removesuffix("Block")
    name = node.input_default.get("name")
    if plain.startswith("Agent") and isinstance(name, str) and name:
        kind = "Output" if plain == "AgentOutput" else "Input"
        return name if name == kind else f"{kind}: {name}"
    agent = node.input_default.get("agent_name")
    if plain == "AgentExecutor" and isinstance(agent, str) and agent:
        return f"Agent: {agent}"
    return spaced(plain)


def spaced(name: str) -> str:
    """`FindInDictionary` as `Find In Dictionary`."""
    parts: list[str] = []
    for position, letter in enumerate(name):
        before, after = name[position - 1 : position], name[position + 1 : position + 2]
        if letter.isupper() and before and (not before.isupper() or after.islower()) and before != " ":
            parts.append(" ")
        parts.append(letter)
    return "".join(parts)


def node_labels(graph: Graph) -> dict[str, str]:
    """A label per node; nodes of one name are numbered."""
    labels = {node.id: node_label(node) for node in graph.nodes}
    seen: dict[str, int] = {}
    repeated = {label for label in labels.values() if list(labels.values()).count(label) > 1}
    for node_id, label in labels.items():
        if label in repeated:
            seen[label] = seen.get(label, 0) + 1
            labels[node_id] = f"{label} {seen[label]}"
    return labels
