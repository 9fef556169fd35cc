"""Several lists at once, and lists within lists."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actbook.blocks._equality import identity
from actbook.blocks.standard import list_algebra
from actbook.blocks.testing import assert_outputs, error_of, outputs_of, run_block
from actbook.graphs import Block

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0, 0.5, "a", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=5,
)
LISTS = st.lists(VALUES, max_size=8)


@pytest.mark.parametrize(
    ("block", "data", "outputs"),
    [
        (
            list_algebra.ConcatenateListsBlock,
            {"lists": [[1], None, [None, 1]]},
            [("concatenated_list", [1, None, 1]), ("length", 3)],
        ),
        (
            list_algebra.ConcatenateListsBlock,
            {"lists": [[1, None], [True, 1.0, [1], [True]]], "deduplicate": True, "remove_none": True},
            [("concatenated_list", [1, [1]]), ("length", 2)],
        ),
        (list_algebra.ConcatenateListsBlock, {"lists": []}, [("concatenated_list", []), ("length", 0)]),
        (
            list_algebra.FlattenListBlock,
            {"nested_list": [1, [2, [3, []]]]},
            [("flattened_list", [1, 2, 3]), ("length", 3), ("original_depth", 4)],
        ),
        (
            list_algebra.FlattenListBlock,
            {"nested_list": [1, [2, [3]]], "max_depth": 1},
            [("flattened_list", [1, 2, [3]]), ("length", 3), ("original_depth", 3)],
        ),
        (
            list_algebra.FlattenListBlock,
            {"nested_list": [[1]], "max_depth": 0},
            [("flattened_list", [[1]]), ("length", 1), ("original_depth", 2)],
        ),
        (
            list_algebra.FlattenListBlock,
            {"nested_list": []},
            [("flattened_list", []), ("length", 0), ("original_depth", 1)],
        ),
        (
            list_algebra.FlattenListBlock,
            {"nested_list": [], "max_depth": -2},
            [("error", "max_depth must be -1 (unlimited) or a non-negative integer, got -2")],
        ),
        (
            list_algebra.InterleaveListsBlock,
            {"lists": [[1, 4], [2], [3, 5, 6]]},
            [("interleaved_list", [1, 2, 3, 4, 5, 6]), ("length", 6)],
        ),
        (
            list_algebra.ZipListsBlock,
            {"lists": [[1, 2], ["a"]]},
            [("zipped_list", [[1, "a"]]), ("length", 1)],
        ),
        (
            list_algebra.ZipListsBlock,
            {"lists": [[1, 2], ["a"]], "pad_to_longest": True, "fill_value": 0},
            [("zipped_list", [[1, "a"], [2, 0]]), ("length", 2)],
        ),
        (list_algebra.ZipListsBlock, {"lists": []}, [("zipped_list", []), ("length", 0)]),
        (
            list_algebra.ListDifferenceBlock,
            {"list_a": [3, 1, 3, {"k": 1}], "list_b": [1, {"k": True}]},
            [("difference", [3, 3]), ("length", 2)],
        ),
        (
            list_algebra.ListDifferenceBlock,
            {"list_a": [1, 2], "list_b": [4, 2, 4], "symmetric": True},
            [("difference", [1, 4, 4]), ("length", 3)],
        ),
        (
            list_algebra.ListIntersectionBlock,
            {"list_a": [3, 1, 3, 2], "list_b": [2, 3]},
            [("intersection", [3, 2]), ("length", 2)],
        ),
    ],
)
def test_outputs(block: type[Block], data: dict[str, Any], outputs: list[tuple[str, Any]]) -> None:
    assert_outputs(block, data, *outputs)


@pytest.mark.parametrize(
    ("block", "item", "kind"),
    [
        (list_algebra.ConcatenateListsBlock, "x", "str"),
        (list_algebra.InterleaveListsBlock, {}, "dict"),
        (list_algebra.ZipListsBlock, None, "NoneType"),
    ],
)
def test_an_item_that_is_no_list(block: type[Block], item: Any, kind: str) -> None:
    assert error_of(block, {"lists": [[1], item]}) == (
        f"Invalid input at index 1: expected a list, got {kind}. "
        "All items in 'lists' must be lists (e.g., [[1, 2], [3, 4]])."
    )


def _nested(levels: int) -> list[Any]:
    nested: list[Any] = []
    for _ in range(levels - 1):
        nested = [nested]
    return nested


def test_the_depth_is_limited() -> None:
    assert outputs_of(list_algebra.FlattenListBlock, {"nested_list": _nested(1_000)})["original_depth"] == [
        1_000
    ]
    text = error_of(list_algebra.FlattenListBlock, {"nested_list": _nested(1_001)})
    assert text == "Lists are nested deeper than 1000 levels"


@settings(deadline=None)
@given(VALUES, VALUES)
def test_identity_is_equality(one: Any, other: Any) -> None:
    assert (identity(one) == identity(other)) is (one == other)


@settings(deadline=None)
@given(LISTS)
def test_flattening_all_leaves_no_list_and_every_leaf(items: list[Any]) -> None:
    def leaves(value: Any) -> list[Any]:
        return [leaf for each in value for leaf in leaves(each)] if isinstance(value, list) else [value]

    assert outputs_of(list_algebra.FlattenListBlock, {"nested_list": items})["flattened_list"] == [
        leaves(items)
    ]


@settings(deadline=None)
@given(LISTS, LISTS)
def test_difference_and_intersection_agree_with_their_definitions(a: list[Any], b: list[Any]) -> None:
    data = {"list_a": a, "list_b": b}
    assert outputs_of(list_algebra.ListDifferenceBlock, data)["difference"] == [[x for x in a if x not in b]]
    shared: list[Any] = []
    for item in a:
        if item in b and item not in shared:
            shared.append(item)
    assert outputs_of(list_algebra.ListIntersectionBlock, data)["intersection"] == [shared]


@settings(deadline=None)
@given(st.lists(LISTS, max_size=4))
def test_interleaving_holds_every_item(lists: list[list[Any]]) -> None:
    found = run_block(list_algebra.InterleaveListsBlock, {"lists": lists})
    expected = [each[n] for n in range(8) for each in lists if n < len(each)]
    assert found == [("interleaved_list", expected), ("length", len(expected))]
