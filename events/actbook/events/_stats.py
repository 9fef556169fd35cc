"""Adding up what bodies used: the same rule for attempts, for node executions, and for what blocks counted themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actbook.events._node_events import NodeStats


def add_stats(total: NodeStats, more: NodeStats) -> NodeStats:
    """Both together; neither is changed."""
    return NodeStats(
        total.wall + more.wall,
        total.cpu + more.cpu,
        total.input_bytes + more.input_bytes,
        total.output_bytes + more.output_bytes,
        add_counters(total.counters, more.counters),
    )


def add_counters(total: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers add up, dicts are updated, lists extended; None never replaces anything, all else does."""
    added = dict(total)
    for name, value in more.items():
        added[name] = add_values(added.get(name), value)
    return added


def add_values(total: Any, value: Any) -> Any:
    """One counter and what is added to it; neither is changed."""
    if value is None:
        return total
    if _is_number(total) and _is_number(value):
        return total + value
    if isinstance(total, dict) and isinstance(value, dict):
        return {**total, **value}
    if isinstance(total, list) and isinstance(value, list):
        return [*total, *value]
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
