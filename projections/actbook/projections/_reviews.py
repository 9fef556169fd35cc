"""The view `reviews`: one row per node execution that asked a person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from actbook.events import Envelope, NodeReviewDecided, NodeReviewRequested, NodeTerminated
from actbook.projections._bounded import text, value_as_json
from actbook.projections._projection import Projection, handles
from actbook.projections._rows import Rows
from actbook.projections._table import Column, Index, Row, Table

REVIEWS = Table(
    "reviews",
    "One row per node execution that asked a person. When it asks again, after a decision or a stop, the row is about that.",
    (
        Column("execution_id", "TEXT", "graph execution it belongs to", "", fixed=True),
        Column("number", "INTEGER", "node execution", 0, fixed=True),
        Column(
            "id",
            "TEXT",
            "how the review is named: `execution_id.number`",
            generated="execution_id || '.' || number",
        ),
        Column(
            "requested",
            "INTEGER",
            "position of the event that asked: the order in which reviews were asked for",
            0,
        ),
        Column("requested_at", "INTEGER", "when it asked", 0),
        Column("name", "TEXT", "what it is called", ""),
        Column("data", "TEXT", "JSON of what is to be judged; NULL when it is longer than 16 KiB"),
        Column("editable", "INTEGER", "1 = the reviewer may change the data", 1),
        Column(
            "status", "TEXT", "WAITING, APPROVED, REJECTED, or TERMINATED when it was stopped undecided", ""
        ),
        Column("decided_at", "INTEGER", "when it was decided"),
        Column(
            "decided_data", "TEXT", "JSON of the data as decided; NULL alike, and while nothing is decided"
        ),
        Column("reviewer", "TEXT", "who decided", ""),
        Column("message", "TEXT", "what the reviewer said, cut at 4,000 characters", ""),
        Column("position", "INTEGER", "event that changed the row last", 0),
    ),
    key=("execution_id", "number"),
    indexes=(Index(("requested",), "status='WAITING'"),),
)

_FEW = 16


class Reviews(Projection):
    """Asked, and decided."""

    table: ClassVar[Table] = REVIEWS

    @handles(NodeReviewRequested)
    def requested(self, event: Envelope, payload: NodeReviewRequested, rows: Rows) -> None:
        rows[event.stream_id, payload.node_exec] = {
            **REVIEWS.blank(),
            "execution_id": event.stream_id,
            "number": payload.node_exec,
            "requested": event.position,
            "requested_at": event.at,
            "name": text(payload.name),
            "data": value_as_json(payload.data),
            "editable": 1 if payload.editable else 0,
            "status": "WAITING",
            "position": event.position,
        }

    @handles(NodeReviewDecided)
    def decided(self, event: Envelope, payload: NodeReviewDecided, rows: Rows) -> None:
        row = rows[event.stream_id, payload.node_exec]
        row["status"] = "APPROVED" if payload.approved else "REJECTED"
        row["decided_at"] = event.at
        row["decided_data"] = value_as_json(payload.data)
        row["reviewer"] = payload.reviewer
        row["message"] = text(payload.message)
        row["position"] = event.position

    @handles(NodeTerminated)
    def terminated(self, event: Envelope, payload: NodeTerminated, rows: Rows) -> None:
        for row in _waiting(event.stream_id, payload.node_execs, rows):
            row["status"] = "TERMINATED"
            row["position"] = event.position


def _waiting(execution_id: str, numbers: tuple[int, ...], rows: Rows) -> Iterable[Row]:
    """Rows of those that wait. Most node executions that are stopped never asked: many are not looked for one by one."""
    if len(numbers) > _FEW:
        among = set(numbers)
        return [
            row for row in rows.where(execution_id=execution_id, status="WAITING") if row["number"] in among
        ]
    keys = [(execution_id, number) for number in numbers]
    found = ((key, rows.peek(key)) for key in keys)
    return [rows[key] for key, row in found if row is not None and row["status"] == "WAITING"]
