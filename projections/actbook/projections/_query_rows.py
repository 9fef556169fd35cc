"""Typed rows that queries return. Times are microseconds since the Unix epoch, UTC; None = not yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from actbook.events import ExecutionStatus


class ExecutionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A graph execution as the views know it. The columns are documented in table `executions`.

    `graph_name` is empty when the graph was never saved. `inputs` and `outputs` are complete unless their
    flag says otherwise; the whole is in the execution's state.
    """

    seq: int
    id: str
    user_id: str
    graph_id: str
    graph_version: int
    graph_name: str
    status: ExecutionStatus
    created_at: int
    queued_at: int | None
    started_at: int | None
    ended_at: int | None
    wall: float
    attempt: int
    node_exec_count: int
    node_done_count: int
    node_error_count: int
    node_wall: float
    node_cpu: float
    cost: float
    error: str
    reason: str
    actor: str
    worker: str
    parent_id: str | None
    parent_node: int | None
    origin_id: str | None
    origin_version: int | None
    root_id: str | None
    inputs: dict[str, Any]
    inputs_complete: bool
    outputs: dict[str, list[Any]]
    outputs_complete: bool
    priority: int
    start_at: int | None
    status_at: int
    claimed_at: int | None
    position: int


class NodeExecutionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A node execution as the views know it. The columns are documented in table `node_executions`."""

    execution_id: str
    number: int
    id: str
    node_id: str
    block_id: str
    status: ExecutionStatus
    attempt: int
    queued_at: int | None
    started_at: int | None
    ended_at: int | None
    wall: float
    cpu: float
    input_bytes: int
    output_bytes: int
    cost: float
    counters: dict[str, Any]
    error: str
    error_type: str
    expected: bool
    skipped: bool
    child_id: str
    retry_of: int
    reason: str
    waited: float
    inherited: bool
    position: int


class UsageRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a user was charged. The columns are documented in table `usage`; those that were not asked for are empty."""

    user_id: str
    day: str
    graph_id: str
    block_id: str
    kind: str
    charges: int
    amount: float


class ExecutionTree(msgspec.Struct, frozen=True):
    """An execution with those of its sub-graphs, in order of creation."""

    execution: ExecutionRow
    children: tuple[ExecutionTree, ...] = ()


EXECUTION_FIELDS: tuple[str, ...] = ExecutionRow.__struct_fields__
NODE_EXECUTION_FIELDS: tuple[str, ...] = NodeExecutionRow.__struct_fields__

_decode = msgspec.json.Decoder().decode


def execution_row(values: Sequence[Any]) -> ExecutionRow:
    """From values in the order of `EXECUTION_FIELDS`."""
    fields = dict(zip(EXECUTION_FIELDS, values, strict=True))
    fields["inputs"] = _decode(fields["inputs"])
    fields["outputs"] = _decode(fields["outputs"])
    return msgspec.convert(fields, ExecutionRow, strict=False)


def usage_row(values: Sequence[Any]) -> UsageRow:
    """From values in the order of `UsageRow`."""
    return UsageRow(**dict(zip(UsageRow.__struct_fields__, values, strict=True)))


def node_execution_row(values: Sequence[Any]) -> NodeExecutionRow:
    """From values in the order of `NODE_EXECUTION_FIELDS`."""
    fields = dict(zip(NODE_EXECUTION_FIELDS, values, strict=True))
    fields["counters"] = _decode(fields["counters"])
    return msgspec.convert(fields, NodeExecutionRow, strict=False)


def execution_tree(root_id: str, rows: Sequence[ExecutionRow]) -> ExecutionTree | None:
    """Built from the youngest up: a child is always younger than its parent."""
    children: dict[str | None, list[ExecutionTree]] = {}
    for row in reversed(rows):
        tree = ExecutionTree(row, tuple(reversed(children.pop(row.id, ()))))
        if row.id == root_id:
            return tree
        children.setdefault(row.parent_id, []).append(tree)
    return None
