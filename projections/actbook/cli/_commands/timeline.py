"""`actbook timeline`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Id, Options

if TYPE_CHECKING:
    from actbook.engine import Engine
    from actbook.replay import Timeline


def timeline(*ids: Id, limit: int = 100, options: Options = DEFAULTS) -> int:
    """Shows when each node execution of an execution waited and worked.

    In the bars ░ is waiting, █ working; * marks the critical path, the chain of causes that ended last.

    Parameters
    ----------
    ids
        Executions, by id or the beginning of one; - reads ids from stdin.
    limit
        At most this many node executions in the table; JSON holds all.
    """
    from actbook.cli._ids import ids_of
    from actbook.cli._limit import check_shown
    from actbook.cli._session import run_async

    return run_async(_timelines(ids_of(ids), check_shown(limit), options))


async def _timelines(ids: list[str], limit: int, options: Options) -> ExitCode:
    from actbook.cli._session import reading

    async with reading(options) as engine:
        for each in ids:
            await _show_one(engine, each, limit, options)
    return ExitCode.OK


async def _show_one(engine: Engine, given: str, limit: int, options: Options) -> None:
    from actbook.cli._gantt import show_timeline
    from actbook.cli._ids import execution_id
    from actbook.cli._printing import print_ids, print_json
    from actbook.cli._recorded import graph_of, labels_of
    from actbook.events import node_exec_id

    history = await engine.history(await execution_id(engine, given, options.user), options.user)
    state = history.state()
    line = history.timeline()
    labels = labels_of(await graph_of(engine, state))
    if options.output == "json":
        print_json(_record(state.id, line, labels))
    elif options.output == "ids":
        print_ids(node_exec_id(state.id, number) for number in line.critical_path)
    else:
        show_timeline(state, line, labels, limit)


def _record(execution: str, line: Timeline, labels: dict[str, str]) -> dict[str, Any]:
    from actbook.cli._records import iso
    from actbook.events import node_exec_id

    spans = [
        {
            "id": node_exec_id(execution, span.number),
            "number": span.number,
            "node_id": span.node_id,
            "node_name": labels.get(span.node_id, ""),
            "status": str(span.status),
            "attempt": span.attempt,
            "queued_at": iso(span.queued_at),
            "started_at": iso(span.started_at),
            "ended_at": iso(span.ended_at),
            "wait": span.wait,
            "run": span.run,
            "after": span.after or None,
            "child_id": span.child_id or None,
        }
        for span in line.spans
    ]
    return {"id": execution, "critical_path": list(line.critical_path), "node_executions": spans}
