"""CSV to dictionaries."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actbook.blocks.standard.spreadsheets import ReadSpreadsheetBlock
from actbook.blocks.testing import assert_outputs, error_of, outputs_of


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        ({"contents": "a,b\n1,2\n"}, [{"a": "1", "b": "2"}]),
        ({"contents": "a,b\r\n 1 , x y \r\n"}, [{"a": "1", "b": "x y"}]),
        ({"contents": "a\n 1 ", "strip": False}, [{"a": " 1 "}]),
        ({"contents": "1,2", "has_header": False}, [{"0": "1", "1": "2"}]),
        ({"contents": "a,b\n1\n1,2,3"}, [{"a": "1"}, {"a": "1", "b": "2", "2": "3"}]),
        ({"contents": "a\n1\n2\n3", "skip_rows": 2}, [{"a": "3"}]),
        ({"contents": "a\n1", "skip_rows": 9}, []),
        ({"contents": "a"}, []),
        ({"contents": "a,b,c\n1,2,3", "skip_columns": ["b"]}, [{"a": "1", "c": "3"}]),
        ({"contents": "a,b,c\n1,2,3", "skip_columns": ["0", 2]}, [{"b": "2"}]),
        ({"contents": "a;b\n\"x;y\";'z'", "delimiter": ";"}, [{"a": "x;y", "b": "'z'"}]),
        ({"contents": 'a\n"1\n2"'}, [{"a": "1\n2"}]),
        ({"contents": "a\n'x,y'", "quotechar": "'"}, [{"a": "x,y"}]),
        ({"contents": "a\nx\\,y"}, [{"a": "x,y"}]),
        ({"contents": "a\nx\\y", "escapechar": ""}, [{"a": "x\\y"}]),
        ({"file_input": "data:text/csv;base64,77u/YQox"}, [{"a": "1"}]),
    ],
)
def test_rows(data: dict[str, Any], rows: list[dict[str, str]]) -> None:
    assert_outputs(ReadSpreadsheetBlock, data, ("rows", rows))
    singular = {**data, "produce_singular_result": True}
    assert_outputs(ReadSpreadsheetBlock, singular, *(("row", row) for row in rows))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({}, "Either 'contents' or 'file_input' must be provided"),
        ({"contents": ""}, "Either 'contents' or 'file_input' must be provided"),
        ({"contents": "a", "delimiter": "::"}, "Cannot read the table: "),
        ({"contents": "a\n" + "x" * 200_000}, "Cannot read the table: field larger than field limit"),
        ({"file_input": "https://example.com/a.csv"}, "Cannot read the file"),
    ],
)
def test_errors(data: dict[str, Any], text: str) -> None:
    assert error_of(ReadSpreadsheetBlock, data).startswith(text)


CELLS = st.lists(
    st.text(alphabet="ab ,\"\n'", min_size=1, max_size=5).filter(str.strip), min_size=2, max_size=2
)


@settings(deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=5))
def test_what_is_written_is_read(rows: list[list[str]]) -> None:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    data = {"contents": written.getvalue(), "has_header": False, "strip": False}
    expected = [{"0": first, "1": second} for first, second in rows]
    assert outputs_of(ReadSpreadsheetBlock, data) == {"rows": [expected]}
