"""How blocking code learns that it is asked to stop."""

from __future__ import annotations

import threading
import time
from contextvars import ContextVar


class StopSignal:
    """Raised on the loop thread, seen by the thread that runs the body."""

    __slots__ = ("_event", "_lock", "raised")

    def __init__(self) -> None:
        self.raised = False
        self._event: threading.Event | None = None
        self._lock = threading.Lock()

    def set(self) -> None:
        with self._lock:
            self.raised = True
            if self._event is not None:
                self._event.set()

    def wait(self, seconds: float | None) -> bool:
        with self._lock:
            if self.raised:
                return True
            if self._event is None:
                self._event = threading.Event()
        return self._event.wait(seconds)


current_signal: ContextVar[StopSignal | None] = ContextVar("actbook_stop_signal", default=None)


def stop_requested() -> bool:
    """True when the engine wants the running `blocking` body to end: cancelled or over its time limit.

    Long-running blocking code looks at it now and then and returns; code that does not is abandoned.
    """
    signal = current_signal.get()
    return signal is not None and signal.raised


def wait_for_stop(seconds: float | None = None) -> bool:
    """Sleep in blocking code, but wake at once when it has to stop; tells whether it has to.

    Outside a blocking body nothing can ask to stop: it sleeps, and `None` is refused with a RuntimeError.
    """
    signal = current_signal.get()
    if signal is not None:
        return signal.wait(seconds)
    if seconds is None:
        raise RuntimeError("wait_for_stop() without a time works only in the body of a blocking block")
    time.sleep(seconds)
    return False
