"""Regular expressions over text."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actbook.blocks._pattern import PATTERN_SECONDS, _plain_braces
from actbook.blocks.standard import patterns
from actbook.blocks.standard.patterns import ExtractTextInformationBlock, MatchTextPatternBlock
from actbook.blocks.testing import assert_outputs, error_of, outputs_of


def _found(*matches: str) -> list[tuple[str, Any]]:
    positives: list[tuple[str, Any]] = [("positive", match) for match in matches]
    return [*positives, ("matched_results", list(matches)), ("matched_count", len(matches))]


def _nothing(text: Any) -> list[tuple[str, Any]]:
    return [("negative", text), ("matched_results", []), ("matched_count", 0)]


@pytest.mark.parametrize(
    ("data", "outputs"),
    [
        ({"text": "a1b2", "pattern": r"\d"}, _found("1")),
        ({"text": "a1b2", "pattern": r"\d", "find_all": True}, _found("1", "2")),
        ({"text": "<e>x@y</e>", "pattern": r"<e>(.*?)<\/e>", "group": 1}, _found("x@y")),
        ({"text": "A\nB", "pattern": "a.b", "case_sensitive": False}, _found("A\nB")),
        ({"text": "A\nB", "pattern": "A.B", "dot_all": False}, _nothing("A\nB")),
        ({"text": "A", "pattern": "a"}, _nothing("A")),
        ({"text": "a\nb", "pattern": "^b"}, _nothing("a\nb")),
        ({"text": {"a": [1]}, "pattern": r'"a":\[(\d)', "group": 1}, _found("1")),
        ({"text": " \n ", "pattern": r"^(?!\s*$).+"}, _nothing(" \n ")),
        ({"text": " x ", "pattern": r"^(?!\s*$).+"}, _found(" x ")),
        ({"text": "a", "pattern": "("}, _nothing("a")),
        ({"text": "a", "pattern": "a", "group": 1}, _nothing("a")),
        ({"text": "a", "pattern": "a", "group": -1}, _nothing("a")),
        ({"text": "a", "pattern": "(x)?a", "group": 1}, _nothing("a")),
        ({"text": "xaa", "pattern": "(x)?a", "group": 1, "find_all": True}, _nothing("xaa")),
        ({"text": "ab", "pattern": "", "find_all": True}, _found("", "", "")),
    ],
)
def test_extract(data: dict[str, Any], outputs: list[tuple[str, Any]]) -> None:
    assert_outputs(ExtractTextInformationBlock, data, *outputs)


def test_a_non_text_input_without_match_fails_the_output_check() -> None:
    assert "negative" in error_of(ExtractTextInformationBlock, {"text": {"a": 1}, "pattern": "z"})


def test_the_text_is_cut() -> None:
    text = "a" * 1_000_000 + "b"
    assert outputs_of(ExtractTextInformationBlock, {"text": text, "pattern": "b"})["negative"] == [text]
    assert outputs_of(ExtractTextInformationBlock, {"text": text, "pattern": "ab?$"})["positive"] == ["a"]


def test_matches_are_counted_and_cut() -> None:
    found = outputs_of(ExtractTextInformationBlock, {"text": "a" * 1_500, "pattern": "a", "find_all": True})
    assert found["matched_count"] == [1_000]
    assert len(found["positive"]) == 1_000
    long = outputs_of(ExtractTextInformationBlock, {"text": "a" * 20_000, "pattern": "a+"})
    assert long["positive"] == ["a" * 10_000]


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)+$", "(a*)*b(c)"])
def test_time_is_bounded_for_every_pattern(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "PATTERN_SECONDS", 0.1)
    text = "a" * 6_000 + "c"
    assert_outputs(ExtractTextInformationBlock, {"text": text, "pattern": pattern}, *_nothing(text))
    assert PATTERN_SECONDS == 5


@pytest.mark.parametrize(
    ("data", "pin", "value"),
    [
        ({"text": "abc", "match": "b", "data": "d"}, "positive", "d"),
        ({"text": "abc", "match": "z", "data": "d"}, "negative", "d"),
        ({"text": "abc", "match": "B", "data": ""}, "negative", "abc"),
        ({"text": "abc", "match": "B", "data": 0, "case_sensitive": False}, "positive", "abc"),
        ({"text": "a\nc", "match": "a.c", "data": [1], "dot_all": False}, "negative", [1]),
        ({"text": {"k": 5}, "match": ":5", "data": None or ""}, "positive", {"k": 5}),
    ],
)
def test_match(data: dict[str, Any], pin: str, value: Any) -> None:
    assert_outputs(MatchTextPatternBlock, data, (pin, value))


def test_a_value_that_has_no_json_text_fails() -> None:
    assert (
        error_of(MatchTextPatternBlock, {"text": 2**70, "match": "1", "data": "d"})
        == "Integer exceeds 64-bit range"
    )


def test_many_quick_matches_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "PATTERN_SECONDS", 0.0)
    monkeypatch.setattr("actbook.blocks._time_bound.QUICK", 0.0)
    data = {"text": "aaa", "pattern": "a", "find_all": True}
    assert_outputs(ExtractTextInformationBlock, data, *_nothing("aaa"))


def test_a_bad_pattern_fails() -> None:
    text = error_of(MatchTextPatternBlock, {"text": "a", "match": "(", "data": "d"})
    assert text == "missing ) at position 1"


def test_a_slow_pattern_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "PATTERN_SECONDS", 0.1)
    text = error_of(MatchTextPatternBlock, {"text": "a" * 6_000 + "c", "match": "(a+)+$", "data": "d"})
    assert text == "Pattern matching timed out after 0.1s: simplify the pattern"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("{e}", "{e}"),
        ("x{i<=1}", "x{i<=1}"),
        ("{name}", "{name}"),
        ("a{2}", "aa"),
        ("a{1,}", "aa"),
        ("{}", "{}"),
    ],
)
def test_braces_mean_what_they_mean_in_re(pattern: str, text: str) -> None:
    assert re.fullmatch(pattern, text)
    assert_outputs(ExtractTextInformationBlock, {"text": text, "pattern": f"^{pattern}$"}, *_found(text))


@settings(deadline=None)
@given(st.text(alphabet="ab\\{}0,1[](", max_size=12), st.text(alphabet="ab{}01,", max_size=12))
def test_the_engine_agrees_with_re(pattern: str, text: str) -> None:
    try:
        expected = re.search(pattern, text)
    except (re.error, FutureWarning, OverflowError):
        return
    import regex  # type: ignore[import-untyped]

    found = regex.search(_plain_braces(pattern), text, flags=regex.V0)
    assert (found and found.span()) == (expected and expected.span())
