"""Answers on stdout: one JSON document, ids, or text for people."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from actbook.cli._options import Output

_WIDE = 100_000
"""Columns of an output that is no terminal: nothing is cut or wrapped there."""


def print_json(document: Any) -> None:
    """One JSON document on one line; indented on a terminal. NaN and the infinities are null."""
    import msgspec

    text = msgspec.json.encode(document)
    if sys.stdout.isatty():
        text = msgspec.json.format(text, indent=2)
    print(text.decode())


def print_ids(ids: Iterable[str]) -> None:
    """One id a line."""
    for each in ids:
        print(each)


def console(file: IO[str] | None = None) -> Console:
    """For people. Colours and cursor movements only on a terminal; NO_COLOR takes the colours away there too."""
    from rich.console import Console

    target = sys.stdout if file is None else file
    if target.isatty():
        return Console(file=target, highlight=False, emoji=False, markup=False)
    width = (
        int(os.environ.get("COLUMNS", "") or _WIDE) if os.environ.get("COLUMNS", "").isdecimal() else _WIDE
    )
    return Console(
        file=target,
        highlight=False,
        emoji=False,
        markup=False,
        force_terminal=False,
        color_system=None,
        no_color=True,
        width=width,
        legacy_windows=False,
    )


def show(*renderables: RenderableType) -> None:
    """Prints for people on stdout; elsewhere than on a terminal without blanks at the ends of lines."""
    screen = console()
    for each in renderables:
        if screen.is_terminal:
            screen.print(each)
            continue
        with screen.capture() as captured:
            screen.print(each, soft_wrap=True)
        for line in captured.get().splitlines():
            print(line.rstrip())


def note(text: str, output: Output = "table") -> None:
    """Something for the person beside the answer, on stderr; silent for programs."""
    if output == "table":
        print(text, file=sys.stderr, flush=True)


def one_line(value: Any, limit: int = 60) -> str:
    """A value on one line of bounded length: text as it is, anything else as JSON."""
    import msgspec

    plain = (
        value[: 4 * limit] if isinstance(value, str) else msgspec.json.encode(value).decode(errors="replace")
    )
    text = " ".join(plain.split()) if isinstance(value, str) else plain
    return text if len(text) <= limit else text[: limit - 1] + "…"


def whole(value: Any) -> str:
    """A value in full: text as it is, anything else as JSON."""
    import msgspec

    return value if isinstance(value, str) else msgspec.json.encode(value).decode(errors="replace")


def seconds(value: float) -> str:
    """A duration that a person reads at a glance."""
    if value < 0.001:
        return "<1 ms"
    if value < 0.0995:
        return f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(int(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
