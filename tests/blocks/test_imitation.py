"""Made-up values."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actbook.blocks._imitation import imitation, seed_of, url
from actbook.blocks._lenient_xml import parse_xml
from actbook.blocks._needs import NUMBER, TEXT, Need

NAMES = st.text(alphabet="abc", min_size=1, max_size=3)
NEEDS = st.recursive(
    st.sampled_from([TEXT, NUMBER, Need("flag"), Need("list"), Need("dict")]),
    lambda inner: (
        st.builds(lambda item: Need("list", item=item), inner)
        | st.builds(lambda parts: Need("dict", parts), st.dictionaries(NAMES, inner, max_size=3))
        | st.builds(lambda item: Need("json", item=item), inner)
    ),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("need", "value"),
    [
        (TEXT, "Simulated it [0f]"),
        (NUMBER, 3),
        (Need("flag"), True),
        (Need("list"), ["Simulated it 1 [0f]", "Simulated it 2 [0f]"]),
        (Need("dict", {"a": NUMBER}), {"a": 3}),
        (Need("dict"), {"simulated": "Simulated it/simulated [0f]"}),
        (Need("json", item=Need("list", item=NUMBER)), "[3,3]"),
        (Need("xml"), "<result>Simulated it/result [0f]</result>"),
        (Need("xml", {"a": NUMBER, "b": Need("dict", {"c": NUMBER})}), "<a>3</a><b><c>3</c></b>"),
        (
            Need("xml", {"a": Need("list", item=Need("dict", {"i": NUMBER}))}),
            "<a><i>3</i><i>3</i></a>",
        ),
        (Need("xml", {"a": Need("list", item=NUMBER)}), "<a><item>3</item><item>3</item></a>"),
        (Need("xml", {"</>": NUMBER}), "<item>3</item>"),
    ],
)
def test_value(need: Need, value: Any) -> None:
    assert imitation(need, "it", "0f") == value


def test_labels_cannot_break_xml() -> None:
    text = imitation(Need("xml", {"a": TEXT}), "<b> & </c>", "0f")
    assert parse_xml(text, strict=True) == {"a": "Simulated (b) & (/c)/a [0f]"}


@settings(deadline=None)
@given(NEEDS)
def test_every_value_is_json_and_repeatable(need: Need) -> None:
    value = imitation(need, "it", "0f")
    assert json.loads(json.dumps(value)) == value
    assert imitation(need, "it", "0f") == value


@settings(deadline=None)
@given(st.dictionaries(NAMES, NEEDS, min_size=1, max_size=3))
def test_made_up_xml_has_the_tags_that_are_looked_up(parts: dict[str, Need]) -> None:
    assert set(parse_xml(imitation(Need("xml", parts), "it", "0f"), strict=len(parts) == 1)) == set(parts)


def test_the_seed_changes_with_node_and_data_only() -> None:
    assert seed_of("n", {"a": 1, "b": 2}) == seed_of("n", {"b": 2, "a": 1})
    assert len({seed_of("n", {"a": 1}), seed_of("m", {"a": 1}), seed_of("n", {"a": 2})}) == 3
    assert seed_of("n", {"a": "\ud800"})


def test_a_url_has_no_blanks() -> None:
    assert url("Image of Cat", "0f") == "https://simulated.invalid/image-of-cat/0f"
