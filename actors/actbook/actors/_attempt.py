"""Attempt: one attempt of a node. Starts the body, and tells the graph execution what it yields and how it ended."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from actbook.actors._bodies import Body, Outcome
from actbook.actors._credentialed_body import CredentialedBody
from actbook.actors._environment import Environment
from actbook.actors._messages import Stopped, Work
from actbook.actors._runtime import ActorRef
from actbook.events import NodeStats, Report

logger = logging.getLogger("actbook.engine")

CHUNK = 256
"""Outputs told at once: a decision about more would keep the loop from everybody else."""

_ON_LOOP = frozenset({"inline", "async"})


class Attempt:
    """Its place was taken before. `begun`: the place is the body's now; `ended`: so has the body.

    `on_end` is called when it has, before the graph execution is told, which may leave as soon as it is.
    """

    __slots__ = ("_body", "_env", "_grace", "_graph", "_quiet", "_work", "begun", "ended", "on_end")

    def __init__(self, graph: ActorRef[Any], env: Environment, work: Work) -> None:
        self.begun = False
        self.ended = False
        self.on_end: Callable[[], object] | None = None
        self._graph = graph
        self._env = env
        self._work = work
        self._body: Body | CredentialedBody | None = None
        self._grace: float | None = None
        self._quiet = False

    @property
    def is_on_loop(self) -> bool:
        """Whether its code runs on the thread of the actors."""
        return self._work.block.execution in _ON_LOOP

    def begin(self) -> None:
        """Starts the body, which may have ended when this returns. One that can't be started is the failure of the node."""
        self._leave_queue()
        try:
            self._body = self._env.start_body(self._work, self)
        except Exception as error:
            logger.exception("The body of node execution %d could not be started.", self._work.number)
            self._end()
            number, attempt, name = self._work.number, self._work.attempt, type(error).__name__
            self._tell(Report(number, attempt, (), "failed", str(error) or name, name, expected=False))
            return
        if self._grace is not None:
            self._body.cancel(self._grace)

    def cancel(self, grace: float) -> None:
        """Stops the body within so many seconds, now or when it begins; that it has is told."""
        self._grace = grace
        if self._body is not None:
            self._body.cancel(grace)

    def cancel_here(self, grace: float) -> bool:
        """The same; whether it has stopped at once, and then it is not told."""
        self._quiet = True
        self.cancel(grace)
        self._quiet = False
        return self.ended

    def abort(self) -> None:
        """Its graph execution is gone: nobody listens to the body any more."""
        if not self.begun:
            self._leave_queue()
            self._offer_place()
        if self._body is not None and not self._body.done:
            self._body.cancel(0.0)

    def outputs(self, items: list[tuple[str, Any]]) -> None:
        """Values of a body that goes on."""
        number, attempt = self._work.number, self._work.attempt
        for start in range(0, len(items), CHUNK):
            self._tell(Report(number, attempt, tuple(items[start : start + CHUNK])))

    def finished(self, items: list[tuple[str, Any]], outcome: Outcome) -> None:
        """The rest of the values and how the body ended."""
        self._end()
        kind, work = outcome.kind, self._work
        if kind != "completed" and kind != "failed":
            if not self._quiet and self._graph.is_alive():
                self._graph.tell_system(Stopped(work.number, kind == "abandoned"))
            return
        if len(items) > CHUNK:
            self.outputs(items[:-CHUNK])
            items = items[-CHUNK:]
        stats = NodeStats(
            outcome.wall, outcome.cpu, outcome.input_bytes, outcome.output_bytes, outcome.counters or {}
        )
        self._tell(
            Report(
                work.number,
                work.attempt,
                tuple(items),
                kind,
                outcome.error,
                outcome.error_type,
                outcome.expected,
                stats,
            )
        )

    def _end(self) -> None:
        self.ended = True
        self._offer_place()
        if self.on_end is not None:
            self.on_end()

    def _tell(self, report: Report) -> None:
        if self._graph.is_alive():
            self._graph.tell(report)

    def _leave_queue(self) -> None:
        self.begun = True
        self._env.slots.begun(self._work.block.execution)

    def _offer_place(self) -> None:
        self._env.slots.offer(self._work.block.execution)
