"""A graph on the terminal and in Mermaid, plain or with the states of an execution."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.text import Text

from actbook.cli._names import node_labels
from actbook.cli._picture import BoxText, Edge, draw, mermaid
from actbook.cli._printing import console, note, show
from actbook.cli._statuses import look
from actbook.graphs import AGENT_BLOCK_ID, BlockType

if TYPE_CHECKING:
    from actbook.cli._live import NodeProgress, Progress
    from actbook.graphs import Graph

PIPED_WIDTH = 120
"""Columns of a picture that is not drawn on a terminal."""


def show_graph(graph: Graph, progress: Progress | None, links: bool) -> None:
    """The graph, then each of its sub-graphs."""
    _show_one(graph, progress, links, "")
    for sub_graph in graph.sub_graphs:
        show("")
        _show_one(sub_graph, None, links, "sub-graph: ")


def in_mermaid(graph: Graph, progress: Progress | None) -> str:
    """Without notes: they are no part of the flow."""
    labels = {node: label for node, label in node_labels(graph).items() if frames_of(graph)[node] != "note"}
    statuses: dict[str, str] = {}
    if progress is not None:
        statuses = {
            node.node_id: str(node.status) for node in progress.nodes.values() if node.status is not None
        }
    return mermaid(graph, labels, frames_of(graph), statuses)


def frames_of(graph: Graph) -> dict[str, str]:
    """Inputs and outputs are round, sub-graphs double; a note is called so."""
    from actbook.blocks import default_registry

    lookup = default_registry().lookup
    frames: dict[str, str] = {}
    for node in graph.nodes:
        found = lookup(node.block_id)
        kind = found.block_type if found is not None else None
        frame = {BlockType.INPUT: "round", BlockType.OUTPUT: "round", BlockType.NOTE: "note"}.get(
            kind or BlockType.STANDARD
        )
        frames[node.id] = "double" if node.block_id == AGENT_BLOCK_ID else frame or "plain"
    return frames


def _show_one(graph: Graph, progress: Progress | None, links: bool, kind: str) -> None:
    labels, frames = node_labels(graph), frames_of(graph)
    drawn = {node: frame for node, frame in frames.items() if frame != "note"}
    hidden = _error_links(graph, frames)
    boxes = {
        node: _box(
            labels[node],
            frame,
            None if progress is None else progress.nodes.get(node),
            _fails_to(node, hidden),
        )
        for node, frame in drawn.items()
    }
    facts = f"{len(drawn)} nodes, {len(graph.links)} links"
    show(Text.assemble((f"{kind}{graph.name or graph.id}", "bold"), (f"  v{graph.version} · {facts}", "dim")))
    if progress is not None:
        show(Text(f"{look(progress.status).glyph} {progress.status}", style=look(progress.status).style))
    screen = console()
    width = screen.width if screen.is_terminal else PIPED_WIDTH
    picture = draw(graph, boxes, width, hidden)
    for row in picture:
        screen.print(Text.assemble(*row), no_wrap=True, overflow="crop", crop=True)
    widest = max((sum(len(text) for text, _ in row) for row in picture), default=0)
    if screen.is_terminal and widest > width:
        note(f"The picture is cut: it needs {widest} columns. Widen the terminal, or pipe it into `less -S`.")
    _show_legend(graph, labels, hidden, links)


def _box(label: str, frame: str, node: NodeProgress | None, fails: bool) -> BoxText:
    text = f"{label} !" if fails else label
    if node is None:
        return BoxText(text, "", frame)
    glyph, style = look(node.status)
    count = f" {node.total}×" if node.total > 1 else ""
    return BoxText(f"{glyph} {text}{count}", style, frame)


def _error_links(graph: Graph, frames: dict[str, str]) -> set[Edge]:
    """Links that only carry errors into an output where several meet: they would cover everything else."""
    pins: dict[Edge, set[str]] = {}
    for link in graph.links:
        pins.setdefault((link.source_id, link.sink_id), set()).add(link.source_name)
    only_errors = {
        edge for edge, names in pins.items() if names == {"error"} and frames.get(edge[1]) == "round"
    }
    meeting = Counter(sink for _, sink in only_errors)
    return {edge for edge in only_errors if meeting[edge[1]] > 1}


def _fails_to(node: str, hidden: set[Edge]) -> bool:
    return any(source == node for source, _ in hidden)


def _show_legend(graph: Graph, labels: dict[str, str], hidden: set[Edge], links: bool) -> None:
    for sink in dict.fromkeys(sink for _, sink in sorted(hidden)):
        show(Text(f"! its error goes to {labels[sink]}", style="dim"))
    if any(link.source_id == link.sink_id for link in graph.links):
        show(Text("↺ feeds itself", style="dim"))
    for link in graph.links if links else ():
        ends = (labels.get(link.source_id, link.source_id), labels.get(link.sink_id, link.sink_id))
        static = "  (static)" if link.is_static else ""
        show(Text(f"{ends[0]}.{link.source_name} → {ends[1]}.{link.sink_name}{static}", style="dim"))
