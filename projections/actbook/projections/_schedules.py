"""The view `schedules`: one row per schedule."""

from __future__ import annotations

from typing import ClassVar

from actbook.events import (
    Envelope,
    ScheduleAdded,
    ScheduleChanged,
    ScheduleFired,
    ScheduleMissed,
    SchedulePaused,
    ScheduleRefused,
    ScheduleRemoved,
    ScheduleResumed,
    ScheduleSkipped,
    ScheduleSpec,
    schedule_of,
)
from actbook.projections._bounded import text
from actbook.projections._projection import Projection, handles
from actbook.projections._rows import Rows
from actbook.projections._table import Column, Index, Row, Table

SCHEDULES = Table(
    "schedules",
    "One row per schedule. It is due next at the first time of `cron` in `timezone` after `settled_at`, while it is active.",
    (
        Column("seq", "INTEGER", "position of its first event: the order of creation", 0, fixed=True),
        Column("id", "TEXT", "schedule", "", fixed=True),
        Column("user_id", "TEXT", "whose it is", "", fixed=True),
        Column("name", "TEXT", "what it is called, cut at 4,000 characters", ""),
        Column("status", "TEXT", "active, paused or removed", ""),
        Column("graph_id", "TEXT", "graph that it runs", ""),
        Column("graph_version", "INTEGER", "version of the graph; NULL = the newest at the time"),
        Column("cron", "TEXT", "cron expression", ""),
        Column("timezone", "TEXT", "time zone of the expression", ""),
        Column("missed_policy", "TEXT", "about times at which nobody ran the store: skip, once or all", ""),
        Column("overlap", "TEXT", "about times at which the run before is not over: allow or skip", ""),
        Column("created_at", "INTEGER", "when it was added", 0, fixed=True),
        Column("settled_at", "INTEGER", "everything due up to this moment was dealt with", 0),
        Column("fired", "INTEGER", "times that it ran for", 0),
        Column("missed", "INTEGER", "times that were missed", 0),
        Column("skipped", "INTEGER", "times that were left out because of `overlap`", 0),
        Column("refused", "INTEGER", "times at which the run was not accepted", 0),
        Column("last_due", "INTEGER", "the time that it ran for last"),
        Column("last_execution_id", "TEXT", "the execution that began then", ""),
        Column("last_missed", "INTEGER", "the time that was missed last"),
        Column(
            "last_error",
            "TEXT",
            "why the last run was not accepted, cut alike; empty when one was accepted since",
            "",
        ),
        Column("position", "INTEGER", "event that changed the row last", 0),
    ),
    key=("id",),
    ordered_by="seq",
    indexes=(Index(("user_id",)),),
)


class Schedules(Projection):
    """Follows the same rules as `actbook.events.fold_schedule`.

    When it is due next is left to who asks: that depends on what a machine knows of time zones, and rows must not.
    """

    table: ClassVar[Table] = SCHEDULES

    @handles(ScheduleAdded)
    def added(self, event: Envelope, payload: ScheduleAdded, rows: Rows) -> None:
        row = {
            **SCHEDULES.blank(),
            "seq": event.position,
            "id": payload.schedule_id,
            "user_id": payload.user_id,
            "name": text(payload.name),
            "status": "active",
            "created_at": event.at,
            "settled_at": event.at,
            "position": event.position,
        }
        row.update(_said(payload.spec))
        rows[payload.schedule_id] = row

    @handles(ScheduleChanged)
    def changed(self, event: Envelope, payload: ScheduleChanged, rows: Rows) -> None:
        row = _row(event, rows)
        if (row["cron"], row["timezone"]) != (payload.spec.cron, payload.spec.timezone):
            _settle(row, event.at)
        row["name"] = text(payload.name)
        row.update(_said(payload.spec))

    @handles(SchedulePaused)
    def paused(self, event: Envelope, payload: SchedulePaused, rows: Rows) -> None:
        row = _row(event, rows)
        if row["status"] == "active":
            row["status"] = "paused"

    @handles(ScheduleResumed)
    def resumed(self, event: Envelope, payload: ScheduleResumed, rows: Rows) -> None:
        row = _row(event, rows)
        if row["status"] == "paused":
            row["status"] = "active"
            _settle(row, event.at)

    @handles(ScheduleRemoved)
    def removed(self, event: Envelope, payload: ScheduleRemoved, rows: Rows) -> None:
        _row(event, rows)["status"] = "removed"

    @handles(ScheduleFired)
    def fired(self, event: Envelope, payload: ScheduleFired, rows: Rows) -> None:
        row = _row(event, rows)
        row["fired"] += 1
        row["last_due"] = payload.due
        row["last_execution_id"] = payload.execution_id
        row["last_error"] = ""
        _settle(row, payload.due)

    @handles(ScheduleMissed)
    def missed(self, event: Envelope, payload: ScheduleMissed, rows: Rows) -> None:
        row = _row(event, rows)
        row["missed"] += payload.count
        row["last_missed"] = payload.last
        _settle(row, payload.last)

    @handles(ScheduleSkipped)
    def skipped(self, event: Envelope, payload: ScheduleSkipped, rows: Rows) -> None:
        row = _row(event, rows)
        row["skipped"] += 1
        _settle(row, payload.due)

    @handles(ScheduleRefused)
    def refused(self, event: Envelope, payload: ScheduleRefused, rows: Rows) -> None:
        row = _row(event, rows)
        row["refused"] += 1
        row["last_error"] = text(payload.error)
        _settle(row, payload.due)


def _row(event: Envelope, rows: Rows) -> Row:
    row = rows[schedule_of(event.stream_id)]
    row["position"] = event.position
    return row


def _settle(row: Row, moment: int) -> None:
    row["settled_at"] = max(row["settled_at"], moment)


def _said(spec: ScheduleSpec) -> Row:
    return {
        "graph_id": spec.graph_id,
        "graph_version": spec.graph_version,
        "cron": spec.cron,
        "timezone": spec.timezone,
        "missed_policy": spec.missed,
        "overlap": spec.overlap,
    }
