"""Work on patterns and templates from outside: at once when it is quick, in a thread up to a bound when it
is not.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

QUICK = 0.02
"""Seconds such work may take on the loop before it starts again in a thread."""

Outputs = list[tuple[str, Any]]


class TimeBoundError(Exception):
    """The work did not end within the seconds it was given."""


_deadline: ContextVar[float] = ContextVar("actbook_deadline", default=math.inf)


@contextmanager
def deadline_in(seconds: float) -> Iterator[None]:
    """Inside, `tick` raises `TimeBoundError` once the seconds are over."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def tick() -> None:
    if time.monotonic() > _deadline.get():
        raise TimeBoundError


def within(
    work: Callable[[float], Outputs], bound: float, late: Callable[[], Outputs], *, heavy: bool = False
) -> Iterator[tuple[str, Any]] | AsyncIterator[tuple[str, Any]]:
    """The outputs of `work(seconds)`: a plain generator when a quick try succeeds, else an async one that
    waits.

    `work` is pure and raises `TimeBoundError` when its seconds are over. After `bound` seconds the outputs
    are those of `late()`, which may raise instead. `heavy` leaves the quick try out.
    """
    if not heavy:
        try:
            return _ready(work(QUICK))
        except TimeBoundError:
            pass
        except ValueError as error:
            return _failed(error)
    return _in_thread(work, bound, late)


def _ready(outputs: Outputs) -> Iterator[tuple[str, Any]]:
    yield from outputs


def _failed(error: ValueError) -> Iterator[tuple[str, Any]]:
    yield from ()
    raise error


async def _in_thread(
    work: Callable[[float], Outputs], bound: float, late: Callable[[], Outputs]
) -> AsyncIterator[tuple[str, Any]]:
    try:
        outputs = await asyncio.to_thread(work, bound)
    except TimeBoundError:
        outputs = late()
    for output in outputs:
        yield output
