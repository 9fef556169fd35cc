"""Progress of one node of a run: which of its executions are still at work, and their outputs in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from actbook.graphs import ActbookError

T = TypeVar("T")


class CancellationTimeoutError(ActbookError, TimeoutError):
    """Tasks that were told to stop are still at work. `node_exec_ids` names their executions; wait again, or let them go."""

    def __init__(self, node_exec_ids: Sequence[str]) -> None:
        super().__init__(f"Timeout waiting for cancellation of tasks: {list(node_exec_ids)}")
        self.node_exec_ids = tuple(node_exec_ids)


class NodeExecutionProgress(Generic[T]):
    """The executions of one node, oldest first, with the outputs that wait to be handed on.

    Outputs are served one execution after the other: those of the second wait until the first is done and all of its own
    were taken. Finished executions are forgotten, so a node may have any number of them. Use it on one event loop; no
    method blocks it, and those that wait are coroutines.
    """

    def __init__(self) -> None:
        self._order: deque[str] = deque()
        self._tasks: dict[str, asyncio.Future[Any]] = {}
        self._outputs: dict[str, deque[T]] = {}
        self._news: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        """Executions that are not done, or have outputs left."""
        self._forget_finished()
        return len(self._order)

    def add_task(self, node_exec_id: str, task: asyncio.Future[Any]) -> None:
        """Adds an execution behind the others. `task`: a future or task of this loop, whose end is the execution's end.

        How it ends does not matter here: its result or exception stays its owner's business.
        """
        self._place(node_exec_id)
        self._tasks[node_exec_id] = task

    def add_output(self, node_exec_id: str, output: T) -> None:
        """Keeps one output, whatever it is, behind the earlier ones of its execution.

        An execution without a task counts as done. What comes when its execution is done and forgotten is kept too, behind
        the others.
        """
        self._place(node_exec_id)
        self._outputs[node_exec_id].append(output)
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def pop_output(self) -> T | None:
        """Takes the next output of the oldest execution; None: nothing of it is there yet, or nothing at all is left."""
        oldest = self._forget_finished()
        if oldest is None or not self._outputs[oldest]:
            return None
        return self._outputs[oldest].popleft()

    async def is_done(self, wait: float = 0.0) -> bool:
        """Whether every execution is done and every output was taken.

        Where nothing is to be taken it waits up to `wait` seconds, until the oldest execution ends or any output comes. For one
        caller at a time.
        """
        oldest = self._forget_finished()
        if oldest is not None and wait > 0 and not self._outputs[oldest]:
            self._news = asyncio.get_running_loop().create_future()
            ends = (self._tasks[oldest], self._news)
            await asyncio.wait(ends, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
            self._news = None
            oldest = self._forget_finished()
        return oldest is None

    def stop(self) -> list[str]:
        """Cancels what is not done; the ids of those executions, oldest first. Their outputs stay to be taken."""
        running = self._running()
        for node_exec_id in running:
            self._tasks[node_exec_id].cancel()
        return running

    async def wait_for_done(self, timeout: float = 5.0) -> None:
        """Returns when no task is at work. Outputs may be left. Raises `CancellationTimeoutError` after `timeout` seconds."""
        tasks = [self._tasks[node_exec_id] for node_exec_id in self._running()]
        if tasks:
            await asyncio.wait(tasks, timeout=timeout)
        running = self._running()
        if running:
            raise CancellationTimeoutError(running)

    def _place(self, node_exec_id: str) -> None:
        if node_exec_id not in self._outputs:
            self._outputs[node_exec_id] = deque()
            self._order.append(node_exec_id)

    def _running(self) -> list[str]:
        return [each for each in self._order if each in self._tasks and not self._tasks[each].done()]

    def _forget_finished(self) -> str | None:
        """The oldest execution that is not done or has outputs left."""
        while self._order:
            oldest = self._order[0]
            task = self._tasks.get(oldest)
            if self._outputs[oldest] or (task is not None and not task.done()):
                return oldest
            self._order.popleft()
            del self._outputs[oldest]
            self._tasks.pop(oldest, None)
        return None
