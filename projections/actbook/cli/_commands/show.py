"""`actbook show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Id, Options

if TYPE_CHECKING:
    from actbook.engine import Engine


def show(*ids: Id, limit: int = 100, options: Options = DEFAULTS) -> int:
    """Shows what is recorded of an execution, node by node.

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

    return run_async(_show(ids_of(ids), check_shown(limit), options))


async def _show(ids: list[str], limit: int, options: Options) -> ExitCode:
    from actbook.cli._session import reading

    async with reading(options) as engine:
        for each in ids:
            await _show_one(engine, each, limit, options)
    return ExitCode.OK


async def _show_one(engine: Engine, given: str, limit: int, options: Options) -> None:
    from actbook.cli._ids import execution_id
    from actbook.cli._printing import print_ids, print_json
    from actbook.cli._recorded import graph_of, record_of

    history = await engine.history(await execution_id(engine, given, options.user), options.user)
    state = history.state()
    graph = await graph_of(engine, state)
    if options.output == "json":
        print_json(record_of(state, graph))
    elif options.output == "ids":
        print_ids([state.id])
    else:
        from actbook.cli._state_view import show_state

        show_state(state, graph, limit)
