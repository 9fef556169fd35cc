"""The lenient XML dialect."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actbook.blocks._lenient_xml import parse_xml
from actbook.blocks.standard.xml_texts import XMLParserBlock
from actbook.blocks.testing import assert_outputs, error_of


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("<a>1</a>", {"a": "1"}),
        ("<a></a>", {"a": ""}),
        ("<a> x y </a>", {"a": "x y"}),
        ("<a><b>1</b><c>2</c></a>", {"a": {"b": "1", "c": "2"}}),
        ("<a><i>1</i><i>2</i></a>", {"a": [{"i": "1"}, {"i": "2"}]}),
        ("<a><i>1</i><j>2</j><i>3</i></a>", {"a": [{"i": "1"}, {"j": "2"}, {"i": "3"}]}),
        ("<a>lost<b>1</b>lost</a>", {"a": {"b": "1"}}),
        ("<My Tag>x</MY tag>", {"my_tag": "x"}),
        ("<a>x &amp; y &lt;</a>", {"a": "x &amp; y &lt;"}),
        ("<a>x<!-- <b> -->y</a>", {"a": "xy"}),
        ("<a>1<b/>2 < 3 > 2</a>", {"a": "1<b/>2 < 3 > 2"}),
        ("<a><b>\n</b></a>", {"a": {"b": ""}}),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_one_root(text: str, parsed: dict[str, Any], strict: bool) -> None:
    assert_outputs(XMLParserBlock, {"input_xml": text, "strict": strict}, ("parsed_xml", parsed))


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("<title>T</title>\n<body>B</body>", {"title": "T", "body": "B"}),
        ("Sure!\n```xml\n<a>1</a>\n```\nDone.", {"a": "1"}),
        ("<i>1</i><i>2</i><j>3</j>", {"i": ["1", "2"], "j": "3"}),
        ('<?xml version="1.0"?><!DOCTYPE a><a>1</a>', {"a": "1"}),
    ],
)
def test_several_roots_and_text_around_them(text: str, parsed: dict[str, Any]) -> None:
    assert_outputs(XMLParserBlock, {"input_xml": text}, ("parsed_xml", parsed))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "XML input is empty."),
        (" \n<!-- a -->", "XML input is empty."),
        ("</a>", "Unexpected closing tag in XML input."),
        ("<a>", "Unclosed tag detected in XML input."),
        ("<a><b></b>", "Unclosed tag detected in XML input."),
        ("<a>" * 1_001, "XML is nested deeper than 1000 levels."),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_errors(text: str, reason: str, strict: bool) -> None:
    expected = f"Validation error for dict:{reason}"
    assert error_of(XMLParserBlock, {"input_xml": text, "strict": strict}) == expected


@pytest.mark.parametrize(
    ("text", "strict", "reason"),
    [
        ("only text", False, "XML must include a root element."),
        ("<a>1</a><b>2</b>", True, "XML must have a single root element."),
        (
            "x<a>1</a>",
            True,
            "XML contains text outside the root element; wrap content in a single root tag.",
        ),
    ],
)
def test_what_strict_changes(text: str, strict: bool, reason: str) -> None:
    expected = f"Validation error for dict:{reason}"
    assert error_of(XMLParserBlock, {"input_xml": text, "strict": strict}) == expected


@pytest.mark.parametrize(
    ("text", "opened", "closed"),
    [("<a><b></a></b>", "b", "a"), ('<a href="x">1</a>', 'a_href="x"', "a")],
)
def test_mismatched_tags(text: str, opened: str, closed: str) -> None:
    expected = f"Error in input xml syntax: Mismatched tags: {opened} and {closed}"
    assert error_of(XMLParserBlock, {"input_xml": text}) == expected


def test_the_size_is_limited_and_counted_in_bytes() -> None:
    text = "<a>" + "é" * 5_242_880 + "</a>"
    expected = "XML too large: 10485767 bytes > 10485760 bytes"
    assert error_of(XMLParserBlock, {"input_xml": text}) == expected


def test_a_large_text_is_read_in_a_thread() -> None:
    text = "<a>" + "x" * 200_000 + "</a>"
    assert_outputs(XMLParserBlock, {"input_xml": text}, ("parsed_xml", {"a": "x" * 200_000}))


NAMES = st.text(alphabet="abc_", min_size=1, max_size=4)
TREES = st.recursive(
    st.text(alphabet="xyz &;", max_size=5).map(str.strip),
    lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3),
    max_leaves=6,
)


def _written(tree: Any) -> str:
    if isinstance(tree, str):
        return tree
    return "".join(f"<{name}>{_written(value)}</{name}>" for name, value in tree.items())


@settings(deadline=None)
@given(st.dictionaries(NAMES, TREES, min_size=1, max_size=3))
def test_what_is_written_is_read(tree: dict[str, Any]) -> None:
    assert parse_xml(_written(tree)) == tree


@settings(deadline=None)
@given(st.text(alphabet="<>/ab !-", max_size=30), st.booleans())
def test_any_text_is_read_or_refused(text: str, strict: bool) -> None:
    try:
        parsed = parse_xml(text, strict=strict)
    except ValueError:
        return
    assert parsed
