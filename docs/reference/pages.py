"""The generated reference pages by file name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from docs.reference.events import events_page

from actbook.cli._reference import command_line_page

FOLDER = Path(__file__).parent

PAGES: dict[str, Callable[[], str]] = {"cli.md": command_line_page, "events.md": events_page}


def write(name: str) -> Path:
    """Writes one page anew."""
    path = FOLDER / name
    path.write_text(PAGES[name](), encoding="utf-8")
    return path
