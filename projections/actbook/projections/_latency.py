"""The table `latency`, filled along with `node_executions`: how long node executions waited and ran.

A histogram with buckets that grow with the values: each doubling has 16 of them. They are found by integer arithmetic, so
that every machine finds the same ones, and histograms are merged by adding the counts of equal buckets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil

from actbook.events import Envelope
from actbook.projections._days import DAY, day_of
from actbook.projections._rows import Rows
from actbook.projections._table import Column, Key, Row, Table

_BITS = 5
"""Leading binary digits that a bucket keeps of a value."""

RELATIVE_ERROR = 2.0**-_BITS
"""A quantile is at most this part of it away from a value that is exactly at its rank."""

LATENCY = Table(
    "latency",
    "How long node executions that ended waited and ran. One row per day, block, user, status, measure and bucket.",
    (
        Column("day", "TEXT", "day in UTC on which they ended, YYYY-MM-DD", "", fixed=True),
        Column("block_id", "TEXT", "block", "", fixed=True),
        Column("user_id", "TEXT", "on whose behalf", "", fixed=True),
        Column("status", "TEXT", "COMPLETED or FAILED", "", fixed=True),
        Column(
            "measure", "TEXT", "`wait`: in the queue; `run`: of the body, over all attempts", "", fixed=True
        ),
        Column(
            "bucket",
            "INTEGER",
            "microseconds from which on values are counted here, up to 1/16 more",
            0,
            fixed=True,
        ),
        Column("count", "INTEGER", "node executions", 0),
        Column("total", "INTEGER", "their microseconds, exactly", 0),
        Column("position", "INTEGER", "event that changed the row last", 0),
    ),
    key=("day", "block_id", "user_id", "status", "measure", "bucket"),
    along_key=True,
)

_BLANK = LATENCY.blank()


def bucket_of(micros: int) -> int:
    """The least value of the bucket that a value belongs to."""
    extra = micros.bit_length() - _BITS
    return micros if extra <= 0 else micros >> extra << extra


def middle_of(bucket: int) -> float:
    """What a bucket stands for: the middle of its values."""
    extra = bucket.bit_length() - _BITS
    return bucket if extra <= 0 else bucket + ((1 << extra) - 1) / 2


def quantile(buckets: Sequence[tuple[int, int]], part: float) -> float:
    """The value below or at which that part of all lies, from `(bucket, count)` in ascending order; 0 of nothing."""
    left = ceil(part * sum(count for _, count in buckets))
    for bucket, count in buckets:
        left -= count
        if left <= 0:
            return middle_of(bucket)
    return 0.0


class Ends:
    """Node executions that ended in a batch, to be counted together: a call for each would double what a row costs."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, str, str, str], tuple[list[float], list[float], list[int]]] = {}

    def add(self, node: Row, event: Envelope) -> None:
        """The row says how it ended."""
        if node["started_at"] is None:
            return
        key = (event.at // DAY, node["block_id"], event.user_id, node["status"])
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = ([], [], [])
        found[0].append(node["waited"])
        found[1].append(node["wall"])
        found[2].append(event.position)

    def clear(self) -> None:
        self._found.clear()

    def count(self, rows: Rows) -> None:
        """Brings everything that was added into the rows."""
        for (day, block, user, status), (waits, runs, positions) in self._found.items():
            begin = (day_of(day * DAY), block, user, status)
            for measure, seconds in (("wait", waits), ("run", runs)):
                _count((*begin, measure), [_micros(each) for each in seconds], positions, rows)
        self._found.clear()


def forget_ends(nodes: Iterable[Row], event: Envelope, rows: Rows) -> None:
    """These were counted, and turn out to have happened in the origin of a fork."""
    for node in nodes:
        if node["started_at"] is None or node["skipped"]:
            continue
        begin = (day_of(node["ended_at"]), node["block_id"], event.user_id, node["status"])
        for measure, seconds in (("wait", node["waited"]), ("run", node["wall"])):
            micros = _micros(seconds)
            _subtract((*begin, measure, bucket_of(micros)), micros, event, rows)


def _micros(seconds: float) -> int:
    return int(seconds * 1e6 + 0.5) if seconds > 0 else 0


def _count(begin: Key, values: Sequence[int], positions: Sequence[int], rows: Rows) -> None:
    counts: dict[int, int] = {}
    totals: dict[int, int] = {}
    last: dict[int, int] = {}
    for value, position in zip(values, positions, strict=True):
        extra = value.bit_length() - _BITS
        bucket = value >> extra << extra if extra > 0 else value
        counts[bucket] = counts.get(bucket, 0) + 1
        totals[bucket] = totals.get(bucket, 0) + value
        last[bucket] = position
    for bucket, count in counts.items():
        row = _row((*begin, bucket), rows)
        row["count"] += count
        row["total"] += totals[bucket]
        row["position"] = last[bucket]


def _row(key: Key, rows: Rows) -> Row:
    try:
        return rows[key]
    except KeyError:
        rows[key] = row = {**_BLANK, **dict(zip(LATENCY.key, key, strict=True))}
        return row


def _subtract(key: Key, micros: int, event: Envelope, rows: Rows) -> None:
    row = rows[key]
    row["count"] -= 1
    row["total"] -= micros
    row["position"] = event.position
    if not row["count"]:
        rows.delete(key)
