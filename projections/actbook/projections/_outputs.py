"""The view `outputs`: one row per value that an execution gave out."""

from __future__ import annotations

from typing import ClassVar

from actbook.events import Envelope, NodeCompleted, NodeOutput
from actbook.projections._bounded import value_as_json
from actbook.projections._projection import Projection, handles
from actbook.projections._rows import Rows
from actbook.projections._table import Column, Table

OUTPUTS = Table(
    "outputs",
    "One row per value of a graph output. In the order of `number`, `position`, `item`.",
    (
        Column("execution_id", "TEXT", "graph execution", "", fixed=True),
        Column("name", "TEXT", "name of the graph's output", "", fixed=True),
        Column("number", "INTEGER", "node execution that it comes from", 0, fixed=True),
        Column("position", "INTEGER", "event that recorded it", 0, fixed=True),
        Column("item", "INTEGER", "0, 1, 2 … among the values of one event", 0, fixed=True),
        Column(
            "value", "TEXT", "JSON; NULL when it is longer than 16 KiB, and only in the events", fixed=True
        ),
        Column("at", "INTEGER", "when it was recorded", 0, fixed=True),
    ),
    key=("execution_id", "name", "number", "position", "item"),
)


class Outputs(Projection):
    """Every value, where `executions` has only as much as fits into a row."""

    table: ClassVar[Table] = OUTPUTS

    @handles(NodeOutput, NodeCompleted)
    def gave(self, event: Envelope, payload: NodeOutput | NodeCompleted, rows: Rows) -> None:
        name = payload.graph_output
        if name is None:
            return
        values = [value for pin, value in payload.outputs if pin == "output"]
        for item, value in enumerate(values):
            rows[event.stream_id, name, payload.node_exec, event.position, item] = {
                "execution_id": event.stream_id,
                "name": name,
                "number": payload.node_exec,
                "position": event.position,
                "item": item,
                "value": value_as_json(value),
                "at": event.at,
            }
