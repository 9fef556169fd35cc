"""What the body of one node execution counted."""

from __future__ import annotations

from typing import Any

from actbook.events import add_values

from ._plain import plain


def counted(counters: dict[str, Any] | None, name: str, value: Any) -> dict[str, Any]:
    """The counters with a value added. Raises `UnrecordableError`, also for a sum that has become too big."""
    if not isinstance(name, str):
        raise TypeError(f"a counter's name is a text, not {type(name).__name__}")
    total = None if counters is None else counters.get(name)
    added, _ = plain(add_values(total, plain(value)[0]))
    return {**(counters or {}), name: added}
