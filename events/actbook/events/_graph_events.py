"""Events of a graph definition: one stream per graph, one event per version."""

from __future__ import annotations

from typing import Any

from actbook.events._topics import Event, topic


def graph_stream(graph_id: str) -> str:
    """Stream id of a graph's definitions."""
    return f"graph:{graph_id}"


@topic("graph.saved")
class GraphSaved(Event, frozen=True, array_like=True, gc=False):
    """A version of a graph, as its JSON; it never changes. `content` is the SHA-256 (hex) of the canonical JSON."""

    graph_id: str
    version: int
    user_id: str
    name: str
    content: str
    definition: dict[str, Any]
