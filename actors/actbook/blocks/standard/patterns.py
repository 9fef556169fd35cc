"""Regular expressions over text."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, NoReturn

import msgspec

from actbook.graphs import Block, ExecutionContext

from .._pattern import PATTERN_SECONDS, PatternError, groups_found, searched_text
from .._time_bound import Outputs, within

_MAX_TEXT = 1_000_000
_MAX_MATCHES = 1_000
_MAX_MATCH = 10_000


class ExtractTextInformationBlock(Block):
    """Whatever goes wrong with the pattern counts as no match."""

    id = "3146e4fe-2cdd-4f29-bd12-0c9d5bb4deb0"
    description = "Finds what a regular expression matches in a text."
    effects = False

    class Input(msgspec.Struct, kw_only=True):
        text: Any
        pattern: str
        group: int = 0
        case_sensitive: bool = True
        dot_all: bool = True
        find_all: bool = False

    class Output(msgspec.Struct):
        positive: str
        negative: str
        matched_results: list[str]
        matched_count: int

    def run(
        self,
        input: Input,
        context: ExecutionContext,
    ) -> Iterator[tuple[str, Any]] | AsyncIterator[tuple[str, Any]]:
        def work(seconds: float) -> Outputs:
            return _outputs(_extracted(input, seconds), input.text)

        return within(work, PATTERN_SECONDS, lambda: _outputs([], input.text))


class MatchTextPatternBlock(Block):
    id = "3060088f-6ed9-4928-9ba7-9c92823a7ccd"
    description = (
        "Takes the positive way when a regular expression is found in a text, else the negative one."
    )
    effects = False

    class Input(msgspec.Struct, kw_only=True):
        text: Any
        match: str
        data: Any
        case_sensitive: bool = True
        dot_all: bool = True

    class Output(msgspec.Struct):
        positive: Any
        negative: Any

    def run(
        self,
        input: Input,
        context: ExecutionContext,
    ) -> Iterator[tuple[str, Any]] | AsyncIterator[tuple[str, Any]]:
        def work(seconds: float) -> Outputs:
            found = groups_found(
                input.match,
                searched_text(input.text),
                0,
                case_sensitive=input.case_sensitive,
                dot_all=input.dot_all,
                limit=1,
                seconds=seconds,
            )
            return [("positive" if found else "negative", input.data or input.text)]

        return within(work, PATTERN_SECONDS, _too_slow)


def _extracted(input: ExtractTextInformationBlock.Input, seconds: float) -> list[str]:
    try:
        found = groups_found(
            input.pattern,
            searched_text(input.text)[:_MAX_TEXT],
            input.group,
            case_sensitive=input.case_sensitive,
            dot_all=input.dot_all,
            limit=_MAX_MATCHES if input.find_all else 1,
            seconds=seconds,
        )
    except PatternError:
        return []
    texts = [each[:_MAX_MATCH] for each in found if each is not None]
    return texts if len(texts) == len(found) else []


def _outputs(matches: list[str], original: Any) -> Outputs:
    found: Outputs = [("positive", match) for match in matches] or [("negative", original)]
    return [*found, ("matched_results", matches), ("matched_count", len(matches))]


def _too_slow() -> NoReturn:
    raise ValueError(f"Pattern matching timed out after {PATTERN_SECONDS:g}s: simplify the pattern")
