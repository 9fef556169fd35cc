"""The table `executions`."""

from __future__ import annotations

from actbook.projections._table import Column, Index, Table

EXECUTIONS = Table(
    "executions",
    "One row per graph execution.",
    (
        Column("seq", "INTEGER", "position of its first event: the order of creation", 0, fixed=True),
        Column("id", "TEXT", "graph execution", "", fixed=True),
        Column("user_id", "TEXT", "on whose behalf", "", fixed=True),
        Column("graph_id", "TEXT", "graph; its name is in table graphs", "", fixed=True),
        Column("graph_version", "INTEGER", "version of the graph", 0, fixed=True),
        Column("status", "TEXT", "INCOMPLETE, QUEUED, RUNNING, COMPLETED, FAILED, TERMINATED or REVIEW", ""),
        Column("created_at", "INTEGER", "when it was accepted, or forked", 0),
        Column("queued_at", "INTEGER", "when it was queued last"),
        Column("started_at", "INTEGER", "when it was first RUNNING"),
        Column("ended_at", "INTEGER", "when it ended"),
        Column("wall", "REAL", "seconds from first start to end; 0 while it is not over", 0.0),
        Column("attempt", "INTEGER", "1, and one more for each retry", 1),
        Column("node_exec_count", "INTEGER", "node executions created", 0),
        Column("node_done_count", "INTEGER", "node executions that completed or failed", 0),
        Column("node_error_count", "INTEGER", "node executions that failed", 0),
        Column("node_wall", "REAL", "wall seconds summed over node executions", 0.0),
        Column("node_cpu", "REAL", "CPU seconds summed over node executions", 0.0),
        Column("cost", "REAL", "credits it was charged, without its sub-graphs' executions", 0.0),
        Column("error", "TEXT", "error text when it failed as a whole, cut at 4,000 characters", ""),
        Column("reason", "TEXT", "why it ended FAILED or TERMINATED, cut alike", ""),
        Column("actor", "TEXT", "who ended it", ""),
        Column("worker", "TEXT", "who claimed it last", ""),
        Column("parent_id", "TEXT", "execution that runs it as a sub-graph", fixed=True),
        Column("parent_node", "INTEGER", "number of the parent's node execution", fixed=True),
        Column("origin_id", "TEXT", "execution that it is a fork of", fixed=True),
        Column("origin_version", "INTEGER", "version of the origin from which it went on", fixed=True),
        Column("root_id", "TEXT", "topmost execution of its tree; NULL when it is that itself", fixed=True),
        Column(
            "inputs", "TEXT", "JSON object of the inputs, as far as they fit into 16 KiB", "{}", fixed=True
        ),
        Column("inputs_complete", "INTEGER", "0 = some inputs did not fit", 1, fixed=True),
        Column("outputs", "TEXT", "JSON object: output name → values in order, up to 16 KiB", "{}"),
        Column("output_numbers", "TEXT", "JSON object: output name → node execution of each value", "{}"),
        Column("outputs_complete", "INTEGER", "0 = some outputs did not fit", 1),
        Column("priority", "INTEGER", "higher goes first where executions wait for a place", 0, fixed=True),
        Column("start_at", "INTEGER", "it was not to begin before this moment", fixed=True),
        Column("status_at", "INTEGER", "when it got its status", 0),
        Column("claimed_at", "INTEGER", "when its worker claimed it"),
        Column("position", "INTEGER", "event that changed the row last", 0),
    ),
    key=("id",),
    ordered_by="seq",
    indexes=(
        Index(("user_id", "seq")),
        Index(("status", "seq")),
        Index(("graph_id", "seq")),
        Index(("parent_id",), "parent_id IS NOT NULL"),
        Index(("root_id",), "root_id IS NOT NULL"),
    ),
)
