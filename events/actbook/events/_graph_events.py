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


@topic("graph.adopted")
class GraphAdopted(Event, frozen=True, array_like=True, gc=False):
    """A user saved what somebody else had saved under this version, and so may use it as well."""

    graph_id: str
    version: int
    user_id: str


@topic("graph.shared")
class GraphShared(Event, frozen=True, array_like=True, gc=False):
    """A user lets another one run all versions that he saved and will save; `with_user` None: everybody."""

    graph_id: str
    user_id: str
    with_user: str | None = None


@topic("graph.unshared")
class GraphUnshared(Event, frozen=True, array_like=True, gc=False):
    """A user takes back what he shared with another one, or, `with_user` None, with everybody."""

    graph_id: str
    user_id: str
    with_user: str | None = None
