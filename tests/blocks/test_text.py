"""CombineTexts, TextSplit, TextReplace, WordCharacterCount."""

from __future__ import annotations

from typing import Any

import pytest

from actbook.blocks.standard import text
from actbook.blocks.testing import assert_outputs, error_of
from actbook.graphs import Block


@pytest.mark.parametrize(
    ("block", "data", "outputs"),
    [
        (text.CombineTextsBlock, {"input": ["a", "b"]}, [("output", "ab")]),
        (
            text.CombineTextsBlock,
            {"input_$_0": "a", "input_$_1": "b", "delimiter": ", "},
            [("output", "a, b")],
        ),
        (text.CombineTextsBlock, {"input": []}, [("output", "")]),
        (text.TextSplitBlock, {"text": "a, b,,c ", "delimiter": ","}, [("texts", ["a", "b", "", "c"])]),
        (
            text.TextSplitBlock,
            {"text": "a, b", "delimiter": ",", "strip": False},
            [("texts", ["a", " b"])],
        ),
        (text.TextSplitBlock, {"text": "", "delimiter": ","}, [("texts", [])]),
        (text.TextReplaceBlock, {"text": "a.a", "old": ".", "new": "-"}, [("output", "a-a")]),
        (text.TextReplaceBlock, {"text": "ab", "old": "", "new": "-"}, [("output", "-a-b-")]),
        (
            text.WordCharacterCountBlock,
            {"text": " one\ntwo  "},
            [("word_count", 2), ("character_count", 10)],
        ),
        (text.WordCharacterCountBlock, {"text": ""}, [("word_count", 0), ("character_count", 0)]),
    ],
)
def test_outputs(block: type[Block], data: dict[str, Any], outputs: list[tuple[str, Any]]) -> None:
    assert_outputs(block, data, *outputs)


def test_an_empty_delimiter_fails() -> None:
    assert error_of(text.TextSplitBlock, {"text": "a", "delimiter": ""}) == "empty separator"
