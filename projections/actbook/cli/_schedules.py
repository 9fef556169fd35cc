"""Schedules as they are named on the command line, and shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from actbook.cli._problems import MissingError, UsageError
from actbook.cli._records import iso

if TYPE_CHECKING:
    from actbook.cli._options import Options
    from actbook.engine import Engine
    from actbook.events import Schedule


async def find(engine: Engine, given: str, user: str | None) -> Schedule:
    """The schedule that an id, or its beginning, belongs to. Raises `MissingError` or `UsageError`."""
    from actbook.engine import ScheduleNotFoundError

    try:
        return await engine.schedule(given, user)
    except ScheduleNotFoundError:
        found = [each for each in await engine.schedules(user) if given and each.id.startswith(given)]
    if not found:
        raise MissingError(
            f"There is no schedule {given!r} in this store. `actbook schedule ls` lists what there is.",
            id=given,
        )
    if len(found) > 1:
        shown = ", ".join(each.id for each in found[:5])
        raise UsageError(
            f"{given!r} begins the ids of several schedules: {shown}. Give more of it.",
            ids=[each.id for each in found],
        )
    return found[0]


def schedule_record(schedule: Schedule) -> dict[str, Any]:
    """The object of `-o json`. Its keys are a promise: new ones may come, none is renamed or taken away."""
    spec = schedule.spec
    return {
        "id": schedule.id,
        "name": schedule.name,
        "status": schedule.status,
        "user_id": schedule.user_id,
        "graph_id": spec.graph_id,
        "graph_version": spec.graph_version,
        "cron": spec.cron,
        "timezone": spec.timezone,
        "inputs": spec.inputs,
        "missed": spec.missed,
        "catch_up": spec.catch_up,
        "overlap": spec.overlap,
        "next": iso(schedule.next_due()),
        "created_at": iso(schedule.created_at),
        "last_due": iso(schedule.last_due),
        "last_execution": schedule.last_execution or None,
        "last_error": schedule.last_error or None,
        "stats": {
            "fired": schedule.fired,
            "missed": schedule.missed,
            "skipped": schedule.skipped,
            "refused": schedule.refused,
        },
    }


def show_schedules(schedules: Sequence[Schedule], options: Options, *, one: bool = False) -> None:
    """Prints schedules as the options say; `one`: as a single object."""
    from actbook.cli._printing import note, print_ids, print_json

    if options.output == "json":
        records = [schedule_record(each) for each in schedules]
        print_json(records[0] if one else records)
    elif options.output == "ids":
        print_ids(each.id for each in schedules)
    elif schedules:
        _show_table(schedules)
    else:
        note("No schedules.")


def local(moment: int, timezone: str) -> str:
    """A moment on the clock of a time zone."""
    from actbook.events import as_datetime
    from actbook.events._cron import zone_of

    return f"{as_datetime(moment).astimezone(zone_of(timezone)):%Y-%m-%d %H:%M %Z}"


def _show_table(schedules: Sequence[Schedule]) -> None:
    from rich.table import Table

    from actbook.cli._printing import show

    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in ("id", "name", "status", "graph", "cron", "next", "runs", "last"):
        table.add_column(
            column, no_wrap=True, overflow="ellipsis" if column in ("name", "graph", "last") else "fold"
        )
    for each in schedules:
        due = each.next_due()
        table.add_row(
            each.id,
            each.name,
            each.status,
            each.spec.graph_id + (f" v{each.spec.graph_version}" if each.spec.graph_version else ""),
            each.spec.cron,
            local(due, each.spec.timezone) if due else "",
            str(each.fired),
            each.last_error or each.last_execution,
        )
    show(table)
