"""How a body ended, and how an exception is told."""

from __future__ import annotations

import logging
import traceback
from typing import Any, Literal

import msgspec

from actbook.actors._execution_log import ExecutionLog
from actbook.graphs import ActbookError, ExecutionContext

_log = logging.getLogger("actbook.block")


class Fault(msgspec.Struct, frozen=True, array_like=True):
    """Why a body failed. `expected`: a ValueError, a yield on `error`, refused input or output, a timeout."""

    error: str
    error_type: str = ""
    expected: bool = True
    traceback: str = ""


NO_FAULT = Fault("")
Kind = Literal["completed", "failed", "cancelled", "abandoned"]


class Outcome(msgspec.Struct, frozen=True):
    """How a body ended and what it used (seconds, bytes of plain values).

    `abandoned`: it was cancelled and would not stop in time. `stopped` is False when its code still runs,
    in a thread that cannot be ended: what it does from now on is ignored. `counters`: what the block counted itself.
    """

    kind: Kind
    error: str = ""
    error_type: str = ""
    expected: bool = True
    traceback: str = ""
    wall: float = 0.0
    cpu: float = 0.0
    input_bytes: int = 0
    output_bytes: int = 0
    stopped: bool = True
    counters: dict[str, Any] | None = None


class NoSlotError(ActbookError):
    """Every slot of an execution mode is taken. Look at `Bodies.slots` before starting a body."""

    def __init__(self, mode: str) -> None:
        super().__init__(f"No free slot for {mode} bodies: look at `Bodies.slots` before `start`.")
        self.mode = mode


def text_of(error: BaseException) -> str:
    """The message of an exception; its class name when it has none or cannot tell."""
    try:
        return str(error) or type(error).__name__
    except Exception:
        return type(error).__name__


def fault_of(error: BaseException) -> Fault:
    expected = isinstance(error, ValueError)
    trace = "" if expected else _traceback_of(error)
    return Fault(text_of(error), type(error).__name__, expected, trace)


def refused(error: BaseException) -> Fault:
    """A fault that the block's contract foresees, whatever the type of the exception."""
    return Fault(text_of(error), type(error).__name__)


def timed_out(seconds: float) -> Fault:
    return Fault(f"Node execution exceeded {seconds:g}s wall-clock cap", "TimeoutError")


def log_unexpected(context: ExecutionContext, block_name: str, message: str, trace: str) -> None:
    log = ExecutionLog.of(_log, "Block", context, block_name)
    log.error("Block %s failed: %s", block_name, message, trace=trace)


def _traceback_of(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except Exception:
        return ""
