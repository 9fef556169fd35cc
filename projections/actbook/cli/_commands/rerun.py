"""`actbook rerun`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Id, Options

if TYPE_CHECKING:
    from actbook.engine import Engine
    from actbook.replay import Rerun

_STYLES = {"matched": "green", "different": "red", "skipped": "dim"}


def rerun(*ids: Id, limit: int = 100, options: Options = DEFAULTS) -> int:
    """Runs the blocks without effects of an execution again, and tells whether they yield what is recorded.

    Nothing is recorded, and no block with effects is run.

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

    return run_async(_rerun(ids_of(ids), check_shown(limit), options))


async def _rerun(ids: list[str], limit: int, options: Options) -> ExitCode:
    from actbook.cli._session import reading

    sound = True
    async with reading(options) as engine:
        for each in ids:
            sound = await _rerun_one(engine, each, limit, options) and sound
    return ExitCode.OK if sound else ExitCode.FAULTY


async def _rerun_one(engine: Engine, given: str, limit: int, options: Options) -> bool:
    from actbook.blocks import default_registry
    from actbook.cli._ids import execution_id
    from actbook.cli._printing import print_ids, print_json
    from actbook.cli._recorded import graph_of, labels_of
    from actbook.events import node_exec_id
    from actbook.replay import rerun as again

    history = await engine.history(await execution_id(engine, given, options.user), options.user)
    state = history.state()
    found = [each async for each in again(state, default_registry(), history.withheld)]
    labels = labels_of(await graph_of(engine, state))
    if options.output == "json":
        print_json(_record(state.id, found, labels))
    elif options.output == "ids":
        print_ids(node_exec_id(state.id, each.number) for each in found if each.verdict == "different")
    else:
        _show(state.id, found, labels, limit)
    return all(each.verdict != "different" for each in found)


def _record(execution: str, found: Sequence[Rerun], labels: Mapping[str, str]) -> dict[str, Any]:
    from actbook.events import node_exec_id

    counts = Counter[str](each.verdict for each in found)
    nodes = [
        {
            "id": node_exec_id(execution, each.number),
            "number": each.number,
            "node_id": each.node_id,
            "node_name": labels.get(each.node_id, ""),
            "verdict": each.verdict,
            "why": each.why,
            "recorded": each.recorded,
            "yielded": each.yielded,
        }
        for each in found
    ]
    return {"id": execution, **{verdict: counts[verdict] for verdict in _STYLES}, "node_executions": nodes}


def _show(execution: str, found: Sequence[Rerun], labels: Mapping[str, str], limit: int) -> None:
    from rich.table import Table
    from rich.text import Text

    from actbook.cli._printing import note, show

    counts = Counter[str](each.verdict for each in found)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _STYLES)
    show(Text.assemble((execution, "bold"), f"  {told}"))
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    table.add_column("#", no_wrap=True, justify="right")
    table.add_column("verdict", no_wrap=True)
    table.add_column("node", no_wrap=True, overflow="ellipsis", max_width=32)
    table.add_column("why", no_wrap=True, overflow="ellipsis", ratio=1)
    for each in found[:limit]:
        name = labels.get(each.node_id, each.node_id[:8])
        verdict = Text(each.verdict, style=_STYLES[each.verdict])
        table.add_row(str(each.number), verdict, Text(name), Text(_why(each)))
    show(table)
    if len(found) > limit:
        note(f"… and {len(found) - limit} more; --limit {len(found)} shows them.")


def _why(each: Rerun) -> str:
    from actbook.cli._printing import one_line

    if each.why or each.verdict != "different":
        return one_line(each.why, 200) if each.why else ""
    return f"recorded {one_line(dict(each.recorded))}, yields {one_line(dict(each.yielded))}"
