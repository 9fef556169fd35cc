"""Regular expressions with a time bound. The engine behind them is loaded at the first use."""

from __future__ import annotations

import re
import time
from functools import lru_cache
from typing import Any

from ._json_text import json_text
from ._time_bound import TimeBoundError

PATTERN_SECONDS = 5.0

_NOT_A_COUNT = re.compile(r"\\[pPN]\{[^}]*\}|\\.|\{(?!\d*,?\d*\})|\{\}", re.DOTALL)


class PatternError(ValueError):
    """The pattern cannot be compiled."""


def searched_text(value: Any) -> str:
    """What is searched: a text as it is, anything else as JSON text."""
    return value if isinstance(value, str) else json_text(value)


def groups_found(
    pattern: str, text: str, group: int, *, case_sensitive: bool, dot_all: bool, limit: int, seconds: float
) -> list[str | None]:
    """The group of the first `limit` matches; None where it took no part. No such group: nothing.

    Raises `PatternError`, or `TimeBoundError` after `seconds`.
    """
    compiled = _compiled(pattern, case_sensitive, dot_all)
    if not 0 <= group <= compiled.groups:
        return []
    deadline = time.monotonic() + seconds
    found: list[str | None] = []
    try:
        for match in compiled.finditer(text, timeout=seconds, concurrent=True):
            found.append(match.group(group))
            if len(found) >= limit:
                break
            if time.monotonic() > deadline:
                raise TimeBoundError
    except TimeoutError:
        raise TimeBoundError from None
    return found


@lru_cache(maxsize=256)
def _compiled(pattern: str, case_sensitive: bool, dot_all: bool) -> Any:
    import regex  # type: ignore[import-untyped]

    flags = regex.V0 | (0 if case_sensitive else regex.IGNORECASE) | (regex.DOTALL if dot_all else 0)
    try:
        return regex.compile(_plain_braces(pattern), flags)
    except regex.error as error:
        raise PatternError(str(error)) from None
    except (RecursionError, OverflowError) as error:
        raise PatternError(f"pattern too complex: {error}") from None


def _plain_braces(pattern: str) -> str:
    """A brace that counts nothing is just a brace, as in `re`; this engine would read some as fuzzy
    matching.
    """
    return _NOT_A_COUNT.sub(lambda found: "\\{" + found[0][1:] if found[0][0] == "{" else found[0], pattern)
