"""`actbook stop`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Id, Options

if TYPE_CHECKING:
    from actbook.engine import Engine
    from actbook.events import GraphExecution


def stop(
    *ids: Id,
    timeout: float = 15.0,
    no_cascade: Annotated[bool, Parameter(negative=())] = False,
    reason: str = "Stopped from the command line",
    options: Options = DEFAULTS,
) -> int:
    """Stops an execution and its sub-graphs' executions, and waits until nothing of them runs any more.

    The request is recorded before anything else and stays in force, whatever happens. A finished execution
    stays as it is. Sub-graphs that take longer than the timeout fail nothing and go on stopping.

    Parameters
    ----------
    ids
        Executions, by id or the beginning of one; - reads ids from stdin.
    timeout
        Seconds to wait, for all together; 0 only records the request.
    no_cascade
        Leave the executions of its sub-graphs alone.
    reason
        Recorded with the request.
    """
    from actbook.cli._ids import ids_of
    from actbook.cli._session import run_async

    request = Stop(timeout, not no_cascade, reason, options)
    return run_async(request.run(ids_of(ids)))


class Stop:
    """What is asked for of each execution."""

    def __init__(self, timeout: float, cascade: bool, reason: str, options: Options) -> None:
        self._timeout = timeout
        self._cascade = cascade
        self._reason = reason
        self._options = options

    async def run(self, ids: list[str]) -> ExitCode:
        """Without an owner this process becomes it, and runs nothing but what the stop asks for."""
        import asyncio

        from actbook.cli._ids import execution_id
        from actbook.cli._session import check_exists, opened

        check_exists(self._options.store)
        async with opened(self._options.store, take_over=False) as engine:
            executions = [await execution_id(engine, each, self._options.user) for each in ids]
            stopped = await asyncio.gather(
                *(self._stop(engine, each) for each in executions), return_exceptions=True
            )
            for each in stopped:
                if not isinstance(each, BaseException):
                    await self._print(engine, each)
            for each in stopped:
                if isinstance(each, BaseException):
                    raise each
        return ExitCode.OK

    async def _stop(self, engine: Engine, execution_id: str) -> GraphExecution:
        state = await engine.get_graph_execution(execution_id, self._options.user)
        return await engine.stop_graph_execution(
            state.user_id, execution_id, self._timeout, self._cascade, reason=self._reason
        )

    async def _print(self, engine: Engine, state: GraphExecution) -> None:
        from actbook.cli._printing import print_ids, print_json
        from actbook.cli._recorded import graph_of
        from actbook.cli._records import execution_record

        if self._options.output == "json":
            graph = await graph_of(engine, state)
            print_json(execution_record(state, graph.name if graph is not None else ""))
        elif self._options.output == "ids":
            print_ids([state.id])
        else:
            from actbook.cli._result import show_result

            show_result(state)
