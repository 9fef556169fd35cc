"""Dictionaries."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actbook.blocks.standard import dictionaries
from actbook.blocks.testing import assert_outputs, run_block
from actbook.graphs import Block

KEYS = st.text(max_size=3)
DICTS = st.dictionaries(KEYS, st.none() | st.integers(), max_size=5)


@pytest.mark.parametrize(
    ("container", "key", "pin", "value"),
    [
        ({"a": 1}, "a", "output", 1),
        ({"a": None}, "a", "output", None),
        ({"a": 1}, "b", "missing", {"a": 1}),
        ({"1": "x"}, 1, "missing", {"1": "x"}),
        ('{"a": [1]}', "a", "output", [1]),
        ('{"a": 1}', "b", "missing", '{"a": 1}'),
        ("no json", "a", "missing", "no json"),
        ("5", "a", "missing", "5"),
        (["x", "y"], 1, "output", "y"),
        (["x"], 1, "missing", ["x"]),
        (["x"], -1, "missing", ["x"]),
        (["x"], "0", "output", []),
        ([], "a", "output", []),
        ([], 0, "missing", []),
        ([{"a": 1}, {"b": 2}, {"a": 3}], "a", "output", [1, 3]),
        ([{"b": 1}, {"a": 2}], "a", "output", []),
        (["x", {"a": 2}, 3], "a", "output", [2]),
        ([1, 2], "append", "output", []),
        (5, "real", "missing", 5),
        ({"a": 1}, "keys", "missing", {"a": 1}),
    ],
)
def test_find(container: Any, key: Any, pin: str, value: Any) -> None:
    assert_outputs(dictionaries.FindInDictionaryBlock, {"input": container, "key": key}, (pin, value))


@pytest.mark.parametrize(
    ("block", "data", "outputs"),
    [
        (
            dictionaries.CreateDictionaryBlock,
            {"values": {}, "values_#_a key": 1, "values_#_b": None},
            [("dictionary", {"a key": 1, "b": None})],
        ),
        (dictionaries.AddToDictionaryBlock, {}, [("updated_dictionary", {})]),
        (
            dictionaries.AddToDictionaryBlock,
            {"dictionary": {"a": 1}, "key": "b", "value": 2, "entries": {"b": 3, "c": None}},
            [("updated_dictionary", {"a": 1, "b": 3, "c": None})],
        ),
        (
            dictionaries.AddToDictionaryBlock,
            {"key": "b", "value": None, "dictionary": {"b": 1}},
            [("updated_dictionary", {"b": 1})],
        ),
        (dictionaries.AddToDictionaryBlock, {"key": "", "value": 2}, [("updated_dictionary", {})]),
        (
            dictionaries.RemoveFromDictionaryBlock,
            {"dictionary": {"a": 1, "b": 2}, "key": "a"},
            [("updated_dictionary", {"b": 2})],
        ),
        (
            dictionaries.RemoveFromDictionaryBlock,
            {"dictionary": {"a": None}, "key": "a", "return_value": True},
            [("updated_dictionary", {}), ("removed_value", None)],
        ),
        (
            dictionaries.RemoveFromDictionaryBlock,
            {"dictionary": {"1": 0}, "key": 1},
            [("error", "Key '1' not found in dictionary")],
        ),
        (
            dictionaries.ReplaceDictionaryValueBlock,
            {"dictionary": {"a": 1}, "key": "a", "value": [2]},
            [("updated_dictionary", {"a": [2]}), ("old_value", 1)],
        ),
        (
            dictionaries.ReplaceDictionaryValueBlock,
            {"dictionary": {"a": 1}, "key": "b", "value": 2},
            [("error", "Key 'b' not found in dictionary")],
        ),
        (dictionaries.DictionaryIsEmptyBlock, {"dictionary": {}}, [("is_empty", True)]),
        (dictionaries.DictionaryIsEmptyBlock, {"dictionary": {"a": None}}, [("is_empty", False)]),
    ],
)
def test_outputs(block: type[Block], data: dict[str, Any], outputs: list[tuple[str, Any]]) -> None:
    given_data = copy.deepcopy(data)
    assert_outputs(block, data, *outputs)
    assert data == given_data


@settings(deadline=None)
@given(DICTS, KEYS, st.none() | st.integers(), DICTS)
def test_entries_win_over_the_key_and_both_over_what_was_there(
    old: dict[str, Any], key: str, value: Any, entries: dict[str, Any]
) -> None:
    data = {"dictionary": old, "key": key, "value": value, "entries": entries}
    expected = dict(old)
    if key and value is not None:
        expected[key] = value
    expected.update(entries)
    assert run_block(dictionaries.AddToDictionaryBlock, data) == [("updated_dictionary", expected)]
