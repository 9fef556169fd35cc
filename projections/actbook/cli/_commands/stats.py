"""`actbook stats`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Options

if TYPE_CHECKING:
    from actbook.projections import LatencyRow, QueueRow, Spread, WorkerRow


def stats(
    *,
    since: str | None = None,
    until: str | None = None,
    block: str | None = None,
    daily: bool = False,
    options: Options = DEFAULTS,
) -> int:
    """Shows how long blocks waited and ran, what waits now, and which processes work.

    Quantiles are at most 1/32 of the value off.

    Parameters
    ----------
    since
        Only node executions that ended on or after this day (YYYY-MM-DD, UTC).
    until
        Only node executions that ended before this day.
    block
        Only this block, by its id.
    daily
        A row per day and block.
    """
    from actbook.cli._session import run_async

    conditions = {"since": _day("--since", since), "until": _day("--until", until), "block_id": block}
    by = ("day", "block_id") if daily else ("block_id",)
    return run_async(_stats(conditions, by, options))


async def _stats(conditions: dict[str, str | None], by: tuple[str, ...], options: Options) -> ExitCode:
    from actbook.cli._printing import print_ids, print_json
    from actbook.cli._session import reading

    async with reading(options) as engine:
        await engine.catch_up()
        queries = engine.queries
        blocks = await queries.latency(options.user, by=by, **conditions)
        queue = await queries.queue(options.user)
        workers = await queries.workers(options.user)
    if options.output == "json":
        print_json(
            {
                "blocks": [_block_record(row) for row in blocks],
                "queue": [_queue_record(row) for row in queue],
                "workers": [_worker_record(row) for row in workers],
            }
        )
    elif options.output == "ids":
        print_ids(dict.fromkeys(row.block_id for row in blocks))
    else:
        _show(blocks, queue, workers, daily="day" in by)
    return ExitCode.OK


def _block_record(row: LatencyRow) -> dict[str, Any]:
    return {
        "block_id": row.block_id,
        "block_name": _name_of(row.block_id) or None,
        "day": row.day or None,
        "completed": row.completed,
        "failed": row.failed,
        "wait": _spread(row.wait),
        "run": _spread(row.run),
    }


def _spread(spread: Spread) -> dict[str, float]:
    return {"mean": spread.mean, "p50": spread.p50, "p90": spread.p90, "p99": spread.p99}


def _queue_record(row: QueueRow) -> dict[str, Any]:
    from actbook.cli._records import iso

    return {
        "kind": row.kind,
        "status": str(row.status),
        "priority": row.priority,
        "count": row.count,
        "oldest_at": iso(row.oldest_at),
        "oldest_id": row.oldest_id,
    }


def _worker_record(row: WorkerRow) -> dict[str, Any]:
    from actbook.cli._records import iso

    return {
        "worker": row.worker,
        "running": row.running,
        "since": iso(row.since),
        "claims": row.claims,
        "ended": row.ended,
        "first_seen_at": iso(row.first_seen_at),
        "last_seen_at": iso(row.last_seen_at),
        "last_execution_id": row.last_execution_id,
    }


def _show(blocks: list[LatencyRow], queue: list[QueueRow], workers: list[WorkerRow], *, daily: bool) -> None:
    from actbook.cli._printing import note, seconds

    if not blocks and not queue:
        note("No node execution ended that fits, and nothing waits.")
        return
    days = ["day"] if daily else []
    _table(
        [*days, "block", "completed", "failed", "wait p50", "p90", "p99", "run p50", "p90", "p99"],
        [
            [
                *([row.day] if daily else []),
                _name_of(row.block_id) or row.block_id,
                str(row.completed),
                str(row.failed),
                *(
                    seconds(each)
                    for spread in (row.wait, row.run)
                    for each in (spread.p50, spread.p90, spread.p99)
                ),
            ]
            for row in blocks
        ],
    )
    _table(
        ["waits", "status", "priority", "count", "since", "oldest"],
        [
            [
                row.kind,
                str(row.status),
                str(row.priority),
                str(row.count),
                _clock(row.oldest_at),
                row.oldest_id,
            ]
            for row in queue
        ],
    )
    _table(
        ["worker", "running", "claims", "ended", "last seen"],
        [
            [row.worker, str(row.running), str(row.claims), str(row.ended), _clock(row.last_seen_at)]
            for row in workers
        ],
    )


def _table(names: list[str], rows: list[list[str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from actbook.cli._printing import show

    if not rows:
        return
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for name in names:
        table.add_column(name, no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, row))
    show(table, Text(""))


def _name_of(block_id: str) -> str:
    """As it is installed here, or empty."""
    from actbook.blocks import default_registry

    found = default_registry().lookup(block_id)
    return found.name if found is not None else ""


def _clock(at: int) -> str:
    from actbook.cli._records import iso

    return (iso(at) or "")[:19].replace("T", " ")


def _day(option: str, given: str | None) -> str | None:
    from datetime import date

    from actbook.cli._problems import UsageError

    if given is None:
        return None
    try:
        return date.fromisoformat(given).isoformat()
    except ValueError:
        raise UsageError(f"{option} {given!r} is no day. Write it as 2026-01-31.") from None
