"""Following one execution to its end: progress, Ctrl-C, result, exit code."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from actbook.cli._exit_codes import OF_STATUS, ExitCode
from actbook.cli._options import Options
from actbook.cli._printing import note, print_ids, print_json
from actbook.cli._records import execution_record
from actbook.cli._session import on_signal
from actbook.engine import StillRunningError
from actbook.graphs import ActbookError

if TYPE_CHECKING:
    from actbook.cli._live._watching import View
    from actbook.engine import Engine
    from actbook.events import GraphExecution
    from actbook.graphs import Graph

REASON = "Interrupted with Ctrl-C"
STOPPING = "Stopping the run …"
STOP_RECORDED = "Stopping the run: that is recorded. Ctrl-C again leaves at once."
LEFT = "Left. The stop is recorded and takes effect in whatever process runs this store."
LEFT_EARLY = "Left before the stop could be recorded: the run goes on in whatever process runs this store."

_SETTLE = 2.0
"""Seconds that the last frames may take once the end is known."""


class Following:
    """`stops`: Ctrl-C stops the execution; otherwise it only ends the looking on."""

    def __init__(
        self, engine: Engine, graph: Graph, execution: GraphExecution, options: Options, *, stops: bool = True
    ) -> None:
        self._engine = engine
        self._graph = graph
        self._execution = execution
        self._options = options
        self._stops = stops
        self._view: View | None = None
        self._stop: asyncio.Task[None] | None = None
        self._stop_recorded = False

    def leave(self) -> ExitCode:
        """Says where the execution was left."""
        self.show(self._execution)
        if self._engine.owner is None:
            note("Nobody runs this store now: `actbook worker` does.", self._options.output)
        return ExitCode.OK

    async def to_the_end(self, timeout: float | None) -> ExitCode:
        """Shows progress and the result. `timeout` in seconds: then `ExitCode.TIMEOUT`."""
        with on_signal(signal.SIGINT, self._interrupted):
            progress = asyncio.create_task(self._show_progress())
            try:
                done = await self._engine.wait(self._execution.id, timeout)
                with suppress(TimeoutError):
                    await asyncio.wait_for(progress, _SETTLE)
            except StillRunningError:
                done = None
            finally:
                progress.cancel()
                await asyncio.gather(progress, return_exceptions=True)
        if done is None:
            return await self._too_late(timeout or 0.0)
        self.show(done)
        return OF_STATUS[done.status]

    async def _show_progress(self) -> None:
        if self._options.output == "table":
            from actbook.cli._live import watching

            execution = self._execution
            await watching(
                self._engine, execution.id, self._graph, since=execution.version, on_view=self._seen
            )

    def _seen(self, view: View) -> None:
        self._view = view

    async def _too_late(self, timeout: float) -> ExitCode:
        state = await self._engine.get_graph_execution(self._execution.id)
        self.show(state)
        raise StillRunningError(self._execution.id, timeout)

    def _interrupted(self) -> None:
        if not self._stops or self._stop is not None:
            self._leave_at_once()
        self._tell(STOPPING)
        self._stop = asyncio.create_task(self._ask_to_stop())

    async def _ask_to_stop(self) -> None:
        execution = self._execution
        try:
            await self._engine.stop_graph_execution(execution.user_id, execution.id, 0, reason=REASON)
        except ActbookError as error:
            self._tell(f"The stop could not be recorded: {error}")
        else:
            self._stop_recorded = True
            self._tell(STOP_RECORDED)

    def _tell(self, text: str) -> None:
        if self._view is not None:
            self._view.say(text)
        else:
            note(text, self._options.output)

    def _leave_at_once(self) -> None:
        """No tidying up: every commit is safe where it is, and whoever pressed twice does not want to wait."""
        if self._view is not None:
            self._view.close()
        if self._stops:
            note(LEFT if self._stop_recorded else LEFT_EARLY, self._options.output)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ExitCode.INTERRUPTED)

    def show(self, state: GraphExecution) -> None:
        """Prints an execution as the options say."""
        output = self._options.output
        if output == "json":
            print_json(execution_record(state, self._graph.name))
        elif output == "ids":
            print_ids([state.id])
        else:
            from actbook.cli._result import show_result

            show_result(state)
