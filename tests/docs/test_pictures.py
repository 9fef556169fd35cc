"""Mermaid pictures are well-formed, as far as a look at their lines can tell."""

from __future__ import annotations

import re

import pytest
from tests.docs.snippets import PAGES, blocks, page_name

_NAME = r"[A-Za-z]\w*"
_NODE = rf'{_NAME}(?:\["[^"]+"\]|\("[^"]+"\)|\[\("[^"]+"\)\])?'
_ARROW = r'(?:-->|-\.->|---)(?:\|"?[^|"]+"?\|)?'
_LINES = {
    "flowchart": re.compile(
        rf'(?:{_NODE}(?: (?:& {_NODE}|{_ARROW} {_NODE}))*|subgraph {_NAME}(?:\["[^"]+"\])?|end|direction (?:LR|TB))'
    ),
    "sequenceDiagram": re.compile(
        rf"(?:participant {_NAME}(?: as .+)?|{_NAME}-?->>{_NAME}: .+|Note (?:over|right of|left of) .+: .+"
        r"|(?:loop|alt|opt|par|rect|else|and)(?: .+)?|end)"
    ),
    "stateDiagram-v2": re.compile(rf"(?:\[\*\]|{_NAME}) --> (?:\[\*\]|{_NAME})(?:: .+)?"),
}
_OPENS = re.compile(r"(?:subgraph|loop|alt|opt|par|rect)\b")

_PICTURES = [
    pytest.param(block.text, id=f"{page_name(page)}:{block.line}")
    for page in PAGES
    for block in blocks(page.read_text("utf-8"))
    if block.language == "mermaid"
]


@pytest.mark.parametrize("picture", _PICTURES)
def test_a_picture_is_well_formed(picture: str) -> None:
    first, *rest = [line.strip() for line in picture.splitlines() if line.strip()]
    pattern = _LINES[first.split()[0]]
    assert [line for line in rest if not pattern.fullmatch(line)] == []
    assert sum(1 for line in rest if _OPENS.match(line)) == rest.count("end")


@pytest.mark.parametrize("picture", [each for each in _PICTURES if "sequenceDiagram" in str(each.values[0])])
def test_whoever_speaks_in_a_sequence_was_introduced(picture: str) -> None:
    introduced = set(re.findall(rf"participant ({_NAME})", picture))
    assert {name for pair in re.findall(rf"({_NAME})-?->>({_NAME}):", picture) for name in pair} == introduced
