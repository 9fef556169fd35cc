"""StoreValue, Note, UniversalTypeConverter."""

from __future__ import annotations

from typing import Any

import pytest

from actbook.blocks.standard.values import NoteBlock, StoreValueBlock, UniversalTypeConverterBlock
from actbook.blocks.testing import BlockInputError, assert_outputs, error_of, run_block


@pytest.mark.parametrize(
    ("data", "stored"),
    [("N/A", "N/A"), ([0], [0]), (None, "i"), (0, "i"), ("", "i"), (False, "i"), ([], "i"), ({}, "i")],
)
def test_falsy_data_falls_back_to_the_input(data: Any, stored: Any) -> None:
    assert_outputs(StoreValueBlock, {"input": "i", "data": data}, ("output", stored))


def test_a_falsy_input_is_a_value() -> None:
    assert_outputs(StoreValueBlock, {"input": 0}, ("output", 0))


def test_a_missing_or_none_input_never_runs() -> None:
    for data in ({}, {"input": None}):
        with pytest.raises(BlockInputError):
            run_block(StoreValueBlock, data)


def test_a_note_yields_its_text() -> None:
    assert_outputs(NoteBlock, {"text": "read me"}, ("output", "read me"))


@pytest.mark.parametrize(
    ("kind", "value", "converted"),
    [
        ("string", {"a": [1]}, '{"a": [1]}'),
        ("string", True, "true"),
        ("string", 4.0, "4.0"),
        ("string", "x", "x"),
        ("number", "5", 5.0),
        ("number", "x", 0.0),
        ("number", [1, 2, 3], 3.0),
        ("boolean", "yes", False),
        ("boolean", "TRUE", True),
        ("list", "a", ["a"]),
        ("list", "[1,", ["[1,"]),
        ("list", "", [""]),
        ("list", "[1, 2]", [1, 2]),
        ("dictionary", '{"a": 1}', {"a": 1}),
        ("dictionary", 5, {"value": 5}),
    ],
)
def test_conversion(kind: str, value: Any, converted: Any) -> None:
    assert_outputs(UniversalTypeConverterBlock, {"type": kind, "value": value}, ("value", converted))


def test_what_cannot_be_converted_is_an_error() -> None:
    text = error_of(UniversalTypeConverterBlock, {"type": "string", "value": [object()]})
    assert text.startswith("Failed to convert value: Failed to convert [<object object at")


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(BlockInputError, match="type"):
        run_block(UniversalTypeConverterBlock, {"type": "text", "value": 1})
