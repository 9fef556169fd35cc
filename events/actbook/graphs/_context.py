"""What one node execution knows about the run it belongs to."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import msgspec

from ._stored_credentials import Credentials, credentials_of_run


class ExecutionContext(msgspec.Struct, kw_only=True):
    """Identity and settings of a run, for blocks and messages. Unknown fields are ignored on parse.

    `started_at`: when the first attempt of the node execution started, in microseconds since the Unix epoch; 0 = unknown.
    """

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
    started_at: int = 0

    def __post_init__(self) -> None:
        if self.user_timezone in ("", "not-set"):
            self.user_timezone = "UTC"

    @property
    def credentials(self) -> Mapping[str, Credentials]:
        """By credentials pin, inside `run` only; elsewhere empty. They are no part of this struct and are never encoded.

        A thread of the block's own does not see them, unless it is started with `asyncio.to_thread`: read them first.
        """
        return credentials_of_run.get()

    def for_node(self, node_id: str, node_exec_id: str, *, attempt: int = 1) -> ExecutionContext:
        """A copy of its own for one node execution; its idempotency key stays the same over all attempts."""
        own = copy.copy(self)
        own.node_id = node_id
        own.node_exec_id = node_exec_id
        own.attempt = attempt
        own.idempotency_key = node_exec_id
        return own
