"""Graph definitions: versions in the journal, and what is prepared from them in memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from actbook.actors import wall_clock
from actbook.engine._errors import GraphNotFoundError
from actbook.events import Append, Draft, GraphSaved, graph_stream
from actbook.graphs import Graph
from actbook.journal import ConflictError, Journal

KEPT = 256
"""Graph versions kept in memory."""


class GraphStore:
    """Saves and loads graph versions. A version never changes: other content under a known version gets the next one."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._graphs: OrderedDict[tuple[str, int], Graph] = OrderedDict()
        self._contents: dict[str, dict[int, str]] = {}
        self._newest: dict[str, tuple[int, int]] = {}

    async def save(self, graph: Graph, user_id: str) -> Graph:
        """The graph under the version it has from now on; the same content again changes nothing."""
        content = graph.content_hash()
        while True:
            versions = self._contents.get(graph.id)
            if versions is None:
                versions = await self._read_versions(graph.id)
            known = versions.get(graph.version)
            if known == content:
                return self._keep(graph)
            if known is not None:
                graph = _numbered(graph, max(versions) + 1)
                content = graph.content_hash()
            event = GraphSaved(graph.id, graph.version, user_id, graph.name, content, graph.to_dict())
            try:
                await self._journal.append(
                    Append(graph_stream(graph.id), len(versions), [Draft(event, wall_clock())], user_id)
                )
            except ConflictError:
                self._contents.pop(graph.id, None)
                continue
            versions[graph.version] = content
            self._newest[graph.id] = (len(versions), graph.version)
            return self._keep(graph)

    async def load(self, graph_id: str, version: int | None = None) -> Graph:
        """A version, or the one saved last. Raises `GraphNotFoundError`."""
        if version is not None and (graph_id, version) in self._graphs:
            self._graphs.move_to_end((graph_id, version))
            return self._graphs[graph_id, version]
        if version is None and (newest := await self._newest_kept(graph_id)) is not None:
            return newest
        saved = await self._saved(graph_id)
        for event in reversed(saved):
            if version is None or event.version == version:
                self._newest[graph_id] = (len(saved), saved[-1].version)
                return self._keep(Graph.from_dict(event.definition))
        raise GraphNotFoundError(graph_id, version)

    async def _newest_kept(self, graph_id: str) -> Graph | None:
        """The version saved last, when it is in memory and nobody saved another one since."""
        count, version = self._newest.get(graph_id, (0, 0))
        graph = self._graphs.get((graph_id, version))
        if graph is None or await self._journal.head(graph_stream(graph_id)) != count:
            return None
        return graph

    async def owner_of(self, graph_id: str) -> str:
        """Who saved the graph first."""
        events = await self._saved(graph_id)
        if not events:
            raise GraphNotFoundError(graph_id)
        return events[0].user_id

    async def _read_versions(self, graph_id: str) -> dict[int, str]:
        versions = {event.version: event.content for event in await self._saved(graph_id)}
        self._contents[graph_id] = versions
        return versions

    async def _saved(self, graph_id: str) -> list[GraphSaved]:
        events = await self._journal.read_stream(graph_stream(graph_id))
        return [event.payload for event in events if isinstance(event.payload, GraphSaved)]

    def _keep(self, graph: Graph) -> Graph:
        self._graphs[graph.id, graph.version] = graph
        if len(self._graphs) > KEPT:
            self._graphs.popitem(last=False)
        return graph


def _numbered(graph: Graph, version: int) -> Graph:
    document: dict[str, Any] = graph.to_dict()
    document["version"] = version
    return Graph.from_dict(document)
