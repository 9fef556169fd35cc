"""Progress in words."""

from __future__ import annotations

from actbook.cli._live._progress import NodeProgress, Progress
from actbook.events import ExecutionStatus

S = ExecutionStatus


def count_of(node: NodeProgress) -> str:
    """`3/12×` of executions ended, `12×` when all are, nothing for a single one."""
    if node.total <= 1:
        return ""
    return f"{node.total}×" if node.ended == node.total else f"{node.ended}/{node.total}×"


def summary(progress: Progress) -> str:
    """Counts of node executions, in words."""
    counts = progress.counts
    named = (
        (S.COMPLETED, "done"),
        (S.FAILED, "failed"),
        (S.RUNNING, "running"),
        (S.QUEUED, "queued"),
        (S.REVIEW, "in review"),
        (S.TERMINATED, "stopped"),
        (S.INCOMPLETE, "waiting for inputs"),
    )
    parts = [f"{counts[status]} {name}" for status, name in named if counts[status]]
    return " · ".join(parts) or "nothing has run yet"
