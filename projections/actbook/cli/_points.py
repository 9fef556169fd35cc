"""Points of a history, as people name them: a version or a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actbook.cli._problems import MissingError, UsageError
from actbook.cli._records import moment

if TYPE_CHECKING:
    from datetime import datetime

    from actbook.replay import History


def point(option: str, text: str) -> int | datetime:
    """Raises `UsageError` when it is neither."""
    if text.isdecimal():
        return int(text)
    try:
        return moment(text)
    except ValueError:
        raise UsageError(
            f"{option} {text!r} is no version and no moment."
            " Give a number from 1 on, or ISO 8601 such as 2026-01-31T12:00:00Z."
        ) from None


def is_point(text: str) -> bool:
    """Whether it can only be meant as a version or a moment."""
    try:
        point("", text)
    except UsageError:
        return False
    return True


def check_point(history: History, at: object) -> int | datetime | None:
    """The point, if the history has it; None stands for the end. Raises `MissingError`."""
    from datetime import datetime

    newest = len(history.events)
    if isinstance(at, int) and not 1 <= at <= newest:
        raise MissingError(f"There is no version {at}: the history goes from 1 to {newest}.")
    if isinstance(at, datetime) and at < history.events[0].recorded_at:
        begin = history.events[0].recorded_at.isoformat()
        raise MissingError(f"The execution did not exist at {at.isoformat()}: its history begins at {begin}.")
    return at if isinstance(at, (int, datetime)) else None
