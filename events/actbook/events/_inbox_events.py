"""What others ask of an execution: appended to its inbox stream by whoever asks, handled once by its owner."""

from __future__ import annotations

from typing import Any

from actbook.events._topics import Event, topic

_INBOX = "inbox:"


def inbox_of(execution_id: str) -> str:
    """Stream id of an execution's inbox."""
    return _INBOX + execution_id


def execution_of(inbox_stream_id: str) -> str | None:
    """The execution an inbox stream belongs to, or None when the stream is no inbox."""
    return inbox_stream_id[len(_INBOX) :] if inbox_stream_id.startswith(_INBOX) else None


@topic("cancel.requested")
class CancelRequested(Event, frozen=True, array_like=True, gc=False):
    """Stop the execution. Durable before anything else happens. `cascade`: its sub-graphs' executions too."""

    actor: str
    reason: str = ""
    cascade: bool = True


@topic("resume.requested")
class ResumeRequested(Event, frozen=True, array_like=True, gc=False):
    """Go on with a TERMINATED, INCOMPLETE or REVIEW execution.

    `seen`: the version of its stream that whoever asks had read; it has no effect if the execution was resumed or
    retried since. 0 = not told.
    """

    actor: str
    reason: str = ""
    seen: int = 0


@topic("retry.requested")
class RetryRequested(Event, frozen=True, array_like=True, gc=False):
    """Begin the next attempt of a COMPLETED, FAILED or TERMINATED execution. `seen` as in `resume.requested`."""

    actor: str
    reason: str = ""
    seen: int = 0


@topic("child.output")
class ChildOutput(Event, frozen=True, array_like=True, gc=False):
    """A sub-graph's OUTPUT node yielded; written in the same transaction as the child's own event."""

    child_id: str
    node_exec: int
    name: str
    value: Any


@topic("child.finished")
class ChildFinished(Event, frozen=True, array_like=True, gc=False):
    """A sub-graph's execution reached a terminal status."""

    child_id: str
    node_exec: int
    status: str
    error: str = ""


@topic("review.decided")
class ReviewDecided(Event, frozen=True, array_like=True, gc=False):
    """A reviewer's decision. `edited`: `data` replaces what was to be judged; otherwise `data` is ignored."""

    node_exec: int
    approved: bool
    reviewer: str
    message: str = ""
    edited: bool = False
    data: Any = None
