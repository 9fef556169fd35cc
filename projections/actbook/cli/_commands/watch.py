"""`actbook watch`."""

from __future__ import annotations

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Id, Options


def watch(id: Id, /, *, timeout: float | None = None, options: Options = DEFAULTS) -> int:  # noqa: A002
    """Follows an execution live until it ends, and ends with the exit code of its status.

    Ctrl-C ends the watching; the execution goes on.

    Parameters
    ----------
    id
        Execution, by id or the beginning of one; - reads it from stdin.
    timeout
        Seconds to wait for the end.
    """
    from actbook.cli._ids import ids_of
    from actbook.cli._problems import UsageError
    from actbook.cli._session import run_async

    ids = ids_of([id])
    if len(ids) > 1:
        raise UsageError("Only one execution can be watched at a time. Give one id.")
    return run_async(_watch(ids[0], timeout, options))


async def _watch(given: str, timeout: float | None, options: Options) -> ExitCode:
    from actbook.cli._following import Following
    from actbook.cli._ids import execution_id
    from actbook.cli._printing import note
    from actbook.cli._recorded import graph_of
    from actbook.cli._session import reading
    from actbook.graphs import Graph

    async with reading(options) as engine:
        state = await engine.get_graph_execution(
            await execution_id(engine, given, options.user), options.user
        )
        graph = await graph_of(engine, state) or Graph(id=state.graph_id, version=state.graph_version)
        if engine.owner is None and not state.status.is_terminal:
            note("Nobody runs this store now: `actbook worker` does.", options.output)
        return await Following(engine, graph, state, options, stops=False).to_the_end(timeout)
