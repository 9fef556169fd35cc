"""Costs of blocks and of runs, as tables and as laws."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actbook.events import block_usage_cost, execution_usage_cost
from actbook.events._costs import _is_cost_filter_match
from actbook.graphs import Block, BlockCost, CostType


class Values(msgspec.Struct):
    value: Any = None


class PricedBlock(Block):
    id = "00000000-0000-4000-8000-00000000c001"
    Input = Output = Values
    costs = (
        BlockCost(10, {"model": "big"}),
        BlockCost(0.5, {"model": "timed"}, CostType.SECOND),
        BlockCost(2, {"model": "sized"}, CostType.BYTE),
        BlockCost(3, {"credentials": {"id": "ours", "type": "api_key"}}),
        BlockCost(7, {"model": "big", "mode": "fast"}),
    )


class HeirBlock(PricedBlock):
    id = "00000000-0000-4000-8000-00000000c002"


class FlatBlock(Block):
    id = "00000000-0000-4000-8000-00000000c003"
    Input = Output = Values
    costs = (BlockCost(4), BlockCost(9, {"model": "big"}))


class FreeBlock(Block):
    id = "00000000-0000-4000-8000-00000000c004"
    Input = Output = Values


@pytest.mark.parametrize(
    ("data", "size", "seconds", "expected"),
    [
        ({"model": "big"}, 0, 0, (10, {"model": "big"})),
        ({"model": "big", "mode": "fast"}, 0, 0, (10, {"model": "big"})),
        ({"model": "timed"}, 0, 9.9, (4, {"model": "timed"})),
        ({"model": "timed"}, 1000, 0, (0, {"model": "timed"})),
        ({"model": "sized"}, 21, 5, (42, {"model": "sized"})),
        (
            {"credentials": {"id": "ours", "type": "api_key", "provider": "p"}},
            0,
            0,
            (3, {"credentials": {"id": "ours", "type": "api_key"}}),
        ),
        ({"credentials": {"id": "mine", "type": "api_key"}}, 0, 0, (0, {})),
        ({"model": "other"}, 9, 9, (0, {})),
        ({}, 9, 9, (0, {})),
    ],
)
def test_the_first_entry_that_matches_counts(
    data: dict[str, Any], size: int, seconds: float, expected: tuple[float, dict[str, Any]]
) -> None:
    assert block_usage_cost(PricedBlock(), data, size, seconds) == expected


def test_an_empty_filter_matches_everything() -> None:
    assert block_usage_cost(FlatBlock(), {"model": "big"}) == (4, {})
    assert block_usage_cost(FlatBlock(), {}) == (4, {})


def test_a_block_without_entries_is_free() -> None:
    assert block_usage_cost(FreeBlock(), {"model": "big"}, 10, 10) == (0, {})


def test_entries_belong_to_the_exact_class() -> None:
    assert block_usage_cost(HeirBlock(), {"model": "big"}) == (0, {})


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, (1, 100)), (1, (0, 100)), (99, (0, 100)), (100, (1, 100)), (101, (0, 100)), (1000, (1, 100))],
)
def test_every_hundredth_run_has_a_price(count: int, expected: tuple[int, int]) -> None:
    assert execution_usage_cost(count) == expected


def test_price_and_threshold_may_be_others() -> None:
    assert execution_usage_cost(6, threshold=3, price=2.5) == (2.5, 3)
    assert execution_usage_cost(7, threshold=3, price=2.5) == (0, 3)


@pytest.mark.parametrize(
    ("wanted", "data", "matches"),
    [
        ({}, {}, True),
        ({}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ({"a": 1}, {"a": 2}, False),
        ({"a": None}, {}, True),
        ({"a": ""}, {"a": None}, True),
        ({"a": 0}, {"a": False}, True),
        ({"a": []}, {"a": {}}, True),
        ({"a": None}, {"a": 1}, False),
        ({"a": 1}, {"a": 0}, False),
        ({"a": 1}, {}, False),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, True),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, False),
        ({"a": {"b": 1}}, {"a": 1}, False),
        ({"a": {"b": 1}}, {"a": {}}, False),
        ({"a": {"b": None}}, {}, True),
        ({"a": {"b": None}}, {"a": None}, True),
        ({"a": {"b": None, "c": ""}}, {"a": {}}, True),
        ({"a": {"b": None}}, {"a": {"c": 1}}, True),
        ({"a": {"b": None}}, {"a": {"b": 1}}, False),
        ({"a": {"b": {"c": None}}}, {"a": {"d": 1}}, True),
        ({"a": {"b": {"c": None}}}, {}, True),
        ({"a": {"b": None, "c": 1}}, {}, False),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}, True),
        ({"a": [1]}, {"a": [1, 2]}, False),
        ("x", "x", True),
        ("x", "y", False),
        (None, None, True),
        (None, "", False),
        ({}, None, False),
        ("x", {"a": 1}, False),
    ],
)
def test_what_matches_a_filter(wanted: Any, data: Any, matches: bool) -> None:
    assert _is_cost_filter_match(wanted, data) is matches


SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "b"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
DICTS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


@given(DICTS)
def test_data_matches_itself(data: dict[str, Any]) -> None:
    assert _is_cost_filter_match(data, data)


@given(DICTS, DICTS)
def test_more_data_beside_what_is_asked_for_changes_nothing(
    wanted: dict[str, Any], data: dict[str, Any]
) -> None:
    assert _is_cost_filter_match(wanted, {**data, "other": 1}) == _is_cost_filter_match(wanted, data)


@given(DICTS, DICTS)
def test_a_falsy_value_is_an_absent_one(wanted: dict[str, Any], data: dict[str, Any]) -> None:
    present = {key: value for key, value in data.items() if value}
    assert _is_cost_filter_match(wanted, data) == _is_cost_filter_match(wanted, present)


@given(DICTS, DICTS, DICTS)
def test_two_filters_match_when_both_do(
    first: dict[str, Any], second: dict[str, Any], data: dict[str, Any]
) -> None:
    apart = {key: value for key, value in second.items() if key not in first}
    both = _is_cost_filter_match({**first, **apart}, data)
    assert both == (_is_cost_filter_match(first, data) and _is_cost_filter_match(apart, data))


@given(st.integers(0, 10**9), st.floats(0, 1e6, allow_nan=False))
def test_time_and_bytes_are_cut_to_whole_credits(size: int, seconds: float) -> None:
    timed, _ = block_usage_cost(PricedBlock(), {"model": "timed"}, size, seconds)
    assert timed == int(seconds * 0.5)
    assert block_usage_cost(PricedBlock(), {"model": "sized"}, size, seconds)[0] == 2 * size
