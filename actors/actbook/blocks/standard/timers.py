"""Waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec

from actbook.graphs import Block, ExecutionContext

from .._ports import clock_for_run

MAX_SECONDS = 604_800
_UNITS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}

Amount = int | str


class CountdownTimerBlock(Block):
    """Counts from the start of its first attempt, which is recorded: a restart costs no time and repeats nothing."""

    id = "d67a9c52-5e4e-11e2-bcfd-0800200c9a71"
    description = "Says a message after some time, once or several times."
    execution_timeout_seconds = 604_860.0

    class Input(msgspec.Struct, kw_only=True):
        input_message: Any = "timer finished"
        seconds: Amount = 0
        minutes: Amount = 0
        hours: Amount = 0
        days: Amount = 0
        repeat: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1

    class Output(msgspec.Struct):
        output_message: Any

    async def run(self, input: Input, context: ExecutionContext) -> AsyncIterator[tuple[str, Any]]:
        duration = countdown_seconds(input)
        left = -_seconds_passed(context)
        for _ in range(input.repeat):
            left += duration
            if left > 0:
                await asyncio.sleep(left)
                left = 0
            yield "output_message", input.input_message


def countdown_seconds(input: CountdownTimerBlock.Input) -> int:
    """Seconds before each output. Raises ValueError when it is no whole number, negative or too long."""
    duration = sum(factor * _whole(unit, getattr(input, unit)) for unit, factor in _UNITS.items())
    if duration < 0:
        raise ValueError(f"Countdown duration must be non-negative, got {duration}s")
    if duration * input.repeat > MAX_SECONDS:
        raise ValueError(
            f"Cumulative countdown duration {duration * input.repeat}s (per-iteration {duration}s × repeat "
            f"{input.repeat}) exceeds max ({MAX_SECONDS}s = 7 days)"
        )
    return duration


def _seconds_passed(context: ExecutionContext) -> float:
    """Since the start of an earlier attempt, by the wall clock: nothing else outlives a process."""
    if context.attempt == 1 or not context.started_at:
        return 0
    return max(0, clock_for_run.get()().timestamp() - context.started_at / 1e6)


def _whole(unit: str, amount: Amount) -> int:
    try:
        return int(amount)
    except ValueError:
        raise ValueError(f"{unit} must be a valid integer, got {amount!r}") from None
