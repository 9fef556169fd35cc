"""The view `usage`: what each user was charged, per day, graph, block and kind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from actbook.events import BalanceCharged, Envelope
from actbook.projections._days import day_of
from actbook.projections._projection import Projection, handles
from actbook.projections._rows import Rows
from actbook.projections._table import Column, Table

USAGE = Table(
    "usage",
    "One row per user, day, graph, block and kind of charge. Made from what left the balances, so a fork counts what it ran itself.",
    (
        Column("user_id", "TEXT", "who was charged", "", fixed=True),
        Column("day", "TEXT", "day of the charges in UTC, YYYY-MM-DD", "", fixed=True),
        Column("graph_id", "TEXT", "graph that was run", "", fixed=True),
        Column("block_id", "TEXT", "block that was charged; empty for a run as a whole", "", fixed=True),
        Column("kind", "TEXT", "RUN, SECOND, BYTE, EXECUTION or REFUND", "", fixed=True),
        Column("charges", "INTEGER", "number of charges", 0),
        Column("amount", "REAL", "credits; negative for refunds", 0.0),
        Column("position", "INTEGER", "event that changed the row last", 0),
    ),
    key=("user_id", "day", "graph_id", "block_id", "kind"),
)


def check_usage_names(by: Iterable[str]) -> list[str]:
    """The columns to sum by, in their order. Raises `ValueError` for any other name."""
    wanted = set(by)
    unknown = sorted(wanted - set(USAGE.key))
    if unknown:
        raise ValueError(f"Usage can't be summed by {', '.join(unknown)}: use {', '.join(USAGE.key)}.")
    return [name for name in USAGE.key if name in wanted]


def usage_sql(by: list[str], where: str) -> str:
    """All key columns, empty where they are not summed by, and the two sums; no row when there are no charges."""
    shown = ", ".join(name if name in by else "''" for name in USAGE.key)
    # Without a group there would be a row of NULLs.
    names = ", ".join(by) or "''"
    order = f" ORDER BY {names}" if by else ""
    return f"SELECT {shown}, sum(charges), sum(amount) FROM usage{where} GROUP BY {names}{order}"


class Usage(Projection):
    """Sums of charges."""

    table: ClassVar[Table] = USAGE

    @handles(BalanceCharged)
    def charged(self, event: Envelope, payload: BalanceCharged, rows: Rows) -> None:
        key = (event.user_id, day_of(event.at), payload.graph_id, payload.block_id, payload.kind)
        if rows.peek(key) is None:
            names = dict(zip(USAGE.key, key, strict=True))
            rows[key] = {**USAGE.blank(), **names}
        row = rows[key]
        row["charges"] += 1
        row["amount"] += payload.amount
        row["position"] = event.position
