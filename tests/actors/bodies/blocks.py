"""A sink that keeps what it hears, and blocks that behave well and badly."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import threading
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import msgspec

from actbook.actors._bodies import Bodies, Body, Capacity, Outcome
from actbook.graphs import Block, Execution, ExecutionContext

Pair = tuple[str, Any]
PATIENCE = 20.0
CONTEXT = ExecutionContext(user_id="ada", node_exec_id="run.1")


class Sink:
    """Keeps everything in order."""

    def __init__(self) -> None:
        self.batches: list[list[Pair]] = []
        self.last: list[Pair] = []
        self.outcomes: list[Outcome] = []
        self.ended = asyncio.Event()
        self.heard = asyncio.Event()

    def outputs(self, items: list[Pair]) -> None:
        assert items
        assert not self.outcomes
        self.batches.append(items)
        self.heard.set()

    def finished(self, items: list[Pair], outcome: Outcome) -> None:
        self.last = items
        self.outcomes.append(outcome)
        self.heard.set()
        self.ended.set()

    @property
    def outcome(self) -> Outcome:
        (outcome,) = self.outcomes
        return outcome

    @property
    def values(self) -> list[Any]:
        return [value for batch in [*self.batches, self.last] for _, value in batch]

    async def end(self) -> Outcome:
        async with asyncio.timeout(PATIENCE):
            await self.ended.wait()
        return self.outcome

    async def first(self) -> Any:
        async with asyncio.timeout(PATIENCE):
            await self.heard.wait()
        return self.values[0]


def with_bodies(
    test: Callable[[Bodies], Awaitable[None]],
    capacity: Capacity | None = None,
    timeout_grace: float = 2.0,
) -> None:
    """Run an async test against bodies that are closed after it."""

    async def main() -> None:
        bodies = Bodies(capacity, timeout_grace=timeout_grace)
        try:
            await test(bodies)
        finally:
            await bodies.close(0.0)

    asyncio.run(main())


def begin(bodies: Bodies, block: Block, value: Any = None, timeout: float | None = None) -> tuple[Sink, Body]:
    sink = Sink()
    return sink, bodies.start(block, {"value": value}, CONTEXT, sink, timeout=timeout)


class AnyInput(msgspec.Struct):
    value: Any = None


class AnyOutput(msgspec.Struct):
    out: Any = None
    number: int = 0
    error: str = ""


def block_of(run: Callable[[Any, AnyInput, ExecutionContext], Any], execution: Execution = "async") -> Block:
    """A block of a new class around a `run` function."""
    body = {
        "id": str(uuid.uuid4()),
        "Input": AnyInput,
        "Output": AnyOutput,
        "execution": execution,
        "run": run,
    }
    made: type[Block] = type(run.__name__.title().replace("_", ""), (Block,), body)
    return made()


class Quiet(BaseException):
    """An exception without a message that no `except Exception` sees."""


FAULTS: dict[str, BaseException] = {
    "value": ValueError("not like this"),
    "unicode": UnicodeError("a kind of ValueError"),
    "key": KeyError("absent"),
    "silent": Quiet(),
    "exit": SystemExit(3),
    "generator": GeneratorExit("left"),
    "cancelled": asyncio.CancelledError("called off"),
    "recursion": RecursionError("too deep"),
    "memory": MemoryError(),
}
CLOSED: list[str] = []


def misbehave(case: str) -> Iterator[Any]:
    """One good value, then what the case says."""
    yield "out", "before"
    try:
        match case:
            case "well":
                return
            case "error pin":
                yield "error", "told"
            case "empty error":
                yield "error", ""
            case "unknown pin":
                yield "elsewhere", 1
            case "wrong type":
                yield "number", "many"
            case "unrecordable":
                yield "out", object()
            case "not a pair":
                yield "out"
            case _:
                raise FAULTS[case]
        yield "out", "after"
    finally:
        CLOSED.append(case)


class _Plain(Block):
    Input = AnyInput
    Output = AnyOutput

    def run(self, input: AnyInput, context: ExecutionContext) -> Iterator[Pair]:
        return misbehave(input.value)


class _Async(Block):
    Input = AnyInput
    Output = AnyOutput

    async def run(self, input: AnyInput, context: ExecutionContext) -> AsyncIterator[Pair]:
        steps = misbehave(input.value)
        try:
            for item in steps:
                yield item
        finally:
            steps.close()  # type: ignore[attr-defined]


class InlinePlain(_Plain):
    id = "7a3f5c6e-0001-4e0e-8f6b-2f8c0b7f4a01"
    execution = "inline"


class InlineAsync(_Async):
    id = "7a3f5c6e-0002-4e0e-8f6b-2f8c0b7f4a01"
    execution = "inline"


class AsyncPlain(_Plain):
    id = "7a3f5c6e-0003-4e0e-8f6b-2f8c0b7f4a01"


class AsyncAsync(_Async):
    id = "7a3f5c6e-0004-4e0e-8f6b-2f8c0b7f4a01"


class BlockingPlain(_Plain):
    id = "7a3f5c6e-0005-4e0e-8f6b-2f8c0b7f4a01"
    execution = "blocking"


class BlockingAsync(_Async):
    id = "7a3f5c6e-0006-4e0e-8f6b-2f8c0b7f4a01"
    execution = "blocking"


class CpuPlain(_Plain):
    id = "7a3f5c6e-0007-4e0e-8f6b-2f8c0b7f4a01"
    execution = "cpu"


class CpuAsync(_Async):
    id = "7a3f5c6e-0008-4e0e-8f6b-2f8c0b7f4a01"
    execution = "cpu"


EVERYWHERE: tuple[Block, ...] = (
    InlinePlain(),
    InlineAsync(),
    AsyncPlain(),
    AsyncAsync(),
    BlockingPlain(),
    BlockingAsync(),
    CpuPlain(),
    CpuAsync(),
)


class Toil(Block):
    """Tells its process id, then does what the input says."""

    id = "7a3f5c6e-0009-4e0e-8f6b-2f8c0b7f4a01"
    Input = AnyInput
    Output = AnyOutput
    execution = "cpu"

    def run(self, input: AnyInput, context: ExecutionContext) -> Iterator[Pair]:
        yield "out", os.getpid()
        yield from toil(input.value)


def toil(how: Any) -> Iterator[Pair]:
    match how:
        case "for ever":
            while True:
                sum(range(1_000))
        case "holding the interpreter":
            re.match("(a+)+$", "a" * 64 + "b")
        case "waiting":
            threading.Event().wait()
        case "leave":
            os._exit(3)
        case "be killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "close everything":
            os.closerange(3, 256)
            threading.Event().wait()
        case "with a child":
            child = subprocess.Popen(["sleep", "1000"])
            yield "out", child.pid
            threading.Event().wait()
        case "descriptors":
            yield "out", [_identity(int(name)) for name in os.listdir("/proc/self/fd")]
        case "compute":
            yield "out", sum(i * i for i in range(2_000_000))


def _identity(descriptor: int) -> list[int]:
    try:
        found = os.fstat(descriptor)
    except OSError:
        return []
    return [found.st_dev, found.st_ino]


class Echo(Block):
    id = "7a3f5c6e-0010-4e0e-8f6b-2f8c0b7f4a01"
    Input = AnyInput
    Output = AnyOutput
    execution = "cpu"

    def __init__(self, suffix: str = "") -> None:
        self.suffix = suffix

    def run(self, input: AnyInput, context: ExecutionContext) -> Iterator[Pair]:
        yield "out", input.value
        yield "out", context.user_id + self.suffix
