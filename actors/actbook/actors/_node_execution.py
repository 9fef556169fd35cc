"""NodeExecutionActor: one attempt of one node, alive as long as its body."""

from __future__ import annotations

from typing import Any

from actbook.actors._bodies import Body, Outcome
from actbook.actors._credentialed_body import CredentialedBody
from actbook.actors._environment import Environment
from actbook.actors._messages import Cancel, Stopped, Work
from actbook.actors._runtime import Actor, ActorRef
from actbook.events import NodeStats, Report

CHUNK = 256
"""Outputs told at once: a decision about more would keep the loop from everybody else."""


class NodeExecutionActor(Actor):
    """Starts the body, passes on what it yields, and tells how it ended. It has no stream: its graph execution records."""

    def __init__(self, graph: ActorRef[Any], env: Environment, work: Work) -> None:
        super().__init__()
        self._graph = graph
        self._env = env
        self._work = work
        self._begun = False
        self._body: Body | CredentialedBody | None = None
        self._cancel: Cancel | None = None

    def on_start(self) -> None:
        self._leave_queue()
        self._body = self._env.start_body(self._work, self)
        if self._cancel is not None:
            self._body.cancel(self._cancel.grace)

    def on_system(self, message: Any) -> None:
        if type(message) is Cancel:
            self._cancel = message
            if self._body is not None:
                self._body.cancel(message.grace)

    def on_stop(self) -> None:
        self._abort()

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        self._abort()

    def _abort(self) -> None:
        """Its graph execution is gone: nobody listens to the body any more."""
        if not self._begun:
            self._leave_queue()
            self._env.slots.offer(self._work.block.execution)
        if self._body is not None and not self._body.done:
            self._body.cancel(0.0)

    def _leave_queue(self) -> None:
        self._begun = True
        self._env.slots.begun(self._work.block.execution)

    def outputs(self, items: list[tuple[str, Any]]) -> None:
        """Values of a body that goes on."""
        number, attempt = self._work.number, self._work.attempt
        if not self._graph.is_alive():
            return
        for start in range(0, len(items), CHUNK):
            self._graph.tell(Report(number, attempt, tuple(items[start : start + CHUNK])))

    def finished(self, items: list[tuple[str, Any]], outcome: Outcome) -> None:
        """The rest of the values and how the body ended."""
        number, attempt = self._work.number, self._work.attempt
        self._env.slots.offer(self._work.block.execution)
        # Ended before its graph execution hears of it, which may leave as soon as it does.
        if self.actor_ref.is_alive():
            self.stop()
        if not self._graph.is_alive():
            return
        if outcome.kind == "completed" or outcome.kind == "failed":
            if len(items) > CHUNK:
                self.outputs(items[:-CHUNK])
                items = items[-CHUNK:]
            stats = NodeStats(
                outcome.wall,
                outcome.cpu,
                outcome.input_bytes,
                outcome.output_bytes,
                outcome.counters or {},
            )
            self._graph.tell(
                Report(
                    number,
                    attempt,
                    tuple(items),
                    outcome.kind,
                    outcome.error,
                    outcome.error_type,
                    outcome.expected,
                    stats,
                )
            )
        else:
            self._graph.tell_system(Stopped(number, outcome.kind == "abandoned"))
