"""JSON text to values and back."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actbook.blocks._json_text import from_json_text, json_text
from actbook.blocks.standard.json_texts import JSONDecoderBlock, JSONEncoderBlock
from actbook.blocks.testing import assert_outputs, error_of

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, 2]}, '{"a":[1,2]}'),
        ("é\n", '"é\\n"'),
        ([math.nan, math.inf, -math.inf], "[null,null,null]"),
        (2**64 - 1, "18446744073709551615"),
        (-(2**63), "-9223372036854775808"),
        ("1" * 30, '"' + "1" * 30 + '"'),
        (1e22, "1e22"),
    ],
)
def test_encoding(value: Any, text: str) -> None:
    assert_outputs(JSONEncoderBlock, {"data": value}, ("json_str", text))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (2**64, "Integer exceeds 64-bit range"),
        ({"a": [-(2**63) - 1]}, "Integer exceeds 64-bit range"),
        ("\ud800", "surrogates not allowed"),
        (object(), "unsupported"),
    ],
)
def test_what_cannot_be_encoded(value: Any, reason: str) -> None:
    text = error_of(JSONEncoderBlock, {"data": value})
    assert text.startswith("JSON Encoding Error: ")
    assert reason in text


@pytest.mark.parametrize("text", ["", "NaN", "[1,", "{'a': 1}", "[1] x", "[" * 100_000])
def test_what_cannot_be_decoded(text: str) -> None:
    assert error_of(JSONDecoderBlock, {"json_str": text}).startswith("JSON Decoding Error: ")


def test_decoding() -> None:
    assert_outputs(JSONDecoderBlock, {"json_str": ' {"a": [1, null, 2.5]} '}, ("data", {"a": [1, None, 2.5]}))


@settings(deadline=None)
@given(JSON)
def test_text_and_back(value: Any) -> None:
    text = json_text(value)
    assert from_json_text(text) == value
    assert json.loads(text) == value
