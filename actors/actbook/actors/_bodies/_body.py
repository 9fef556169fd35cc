"""One running attempt of one node: its end, its time limit and how it is stopped. A subclass per mode."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextvars import Context
from copy import copy
from time import perf_counter
from typing import Any, ClassVar, Protocol

from actbook.blocks import counter_for_run
from actbook.graphs import Block, ExecutionContext
from actbook.graphs._stored_credentials import credentials_of_run

from ._deadlines import Deadlines
from ._emission import Emission, Pair
from ._outcome import NO_FAULT, Fault, Kind, Outcome, log_unexpected, timed_out
from ._plain import own_copy, size_of
from ._redaction import redacted

_NO_CONTEXT = ExecutionContext()


class BodySink(Protocol):
    """Hears of one body, on the loop thread. May be called before `Bodies.start` has returned."""

    def outputs(self, items: list[tuple[str, Any]]) -> None:
        """Values of a body that goes on, in yield order, at most once per turn of the loop."""

    def finished(self, items: list[tuple[str, Any]], outcome: Outcome) -> None:
        """The rest of the values and how it ended. Called exactly once, and last."""


class Host(Protocol):
    """What a body needs of its `Bodies`."""

    loop: asyncio.AbstractEventLoop
    home: Context
    deadlines: Deadlines
    timeout_grace: float

    def release(self, body: Body, *, stopped: bool) -> None:
        """The body has ended, or will be ignored from now on."""


class Body(ABC):
    """Handle of a running attempt. All methods are for the loop thread and return at once."""

    mode: ClassVar[str]

    def __init__(self, host: Host, block: Block, sink: BodySink) -> None:
        self.done = False
        self._host = host
        self._block = block
        self._sink = sink
        self._pending: list[Pair] = []
        self._emission = Emission(block, self._pending.append)
        self._context = _NO_CONTEXT
        self._stop_fault: Fault | None = None
        self._cancelled = False
        self._credentials = credentials_of_run.get()
        self._timer: asyncio.TimerHandle | None = None
        self._input_bytes = 0
        self._cpu = 0.0
        self._since = perf_counter()

    def cancel(self, grace: float) -> None:
        """Stop it: `finished` follows within `grace` seconds, inside this call where the code ends at once.

        Called again, only an earlier end counts. Values that are not yet handed out are dropped.
        """
        if self.done:
            return
        if not self._cancelled:
            self._cancelled = True
            self._pending.clear()
        self._stop(grace)

    def begin(self, data: dict[str, Any], context: ExecutionContext, timeout: float | None) -> None:
        """Called once, by `Bodies.start`."""
        self._context = context
        own = own_copy(data)
        self._input_bytes = size_of(data)
        if timeout is not None:
            self._limit(timeout)
        counter_for_run.set(self._emission.count)
        self._begin(own, copy(context))

    @abstractmethod
    def _begin(self, data: dict[str, Any], context: ExecutionContext) -> None: ...

    @abstractmethod
    def _halt(self) -> None:
        """Ask the code to stop. Called at once, and again after half of the grace."""

    @abstractmethod
    def _give_up(self) -> None:
        """The grace is over: end it, whatever its code does."""

    def _limit(self, timeout: float) -> None:
        self._timer = self._host.loop.call_later(timeout, self._time_out, timeout, context=self._host.home)

    def _time_out(self, seconds: float) -> None:
        if not (self.done or self._cancelled):
            self._stop_fault = timed_out(seconds)
            self._stop(self._host.timeout_grace)

    def _stop(self, grace: float) -> None:
        first = not self._emission.stopped
        self._emission.stopped = True
        if first:
            self._halt()
        if not self.done:
            self._host.deadlines.add(self, grace)

    def urge(self) -> None:
        if not self.done:
            self._halt()

    def expire(self) -> None:
        if not self.done:
            self._give_up()

    def _flush(self) -> None:
        if self._pending and not self.done:
            items = self._pending[:]
            self._pending.clear()
            self._tell(self._sink.outputs, items)

    def _end(self, *, abandoned: bool = False, stopped: bool = True) -> None:
        """The one end. `abandoned`: it would not stop in time; `stopped`: none of its code runs any more."""
        if self.done:
            return
        self.done = True
        if self._timer is not None:
            self._timer.cancel()
        if self._emission.stopped:
            self._host.deadlines.discard(self)
        self._host.release(self, stopped=stopped)
        items, outcome = self._pending, self._outcome(abandoned, stopped)
        if not outcome.expected:
            log_unexpected(self._context, self._block.name, outcome.error, outcome.traceback)
        self._tell(self._sink.finished, items, outcome)

    def _outcome(self, abandoned: bool, stopped: bool) -> Outcome:
        kind: Kind
        fault: Fault | None
        if self._cancelled:
            kind, fault = ("abandoned" if abandoned else "cancelled"), NO_FAULT
        elif fault := self._stop_fault or self._emission.fault:
            kind = "failed"
            if self._credentials:
                fault = redacted(fault, self._credentials)
        else:
            kind, fault = "completed", NO_FAULT
        return Outcome(
            kind,
            fault.error,
            fault.error_type,
            fault.expected,
            fault.traceback,
            perf_counter() - self._since,
            self._cpu,
            self._input_bytes,
            self._emission.size,
            stopped,
            self._emission.counters,
        )

    def _tell(self, call: Callable[..., None], *args: Any) -> None:
        try:
            call(*args)
        except Exception as error:
            report = {"message": "The sink of a node body raised", "exception": error}
            self._host.loop.call_exception_handler(report)
