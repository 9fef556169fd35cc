"""Typed rows of the smaller views. Times are microseconds since the Unix epoch, UTC; None = not yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from actbook.events import Cron, CronError, ExecutionStatus, TimezoneError

R = TypeVar("R", bound=msgspec.Struct)


class OutputRow(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a graph's output. `complete` False: it was too long for the view, `value` is None; the execution's state has it."""

    execution_id: str
    name: str
    number: int
    position: int
    item: int
    value: Any
    at: int
    complete: bool = True


class ReviewRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a node asked a person, with where it stands. The columns are documented in table `reviews`.

    `data` and `decided_data` are None when they are too long for the view; the execution's state has them.
    """

    id: str
    execution_id: str
    number: int
    node_id: str
    block_id: str
    graph_id: str
    graph_name: str
    user_id: str
    name: str
    data: Any
    editable: bool
    status: str
    requested: int
    requested_at: int
    decided_at: int | None
    decided_data: Any
    reviewer: str
    message: str


class ScheduleRow(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule. The columns are documented in table `schedules`.

    `next_due`: None while it is not active, and when this machine does not know its time zone; in the past while nobody runs the store.
    """

    id: str
    user_id: str
    name: str
    status: str
    graph_id: str
    graph_version: int | None
    cron: str
    timezone: str
    missed_policy: str
    overlap: str
    created_at: int
    settled_at: int
    fired: int
    missed: int
    skipped: int
    refused: int
    last_due: int | None
    last_execution_id: str
    last_missed: int | None
    last_error: str
    next_due: int | None = None


class WorkerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A process that claimed executions, and how many of them are RUNNING; `since`: when it claimed the first of those."""

    worker: str
    first_seen_at: int
    last_seen_at: int
    claims: int
    ended: int
    last_execution_id: str
    running: int
    since: int | None


class QueueRow(msgspec.Struct, frozen=True, kw_only=True):
    """What waits: `count` executions or node executions (`kind` "execution" or "node") of one status and priority.

    `oldest_id` has waited longest of them, since `oldest_at`.
    """

    kind: str
    status: ExecutionStatus
    priority: int
    count: int
    oldest_at: int
    oldest_id: str


OUTPUT_FIELDS = OutputRow.__struct_fields__[:-1]
REVIEW_FIELDS = ReviewRow.__struct_fields__
SCHEDULE_FIELDS = ScheduleRow.__struct_fields__[:-1]

_decode = msgspec.json.Decoder().decode


def output_row(values: Sequence[Any]) -> OutputRow:
    """From values in the order of `OUTPUT_FIELDS`."""
    fields = dict(zip(OUTPUT_FIELDS, values, strict=True))
    value = fields.pop("value")
    return OutputRow(**fields, value=_json(value), complete=value is not None)


def review_row(values: Sequence[Any]) -> ReviewRow:
    """From values in the order of `REVIEW_FIELDS`."""
    fields = dict(zip(REVIEW_FIELDS, values, strict=True))
    fields["data"], fields["decided_data"] = _json(fields["data"]), _json(fields["decided_data"])
    fields["editable"] = bool(fields["editable"])
    return ReviewRow(**fields)


def schedule_row(values: Sequence[Any]) -> ScheduleRow:
    """From values in the order of `SCHEDULE_FIELDS`."""
    row = ScheduleRow(**dict(zip(SCHEDULE_FIELDS, values, strict=True)))
    return msgspec.structs.replace(row, next_due=_next_due(row)) if row.status == "active" else row


def plain_row(kind: type[R], values: Sequence[Any]) -> R:
    """From values in the order of the fields."""
    return msgspec.convert(dict(zip(kind.__struct_fields__, values, strict=True)), kind)


def _json(text: str | None) -> Any:
    return None if text is None else _decode(text)


def _next_due(row: ScheduleRow) -> int | None:
    try:
        return Cron(row.cron, row.timezone).next(row.settled_at)
    except (CronError, TimezoneError):
        return None
