"""What one node execution knows about the run it belongs to."""

from __future__ import annotations

import copy

import msgspec


class ExecutionContext(msgspec.Struct, kw_only=True):
    """Identity and settings of a run, for blocks and messages. Unknown fields are ignored on parse."""

    user_id: str = ""
    graph_id: str = ""
    graph_version: int = 0
    graph_exec_id: str = ""
    node_id: str = ""
    node_exec_id: str = ""
    root_execution_id: str | None = None
    parent_execution_id: str | None = None
    human_in_the_loop_safe_mode: bool = True
    sensitive_action_safe_mode: bool = False
    dry_run: bool = False
    user_timezone: str = "UTC"
    attempt: int = 1
    idempotency_key: str = ""

    def __post_init__(self) -> None:
        if self.user_timezone in ("", "not-set"):
            self.user_timezone = "UTC"

    def for_node(self, node_id: str, node_exec_id: str, *, attempt: int = 1) -> ExecutionContext:
        """A copy of its own for one node execution; its idempotency key stays the same over all attempts."""
        own = copy.copy(self)
        own.node_id = node_id
        own.node_exec_id = node_exec_id
        own.attempt = attempt
        own.idempotency_key = node_exec_id
        return own
