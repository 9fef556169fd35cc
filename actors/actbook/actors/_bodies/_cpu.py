"""Bodies that compute: each has a worker process for as long as it runs."""

from __future__ import annotations

import pickle
from typing import Any, Protocol

from actbook.graphs import Block, ExecutionContext
from actbook.graphs._stored_credentials import revealed

from ._body import Body, BodySink, Host
from ._frames import EndFrame, JobFrame, OutputFrame, packed
from ._outcome import Fault, fault_of, text_of
from ._workers import Worker, Workers


class ProcessHost(Host, Protocol):
    workers: Workers


class CpuBody(Body):
    """Stops at once, whatever its code does: its process is killed."""

    mode = "cpu"

    def __init__(self, host: ProcessHost, block: Block, sink: BodySink) -> None:
        super().__init__(host, block, sink)
        self._workers = host
        self._worker: Worker | None = None
        self._ended = False

    def _begin(self, data: dict[str, Any], context: ExecutionContext) -> None:
        try:
            pickled = pickle.dumps(self._block)
        except Exception as error:
            self._fail(_not_portable(self._block, error))
            return
        try:
            secrets = revealed(self._credentials) if self._credentials else b""
            frame = packed(JobFrame(pickled, data, context, _main_of_parent(pickled), secrets))
            self._worker = self._workers.workers.run(frame, self)
        except Exception as error:
            self._fail(fault_of(error))

    def _halt(self) -> None:
        if self._worker is not None:
            self._worker.kill()

    def _give_up(self) -> None:
        self._end(abandoned=True, stopped=False)

    def _fail(self, fault: Fault) -> None:
        self._emission.fault = fault
        self._end()

    def receive(self, frame: OutputFrame | EndFrame) -> None:
        if isinstance(frame, EndFrame):
            self._ended = True
            self._worker = None
            self._emission.fault = frame.fault
            self._emission.size = frame.size
            self._emission.counters = frame.counters
            self._cpu = frame.cpu
        elif not self._cancelled:
            self._pending.append((frame.pin, frame.value))

    def settle(self) -> None:
        if self._ended:
            self._end()
        else:
            self._flush()

    def died(self, how: str) -> None:
        self._worker = None
        text = f"The worker process that ran {self._block.name} {how}"
        self._fail(Fault(text, "WorkerDied", expected=False))


def _main_of_parent(pickled: bytes) -> dict[str, str]:
    """How a worker finds this process's `__main__`; empty when the block does not need it."""
    if b"__main__" not in pickled:
        return {}
    from multiprocessing import spawn

    known = spawn.get_preparation_data("actbook")
    return {key: value for key, value in known.items() if key.startswith("init_main_from") and value}


def _not_portable(block: Block, error: Exception) -> Fault:
    text = (
        f"{block.name} cannot be sent to a worker process: {text_of(error)}. Define its class at the "
        "top level of an importable module, keep its attributes picklable, or declare "
        '`execution = "blocking"`.'
    )
    return Fault(text, type(error).__name__, expected=False)
