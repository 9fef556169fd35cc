"""What the engine answers when a request can't be met."""

from __future__ import annotations

from collections.abc import Mapping

from actbook.graphs import ActbookError


class NotFoundError(ActbookError, LookupError):
    """There is no such thing, or it belongs to somebody else: both look the same on purpose."""


class ExecutionNotFoundError(NotFoundError):
    """No graph execution of that id for that user."""

    def __init__(self, graph_exec_id: str) -> None:
        super().__init__(f"Graph execution #{graph_exec_id} not found.")
        self.graph_exec_id = graph_exec_id


class GraphNotFoundError(NotFoundError):
    """No graph of that id and version. Save it first, or look at the ids you use."""

    def __init__(self, graph_id: str, version: int | None = None) -> None:
        super().__init__(
            f"Graph #{graph_id} not found."
            if version is None
            else f"Graph #{graph_id} version {version} not found."
        )
        self.graph_id = graph_id
        self.version = version


class GraphValidationError(ActbookError, ValueError):
    """The graph can't be run as it is. `node_errors`: node id → field → text, all of them at once."""

    def __init__(self, node_errors: Mapping[str, Mapping[str, str]]) -> None:
        self.node_errors = {node: dict(fields) for node, fields in node_errors.items()}
        issues = sum(len(fields) for fields in self.node_errors.values())
        super().__init__(f"Graph validation failed: {issues} issues on {len(self.node_errors)} nodes")


class StillStoppingError(ActbookError, TimeoutError):
    """The cancel request is recorded and stays in force; only the waiting ended."""

    def __init__(self, graph_exec_id: str, timeout: float) -> None:
        super().__init__(
            f"Graph execution #{graph_exec_id} will need to take longer than {timeout:g} seconds to stop. "
            "You can check the status of the execution in the UI or try again later."
        )
        self.graph_exec_id = graph_exec_id
        self.timeout = timeout


class StillRunningError(ActbookError, TimeoutError):
    """The execution goes on; only the waiting ended."""

    def __init__(self, graph_exec_id: str, timeout: float) -> None:
        super().__init__(
            f"Graph execution #{graph_exec_id} did not end within {timeout:g} seconds; it goes on."
        )
        self.graph_exec_id = graph_exec_id
        self.timeout = timeout


class ReviewError(ActbookError, ValueError):
    """A review can't be decided like that."""

    def __init__(self, node_exec_id: str, reason: str) -> None:
        super().__init__(f"Review {node_exec_id} {reason}")
        self.node_exec_id = node_exec_id
        self.reason = reason


class EngineClosedError(ActbookError, RuntimeError):
    """The engine is closed. Open it with `async with Engine.open(url)` and stay inside the block."""

    def __init__(self) -> None:
        super().__init__("The engine is closed. Open it with `async with Engine.open(url) as engine:`.")
