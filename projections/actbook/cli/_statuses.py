"""How a status looks on the screen: a glyph that also tells without colours, and a style."""

from __future__ import annotations

from typing import NamedTuple


class Look(NamedTuple):
    """`style` in the language of rich."""

    glyph: str
    style: str


IDLE = Look("·", "dim")

LOOKS = {
    "INCOMPLETE": Look("○", "dim"),
    "QUEUED": Look("◌", "cyan"),
    "RUNNING": Look("◐", "bold cyan"),
    "COMPLETED": Look("✓", "green"),
    "FAILED": Look("✗", "bold red"),
    "TERMINATED": Look("■", "yellow"),
    "REVIEW": Look("?", "bold magenta"),
}


def look(status: str | None) -> Look:
    """None: nothing happened there yet."""
    return IDLE if status is None else LOOKS[status]
