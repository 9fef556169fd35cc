"""Showing an execution until it is over."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from actbook.cli._live._follow import Follower
from actbook.cli._live._progress import Progress

if TYPE_CHECKING:
    from actbook.engine import Engine
    from actbook.events import Envelope
    from actbook.graphs import Graph


class View(Protocol):
    """Where progress is shown.

    `tick`: seconds between frames in which nothing happens but time; None = such frames are not needed.
    """

    tick: float | None

    def start(self) -> None: ...
    def event(self, progress: Progress, envelope: Envelope) -> None: ...
    def say(self, text: str) -> None: ...
    def draw(self, progress: Progress, *, last: bool = False) -> None: ...
    def close(self) -> None: ...


def view_for(graph: Graph, execution_id: str) -> View:
    """A live picture on a terminal, lines anywhere else; both on stderr."""
    title = f"{graph.name or graph.id}  v{graph.version}"
    if sys.stderr.isatty():
        from actbook.cli._live._screen import Screen

        return Screen(title, execution_id)
    from actbook.cli._live._lines import Lines

    return Lines(title, execution_id)


async def watching(
    engine: Engine,
    execution_id: str,
    graph: Graph,
    *,
    since: int = 0,
    on_view: Callable[[View], None] | None = None,
) -> Progress:
    """Follows an execution on the screen until it is terminal or in review, or the caller is cancelled.

    An end before the version `since` is not the one that is waited for: it was asked to go on.
    """
    progress = progress_of(graph)
    view = view_for(graph, execution_id)
    if on_view is not None:
        on_view(view)
    follower = Follower(engine, execution_id)
    await follower.start()
    view.start()
    try:
        while not progress.over or follower.version < since:
            await follower.wait(view.tick)
            for envelope in follower.take():
                view.event(progress, envelope)
                progress.apply(envelope)
            view.draw(progress)
    finally:
        view.draw(progress, last=True)
        view.close()
        follower.close()
    return progress


def progress_of(graph: Graph) -> Progress:
    """The nodes along the flow; notes are no work."""
    from actbook.blocks import default_registry
    from actbook.cli._names import node_labels
    from actbook.cli._picture import flow_order
    from actbook.graphs import BlockType

    labels = node_labels(graph)
    nodes = {node.id: node for node in graph.nodes}
    lookup = default_registry().lookup

    def is_note(node_id: str) -> bool:
        found = lookup(nodes[node_id].block_id)
        return found is not None and found.block_type is BlockType.NOTE

    return Progress((node_id, labels[node_id]) for node_id in flow_order(graph) if not is_note(node_id))
