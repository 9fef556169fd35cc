"""Conditions of a query, as SQL with its values."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from actbook.events import ExecutionStatus

Moment = datetime | int
"""A time: aware datetime, or microseconds since the Unix epoch, UTC."""

Statuses = ExecutionStatus | str | Iterable[ExecutionStatus | str]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Filters:
    """Conditions that all have to hold. A value of None is no condition."""

    def __init__(self) -> None:
        self._conditions: list[str] = []
        self.values: list[Any] = []

    @property
    def where(self) -> str:
        return " WHERE " + " AND ".join(self._conditions) if self._conditions else ""

    def add(self, condition: str, *values: Any) -> Filters:
        self._conditions.append(condition)
        self.values += values
        return self

    def equal(self, **values: Any) -> Filters:
        for column, value in values.items():
            if value is not None:
                self.add(f"{column}=?", value)
        return self

    def status(self, status: Statuses | None) -> Filters:
        """Raises `ValueError` for what is no status."""
        if status is None:
            return self
        one_or_many = [status] if isinstance(status, str) else list(status)
        names = [ExecutionStatus(each).value for each in one_or_many]
        return self.add(f"status IN ({','.join('?' * len(names))})", *names)

    def between(self, column: str, since: Moment | None, until: Moment | None) -> Filters:
        """`since` included, `until` not."""
        if since is not None:
            self.add(f"{column}>=?", microseconds(since))
        if until is not None:
            self.add(f"{column}<?", microseconds(until))
        return self

    def within(self, column: str, least: float | None, most: float | None) -> bool:
        """Both included; whether there is a bound at all."""
        if least is not None:
            self.add(f"{column}>=?", least)
        if most is not None:
            self.add(f"{column}<=?", most)
        return least is not None or most is not None

    def days(self, since: str | None, until: str | None) -> Filters:
        """Of column `day`, YYYY-MM-DD; `since` included, `until` not."""
        if since is not None:
            self.add("day>=?", since)
        if until is not None:
            self.add("day<?", until)
        return self

    def contains(self, column: str, text: str | None) -> Filters:
        """Without regard to the case of ASCII letters."""
        if text is not None:
            escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            self.add(f"{column} LIKE ? ESCAPE '\\'", f"%{escaped}%")
        return self


def microseconds(moment: Moment) -> int:
    if isinstance(moment, int):
        return moment
    if moment.tzinfo is None:
        raise ValueError(
            f"{moment!r} has no time zone: give an aware datetime or microseconds since the epoch"
        )
    return (moment - _EPOCH) // timedelta(microseconds=1)
