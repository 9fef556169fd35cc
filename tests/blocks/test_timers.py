"""The countdown."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from actbook.blocks import clock_for_run
from actbook.blocks.standard.timers import CountdownTimerBlock, countdown_seconds
from actbook.blocks.testing import BlockInputError, assert_outputs, error_of, run_block
from actbook.graphs import ExecutionContext


def test_no_duration_is_at_once() -> None:
    assert_outputs(CountdownTimerBlock, {}, ("output_message", "timer finished"))


def test_it_waits_the_whole_duration_before_each_message(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    data = {"input_message": {"a": 1}, "seconds": "1", "minutes": 2, "hours": 3, "days": "1", "repeat": 2}
    assert run_block(CountdownTimerBlock, data) == [("output_message", {"a": 1})] * 2
    assert slept == [97_321, 97_321]


@pytest.mark.parametrize(
    ("passed", "slept"),
    [(0, [60, 60, 60]), (45, [15, 60, 60]), (60, [60, 60]), (130, [50]), (500, []), (-10, [60, 60, 60])],
)
def test_another_attempt_goes_on_where_the_first_one_was(
    monkeypatch: pytest.MonkeyPatch, passed: int, slept: list[int]
) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    context = ExecutionContext(attempt=2, started_at=int(began.timestamp()) * 1_000_000)
    token = clock_for_run.set(lambda: began + timedelta(seconds=passed))
    try:
        outputs = run_block(CountdownTimerBlock, {"minutes": 1, "repeat": 3}, context)
    finally:
        clock_for_run.reset(token)
    assert waited == slept
    assert len(outputs) == 3


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"seconds": "1.5"}, "seconds must be a valid integer, got '1.5'"),
        ({"hours": "x"}, "hours must be a valid integer, got 'x'"),
        ({"seconds": 5, "minutes": -1}, "Countdown duration must be non-negative, got -55s"),
        (
            {"days": 4, "repeat": 2},
            "Cumulative countdown duration 691200s (per-iteration 345600s × repeat 2) exceeds max (604800s = 7 days)",
        ),
    ],
)
def test_errors(data: dict[str, Any], text: str) -> None:
    assert error_of(CountdownTimerBlock, data) == text


@pytest.mark.parametrize("repeat", [0, 1001])
def test_repeat_is_from_1_to_1000(repeat: int) -> None:
    with pytest.raises(BlockInputError, match="repeat"):
        run_block(CountdownTimerBlock, {"repeat": repeat})


def test_the_longest_is_a_week() -> None:
    assert countdown_seconds(CountdownTimerBlock.Input(days=7)) == 604_800
