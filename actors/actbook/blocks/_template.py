"""Text templates: the part that is cheap to import. The engine behind them is loaded at the first
rendering.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

from ._time_bound import Outputs, within

TEMPLATE_SECONDS = 10.0
"""What one rendering may take."""

_HEAVY = 20_000
"""Characters from which a template goes to a thread without a try on the loop."""


def rendered(
    template: str,
    values: Mapping[str, Any],
    *,
    escape_html: bool,
    outputs: Callable[[str], Outputs],
    failed: Callable[[ValueError], Outputs],
) -> Iterator[tuple[str, Any]] | AsyncIterator[tuple[str, Any]]:
    """`outputs(text)`, or `failed(error)`, which may raise the error; its text is the template engine's."""

    def work(seconds: float) -> Outputs:
        from ._sandbox import render_within

        try:
            text = render_within(template, values, escape_html=escape_html, seconds=seconds)
        except ValueError as error:
            return failed(error)
        return outputs(text)

    def late() -> Outputs:
        return failed(
            ValueError(f"Template rendering timed out after {TEMPLATE_SECONDS:g}s (expression too complex)")
        )

    return within(work, TEMPLATE_SECONDS, late, heavy=len(template) > _HEAVY)
