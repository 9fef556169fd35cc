"""Date and time blocks, with a clock of our own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from actbook.blocks import clock_for_run, system_clock
from actbook.blocks.standard import clocks
from actbook.blocks.testing import error_of, run_block
from actbook.graphs import Block, ExecutionContext

NOW = datetime(2026, 11, 22, 11, 32, 17, 123456, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    token = clock_for_run.set(lambda: NOW)
    yield
    clock_for_run.reset(token)


DATE, TIME, BOTH = clocks.GetCurrentDateBlock, clocks.GetCurrentTimeBlock, clocks.GetCurrentDateAndTimeBlock
ISO = {"discriminator": "iso8601"}
INDIA = {"timezone": "Asia/Kolkata"}
MINE = {"use_user_timezone": True}


@pytest.mark.parametrize(
    ("block", "data", "text"),
    [
        (DATE, {}, "2026-11-22"),
        (DATE, {"offset": 7}, "2026-11-15"),
        (DATE, {"offset": "-1"}, "2026-11-23"),
        (DATE, {"offset": "soon"}, "2026-11-22"),
        (DATE, {"format_type": {"discriminator": "strftime", "format": "%d.%m.%y"}}, "22.11.26"),
        (DATE, {"format_type": ISO, "offset": "30"}, "2026-10-23"),
        (DATE, {"format": "ignored"}, "2026-11-22"),
        (DATE, {"format_type": {"timezone": "Pacific/Kiritimati"}, "offset": 0}, "2026-11-23"),
        (TIME, {}, "11:32:17"),
        (TIME, {"format_type": ISO}, "T11:32:17+00:00"),
        (TIME, {"format_type": {**ISO, **INDIA, "include_microseconds": True}}, "T17:02:17.123456+05:30"),
        (TIME, {"format_type": {"format": "%H", **INDIA}}, "17"),
        (BOTH, {}, "2026-11-22 11:32:17"),
        (BOTH, {"format_type": {**ISO, **INDIA}}, "2026-11-22T17:02:17+05:30"),
        (BOTH, {"format_type": {**ISO, **MINE, **INDIA}}, "2026-11-22T06:32:17-05:00"),
        (BOTH, {"format_type": {**ISO, "include_microseconds": True}}, "2026-11-22T11:32:17.123456+00:00"),
    ],
)
def test_text(block: type[Block], data: dict[str, Any], text: str) -> None:
    context = ExecutionContext(user_timezone="America/New_York")
    [(pin, value)] = run_block(block, {"trigger": "go", **data}, context)
    assert value == text
    assert pin in ("date", "time", "date_time")


@pytest.mark.parametrize("zone", ["nowhere/land", "not-set", ""])
def test_an_unknown_user_timezone_leaves_the_nodes_own(zone: str) -> None:
    context = ExecutionContext()
    context.user_timezone = zone
    data = {"trigger": "go", "format_type": {**ISO, **MINE, **INDIA}}
    assert run_block(BOTH, data, context) == [("date_time", "2026-11-22T17:02:17+05:30")]


@pytest.mark.parametrize("zone", ["nowhere/land", "../UTC", "/etc/passwd", ""])
def test_an_unknown_timezone_fails(zone: str) -> None:
    text = error_of(TIME, {"trigger": "go", "format_type": {"timezone": zone}})
    assert text == f"Unknown timezone {zone!r}: use an IANA name such as Europe/Berlin or UTC"


@pytest.mark.parametrize("offset", [10**7, -(10**7), 10**12])
def test_an_offset_beyond_the_calendar_fails(offset: int) -> None:
    assert "leads out of the calendar" in error_of(DATE, {"trigger": "go", "offset": offset})


def test_the_system_clock_is_aware() -> None:
    assert system_clock().utcoffset() is not None
