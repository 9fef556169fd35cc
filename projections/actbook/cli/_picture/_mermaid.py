"""A graph in Mermaid, the diagram language of many documentation tools."""

from __future__ import annotations

from collections.abc import Mapping

from actbook.graphs import Graph

_SHAPES = {"round": ('(["', '"])'), "double": ('[["', '"]]'), "plain": ('["', '"]')}

_CLASSES = {
    "QUEUED": "fill:#e0f7fa,stroke:#00838f",
    "RUNNING": "fill:#b3e5fc,stroke:#0277bd,stroke-width:2px",
    "COMPLETED": "fill:#e8f5e9,stroke:#2e7d32",
    "FAILED": "fill:#ffebee,stroke:#c62828,stroke-width:2px",
    "TERMINATED": "fill:#fff8e1,stroke:#f9a825",
    "REVIEW": "fill:#f3e5f5,stroke:#6a1b9a,stroke-width:2px",
    "INCOMPLETE": "fill:#fafafa,stroke:#9e9e9e,stroke-dasharray:4",
}


def mermaid(
    graph: Graph, labels: Mapping[str, str], frames: Mapping[str, str], statuses: Mapping[str, str]
) -> str:
    """A flowchart. `frames`: round, double or plain by node; `statuses` colour the nodes that have one.

    Links are labelled with their pins; static ones are dotted.
    """
    names = {node.id: f"n{number}" for number, node in enumerate(graph.nodes, 1) if node.id in labels}
    lines = ["flowchart TD"]
    for node_id, name in names.items():
        opening, closing = _SHAPES[frames.get(node_id, "plain")]
        lines.append(f"    {name}{opening}{_escaped(labels[node_id])}{closing}")
    for link in graph.links:
        if link.source_id in names and link.sink_id in names:
            arrow = "-.->" if link.is_static else "-->"
            pins = _escaped(f"{link.source_name} → {link.sink_name}")
            lines.append(f'    {names[link.source_id]} {arrow}|"{pins}"| {names[link.sink_id]}')
    used = {status for node_id, status in statuses.items() if node_id in names}
    lines.extend(f"    classDef {status} {style}" for status, style in _CLASSES.items() if status in used)
    for node_id, status in statuses.items():
        if node_id in names and status in _CLASSES:
            lines.append(f"    class {names[node_id]} {status}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """Quotes, angle brackets and the like as the entities that Mermaid knows; nothing ends the text early."""
    plain = " ".join(text.split())
    return "".join(
        letter if letter.isalnum() or letter in " .,:;+-*/()→_?!…$@^~" else f"#{ord(letter)};"
        for letter in plain
    )
