"""One list and its items."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actbook.blocks.standard import lists
from actbook.blocks.testing import assert_outputs, outputs_of, run_block
from actbook.graphs import Block

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=5,
)
ITEMS = st.lists(VALUES, max_size=8)


@pytest.mark.parametrize(
    ("block", "data", "outputs"),
    [
        (lists.AddToListBlock, {}, [("updated_list", [])]),
        (lists.AddToListBlock, {"list": [1], "entry": 2}, [("updated_list", [1, 2])]),
        (
            lists.AddToListBlock,
            {"list": [1], "entries": [2, None], "entry": 3},
            [("updated_list", [1, 2, None, 3])],
        ),
        (lists.AddToListBlock, {"list": [1, 2], "entry": 3, "position": 0}, [("updated_list", [3, 1, 2])]),
        (lists.AddToListBlock, {"list": [1, 2], "entry": 3, "position": -1}, [("updated_list", [1, 3, 2])]),
        (lists.AddToListBlock, {"list": [1, 2], "entry": 3, "position": 99}, [("updated_list", [1, 2, 3])]),
        (lists.AddToListBlock, {"list": [1, 2], "entry": 3, "position": -99}, [("updated_list", [3, 1, 2])]),
        (lists.AddToListBlock, {"list": [1], "entry": None}, [("updated_list", [1])]),
        (lists.AddToListBlock, {"list": [1], "entry": []}, [("updated_list", [1, []])]),
        (lists.CountItemsBlock, {"collection": "abc"}, [("count", 3)]),
        (lists.CountItemsBlock, {"collection": [1, [2, 3]]}, [("count", 2)]),
        (lists.CountItemsBlock, {"collection": {"a": 1}}, [("count", 1)]),
        (lists.CountItemsBlock, {"collection": 5}, [("count", -1)]),
        (lists.CreateListBlock, {"values": [1, 2]}, [("list", [1, 2])]),
        (lists.CreateListBlock, {"values": []}, [("list", [])]),
        (lists.CreateListBlock, {"values": [1, 2, 3], "max_size": 2}, [("list", [1, 2]), ("list", [3])]),
        (lists.CreateListBlock, {"values": [1, 2], "max_size": 0, "max_tokens": 0}, [("list", [1, 2])]),
        (
            lists.CreateListBlock,
            {"values": ["one two", "three", "four five six"], "max_tokens": 3},
            [("list", ["one two", "three"]), ("list", ["four five six"])],
        ),
        (
            lists.CreateListBlock,
            {"values": ["one two three", "a"], "max_tokens": 1},
            [("list", ["one two three"]), ("list", ["a"])],
        ),
        (lists.RemoveFromListBlock, {"list": ["T", 1, "T"], "value": "T"}, [("updated_list", [1, "T"])]),
        (
            lists.RemoveFromListBlock,
            {"list": [1, 2, 3], "value": 1, "index": -1, "return_item": True},
            [("updated_list", [1, 2]), ("removed_item", 3)],
        ),
        (lists.RemoveFromListBlock, {"list": [1], "value": 2}, [("error", "Index or value not found")]),
        (lists.RemoveFromListBlock, {"list": [1], "index": 1}, [("error", "Index or value not found")]),
        (
            lists.RemoveFromListBlock,
            {"list": [1], "index": 5, "value": 1},
            [("error", "Index or value not found")],
        ),
        (lists.RemoveFromListBlock, {"list": [None]}, [("error", "Index or value not found")]),
        (lists.GetListItemBlock, {"list": [1, None], "index": -1}, [("item", None)]),
        (lists.GetListItemBlock, {"list": [1], "index": "0"}, [("item", 1)]),
        (lists.GetListItemBlock, {"list": [1], "index": 1}, [("error", "Index out of range")]),
        (lists.GetListItemBlock, {"list": [], "index": -1}, [("error", "Index out of range")]),
        (
            lists.ReplaceListItemBlock,
            {"list": [1, 2], "index": -1, "value": 3},
            [("updated_list", [1, 3]), ("old_item", 2)],
        ),
        (
            lists.ReplaceListItemBlock,
            {"list": [1], "index": -2, "value": 3},
            [("error", "Index out of range")],
        ),
        (lists.FindInListBlock, {"list": ["a", "b"], "value": "b"}, [("index", 1), ("found", True)]),
        (lists.FindInListBlock, {"list": [True], "value": 1}, [("index", 0), ("found", True)]),
        (
            lists.FindInListBlock,
            {"list": [[1]], "value": [2]},
            [("found", False), ("not_found_value", [2])],
        ),
        (lists.ListIsEmptyBlock, {"list": []}, [("is_empty", True)]),
        (lists.ListIsEmptyBlock, {"list": [None]}, [("is_empty", False)]),
        (lists.ReverseListOrderBlock, {"input_list": [1, 2, 3]}, [("reversed_list", [3, 2, 1])]),
    ],
)
def test_outputs(block: type[Block], data: dict[str, Any], outputs: list[tuple[str, Any]]) -> None:
    given_data = copy.deepcopy(data)
    assert_outputs(block, data, *outputs)
    assert data == given_data


@settings(deadline=None)
@given(ITEMS, ITEMS, st.none() | VALUES, st.none() | st.integers(-12, 12))
def test_adding_keeps_every_item_in_order(
    items: list[Any], new: list[Any], entry: Any, at: int | None
) -> None:
    data = {"list": items, "entries": new, "entry": entry, "position": at}
    [updated] = outputs_of(lists.AddToListBlock, data)["updated_list"]
    added = new if entry is None else [*new, entry]
    place = len(items[:at]) if at is not None else len(items)
    assert updated[place : place + len(added)] == added
    assert updated[:place] + updated[place + len(added) :] == items


@settings(deadline=None)
@given(ITEMS, st.integers(0, 4), st.integers(0, 6))
def test_chunks_hold_every_value_and_keep_the_limits(items: list[Any], size: int, tokens: int) -> None:
    chunks = list(lists.chunks(items, size, tokens))
    assert [item for chunk in chunks for item in chunk] == items
    assert all(chunks) or items == []
    for chunk in chunks:
        assert size == 0 or len(chunk) <= size
        assert tokens == 0 or len(chunk) <= 1 or sum(map(lists.token_count, chunk)) <= tokens


@settings(deadline=None)
@given(ITEMS)
def test_reversing_twice_changes_nothing(items: list[Any]) -> None:
    [(_, once)] = run_block(lists.ReverseListOrderBlock, {"input_list": items})
    assert run_block(lists.ReverseListOrderBlock, {"input_list": once}) == [("reversed_list", items)]


@pytest.mark.parametrize(
    ("value", "count"),
    [("", 0), ("hello world", 2), ("internationalization", 3), ("12345", 2), ("a-b", 3), ({"a": 1}, 7)],
)
def test_token_count(value: Any, count: int) -> None:
    assert lists.token_count(value) == count
