"""Graph definitions: versions in the journal, and what is prepared from them in memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from actbook.actors import wall_clock
from actbook.engine._errors import GraphNotFoundError
from actbook.engine._graph_record import GraphRecord
from actbook.events import (
    Append,
    Draft,
    Event,
    GraphAdopted,
    GraphSaved,
    GraphShared,
    GraphUnshared,
    graph_stream,
)
from actbook.graphs import Graph
from actbook.journal import ConflictError, Journal

KEPT = 256
"""Graph versions kept in memory."""


class GraphStore:
    """Saves and loads graph versions. A version never changes: other content under a known version gets the next one.

    Where a user is named only what he may use is found; None is the operator, who finds everything.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = self._journal = journal
        self._graphs: OrderedDict[tuple[str, int], Graph] = OrderedDict()
        self._records: dict[str, GraphRecord] = {}

    async def save(self, graph: Graph, user_id: str) -> Graph:
        """The graph under the version it has from now on; the same content again changes nothing."""
        while True:
            record = self._records.get(graph.id) or await self._read(graph.id)
            saved, event = _to_record(record, graph, user_id)
            if event is None or await self._append(record, graph.id, user_id, event):
                return self._keep(saved)

    async def load(self, graph_id: str, version: int | None = None, user_id: str | None = None) -> Graph:
        """A version, or the one saved last. Raises `GraphNotFoundError`."""
        if version is None:
            record = await self._read(graph_id)
            newest = record.newest(user_id)
            if newest is None:
                raise GraphNotFoundError(graph_id)
            return await self._definition(record, graph_id, newest)
        kept = self._records.get(graph_id)
        if kept is None or not kept.is_own(version, user_id):
            kept = await self._read(graph_id)
        if not kept.allows(version, user_id):
            raise GraphNotFoundError(graph_id, None if kept.newest(user_id) is None else version)
        return await self._definition(kept, graph_id, version)

    async def saver(self, graph_id: str, version: int) -> str:
        """Who saved a version. Raises `GraphNotFoundError`."""
        record = self._records.get(graph_id) or await self._read(graph_id)
        if version not in record.versions:
            raise GraphNotFoundError(graph_id, version)
        return record.versions[version].user_id

    async def trusts(self, graph_id: str, version: int, user_id: str) -> bool:
        """Whether who saved a version means the user to have it."""
        return (await self._read(graph_id)).trusts(version, user_id)

    async def share(self, graph_id: str, user_id: str | None, with_user: str | None, shared: bool) -> None:
        """Shares the versions that a user saved, or takes that back. Repeatable. Raises `GraphNotFoundError`."""
        while True:
            record = await self._read(graph_id)
            newest = next(reversed(record.versions), None) if user_id is None else record.newest_of(user_id)
            if newest is None:
                raise GraphNotFoundError(graph_id)
            by = record.versions[newest].user_id
            if record.shares(by, with_user) is shared:
                return
            event = (GraphShared if shared else GraphUnshared)(graph_id, by, with_user)
            if await self._append(record, graph_id, by, event):
                return

    async def _append(self, record: GraphRecord, graph_id: str, user_id: str, event: Event) -> bool:
        """False: somebody else wrote meanwhile, which the record knows now."""
        draft = Draft(event, wall_clock())
        append = Append(graph_stream(graph_id), record.count, [draft], user_id)
        try:
            await self._journal.append(append)
        except ConflictError:
            return False
        finally:
            await self._read(graph_id)
        return True

    async def _read(self, graph_id: str) -> GraphRecord:
        """The record with everything that is committed."""
        record = self._records.get(graph_id) or GraphRecord()
        record.fold(await self._journal.read_stream(graph_stream(graph_id), after=record.count))
        if record.count:
            # Whoever began at the same time may have kept one already.
            record = self._records.setdefault(graph_id, record)
        return record

    async def _definition(self, record: GraphRecord, graph_id: str, version: int) -> Graph:
        graph = self._graphs.get((graph_id, version))
        if graph is not None:
            self._graphs.move_to_end((graph_id, version))
            return graph
        place = record.versions[version].place
        [event] = await self._journal.read_stream(graph_stream(graph_id), after=place - 1, limit=1)
        assert isinstance(event.payload, GraphSaved)
        return self._keep(Graph.from_dict(event.payload.definition))

    def _keep(self, graph: Graph) -> Graph:
        self._graphs[graph.id, graph.version] = graph
        if len(self._graphs) > KEPT:
            self._graphs.popitem(last=False)
        return graph


def _to_record(record: GraphRecord, graph: Graph, user_id: str) -> tuple[Graph, Event | None]:
    """The graph as it will be known, and what has to be recorded for that."""
    content, known = graph.content_hash(), record.versions.get(graph.version)
    if known is not None and known.content != content:
        mine = record.newest_of(user_id)
        if mine is not None:
            again = _numbered(graph, mine)
            if again.content_hash() == record.versions[mine].content:
                return again, None
        graph = _numbered(graph, max(record.versions) + 1)
        content, known = graph.content_hash(), None
    if known is None:
        return graph, GraphSaved(graph.id, graph.version, user_id, graph.name, content, graph.to_dict())
    if record.allows(graph.version, user_id):
        return graph, None
    return graph, GraphAdopted(graph.id, graph.version, user_id)


def _numbered(graph: Graph, version: int) -> Graph:
    document: dict[str, Any] = graph.to_dict()
    document["version"] = version
    return Graph.from_dict(document)
