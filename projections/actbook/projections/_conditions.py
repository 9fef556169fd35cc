"""Which executions a question is about, and in which order they come."""

from __future__ import annotations

from typing import NamedTuple, TypedDict

from actbook.projections._errors import SortError
from actbook.projections._filters import Filters, Moment, Statuses


class ExecutionConditions(TypedDict, total=False):
    """What all executions that are found have in common; what is left out, or None, is no condition.

    - `status`: one or several; `parent_id`, `root_id`: of which execution they are sub-graphs, directly or at any depth
    - `text` is looked for in the error, without regard to the case of ASCII letters
    - `since` and `until` bound the creation, `started_…` the first start, `ended_…` the end: the first included, the second not
    - `min_wall` and `max_wall`, seconds, bound how long those took that are over; `min_cost` and `max_cost` the credits: included
    """

    status: Statuses | None
    graph_id: str | None
    graph_version: int | None
    parent_id: str | None
    root_id: str | None
    worker: str | None
    text: str | None
    since: Moment | None
    until: Moment | None
    started_since: Moment | None
    started_until: Moment | None
    ended_since: Moment | None
    ended_until: Moment | None
    min_wall: float | None
    max_wall: float | None
    min_cost: float | None
    max_cost: float | None


def execution_filters(user_id: str | None, wanted: ExecutionConditions) -> Filters:
    """Raises `TypeError` for a condition that there is not, `ValueError` for a value that makes no sense."""
    unknown = sorted(wanted.keys() - ExecutionConditions.__annotations__.keys())
    if unknown:
        raise TypeError(f"Executions have no condition {', '.join(unknown)}")
    filters = Filters().equal(
        user_id=user_id,
        graph_id=wanted.get("graph_id"),
        graph_version=wanted.get("graph_version"),
        parent_id=wanted.get("parent_id"),
        root_id=wanted.get("root_id"),
        worker=wanted.get("worker"),
    )
    filters.status(wanted.get("status")).contains("error", wanted.get("text"))
    filters.between("created_at", wanted.get("since"), wanted.get("until"))
    filters.between("started_at", wanted.get("started_since"), wanted.get("started_until"))
    filters.between("ended_at", wanted.get("ended_since"), wanted.get("ended_until"))
    if filters.within("wall", wanted.get("min_wall"), wanted.get("max_wall")):
        filters.add("ended_at IS NOT NULL")
    filters.within("cost", wanted.get("min_cost"), wanted.get("max_cost"))
    return filters


class Order(NamedTuple):
    """`by`: an SQL expression that is never NULL."""

    by: str
    is_text: bool = False


_ORDERS = {
    "created": Order("seq"),
    "queued": Order("coalesce(queued_at, 0)"),
    "started": Order("coalesce(started_at, 0)"),
    "ended": Order("coalesce(ended_at, 0)"),
    "wall": Order("wall"),
    "cost": Order("cost"),
    "nodes": Order("node_exec_count"),
    "status": Order("status", is_text=True),
    "user": Order("user_id", is_text=True),
    "graph": Order("graph_id", is_text=True),
    "error": Order("error", is_text=True),
}


def execution_order(sort: str) -> Order:
    """Raises `SortError`."""
    try:
        return _ORDERS[sort.removeprefix("-")]
    except KeyError:
        raise SortError(sort, list(_ORDERS)) from None
