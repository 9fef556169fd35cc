"""`actbook replay`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Id, Options

if TYPE_CHECKING:
    from actbook.engine import Engine
    from actbook.replay import History


def replay(*ids: Id, at: str | None = None, limit: int = 100, options: Options = DEFAULTS) -> int:
    """Shows the state of an execution at any version, without running anything.

    Parameters
    ----------
    ids
        Executions, by id or the beginning of one; - reads ids from stdin.
    at
        A version (1 is the first event) or a moment (ISO 8601). The end by default.
    limit
        At most this many node executions in the table; JSON holds all.
    """
    from actbook.cli._ids import ids_of
    from actbook.cli._limit import check_shown
    from actbook.cli._points import point
    from actbook.cli._session import run_async

    moment = None if at is None else point("--at", at)
    return run_async(_replay(ids_of(ids), moment, check_shown(limit), options))


async def _replay(ids: list[str], at: object, limit: int, options: Options) -> ExitCode:
    from actbook.cli._session import reading

    async with reading(options) as engine:
        for each in ids:
            await _replay_one(engine, each, at, limit, options)
    return ExitCode.OK


async def _replay_one(engine: Engine, given: str, at: object, limit: int, options: Options) -> None:
    from actbook.cli._ids import execution_id
    from actbook.cli._points import check_point
    from actbook.cli._printing import print_ids, print_json
    from actbook.cli._recorded import graph_of, record_of

    history = await engine.history(await execution_id(engine, given, options.user), options.user)
    state = history.state(check_point(history, at))
    graph = await graph_of(engine, state)
    if options.output == "json":
        print_json(record_of(state, graph))
    elif options.output == "ids":
        print_ids([state.id])
    else:
        from actbook.cli._state_view import show_state

        _show_event(history, state.version)
        show_state(state, graph, limit)


def _show_event(history: History, version: int) -> None:
    from rich.text import Text

    from actbook.cli._printing import show
    from actbook.cli._records import iso

    event = history.events[version - 1]
    show(
        Text.assemble(
            (f"version {version} of {len(history.events)}", "bold"),
            f"  {event.topic}  ",
            (iso(event.at) or "", "dim"),
        )
    )
