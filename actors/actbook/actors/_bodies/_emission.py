"""What one body yields: checked, made plain and passed on, in every execution mode."""

from __future__ import annotations

import time
import types
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import Any, cast

from actbook.graphs import Block, BlockType, ExecutionContext

from ._counters import counted
from ._outcome import Fault, fault_of, refused, timed_out
from ._plain import UnrecordableError, plain

Pair = tuple[str, Any]
Yields = Generator[Any, None, None] | AsyncGenerator[Any, None]
_BURST = 256
_refusing: list[Coroutine[Any, Any, None]] = []
"""Code that would not end: kept from the garbage collector, which would run it again."""
_NATIVE = frozenset({types.GeneratorType, types.AsyncGeneratorType})


class BodyEnded(BaseException):
    """Raised where a body waits that must end now. Not an Exception: what handles errors may not keep it."""


class Emission:
    """Takes the values of one body until it fails, is stopped or ends. `fault` is None unless it failed."""

    __slots__ = (
        "_check",
        "_error_text",
        "counters",
        "deadline",
        "fault",
        "interrupt",
        "put",
        "size",
        "stopped",
        "taken",
        "timeout",
    )

    def __init__(self, block: Block, put: Callable[[Pair], Any]) -> None:
        self.put = put
        self.taken = 0
        self.size = 0
        self.counters: dict[str, Any] | None = None
        self.stopped = False
        self.fault: Fault | None = None
        self.interrupt: BaseException | None = None
        self.deadline: float | None = None
        self.timeout = 0.0
        self._check = block.output_schema.check if block.block_type == BlockType.STANDARD else None
        self._error_text = f"{block.name} failed without a message"

    def limit(self, seconds: float) -> None:
        """Fail at the first value that comes later: for code that nothing can interrupt."""
        self.timeout = seconds
        self.deadline = time.perf_counter() + seconds

    def count(self, name: str, value: Any) -> None:
        """What the body counts itself. Raises UnrecordableError."""
        self.counters = counted(self.counters, name, value)

    def take(self, item: Any) -> bool:
        """Take one yielded item. False: no more is wanted, close the generator."""
        if self.stopped:
            return False
        if self.deadline is not None and time.perf_counter() > self.deadline:
            self.fault = timed_out(self.timeout)
            return False
        self.fault = self._refusal(item)
        return self.fault is None

    def fail(self, error: BaseException) -> None:
        """The body raised. The first fault counts, and none that comes of being stopped."""
        if isinstance(error, KeyboardInterrupt):
            self.interrupt = error
        if self.fault is None and not self.stopped:
            self.fault = fault_of(error)

    def _refusal(self, item: Any) -> Fault | None:
        if type(item) is not tuple or len(item) != 2 or type(item[0]) is not str:
            return Fault(f"`run` must yield (pin, value) pairs, not {_shown(item)}", "TypeError")
        pin, value = item
        if pin == "error":
            return self._error_pin(value)
        try:
            value, size = plain(value)
            text = None if self._check is None else self._check(pin, value)
        except UnrecordableError as error:
            return Fault(
                f"output `{pin}` holds a value that cannot be recorded: {error}", "UnrecordableError"
            )
        except Exception as error:
            return refused(error)
        if text is not None:
            return Fault(text, "OutputError")
        self.taken += 1
        self.size += size
        self.put((pin, value))
        return None

    def _error_pin(self, value: Any) -> Fault:
        try:
            return Fault(("" if value is None else str(value)) or self._error_text)
        except Exception:
            return Fault(self._error_text)


def begin(block: Block, data: dict[str, Any], context: ExecutionContext, emission: Emission) -> Yields | None:
    """The block's generator, not yet started; None when the input is refused or there is no generator."""
    try:
        given = block.input_schema.build(data)
    except Exception as error:
        emission.fault = refused(error)
        return None
    try:
        yields: Any = block.run(given, context)
    except BaseException as error:
        emission.fail(error)
        return None
    if type(yields) in _NATIVE or isinstance(yields, (Generator, AsyncGenerator)):
        return cast("Yields", yields)
    if isinstance(yields, types.CoroutineType):
        yields.close()
    text = f"`run` of {block.name} must be a generator: write at least one `yield` in it"
    emission.fault = Fault(text, "TypeError", expected=False)
    return None


def drain(yields: Generator[Any, None, None], emission: Emission) -> None:
    """Run a plain generator to its end."""
    try:
        for item in yields:
            if not emission.take(item):
                yields.close()
                return
    except BaseException as error:
        emission.fail(error)


async def drain_async(yields: Yields, emission: Emission, burst: int = _BURST) -> None:
    """Run any generator to its end; every `burst` values the loop gets a turn (0: never)."""
    try:
        if type(yields) is not types.AsyncGeneratorType and isinstance(yields, Generator):
            await _drain_in_turns(yields, emission, burst)
            return
        async for item in yields:
            if not emission.take(item):
                await yields.aclose()
                return
            if burst and not emission.taken % burst:
                await breathe()
    except BaseException as error:
        emission.fail(error)


async def _drain_in_turns(yields: Generator[Any, None, None], emission: Emission, burst: int) -> None:
    for item in yields:
        if not emission.take(item):
            yields.close()
            return
        if burst and not emission.taken % burst:
            await breathe()


@types.coroutine
def breathe() -> Generator[None, None, None]:
    """Give the event loop one turn."""
    yield


def end_now(coro: Coroutine[Any, Any, None]) -> bool:
    """End a `drain_async` that waits, at once. False when the block's code would go on; it never will.

    `close` would not do: it does not reach into the async generator.
    """
    try:
        coro.throw(BodyEnded())
    except BaseException:
        return True
    _refusing.append(coro)
    return False


def _shown(item: Any) -> str:
    return f"an item of type {type(item).__name__}"
