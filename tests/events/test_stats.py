"""Adding up what bodies used: numbers add, dicts update, lists extend, None never overwrites."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actbook.events import NodeStats, add_counters, add_stats, add_values

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("total", "value", "sum_"),
    [
        (1, 2, 3),
        (1, 0.5, 1.5),
        ({"a": 1, "b": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ([1], [2, 1], [1, 2, 1]),
        (5, None, 5),
        (None, 5, 5),
        (None, None, None),
        ("old", "new", "new"),
        (True, True, True),
        (1, True, True),
        ([1], 2, 2),
        ({"a": 1}, [1], [1]),
    ],
)
def test_one_rule_for_each_kind(total: Any, value: Any, sum_: Any) -> None:
    found = add_values(total, value)
    assert (found, type(found)) == (sum_, type(sum_))


def test_stats_add_up_field_by_field() -> None:
    total = NodeStats(1.0, 0.5, 10, 20, {"tokens": 3, "model": "a", "kept": 1})
    more = NodeStats(2.0, 0.25, 1, 2, {"tokens": 4, "model": None, "rows": [1]})
    assert add_stats(total, more) == NodeStats(
        3.0, 0.75, 11, 22, {"tokens": 7, "model": "a", "kept": 1, "rows": [1]}
    )
    assert total.counters == {"tokens": 3, "model": "a", "kept": 1}


@given(st.dictionaries(st.text(max_size=2), VALUES), st.dictionaries(st.text(max_size=2), VALUES))
def test_adding_changes_neither_side_and_nothing_adds_nothing(
    left: dict[str, Any], right: dict[str, Any]
) -> None:
    before = repr((left, right))
    both = add_counters(left, right)
    assert repr((left, right)) == before
    assert set(both) == set(left) | set(right)
    assert add_counters(left, {}) == left
    assert add_counters(left, dict.fromkeys(left)) == left
