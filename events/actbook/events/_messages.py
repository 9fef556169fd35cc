"""Messages that travel between processes: they point at an execution and never carry payloads or secrets."""

from __future__ import annotations

from typing import Any

import msgspec

from actbook.graphs._context import ExecutionContext


class GraphExecutionEntry(msgspec.Struct, kw_only=True):
    """The run message: a hint to look at an execution. Unknown fields are ignored on parse."""

    user_id: str
    graph_exec_id: str
    graph_id: str
    graph_version: int
    nodes_input_masks: dict[str, dict[str, Any]] | None = None
    nodes_to_skip: list[str] = []
    execution_context: ExecutionContext = msgspec.field(default_factory=ExecutionContext)


class CancelExecutionEvent(msgspec.Struct, kw_only=True):
    """The cancel message. `at`: microseconds since the Unix epoch, UTC, 0 = not given."""

    graph_exec_id: str
    actor: str = ""
    reason: str = ""
    at: int = 0
