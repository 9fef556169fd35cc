"""Histograms of the table `latency`, summed up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import msgspec

from actbook.projections._latency import quantile

LATENCY_NAMES = ("user_id", "day", "block_id")
"""By what it can be summed."""


class Spread(msgspec.Struct, frozen=True):
    """How values are spread, in seconds: the mean exactly, the others at most 1/32 of it away from a value of that rank."""

    mean: float = 0.0
    p50: float = 0.0
    p90: float = 0.0
    p99: float = 0.0


class LatencyRow(msgspec.Struct, frozen=True, kw_only=True):
    """How many node executions completed and failed, how long they waited in the queue and how long they ran.

    What was not asked for is empty: of all users, days or blocks.
    """

    user_id: str
    day: str
    block_id: str
    completed: int
    failed: int
    wait: Spread
    run: Spread


def check_latency_names(by: Iterable[str]) -> list[str]:
    """The columns to sum by, in their order. Raises `ValueError` for any other name."""
    wanted = set(by)
    unknown = sorted(wanted - set(LATENCY_NAMES))
    if unknown:
        raise ValueError(f"Latency can't be summed by {', '.join(unknown)}: use {', '.join(LATENCY_NAMES)}.")
    return [name for name in LATENCY_NAMES if name in wanted]


def latency_sql(by: list[str], where: str) -> str:
    """Buckets of each group, in ascending order."""
    shown = ", ".join(name if name in by else "''" for name in LATENCY_NAMES)
    names = "".join(f"{name}, " for name in by)
    return (
        f"SELECT {shown}, measure, bucket, sum(CASE status WHEN 'FAILED' THEN count ELSE 0 END), sum(count), sum(total)"
        f" FROM latency{where} GROUP BY {names}measure, bucket ORDER BY {names}measure, bucket"
    )


def latency_rows(found: Iterable[Sequence[Any]]) -> list[LatencyRow]:
    """From the answer to `latency_sql`."""
    return [_row(key, list(rows)) for key, rows in groupby(found, lambda row: tuple(row[:3]))]


def _row(key: tuple[str, str, str], rows: Sequence[Sequence[Any]]) -> LatencyRow:
    runs = [row for row in rows if row[3] == "run"]
    failed = sum(row[5] for row in runs)
    return LatencyRow(
        user_id=key[0],
        day=key[1],
        block_id=key[2],
        completed=sum(row[6] for row in runs) - failed,
        failed=failed,
        wait=_spread([row for row in rows if row[3] == "wait"]),
        run=_spread(runs),
    )


def _spread(rows: Sequence[Sequence[Any]]) -> Spread:
    buckets = [(row[4], row[6]) for row in rows]
    count = sum(number for _, number in buckets)
    if not count:
        return Spread()
    p50, p90, p99 = (quantile(buckets, part) / 1e6 for part in (0.5, 0.9, 0.99))
    return Spread(sum(row[7] for row in rows) / count / 1e6, p50, p90, p99)
