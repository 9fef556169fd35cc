"""What the engine answers when a request can't be met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from actbook.events import ExecutionStatus
from actbook.graphs import ActbookError


class NotFoundError(ActbookError, LookupError):
    """There is no such thing, or it belongs to somebody else: both look the same on purpose."""


class ConfigurationError(ActbookError, ValueError):
    """An environment variable can't be what its setting has to be."""

    def __init__(self, name: str, value: str, reason: str) -> None:
        super().__init__(f"{name}={value!r} can't be used: {reason}. Correct or unset it.")
        self.name = name
        self.value = value
        self.reason = reason


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


class ScheduleNotFoundError(NotFoundError):
    """No schedule of that id for that user."""

    def __init__(self, schedule_id: str) -> None:
        super().__init__(f"Schedule #{schedule_id} not found.")
        self.schedule_id = schedule_id


class ScheduleError(ActbookError, ValueError):
    """A schedule can't be as it is described."""

    def __init__(self, field: str, value: object, remedy: str) -> None:
        super().__init__(f"A schedule's {field} can't be {value!r}: {remedy}.")
        self.field = field
        self.value = value


class SharingError(ActbookError, ValueError):
    """It is not said with whom a graph is to be shared."""

    def __init__(self) -> None:
        super().__init__("Name a user in `with_user`, or say `public=True` for everybody: one of them.")


class GraphValidationError(ActbookError, ValueError):
    """The graph can't be run as it is. `node_errors`: node id → field → text, all of them at once."""

    def __init__(self, node_errors: Mapping[str, Mapping[str, str]]) -> None:
        self.node_errors = {node: dict(fields) for node, fields in node_errors.items()}
        issues = sum(len(fields) for fields in self.node_errors.values())
        super().__init__(f"Graph validation failed: {issues} issues on {len(self.node_errors)} nodes")


class IdempotencyKeyError(ActbookError, ValueError):
    """The key belongs to an execution that was asked for with something else. `different` names what."""

    def __init__(self, idempotency_key: str, graph_exec_id: str, different: Sequence[str]) -> None:
        super().__init__(
            f"Idempotency key {idempotency_key!r} belongs to graph execution #{graph_exec_id}, which was asked for with another "
            f"{' and another '.join(different)}. Repeat the same request, or give the new one a key of its own."
        )
        self.idempotency_key = idempotency_key
        self.graph_exec_id = graph_exec_id
        self.different = tuple(different)


class UnrecordableInputError(ActbookError, ValueError):
    """An input holds what can't be recorded. `name` is the input, or NODE.PIN of a mask; `reason` tells what."""

    def __init__(self, name: str, reason: str) -> None:
        where = f"Input `{name}`" if name else "The request"
        super().__init__(
            f"{where} holds a value that can't be recorded: {reason}. "
            "Use text, numbers of up to 64 bits, lists, and dicts with text as keys."
        )
        self.name = name
        self.reason = reason


class StillStoppingError(ActbookError, TimeoutError):
    """The cancel request is recorded and stays in force; only the waiting ended."""

    def __init__(self, graph_exec_id: str, timeout: float) -> None:
        super().__init__(
            f"Graph execution #{graph_exec_id} will need to take longer than {timeout} seconds to stop. "
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


class TopUpError(ActbookError, ValueError):
    """A balance can't be topped up like that. `recorded`: the amount that the key was used for before."""

    def __init__(self, user_id: str, key: str, amount: float, recorded: float | None = None) -> None:
        if recorded is None:
            text = f"A balance can't be topped up by {amount:.15g} credits: give an amount other than 0."
        else:
            text = f"The key {key!r} was used for {recorded:.15g} credits before, not {amount:.15g}: use another key."
        super().__init__(text)
        self.user_id = user_id
        self.key = key
        self.amount = amount
        self.recorded = recorded


class ResumeRefusedError(ActbookError, ValueError):
    """The execution can't be resumed in its status. `reason` says what to do instead."""

    def __init__(self, graph_exec_id: str, status: ExecutionStatus, reason: str) -> None:
        super().__init__(f"Graph execution #{graph_exec_id} is {status} and can't be resumed: {reason}.")
        self.graph_exec_id = graph_exec_id
        self.status = status
        self.reason = reason


class RetryRefusedError(ActbookError, ValueError):
    """The execution can't be retried as it is. `reason` says what to do instead."""

    def __init__(self, graph_exec_id: str, status: ExecutionStatus, reason: str) -> None:
        super().__init__(f"Graph execution #{graph_exec_id} is {status} and can't be retried: {reason}.")
        self.graph_exec_id = graph_exec_id
        self.status = status
        self.reason = reason


class ForkRefusedError(ActbookError, ValueError):
    """The execution can't be forked there. `usable` is the highest version at which it can, None = at no one."""

    def __init__(self, graph_exec_id: str, position: int | None, reason: str, usable: int | None) -> None:
        where = "" if position is None else f" at version {position}"
        remedy = "" if usable is None else f" The highest version to fork it at is {usable}."
        super().__init__(f"Graph execution #{graph_exec_id} can't be forked{where}: {reason}.{remedy}")
        self.graph_exec_id = graph_exec_id
        self.position = position
        self.reason = reason
        self.usable = usable


class EngineClosedError(ActbookError, RuntimeError):
    """The engine is closed. Open it with `async with Engine.open(url)` and stay inside the block."""

    def __init__(self) -> None:
        super().__init__("The engine is closed. Open it with `async with Engine.open(url) as engine:`.")
