"""When a cron expression comes due in a time zone. Moments are microseconds since the Unix epoch, UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from actbook.events._envelope import as_datetime
from actbook.graphs._errors import ActbookError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_FIELDS = 5
_LONGEST = 256
_HOUR = 3_600_000_000
_NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


class CronError(ActbookError, ValueError):
    """A cron expression is not understood, or never comes due. `reason` says which part."""

    def __init__(self, expression: str, reason: str) -> None:
        super().__init__(
            f"Cron expression {expression[:_LONGEST]!r} can't be used: {reason}. "
            "Write five fields: minute, hour, day of month, month, day of week, such as '30 9 * * MON-FRI'."
        )
        self.expression = expression
        self.reason = reason


class TimezoneError(ActbookError, ValueError):
    """A time zone has no entry in the IANA database of this machine."""

    def __init__(self, timezone: str) -> None:
        super().__init__(
            f"There is no time zone {timezone[:_LONGEST]!r}. {_remedy(timezone)} Names are those of the IANA database."
        )
        self.timezone = timezone


class Cron:
    """A cron expression in a time zone: five fields, or @hourly, @daily, @weekly, @monthly, @yearly.

    When clocks go forward, what would fall into the gap comes right after it; when they go back, a fixed time comes once, and a
    field for minutes or hours that begins with `*` goes on counting real time. Raises `CronError` or `TimezoneError`.
    """

    def __init__(self, expression: str, timezone: str = "UTC") -> None:
        self.expression = expression
        self._zone = zone_of(timezone)
        self._fields = _fields(expression)
        self._check()

    def after(self, at: int) -> Iterator[int]:
        """The moments later than `at`, in order; ends when none comes within 50 years."""
        from cronsim import CronSim

        last = at
        for found in CronSim(self._fields, as_datetime(at).astimezone(self._zone)):
            moment = _microseconds(found)
            # In the repeated hour local time stands before what was already due.
            if moment > last:
                last = moment
                yield moment

    def next(self, at: int) -> int | None:
        """The first moment later than `at`."""
        return next(self.after(at), None)

    def between(self, after: int, upto: int, most: int) -> list[int]:
        """The newest moments, at most so many, that are later than `after` and not later than `upto`."""
        span = _HOUR
        while True:
            begin = max(after, upto - span)
            found = [*self._until(begin, upto)]
            if begin == after or len(found) >= most:
                return found[-most:]
            span *= 4

    def count(self, after: int, upto: int, most: int) -> int:
        """How many moments there are in between; counting ends at `most`."""
        return sum(1 for _ in islice(self._until(after, upto), most))

    def explain(self) -> str:
        """The expression in words."""
        from cronsim import CronSim

        return CronSim(self._fields, datetime.now(UTC)).explain()

    def _until(self, after: int, upto: int) -> Iterator[int]:
        for moment in self.after(after):
            if moment > upto:
                return
            yield moment

    def _check(self) -> None:
        from cronsim import CronSimError

        try:
            found = self.next(_microseconds(datetime.now(UTC)))
        except CronSimError as error:
            raise CronError(self.expression, _reason(str(error))) from None
        if found is None:
            raise CronError(self.expression, "such a day never comes")


@lru_cache(maxsize=1024)
def cron_of(expression: str, timezone: str) -> Cron:
    """The same, read once."""
    return Cron(expression, timezone)


def zone_of(timezone: str) -> ZoneInfo:
    """The time zone of that name. Raises `TimezoneError`."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        raise TimezoneError(timezone) from None


def _fields(expression: str) -> str:
    named = _NAMED.get(expression.strip().lower(), expression)
    if len(named) > _LONGEST:
        raise CronError(expression, f"it is longer than {_LONGEST} characters")
    count = len(named.split())
    if count != _FIELDS:
        raise CronError(expression, f"it has {count} fields")
    return named


def _reason(error: str) -> str:
    field = error.removeprefix("Bad ").replace("-", " ")
    return f"the {field} is wrong" if error.startswith("Bad ") else error[:1].lower() + error[1:]


def _remedy(timezone: str) -> str:
    import difflib
    from zoneinfo import available_timezones

    near = difflib.get_close_matches(timezone, sorted(available_timezones()), n=1)
    return f"Did you mean {near[0]}?" if near else "Write one such as Europe/Berlin."


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000
