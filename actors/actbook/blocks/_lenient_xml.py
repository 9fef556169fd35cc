"""The XML dialect that language models are asked for: tags and text, nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

MAX_BYTES = 10_485_760
MAX_LEVELS = 1_000

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"<(/?)([^<>/!?\s][^<>]*?)>")


class _Element:
    __slots__ = ("children", "name", "texts")

    def __init__(self, name: str) -> None:
        self.name = name
        self.texts: list[str] = []
        self.children: list[tuple[str, Any]] = []

    def value(self) -> Any:
        if not self.children:
            return "".join(self.texts).strip()
        names = {name for name, _ in self.children}
        if len(names) == len(self.children):
            return dict(self.children)
        return [{name: value} for name, value in self.children]


def parse_xml(text: str, *, strict: bool = False) -> dict[str, Any]:
    """The elements as nested dictionaries. Raises ValueError.

    Unless `strict`, text outside the elements is ignored and there may be several roots; a root name that
    occurs more than once gives the list of its values.
    """
    size = len(text.encode(errors="surrogatepass"))
    if size > MAX_BYTES:
        raise ValueError(f"XML too large: {size} bytes > {MAX_BYTES} bytes")
    tokens = list(_tokens(_COMMENT.sub("", text)))
    try:
        _check_shape(tokens, strict)
    except ValueError as error:
        raise ValueError(f"Validation error for dict:{error}") from None
    return _roots(_build(tokens))


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """`("open", name)`, `("close", name)` and `("text", text)`; blanks between tags are none."""
    at = 0
    for tag in _TAG.finditer(text):
        if tag[2].endswith("/"):
            continue
        if between := text[at : tag.start()].strip():
            yield "text", between
        yield ("close" if tag[1] else "open"), re.sub(r"\s", "_", tag[2].strip().lower())
        at = tag.end()
    if rest := text[at:].strip():
        yield "text", rest


def _check_shape(tokens: list[tuple[str, str]], strict: bool) -> None:
    if not tokens:
        raise ValueError("XML input is empty.")
    depth, roots = 0, 0
    for kind, _ in tokens:
        if kind == "open":
            roots += depth == 0
            depth += 1
        elif kind == "close":
            depth -= 1
        _check_token(kind, depth, roots, strict)
    if depth:
        raise ValueError("Unclosed tag detected in XML input.")
    if not roots:
        raise ValueError("XML must include a root element.")


def _check_token(kind: str, depth: int, roots: int, strict: bool) -> None:
    if depth < 0:
        raise ValueError("Unexpected closing tag in XML input.")
    if depth > MAX_LEVELS:
        raise ValueError(f"XML is nested deeper than {MAX_LEVELS} levels.")
    if strict and roots > 1:
        raise ValueError("XML must have a single root element.")
    if strict and kind == "text" and depth == 0:
        raise ValueError("XML contains text outside the root element; wrap content in a single root tag.")


def _build(tokens: list[tuple[str, str]]) -> list[tuple[str, Any]]:
    top = _Element("")
    stack = [top]
    for kind, value in tokens:
        if kind == "open":
            stack.append(_Element(value))
        elif kind == "text":
            stack[-1].texts.append(value)
        else:
            element = stack.pop()
            if element.name != value:
                raise ValueError(f"Error in input xml syntax: Mismatched tags: {element.name} and {value}")
            stack[-1].children.append((value, element.value()))
    return top.children


def _roots(children: list[tuple[str, Any]]) -> dict[str, Any]:
    grouped: dict[str, list[Any]] = {}
    for name, value in children:
        grouped.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in grouped.items()}
