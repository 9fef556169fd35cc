"""What using a block costs, and what counting runs costs: pure functions over declared prices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actbook.graphs import Block, BlockCost, CostType

EXECUTION_THRESHOLD = 100
EXECUTION_PRICE = 1


def execution_usage_cost(
    execution_count: int, *, threshold: int = EXECUTION_THRESHOLD, price: float = EXECUTION_PRICE
) -> tuple[float, int]:
    """`(price, threshold)`: the price when the count is a multiple of the threshold, else 0.

    Whoever charges leaves a count of 0 out: nothing ran yet.
    """
    return (price if execution_count % threshold == 0 else 0), threshold


def block_usage_cost(
    block: Block, input_data: Mapping[str, Any], data_size: float = 0, run_time: float = 0
) -> tuple[float, Mapping[str, Any]]:
    """`(amount, matched filter)` of one use of a block: the first of its entries whose filter matches the input.

    `data_size` in bytes, `run_time` in seconds: what entries by BYTE and SECOND multiply, cut to whole credits.
    Entries are those that the block's own class declares, not those of a base class. `(0, {})`: it is free.
    """
    entry = matching_cost(block, input_data)
    return (0, {}) if entry is None else (amount_of(entry, data_size, run_time), entry.cost_filter)


def matching_cost(block: Block, input_data: Mapping[str, Any]) -> BlockCost | None:
    """The first entry of the block's own class whose filter matches the input."""
    entries: tuple[BlockCost, ...] = vars(type(block)).get("costs", ())
    for entry in entries:
        if _is_cost_filter_match(entry.cost_filter, input_data):
            return entry
    return None


def amount_of(entry: BlockCost, data_size: float, run_time: float) -> float:
    """Credits for one use."""
    if entry.cost_type is CostType.SECOND:
        return int(run_time * entry.cost_amount)
    if entry.cost_type is CostType.BYTE:
        return int(data_size * entry.cost_amount)
    return entry.cost_amount


def _is_cost_filter_match(filter: Any, data: Any) -> bool:  # noqa: A002
    """Does the data have everything that the filter asks for?

    Other than dicts: when equal. A key that the filter wants falsy may be absent or have any falsy value; so does a nested
    filter match nothing at all when all that it asks for is absence.
    """
    if not isinstance(filter, Mapping) or not isinstance(data, Mapping):
        return bool(filter == data)
    return all(_matches(wanted, data.get(key)) for key, wanted in filter.items())


def _matches(wanted: Any, value: Any) -> bool:
    if not value:
        return _asks_for_absence(wanted)
    return _is_cost_filter_match(wanted, value)


def _asks_for_absence(wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return all(_asks_for_absence(each) for each in wanted.values())
    return not wanted
