"""The view `graphs`: one row per saved version of a graph."""

from __future__ import annotations

from typing import ClassVar

from actbook.events import Envelope, GraphSaved
from actbook.projections._bounded import text
from actbook.projections._projection import Projection, handles
from actbook.projections._rows import Rows
from actbook.projections._table import Column, Index, Table

GRAPHS = Table(
    "graphs",
    "One row per saved version of a graph. The definition itself is in the events.",
    (
        Column("graph_id", "TEXT", "graph", "", fixed=True),
        Column("version", "INTEGER", "version of the graph", 0, fixed=True),
        Column("user_id", "TEXT", "who saved it", "", fixed=True),
        Column("name", "TEXT", "name, cut at 4,000 characters", "", fixed=True),
        Column("content", "TEXT", "SHA-256 of the canonical JSON, hexadecimal", "", fixed=True),
        Column("saved_at", "INTEGER", "when it was saved", 0, fixed=True),
        Column("position", "INTEGER", "event that changed the row last", 0),
    ),
    key=("graph_id", "version"),
    indexes=(Index(("user_id", "saved_at")),),
)


class Graphs(Projection):
    """Names of graphs, for whoever lists executions."""

    table: ClassVar[Table] = GRAPHS

    @handles(GraphSaved)
    def saved(self, event: Envelope, payload: GraphSaved, rows: Rows) -> None:
        rows[payload.graph_id, payload.version] = {
            **GRAPHS.blank(),
            "graph_id": payload.graph_id,
            "version": payload.version,
            "user_id": payload.user_id,
            "name": text(payload.name),
            "content": payload.content,
            "saved_at": event.at,
            "position": event.position,
        }
