"""Two masks become one."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from actbook.engine.admission import _merge_nodes_input_masks


@pytest.mark.parametrize(
    ("a", "b", "merged"),
    [
        ({}, {}, {}),
        (None, None, {}),
        ({"n": {"x": 1}}, None, {"n": {"x": 1}}),
        (None, {"n": {"x": 1}}, {"n": {"x": 1}}),
        ({"n": {"x": 1}}, {"n": {"x": 2}}, {"n": {"x": 2}}),
        ({"n": {"x": 1, "y": 1}}, {"n": {"x": 2}}, {"n": {"x": 2, "y": 1}}),
        ({"n": {"x": 1}}, {"m": {"x": 2}}, {"n": {"x": 1}, "m": {"x": 2}}),
        ({"n": {"x": 1}}, {"n": {"x": None}}, {"n": {"x": None}}),
        ({"n": {"x": {"a": 1}}}, {"n": {"x": {"b": 2}}}, {"n": {"x": {"b": 2}}}),
        ({"n": {}}, {}, {"n": {}}),
    ],
)
def test_the_second_wins_field_by_field(a: Any, b: Any, merged: Any) -> None:
    assert _merge_nodes_input_masks(a, b) == merged


def test_neither_argument_is_changed_and_nothing_is_shared() -> None:
    a: dict[str, dict[str, Any]] = {"n": {"x": [1]}, "m": {"deep": {"er": [1]}}}
    b: dict[str, dict[str, Any]] = {"n": {"y": [2]}}
    before = deepcopy((a, b))
    merged = _merge_nodes_input_masks(a, b)
    merged["n"]["x"].append(9)
    merged["n"]["y"].append(9)
    merged["m"]["deep"]["er"].append(9)
    merged["m"]["new"] = 1
    assert (a, b) == before
