"""The current date and time, as text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from actbook.graphs import Block, ExecutionContext

from .._ports import clock_for_run


class TimeFormat(msgspec.Struct, kw_only=True):
    """`iso8601` ignores `format`, `strftime` ignores `include_microseconds`. `timezone` is any IANA name."""

    discriminator: Literal["strftime", "iso8601"] = "strftime"
    format: str = "%Y-%m-%d %H:%M:%S"
    timezone: str = "UTC"
    use_user_timezone: bool = False
    include_microseconds: bool = False


class DateFormat(TimeFormat, kw_only=True):
    format: str = "%Y-%m-%d"


class ClockFormat(TimeFormat, kw_only=True):
    format: str = "%H:%M:%S"


class GetCurrentDateBlock(Block):
    id = "b29c1b50-5d0e-4d9f-8f9d-1b0e6fcbf0b1"
    description = "The current date, or that of some days ago."

    class Input(msgspec.Struct, kw_only=True):
        trigger: str
        offset: int | str = 0
        format_type: DateFormat = msgspec.field(default_factory=DateFormat)

    class Output(msgspec.Struct):
        date: str

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        day = _days_ago(_now(input.format_type, context), _whole(input.offset))
        iso = input.format_type.discriminator == "iso8601"
        yield "date", day.date().isoformat() if iso else _formatted(day, input.format_type.format)


class GetCurrentTimeBlock(Block):
    id = "a892b8d9-3e4e-4e9c-9c1e-75f8efcf1bfa"
    description = "The current time of day."

    class Input(msgspec.Struct, kw_only=True):
        trigger: str
        format_type: ClockFormat = msgspec.field(default_factory=ClockFormat)

    class Output(msgspec.Struct):
        time: str

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        wanted = input.format_type
        now = _now(wanted, context)
        if wanted.discriminator == "iso8601":
            yield "time", now.isoformat(timespec=_precision(wanted))[len("YYYY-MM-DD") :]
        else:
            yield "time", _formatted(now, wanted.format)


class GetCurrentDateAndTimeBlock(Block):
    id = "716a67b3-6760-42e7-86dc-18645c6e00fc"
    description = "The current date and time of day."

    class Input(msgspec.Struct, kw_only=True):
        trigger: str
        format_type: TimeFormat = msgspec.field(default_factory=TimeFormat)

    class Output(msgspec.Struct):
        date_time: str

    def run(self, input: Input, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        wanted = input.format_type
        now = _now(wanted, context)
        if wanted.discriminator == "iso8601":
            yield "date_time", now.isoformat(timespec=_precision(wanted))
        else:
            yield "date_time", _formatted(now, wanted.format)


def _now(wanted: TimeFormat, context: ExecutionContext) -> datetime:
    zone = _zone(context.user_timezone) if wanted.use_user_timezone else None
    zone = zone or _zone(wanted.timezone)
    if zone is None:
        raise ValueError(
            f"Unknown timezone {wanted.timezone!r}: use an IANA name such as Europe/Berlin or UTC"
        )
    return clock_for_run.get()().astimezone(zone)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _whole(offset: int | str) -> int:
    try:
        return int(offset)
    except ValueError:
        return 0


def _days_ago(now: datetime, days: int) -> datetime:
    try:
        return now - timedelta(days=days)
    except OverflowError:
        raise ValueError(f"offset {days} leads out of the calendar (years 1 to 9999)") from None


def _precision(wanted: TimeFormat) -> str:
    return "microseconds" if wanted.include_microseconds else "seconds"


def _formatted(moment: datetime, wanted: str) -> str:
    return moment.strftime(wanted)
