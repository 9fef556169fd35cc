"""Messages that travel between processes: they point at an execution and never carry payloads or secrets."""

from __future__ import annotations

from typing import Any, Self

import msgspec

from actbook.graphs._context import ExecutionContext


class _Message(msgspec.Struct, kw_only=True):
    def to_json(self) -> bytes:
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, body: str | bytes) -> Self:
        """Unknown fields are ignored. Raises `msgspec.DecodeError`, whose text says what can't be read."""
        return msgspec.json.decode(body, type=cls)


class GraphExecutionEntry(_Message, kw_only=True):
    """The run message: a hint to look at an execution. Unknown fields are ignored on parse."""

    user_id: str
    graph_exec_id: str
    graph_id: str
    graph_version: int
    nodes_input_masks: dict[str, dict[str, Any]] | None = None
    nodes_to_skip: list[str] = []
    execution_context: ExecutionContext = msgspec.field(default_factory=ExecutionContext)


class CancelExecutionEvent(_Message, kw_only=True):
    """The cancel message. `at`: microseconds since the Unix epoch, UTC, 0 = not given."""

    graph_exec_id: str
    actor: str = ""
    reason: str = ""
    at: int = 0
